//! Which stored pages a replay without CXone is made of.

use delivery::{EndReason, Ended, Failure, FailureName, Next, SegmentId};
use serde_json::{Value, json};

use crate::bucket::{Bucket, audit};

/// Asks for a replay from stored pages, with some fields of the definition changed.
fn replay(bucket: &mut Bucket, change: &[(&str, Value)]) -> Result<(Option<u32>, Next), Failure> {
    for (pointer, value) in change {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        bucket.written.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    let event = bucket.event().with_stored_replay(audit());
    bucket.ask(&event, None, None)
}

/// The generation that was opened, and the one whose pages it is made of.
fn opened(bucket: &Bucket, answer: Result<(Option<u32>, Next), Failure>) -> (u32, u32) {
    let (generation, next) = answer.unwrap();
    let generation = generation.unwrap();
    let Next::Ready { work } = next else {
        panic!("{next:?}");
    };
    assert_eq!(work.generation, generation);
    let opening = bucket.read_opening(generation).unwrap();
    assert_eq!(opening["reason"], "because");
    let source = opening["storedFrom"].as_u64().unwrap();
    (generation, u32::try_from(source).unwrap())
}

#[test]
fn where_no_generation_has_all_its_pages_there_is_nothing_to_build_from() {
    let mut bucket = Bucket::of_analytics();
    for prepare in [
        (|_| ()) as fn(&mut Bucket),
        |bucket| bucket.open(1, &json!({})),
        |bucket| bucket.start_run(1, 1),
        |bucket| bucket.store_pages(1, 1, Some("the next page")),
        |bucket| {
            bucket.store_pages(1, 1, None);
            bucket.end_run(1, 1);
        },
        // Neither has pages of its own.
        |bucket| bucket.fill(2, &json!({"withdrawn": true})),
        |bucket| bucket.fill(3, &json!({"storedFrom": 1})),
    ] {
        prepare(&mut bucket);
        let failure = replay(&mut bucket, &[]).unwrap_err();
        assert_eq!(failure.name, FailureName::Config);
        let told = "has all its pages stored, so that there is nothing to build from; replay the window without `--stored`";
        assert!(failure.message.ends_with(told), "{}", failure.message);
        assert_eq!(bucket.read_opening(4), None, "nothing was opened");
    }
}

#[test]
fn the_newest_generation_with_all_its_pages_is_the_source() {
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    bucket.fill(2, &json!({}));
    bucket.open(3, &json!({}));
    bucket.start_run(3, 1);
    let answer = replay(&mut bucket, &[]);
    assert_eq!(opened(&bucket, answer), (4, 2));
    // The same request again is the same generation.
    let answer = replay(&mut bucket, &[]);
    assert_eq!(opened(&bucket, answer), (4, 2));
    assert_eq!(bucket.read_opening(5), None);
}

#[test]
fn what_says_nothing_of_the_pages_may_differ_and_nothing_else() {
    let free = [
        ("/pipeline/onConflict", json!("keep-last")),
        ("/pipeline/schema", json!("strict")),
        ("/pipeline/restate", json!(["P3D"])),
        ("/pipeline/expectedBy", json!("PT5H")),
        ("/schedule/time", json!("06:10")),
    ];
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    let answer = replay(&mut bucket, &free);
    assert_eq!(opened(&bucket, answer), (2, 1));
    for (change, field) in [
        (("/pipeline/maxRuns", json!(5)), "/pipeline/maxRuns"),
        (("/pipeline/format", json!("csv")), "/pipeline/format"),
        (
            ("/report/metrics", json!(["handleTime"])),
            "/report/metrics",
        ),
    ] {
        let mut bucket = Bucket::of_analytics();
        bucket.fill(1, &json!({}));
        let failure = replay(&mut bucket, &[change]).unwrap_err();
        assert_eq!(failure.name, FailureName::Config);
        let told = format!(
            "of generation 1, were fetched with another definition, which differs in {field}"
        );
        assert!(failure.message.contains(&told), "{}", failure.message);
        assert_eq!(bucket.read_opening(2), None, "nothing was opened");
    }
}

/// A run of the source may have ended since, because its pages can't be trusted.
#[test]
fn a_source_that_is_not_whole_any_more_fails_the_replay() {
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    let answer = replay(&mut bucket, &[]);
    assert_eq!(opened(&bucket, answer), (2, 1));
    bucket.end_run(1, 1);
    let failure = replay(&mut bucket, &[]).unwrap_err();
    assert_eq!(failure.name, FailureName::Contract);
    let told = "can't be built from the stored pages of generation 1: they are not all there any more. Replay";
    assert!(failure.message.contains(told), "{}", failure.message);
}

/// Finalize found that the pages contradict each other, and no other run of them can be had.
#[test]
fn pages_that_can_not_be_trusted_fail_the_replay_with_the_reason() {
    let mut bucket = Bucket::of_analytics();
    bucket.fill(1, &json!({}));
    let answer = replay(&mut bucket, &[]);
    assert_eq!(opened(&bucket, answer), (2, 1));
    let ended = Ended {
        segment: SegmentId::whole(),
        run: 1,
        reason: EndReason::Unstable,
        detail: String::new(),
    };
    let event = bucket.event().with_stored_replay(audit());
    let failure = bucket.ask(&event, Some(2), Some(&ended)).unwrap_err();
    assert_eq!(failure.name, FailureName::Contract);
    let told = format!("generation 1: {}. Replay", EndReason::Unstable.describe());
    assert!(failure.message.contains(&told), "{}", failure.message);
    assert!(bucket.read_end(1, 1).is_none(), "what is stored stays");
}
