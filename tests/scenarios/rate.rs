//! A tenant that asks us to stay away, and how often it is asked at all.

use std::collections::BTreeMap;
use std::time::Instant;

use asl::{EventDetail, Status};
use cxone_sim::Kind;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use pipeline_tests::harness::history;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered};

/// The tenant throttles like this, asking for so many seconds, and nobody comes back any earlier.
async fn check(fault: &str, seconds: i64) -> Pipeline {
    let setup = PipelineBuilder::daily().fault(&format!("throttled:{fault},seconds={seconds}"));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.commit();
    let journal = pipeline.tenant().journal();
    let refused: Vec<_> = journal.iter().filter(|e| e.status == 429).collect();
    assert!(!refused.is_empty(), "nobody was throttled");
    for refused in refused {
        let until = refused.at + SignedDuration::from_secs(seconds);
        let early = journal
            .iter()
            .skip_while(|entry| !std::ptr::eq(*entry, refused))
            .skip(1)
            .find(|entry| entry.at < until);
        assert_eq!(early, None, "came back before {until}");
    }
    pipeline
}

#[tokio::test]
async fn the_state_machine_waits_for_as_long_as_a_page_asks() {
    let pipeline = check("on=page,page=1", 90).await;
    let executions = pipeline
        .world
        .engine()
        .list(local::world::STATE_MACHINE_ARN, None);
    let timeline = history::timeline(&pipeline.world, &executions[0].execution_arn);
    assert!(
        timeline.contains("05:30:15 Wait for the tenant\n05:31:45 FetchPage\n"),
        "{timeline}"
    );
}

#[tokio::test]
async fn pauses_are_kept_wherever_they_are_asked_for() {
    for on in ["list-schedules", "start-run", "token", "look"] {
        check(&format!("on={on}"), 300).await;
    }
}

#[tokio::test]
async fn the_pause_before_the_first_page_is_kept() {
    // The first look finds the run completed, the second one is the first page.
    check("on=look,at=2", 90).await;
}

#[tokio::test]
async fn pauses_until_a_date_are_kept_in_all_three_forms() {
    for form in ["imf", "rfc850", "asctime"] {
        check(&format!("on=page,page=1,retry-after={form}"), 75).await;
    }
}

#[tokio::test]
async fn a_short_pause_is_waited_for_in_the_handler() {
    let started = Instant::now();
    let setup = PipelineBuilder::daily().fault("throttled:on=page,page=1,seconds=1");
    let pipeline = setup.start().await;
    let ended = pipeline.deliver().await;
    pipeline.commit();
    assert!(started.elapsed().as_secs_f64() >= 1.0);
    let states = pipeline.states(&ended);
    assert_eq!(states.iter().filter(|name| *name == "FetchPage").count(), 1);
}

#[tokio::test]
async fn a_tenant_that_only_throttles_is_not_asked_all_the_time() {
    let setup = PipelineBuilder::daily().fault("throttled:on=page,times=forever,seconds=60");
    let pipeline = setup.start().await;
    let ended = pipeline.fail("Cxone.Throttled").await;
    let requests = pipeline.requests(Kind::Page).len();
    assert!(requests <= 45 + 2 * 9, "{requests} requests in 45 minutes");
    assert!(pipeline.log().is_empty());

    // Whoever redrives it begins anew, and is asked to wait once more.
    pipeline.set_faults(&["throttled:on=page,seconds=60"]);
    assert_eq!(pipeline.redrive(&ended).await.status, Status::Succeeded);
    pipeline.commit();
    let requests = pipeline.requests(Kind::Page);
    let [.., refused, again, _] = &requests[..] else {
        panic!("{requests:#?}");
    };
    assert_eq!(refused.status, 429);
    assert_eq!(again.at.duration_since(refused.at).as_secs(), 60);
}

#[tokio::test]
async fn a_tenant_that_does_not_say_how_long_is_given_more_and_more_time() {
    let setup = PipelineBuilder::daily().fault("throttled:on=page,times=forever,retry-after=none");
    let pipeline = setup.start().await;
    pipeline.fail("Cxone.Throttled").await;
    let requests = pipeline.requests(Kind::Page);
    assert!(requests.len() <= 28 + 2 * 9, "{} requests", requests.len());
}

#[tokio::test]
async fn a_run_is_not_looked_at_more_often_than_every_15_seconds() {
    let setup = PipelineBuilder::daily().fault("slow-run:seconds=2400");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.commit();
    check_polling(&pipeline);
}

/// The looks at a run that were answered with nothing are 15 seconds apart, and there are not many of them.
pub(crate) fn check_polling(pipeline: &Pipeline) {
    let mut by_run: BTreeMap<String, Vec<_>> = BTreeMap::new();
    // A look that was refused for its token is made again at once.
    let looks = pipeline.requests(Kind::Look).into_iter();
    for look in looks.filter(|look| look.status != 401) {
        by_run.entry(look.run.unwrap()).or_default().push(look.at);
    }
    for (run, mut looks) in by_run {
        // The last poll stands together with the looks around a cancellation, or with the first page.
        let all = looks.len();
        looks.dedup();
        assert!(all - looks.len() <= 2, "{run} was looked at {all} times");
        assert!(
            looks.len() <= 26,
            "{run} was looked at {} times",
            looks.len()
        );
        let (_, polls) = looks.split_last().unwrap();
        for pair in polls.windows(2) {
            let apart = pair[1].duration_since(pair[0]).as_secs();
            assert!(apart >= 15, "{run} was looked at after {apart} s");
        }
    }
}

/// A permit is free at some fraction of a second, and the state machine's Wait knows whole seconds only.
#[tokio::test]
async fn a_wait_until_some_time_neither_spins_nor_ends_early() {
    let setup = PipelineBuilder::of_api("data-extraction").fired_at("2026-11-22T05:30:00.25Z");
    let pipeline = setup.start().await;
    let arns = {
        let _still = pipeline.world.clock().busy();
        ["One", "Two", "Three"].map(|name| {
            let mut event = pipeline.event().to_json();
            event["detail"]["definition"]["name"] = name.into();
            pipeline.world.fire(event).unwrap()
        })
    };
    let mut waits = 0;
    for arn in &arns {
        delivered(pipeline.finish(arn).await);
        let mut until: Option<Timestamp> = None;
        for event in pipeline.world.engine().history(arn).unwrap() {
            match &event.detail {
                EventDetail::StateEntered { name, input, .. } if **name == *"Wait until" => {
                    let input: Value = serde_json::from_str(input).unwrap();
                    let time: Timestamp = input["until"].as_str().unwrap().parse().unwrap();
                    assert!(
                        time > event.timestamp,
                        "{time} is over at {}",
                        event.timestamp
                    );
                    until = Some(time);
                    waits += 1;
                }
                EventDetail::StateExited { name, .. } if **name == *"Wait until" => {
                    assert_eq!(
                        until,
                        Some(event.timestamp),
                        "the wait ended at another time"
                    );
                }
                _ => {}
            }
        }
    }
    // Each of the two that come later waits for the first call of all, and at most for each call of the others.
    assert!((2..=8).contains(&waits), "{waits} waits");
    assert_eq!(pipeline.tenant().spacing_violations(), 0);
}
