//! Which run an operator's cancellation stops at CXone.

use delivery::{EndReason, Ended, Next, SegmentId};
use serde_json::json;

use crate::bucket::{Bucket, audit};

/// Asks for the cancellation: the generation, and the answer.
fn cancel(bucket: &mut Bucket) -> (Option<u32>, Next) {
    let event = bucket.event().with_cancellation(audit());
    bucket.ask(&event, None, None).unwrap()
}

fn nothing(note: &str) -> Next {
    Next::Nothing {
        note: Some(note.to_owned()),
    }
}

/// That a run was cancelled, as the state machine says it.
fn cancelled(run: u32) -> Ended {
    Ended {
        segment: SegmentId::whole(),
        run,
        reason: EndReason::TimedOut,
        detail: String::new(),
    }
}

#[test]
fn of_a_window_that_nobody_asked_for_there_is_nothing_to_cancel() {
    let mut bucket = Bucket::of_analytics();
    let told = nothing("nothing is stored of the window");
    assert_eq!(cancel(&mut bucket), (None, told));
}

#[test]
fn a_window_whose_run_was_not_started_or_has_ended_or_is_whole_has_none_under_way() {
    let told = nothing("no run is under way at CXone");
    let mut bucket = Bucket::of_analytics();
    bucket.open(1, &json!({}));
    assert_eq!(cancel(&mut bucket), (Some(1), told.clone()));
    bucket.start_run(1, 1);
    bucket.end_run(1, 1);
    assert_eq!(cancel(&mut bucket), (Some(1), told.clone()), "it has ended");
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    assert_eq!(cancel(&mut bucket), (Some(1), told), "its pages are stored");
}

#[test]
fn the_run_that_is_under_way_in_the_newest_generation_is_named() {
    let mut bucket = Bucket::of_analytics();
    bucket.open(1, &json!({}));
    bucket.start_run(1, 1);
    bucket.open(2, &json!({}));
    bucket.start_run(2, 1);
    bucket.end_run(2, 1);
    bucket.start_run(2, 2);
    bucket.store_pages(2, 2, Some("the next page"));
    let (generation, next) = cancel(&mut bucket);
    let Next::Cancel { work } = next else {
        panic!("{next:?}");
    };
    assert_eq!((generation, work.generation, work.run), (Some(2), 2, 2));
    assert_eq!(work.run_id.as_str(), "run-2-2");
}

#[test]
fn where_the_api_can_not_cancel_the_run_is_named_and_left_alone() {
    let definition = include_str!("../../../local/definitions/data-extraction.json");
    let mut bucket = Bucket::new(definition);
    bucket.open(1, &json!({}));
    bucket.start_run(1, 1);
    let told = "this API can't cancel a run: run-1-1 may go on at CXone, and nothing asks for it";
    assert_eq!(cancel(&mut bucket), (Some(1), nothing(told)));
    assert!(bucket.read_end(1, 1).is_none());
}

/// Whoever takes the window up again starts the next run at once, and it is stored who is to be asked why.
#[test]
fn what_was_cancelled_is_stored_with_who_asked_and_costs_no_run() {
    let mut bucket = Bucket::of_analytics();
    bucket.open(1, &json!({}));
    bucket.start_run(1, 1);
    let event = bucket.event().with_cancellation(audit());
    let answer = bucket.ask(&event, Some(1), Some(&cancelled(1))).unwrap();
    assert_eq!(answer, (Some(1), Next::Nothing { note: None }));
    let end = bucket.read_end(1, 1).unwrap();
    assert_eq!(
        (end.reason, end.cancelled),
        (EndReason::Failed, Some(audit()))
    );
    assert_eq!(
        cancel(&mut bucket).1,
        nothing("no run is under way at CXone")
    );
}

/// It had completed before it was cancelled, and its pages are the window's.
#[test]
fn a_run_with_all_its_pages_is_not_said_to_have_ended() {
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    let event = bucket.event().with_cancellation(audit());
    let answer = bucket.ask(&event, Some(1), Some(&cancelled(1))).unwrap();
    assert_eq!(answer, (Some(1), Next::Nothing { note: None }));
    assert!(bucket.read_end(1, 1).is_none());
}

/// A generation that was opened meanwhile is another request's.
#[test]
fn the_generation_whose_run_was_cancelled_is_the_one_that_was_joined() {
    let mut bucket = Bucket::of_analytics();
    for generation in [1, 2] {
        bucket.open(generation, &json!({}));
        bucket.start_run(generation, 1);
    }
    let event = bucket.event().with_cancellation(audit());
    bucket.ask(&event, Some(1), Some(&cancelled(1))).unwrap();
    let ended = [1, 2].map(|generation| bucket.read_end(generation, 1).is_some());
    assert_eq!(ended, [true, false]);
}
