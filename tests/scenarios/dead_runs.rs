//! Runs that end without their data.

use asl::Status;
use cxone_sim::Kind;

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered};

/// The first run ends for this reason, the operators hear of it once, and the second run is used.
async fn check(setup: PipelineBuilder, reason: &str) -> Pipeline {
    let pipeline = setup.rows(1_000, 100).start().await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    let runs = pipeline.tenant().runs();
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(commit.runs[0].run_id.as_str(), runs[1].id);
    assert_eq!(commit.unique, 1_000);
    let [alert] = &pipeline.world.alerts()[..] else {
        panic!("{:#?}", pipeline.world.alerts());
    };
    assert!(alert.message.contains(reason), "{alert:?}");
    let segment = "Daily Agent Performance Aggregation (tenant acme, window 2026-11-21T00:00:00Z to 2026-11-22T00:00:00Z, segment 0, run 1)";
    assert!(alert.message.contains(segment), "{alert:?}");
    pipeline
}

#[tokio::test]
async fn a_run_that_failed_is_followed_by_another_one() {
    let setup = PipelineBuilder::daily()
        .fault("run-fails:message=query exceeded the execution limit,control=yes");
    let pipeline = check(setup, "failed").await;
    let alert = &pipeline.world.alerts()[0].message;
    assert!(
        alert.contains("query exceeded the execution limit"),
        "{alert}"
    );
    // What is told stands on one line; what to type follows on lines of our own.
    let (told, typed) = alert.split_once("\n\nWhat to type:\n").unwrap();
    assert!(!told.contains(char::is_control), "{alert:?}");
    assert!(!typed.contains("fake line"), "{alert:?}");
}

#[tokio::test]
async fn a_message_without_end_is_cut() {
    let setup = PipelineBuilder::daily().fault("run-fails:bytes=100000");
    let pipeline = check(setup, "failed").await;
    assert!(pipeline.world.alerts()[0].message.len() < 2_000);
}

#[tokio::test]
async fn a_run_that_vanished_is_followed_by_another_one() {
    let setup = PipelineBuilder::daily()
        .fault("slow-run:seconds=300")
        .fault("run-vanishes:after=3");
    check(setup, "vanished").await;
}

#[tokio::test]
async fn a_run_that_can_not_be_seen_at_first_is_waited_for() {
    let pipeline = PipelineBuilder::daily()
        .fault("poll-early-404:looks=2")
        .start()
        .await;
    pipeline.deliver().await;
    pipeline.commit();
    assert_eq!(pipeline.started(), 1);
    assert_eq!(pipeline.world.alerts(), []);
}

#[tokio::test]
async fn a_page_token_that_expired_ends_the_run() {
    let setup = PipelineBuilder::daily().fault("page-token-expired:page=4");
    let pipeline = check(setup, "expired").await;
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn page_tokens_in_a_circle_end_the_run() {
    check(
        PipelineBuilder::daily().fault("token-repeats:page=3"),
        "token_loop",
    )
    .await;
    check(
        PipelineBuilder::daily().fault("token-cycles:page=5,back=3"),
        "token_loop",
    )
    .await;
}

#[tokio::test]
async fn a_total_that_changes_ends_the_run() {
    check(
        PipelineBuilder::daily().fault("total-changes:page=3"),
        "unstable",
    )
    .await;
}

#[tokio::test]
async fn a_total_that_does_not_match_ends_the_run() {
    check(PipelineBuilder::daily().fault("total-wrong"), "unstable").await;
}

#[tokio::test]
async fn states_that_nobody_knows_are_waited_for() {
    for fault in [
        "state-unknown:looks=3",
        "state-null:looks=2",
        "state-case:case=upper",
        "state-back",
    ] {
        let pipeline = PipelineBuilder::daily().fault(fault).start().await;
        pipeline.deliver().await;
        pipeline.commit();
        assert_eq!(pipeline.started(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_redrive_allows_more_runs_when_all_have_failed() {
    let pipeline = PipelineBuilder::daily()
        .fault("run-fails:times=forever")
        .start()
        .await;
    let ended = pipeline.fail("Cxone.RunsExhausted").await;
    assert_eq!(ended.state, "Trigger");
    assert_eq!(pipeline.started(), 3);
    let cause = ended.cause.clone().unwrap();
    assert!(
        cause.contains("query exceeded the execution limit"),
        "{cause}"
    );
    assert!(pipeline.log().is_empty());

    // Nothing has changed: three more runs, and not one beyond them.
    let ended = pipeline.redrive(&ended).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.RunsExhausted"));
    assert_eq!(pipeline.started(), 6);

    pipeline.set_faults(&[]);
    delivered(pipeline.redrive(&ended).await);
    Canaries::of(&pipeline).check(&pipeline);
    pipeline.commit();
    assert_eq!(pipeline.started(), 7);
}

#[tokio::test]
async fn a_run_whose_start_was_not_answered_is_not_mixed_with_the_next_one() {
    let pipeline = PipelineBuilder::daily()
        .fault("start-run-ambiguous")
        .start()
        .await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    assert_eq!(pipeline.started(), 2);
    let runs = pipeline.tenant().runs();
    assert_eq!(commit.runs[0].run_id.as_str(), runs[1].id);
}

#[tokio::test]
async fn what_breaks_on_the_wire_is_asked_for_again() {
    for fault in [
        "unavailable:on=page,times=2",
        "unavailable:on=look,body=html",
        "refused:on=start-run",
        "reset-mid-body:on=page,bytes=2000",
        "short-body:on=page",
        "unterminated:on=page,page=1",
        "gzip-truncated:on=page",
        "gzip-members:on=page",
    ] {
        let pipeline = PipelineBuilder::daily().fault(fault).start().await;
        pipeline.deliver().await;
        pipeline.commit();
        assert_eq!(pipeline.tenant().runs().len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn answers_that_can_not_be_are_a_breach_of_contract() {
    for fault in [
        "html-200:on=page,times=forever",
        "empty:on=page,times=forever",
        "completed-bare:times=forever",
        "nan:times=forever",
    ] {
        let pipeline = PipelineBuilder::daily().fault(fault).start().await;
        let ended = pipeline.fail("Cxone.Contract").await;
        Canaries::of(&pipeline).check(&pipeline);
        assert!(pipeline.log().is_empty());
        assert!(pipeline.requests(Kind::Page).len() < 20, "{fault}");
        if fault.contains("on=page") {
            pipeline.set_faults(&[]);
            assert_eq!(pipeline.redrive(&ended).await.status, Status::Succeeded);
            pipeline.commit();
        }
    }
}
