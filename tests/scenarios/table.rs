//! A report's table.

use std::time::Duration;

use asl::Status;
use local::world::BUCKET;
use local_aws::{Action, Call};
use serde_json::{Value, json};

use crate::killed::interrupt_each;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, message};

/// A definition that asks for a table, and a small day.
fn with_table() -> PipelineBuilder {
    PipelineBuilder::daily()
        .rows(30, 10)
        .define("/pipeline/table", json!({"format": "delta"}))
}

fn is_publish(call: &Call) -> bool {
    let caller = call.caller.as_ref().map(|caller| &*caller.function);
    caller == Some("publish")
}

#[tokio::test]
async fn a_day_lands_in_the_table_and_a_replay_takes_its_place() {
    let pipeline = with_table().start().await;
    let ended = pipeline.deliver().await;
    assert!(pipeline.states(&ended).ends_with(&[
        "Committed?".to_owned(),
        "Publish".to_owned(),
        "Published?".to_owned(),
        "Delivered".to_owned(),
    ]));
    pipeline.check_table();
    let before = pipeline.listing();
    // It is there already, so that nothing is written.
    delivered(pipeline.fire().await);
    assert_eq!(pipeline.listing(), before);
    pipeline.tenant().set_rows(40);
    pipeline.replay("again").await;
    delivered(pipeline.ask_for(day_before(1)).await);
    delivered(pipeline.withdraw(day_before(0), "back").await);
    let table = pipeline.check_table();
    let removed = |version: usize| {
        let actions = table.versions[version].iter();
        actions
            .filter(|action| action["remove"].is_object())
            .count()
    };
    assert_eq!([1, 2, 3, 4].map(removed), [0, 1, 0, 1]);
}

#[tokio::test]
async fn a_report_without_a_table_has_none_and_one_that_asks_for_it_later_has_all_of_it() {
    let mut pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    for days in (0..3).rev() {
        delivered(pipeline.ask_for(day_before(days)).await);
    }
    assert!(pipeline.table().is_none());
    pipeline.definition["pipeline"]["table"] = json!({"format": "delta"});
    // The day is there, and nothing is said of a definition that asks CXone for something else.
    let ended = delivered(pipeline.fire().await);
    let output = ended.output.unwrap();
    assert_eq!(
        (&output["next"], &output["tableVersion"]),
        (&json!("published"), &json!(3))
    );
    assert_eq!(pipeline.started(), 3);
    pipeline.check_table();
}

#[tokio::test]
async fn what_a_publication_left_out_the_next_one_publishes() {
    let pipeline = with_table().start().await;
    pipeline.world.gateway().set_hook(|call| {
        if is_publish(call) {
            Action::KillBefore
        } else {
            Action::Pass
        }
    });
    let ended = pipeline.fail("Runtime.ExitError").await;
    assert_eq!(ended.state, "Publish");
    let other = pipeline.ask_for(day_before(1)).await;
    assert_eq!(other.status, Status::Failed);
    // The commits stand, whatever became of the table.
    assert_eq!(pipeline.log().len(), 2);
    assert!(pipeline.table().is_none());
    pipeline.world.gateway().clear_hook();
    delivered(pipeline.redrive(&other).await);
    pipeline.check_table();
    delivered(pipeline.redrive(&ended).await);
    pipeline.check_table();
}

#[tokio::test]
async fn publishing_goes_on_in_another_invocation_when_its_time_is_spent() {
    let mut pipeline = PipelineBuilder::daily().rows(10, 10).start().await;
    for days in (0..4).rev() {
        delivered(pipeline.ask_for(day_before(days)).await);
    }
    pipeline.definition["pipeline"]["table"] = json!({"format": "delta"});
    let lambda = pipeline.world.lambda();
    // What is left of it is kept for the version that is under way.
    lambda.configure("publish", |function| {
        function.timeout = Duration::from_mins(8);
    });
    let ended = delivered(pipeline.fire().await);
    let states = pipeline.states(&ended);
    assert_eq!(states.iter().filter(|state| *state == "Publish").count(), 4);
    pipeline.check_table();
}

#[tokio::test]
async fn two_publishers_at_once_make_one_table() {
    let pipeline = with_table().start().await;
    let other = pipeline.event().with_window(day_before(1));
    let (first, second) = pipeline.fire_before(&other).await;
    for arn in [first, second] {
        delivered(pipeline.finish(&arn).await);
    }
    pipeline.check_table();
}

/// The key of a version of the table.
fn version_key(version: u64) -> String {
    let folder = "reports/acme/Daily_Agent_Performance_Aggregation/table";
    format!("{folder}/_delta_log/{version:020}.json")
}

