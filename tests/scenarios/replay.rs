//! Days that are replayed.

use serde_json::json;

use pipeline_tests::harness::PipelineBuilder;

#[tokio::test]
async fn a_replay_replaces_the_day_and_says_what_it_replaces() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let first = pipeline.commit();
    pipeline.tenant().set_rows(300);
    pipeline.replay("first-request").await;
    let log = pipeline.log();
    let [before, after] = &log[..] else {
        panic!("{log:#?}");
    };
    assert_eq!(*before, first);
    assert_eq!((after.generation, after.supersedes), (2, Some(1)));
    assert_eq!(after.window, first.window);
    assert!(!after.unchanged);
    assert_eq!(after.unique, 300);
    pipeline.check_rows(after);
    // What was delivered before is still there for who reads it right now.
    pipeline.check_rows(before);
}

#[tokio::test]
async fn a_replay_that_brings_other_values_is_told_from_one_that_brings_the_same() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.replay("the-same").await;
    pipeline.set_faults(&["restated:revision=3"]);
    pipeline.replay("restated").await;
    pipeline.replay("back-again").await;
    let log = pipeline.log();
    let told: Vec<_> = log
        .iter()
        .map(|commit| (commit.generation, commit.supersedes, commit.unchanged))
        .collect();
    assert_eq!(
        told,
        [
            (1, None, false),
            (2, Some(1), true),
            (3, Some(2), false),
            (4, Some(3), false)
        ]
    );
    assert_eq!(log[0].content, log[3].content);
    for commit in [&log[0], &log[1], &log[3]] {
        pipeline.check_rows(commit);
    }
}

#[tokio::test]
async fn the_same_wish_is_granted_once() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.replay("request").await;
    let before = pipeline.listing();
    let mut event = pipeline
        .event()
        .with_replay(local::replay("the day was restated"))
        .to_json();
    event["id"] = json!("request");
    let ended = pipeline.play(event).await;
    assert_eq!(ended.state, "Nothing to do");
    assert_eq!(pipeline.listing(), before);
}

#[tokio::test]
async fn a_day_that_was_never_delivered_can_be_replayed() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.replay("request").await;
    let commit = pipeline.commit();
    assert_eq!((commit.generation, commit.supersedes), (1, None));
    // The schedule's own firing comes late and finds the day delivered.
    assert_eq!(pipeline.fire().await.state, "Nothing to do");
    pipeline.commit();
}

#[tokio::test]
async fn an_older_generation_never_replaces_a_newer_one() {
    let setup = PipelineBuilder::daily().fault("slow-run:run=1,seconds=1800");
    let pipeline = setup.start().await;
    let replay = pipeline
        .event()
        .with_replay(local::replay("could not wait"));
    // The replay is opened behind the regular generation.
    let (regular, replay) = pipeline.fire_before(&replay.with_id("impatient")).await;
    let replay = pipeline.world.finish(&replay).await.unwrap();
    assert_eq!(replay.state, "Delivered", "{replay:?}");
    let regular = pipeline.world.finish(&regular).await.unwrap();
    assert_eq!(regular.state, "Nothing to do", "{regular:?}");
    let commit = pipeline.commit();
    assert_eq!(commit.generation, 2);
}

/// Consumers hold what was delivered before, so that `cxr retry` would leave the window alone.
#[tokio::test]
async fn the_mail_of_the_last_run_of_a_replay_says_what_takes_it_up_again() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.set_faults(&["run-fails:times=forever"]);
    let replay = pipeline.event().with_replay(local::replay("late data"));
    let ended = pipeline.play(replay.with_id("late").to_json()).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.RunsExhausted"));
    let alerts = pipeline.world.alerts();
    let last = &alerts.last().unwrap().message;
    let redrive = format!("  cxr redrive {}\n", ended.name);
    let kept = "what was delivered of the window before is not replaced until somebody acts";
    for told in [&redrive, kept] {
        assert!(last.contains(told), "{told}: {last}");
    }
    assert!(!last.contains("cxr retry"), "{last}");
    pipeline.set_faults(&[]);
    assert_eq!(pipeline.redrive(&ended).await.state, "Delivered");
}
