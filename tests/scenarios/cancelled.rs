//! Windows that an operator cancels, as `cxr cancel` does: it stops the execution, and sends an event that has CXone's run
//! cancelled.

use std::sync::Arc;

use asl::{Description, Status};
use cxone_sim::Kind;
use jiff::SignedDuration;
use local::world::BUCKET;
use serde_json::{Value, json};

use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, note};

/// Has the run at CXone cancelled, and waits for the end of that.
async fn cancel(pipeline: &Pipeline) -> Description {
    let audit = local::replay("the wrong day was typed");
    let event = pipeline.event().with_window(day_before(0));
    pipeline
        .play(event.with_cancellation(audit).to_json())
        .await
}

/// Fires the schedule and gives its execution as soon as that waits for its run.
async fn fire_until_it_waits(pipeline: &Pipeline) -> Arc<str> {
    let _still = pipeline.world.clock().busy();
    let arn = pipeline.world.fire(pipeline.event().to_json()).unwrap();
    let waits = |state: &String| state.starts_with("Wait");
    while !pipeline.world.states(&arn).unwrap().iter().any(waits) {
        tokio::task::yield_now().await;
    }
    arn
}

async fn fire_and_stop(pipeline: &Pipeline) -> Arc<str> {
    let arn = fire_until_it_waits(pipeline).await;
    pipeline.world.engine().stop(&arn, None, None).unwrap();
    arn
}

/// The states of the tenant's runs.
fn runs(pipeline: &Pipeline) -> Vec<String> {
    let runs = pipeline.tenant().runs().into_iter();
    runs.map(|run| run.state).collect()
}

/// What is stored of how runs ended.
fn ends(pipeline: &Pipeline) -> Vec<Value> {
    let store = pipeline.world.store();
    let keys = store.keys(BUCKET, "").into_iter();
    let ends = keys.filter(|key| key.ends_with("/end.json"));
    ends.map(|key| serde_json::from_slice(&store.read(BUCKET, &key).unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_cancelled_run_is_over_and_costs_none_of_those_that_are_allowed() {
    let pipeline = PipelineBuilder::daily()
        .define("/pipeline/maxRuns", json!(1))
        .fault("slow-run:run=1,seconds=1800")
        .start()
        .await;
    fire_and_stop(&pipeline).await;
    assert_eq!(runs(&pipeline), ["processing"]);
    let ended = cancel(&pipeline).await;
    let states = pipeline.states(&ended);
    assert_eq!(
        states,
        [
            "Begin",
            "Trigger",
            "Next?",
            "Cancel",
            "Cancelled?",
            "Trigger",
            "Next?",
            "Nothing to do"
        ]
    );
    assert_eq!(runs(&pipeline), ["cancelled"]);
    let [end] = &ends(&pipeline)[..] else {
        panic!("{:?}", ends(&pipeline));
    };
    assert_eq!(
        (&end["reason"], &end["cancelled"]),
        (
            &json!("failed"),
            &json!({"reason": "the wrong day was typed", "requestedBy": "local"})
        )
    );
    // Again there is nothing to do, and nothing changes.
    let before = pipeline.listing();
    assert!(note(&cancel(&pipeline).await).contains("no run is under way"));
    assert_eq!(pipeline.listing(), before);
    assert_eq!(pipeline.requests(Kind::Cancel).len(), 1);
    // Whoever asks for the window again gets the next run at once.
    pipeline.deliver().await;
    let commit = pipeline.commit();
    assert_eq!(runs(&pipeline), ["cancelled", "completed"]);
    assert_eq!(commit.generation, 1);
    pipeline.check_rows(&commit);
    assert_eq!(pipeline.world.alerts(), []);
}

/// An operator may redrive what was stopped as well: it finds its run ended, and may start as many as the definition allows.
#[tokio::test]
async fn the_execution_that_was_stopped_goes_on_after_a_redrive() {
    let pipeline = PipelineBuilder::daily()
        .define("/pipeline/maxRuns", json!(1))
        .fault("slow-run:run=1,seconds=1800")
        .start()
        .await;
    let arn = fire_and_stop(&pipeline).await;
    cancel(&pipeline).await;
    let stopped = pipeline.world.engine().describe(&arn).unwrap();
    assert_eq!(stopped.status, Status::Aborted);
    delivered(pipeline.redrive(&stopped).await);
    pipeline.commit();
    assert_eq!(runs(&pipeline), ["cancelled", "completed"]);
}

#[tokio::test]
async fn another_execution_that_still_works_on_the_window_starts_the_next_run() {
    let pipeline = PipelineBuilder::daily()
        .fault("slow-run:run=1,seconds=1800")
        .start()
        .await;
    let working = fire_until_it_waits(&pipeline).await;
    let ended = cancel(&pipeline).await;
    assert_eq!(ended.state, "Nothing to do");
    delivered(pipeline.finish(&working).await);
    let commit = pipeline.commit();
    pipeline.check_rows(&commit);
    assert_eq!(runs(&pipeline), ["cancelled", "completed"]);
}

#[tokio::test]
async fn a_run_that_had_completed_stays_the_windows_run() {
    let pipeline = PipelineBuilder::daily().start().await;
    fire_and_stop(&pipeline).await;
    let later = pipeline.world.clock().now() + SignedDuration::from_mins(5);
    drop(pipeline.world.clock().sleep_until(later).await);
    let ended = cancel(&pipeline).await;
    assert_eq!(ended.state, "Nothing to do");
    assert_eq!(ended.output.unwrap()["saw"], "completed");
    assert_eq!(ends(&pipeline), [] as [Value; 0]);
    pipeline.deliver().await;
    pipeline.commit();
    assert_eq!(runs(&pipeline), ["completed"]);
}

#[tokio::test]
async fn a_run_that_can_not_be_cancelled_stays_the_windows_run() {
    for setup in [
        PipelineBuilder::daily()
            .fault("slow-run:seconds=600")
            .fault("cancel-refused:status=405"),
        PipelineBuilder::of_api("report-jobs"),
        PipelineBuilder::of_api("data-extraction"),
        PipelineBuilder::of_api("contacts"),
    ] {
        let pipeline = setup.start().await;
        let api = pipeline.definition["pipeline"]["api"].clone();
        fire_and_stop(&pipeline).await;
        let ended = cancel(&pipeline).await;
        assert_eq!(ended.state, "Nothing to do", "{api}");
        let output = ended.output.unwrap_or_default();
        let said = output["ended"]["detail"]
            .as_str()
            .or(output["note"].as_str());
        let expected = match api.as_str() {
            None => "CXone did not cancel it",
            Some(_) => "this API can't cancel a run: ",
        };
        assert!(said.unwrap().contains(expected), "{api}: {output}");
        assert_eq!(ends(&pipeline), [] as [Value; 0], "{api}");
        pipeline.deliver().await;
        assert_eq!(pipeline.log().len(), 1, "{api}");
        assert!(pipeline.started() <= 1, "{api}");
    }
}

#[tokio::test]
async fn a_window_that_is_there_or_that_nobody_asked_for_is_left_alone() {
    let pipeline = PipelineBuilder::daily().start().await;
    assert!(note(&cancel(&pipeline).await).contains("nothing is stored"));
    assert_eq!(pipeline.listing(), []);
    pipeline.deliver().await;
    let before = pipeline.listing();
    assert!(note(&cancel(&pipeline).await).contains("no run is under way"));
    assert_eq!(pipeline.listing(), before);
    assert_eq!(pipeline.requests(Kind::Cancel), []);
}
