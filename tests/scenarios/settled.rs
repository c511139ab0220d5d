//! Days that are not over for the tenant yet.

use cxone_sim::Kind;

use pipeline_tests::harness::{PipelineBuilder, day_before, time};

#[tokio::test]
async fn a_day_is_not_asked_for_before_it_is_final() {
    let pipeline = PipelineBuilder::daily()
        .fired_at("2026-11-22T02:00:00Z")
        .start()
        .await;
    let ended = pipeline.deliver().await;
    let commit = pipeline.commit();
    let final_at = time("2026-11-22T05:00:00Z");
    assert!(commit.runs[0].triggered_at >= final_at, "{commit:#?}");
    assert!(
        pipeline
            .requests(Kind::StartRun)
            .iter()
            .all(|start| start.at >= final_at)
    );
    let states = pipeline.states(&ended);
    assert_eq!(
        states.iter().filter(|name| *name == "Wait until").count(),
        1
    );
    assert_eq!(commit.window, pipeline_tests::harness::day_before(0));
}

#[tokio::test]
async fn an_empty_day_is_believed_because_it_is_final() {
    let setup = PipelineBuilder::daily()
        .fired_at("2026-11-22T02:00:00Z")
        .fault("completed-empty");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let log = pipeline.log();
    assert!(log[0].empty);
    assert_eq!(pipeline.started(), 1);
    assert!(log[0].committed_at >= time("2026-11-22T05:00:00Z"));
}

#[tokio::test]
async fn a_day_in_the_far_future_is_a_mistake() {
    let pipeline = PipelineBuilder::daily().start().await;
    let ended = pipeline.ask_for(day_before(-30)).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
    assert_eq!(pipeline.tenant().journal(), []);
}
