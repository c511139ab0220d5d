//! The same day asked for more than once.

use std::time::Duration;

use asl::Status;

use pipeline_tests::harness::{FIRED_AT, PipelineBuilder, day_before, delivered, time};

#[tokio::test]
async fn two_firings_at_once_are_one_commit() {
    let setup =
        PipelineBuilder::daily().tenant(|tenant| tenant.processing = Duration::from_mins(2));
    let pipeline = setup.start().await;
    let arns: Vec<_> = {
        let _still = pipeline.world.clock().busy();
        let event = pipeline.event().to_json();
        (0..2)
            .map(|_| pipeline.world.fire(event.clone()).unwrap())
            .collect()
    };
    for arn in arns {
        let ended = pipeline.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        let ends = ["Delivered", "Nothing to do"];
        assert!(ends.contains(&&*ended.state), "{}", ended.state);
    }
    let commit = pipeline.commit();
    let runs = pipeline.tenant().runs();
    assert!(runs.len() <= 2, "{runs:?}");
    for run in runs {
        let used = run.id == commit.runs[0].run_id.as_str();
        assert_eq!(run.state, if used { "completed" } else { "cancelled" });
    }
}

#[tokio::test]
async fn a_day_that_was_delivered_is_left_alone() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.commit();
    let before = pipeline.listing();
    let started = pipeline.started();
    let ended = pipeline.fire().await;
    assert_eq!(ended.state, "Nothing to do");
    assert_eq!(pipeline.listing(), before);
    assert_eq!(pipeline.started(), started);
}

#[tokio::test]
async fn the_days_of_a_week_are_delivered_in_any_order() {
    let pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    pipeline.deliver().await;
    for days in [3, 1, 2] {
        delivered(pipeline.ask_for(day_before(days)).await);
    }
    let log = pipeline.log();
    for commit in &log {
        pipeline.check_rows(commit);
        assert_eq!(commit.supersedes, None);
    }
    let starts: Vec<_> = log.iter().map(|c| c.window.start().to_string()).collect();
    assert_eq!(
        starts,
        [
            "2026-11-21T00:00:00Z",
            "2026-11-18T00:00:00Z",
            "2026-11-20T00:00:00Z",
            "2026-11-19T00:00:00Z"
        ]
    );
    assert!(
        log.iter()
            .all(|commit| commit.committed_at >= time(FIRED_AT))
    );
}