#[tokio::test]
async fn a_table_that_somebody_else_wrote_to_is_left_alone_and_so_is_the_log() {
    let pipeline = with_table().start().await;
    pipeline.deliver().await;
    let line = br#"{"commitInfo":{"engineInfo":"delta-rs:1.6.6","operation":"WRITE"}}"#;
    let foreign = pipeline.world.store().object_path(BUCKET, &version_key(2));
    std::fs::write(foreign, line).unwrap();
    let table = list_table(&pipeline);
    let ended = pipeline.ask_for(day_before(1)).await;
    let error = ended.error.as_deref();
    assert_eq!(
        (ended.status, error),
        (Status::Failed, Some("Cxone.Conflict"))
    );
    assert_eq!(ended.state, "Publish");
    assert!(message(&ended).contains("version 2 of the table was not written by this pipeline"));
    // The commit is there, and nothing was written to the table.
    assert_eq!(pipeline.log().len(), 2);
    pipeline.check_rows(&pipeline.log()[1]);
    assert_eq!(list_table(&pipeline), table);
    let all = pipeline.listing();
    let again = pipeline.redrive(&ended).await;
    assert_eq!(again.error.as_deref(), Some("Cxone.Conflict"));
    assert_eq!(pipeline.listing(), all);
    // Without the folder all is published anew.
    let folder = pipeline.world.store().object_path(BUCKET, &version_key(0));
    std::fs::remove_dir_all(folder.ancestors().nth(2).unwrap()).unwrap();
    delivered(pipeline.redrive(&again).await);
    pipeline.check_table();
}

fn list_table(pipeline: &Pipeline) -> Vec<(String, String)> {
    let mut listing = pipeline.listing();
    listing.retain(|(key, _)| key.contains("/table/"));
    listing
}

fn remove_part(pipeline: &Pipeline, version: usize) {
    let part = &pipeline.log()[version - 1].parts[0];
    std::fs::remove_file(pipeline.world.store().object_path(BUCKET, &part.key)).unwrap();
}

#[tokio::test]
async fn rows_that_are_gone_hold_nothing_up_where_a_later_version_replaces_them() {
    let mut pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    pipeline.deliver().await;
    pipeline.tenant().set_rows(20);
    pipeline.replay("again").await;
    remove_part(&pipeline, 1);
    pipeline.definition["pipeline"]["table"] = json!({"format": "delta"});
    delivered(pipeline.fire().await);
    let table = pipeline.table().unwrap();
    let gone = |version: usize| {
        let mut actions = table.versions[version].iter();
        let info = actions.find(|action| action["commitInfo"].is_object());
        info.unwrap()["commitInfo"]["cxone"]["rowsGone"].clone()
    };
    assert_eq!([gone(1), gone(2)], [json!(true), Value::Null]);
    let rows: Value = table.versions[2].iter().find_map(rows_added).unwrap();
    assert_eq!(rows, 20);
}

/// How many rows the file has that is added.
fn rows_added(action: &Value) -> Option<Value> {
    let stats: Value = serde_json::from_str(action["add"]["stats"].as_str()?).unwrap();
    Some(stats["numRecords"].clone())
}

#[tokio::test]
async fn rows_that_are_gone_and_missed_are_told_until_the_window_is_replayed() {
    let mut pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    pipeline.deliver().await;
    remove_part(&pipeline, 1);
    pipeline.definition["pipeline"]["table"] = json!({"format": "delta"});
    let ended = pipeline.fail("Cxone.Contract").await;
    assert_eq!(ended.state, "Publish");
    assert!(
        message(&ended).contains("of version 1 is gone, and no later version replaces its rows")
    );
    pipeline.replay("again").await;
    assert_eq!(pipeline.table().unwrap().versions.len(), 3);
    delivered(pipeline.redrive(&ended).await);
}

/// Each day has one version more to read.
fn reads_version(call: &Call) -> bool {
    call.operation == "GetObject" && call.resource.contains("/_delta_log/")
}

/// Kills at every other call of the publisher in turn, a day each, a week apart.
async fn check_kills(action: &Action) {
    let pipeline = with_table().start().await;
    let wanted = |call: &Call| is_publish(call) && !reads_version(call);
    interrupt_each(&pipeline, action, wanted, |_, _| {}).await;
    pipeline.check_table();
}

#[tokio::test]
async fn a_publisher_may_be_killed_before_anything_that_it_does() {
    check_kills(&Action::KillBefore).await;
}

#[tokio::test]
async fn a_publisher_may_be_killed_after_anything_that_it_does() {
    check_kills(&Action::KillAfter).await;
}

#[tokio::test]
async fn the_answer_to_anything_that_a_publisher_does_may_be_lost() {
    check_kills(&Action::LoseAnswer).await;
}
