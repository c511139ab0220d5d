//! What operators search the log for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use pipeline_tests::harness::{Pipeline, PipelineBuilder, message};

const DAY: &str = "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z";

/// What every line names, whoever wrote it.
const FIELDS: [&str; 11] = [
    "timestamp",
    "level",
    "message",
    "handler",
    "state",
    "execution",
    "report",
    "tenant",
    "window",
    "run",
    "requestId",
];

/// How Rust shows a value to programmers.
const DEBUG_TEXT: [&str; 7] = [
    "Some(",
    "Ok(",
    "Err(",
    " { ",
    "Failure",
    "Diagnostic",
    "\\\"",
];

/// The lines of a world, each checked for its form.
fn lines(pipeline: &Pipeline, execution: &str) -> Vec<Map<String, Value>> {
    let lines = pipeline.world.lambda().logs().lines();
    let lines = lines.into_iter().map(|line| {
        let Ok(Value::Object(members)) = serde_json::from_str(&line.text) else {
            panic!("{}: no JSON: {}", line.function, line.text);
        };
        check_form(&line.function, execution, &members);
        for debug in DEBUG_TEXT {
            assert!(!line.text.contains(debug), "{debug} is in: {}", line.text);
        }
        members
    });
    lines.collect()
}

/// Each field is there and flat; a line of an invocation says which.
fn check_form(function: &str, execution: &str, line: &Map<String, Value>) {
    for field in FIELDS {
        assert!(line.contains_key(field), "{function}: no {field}: {line:?}");
    }
    assert!(
        line.values()
            .all(|value| !value.is_object() && !value.is_array()),
        "{line:?}"
    );
    assert_eq!(line["handler"], function);
    if line["requestId"].is_null() {
        return;
    }
    for (field, value) in [
        ("execution", execution),
        ("report", "Daily Agent Performance Aggregation"),
        ("tenant", "acme"),
        ("window", DAY),
    ] {
        assert_eq!(line[field], value, "{field} of {line:?}");
    }
    let has_run = ["poll-once", "fetch-page", "cancel"].contains(&function);
    assert!(line["run"].is_string() || !has_run, "{line:?}");
}

#[tokio::test]
async fn every_line_of_a_day_says_what_it_is_about() {
    let setup = PipelineBuilder::daily()
        .fault("processing-forever:run=1")
        .fault("throttled:on=page,page=2,seconds=1")
        .fault("duplicates:rows=3,page=1");
    let pipeline = setup.start().await;
    let ended = pipeline.deliver().await;
    let lines = lines(&pipeline, &ended.execution_arn);
    let handlers: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line["handler"].as_str())
        .collect();
    let all = ["cancel", "fetch-page", "finalize", "poll-once", "trigger"];
    assert_eq!(handlers, BTreeSet::from(all));
}

#[tokio::test]
async fn a_failure_is_one_line_with_its_name_and_its_text() {
    let setup = PipelineBuilder::daily().fault("conflict:rows=1,page=1");
    let pipeline = setup.start().await;
    let failed = pipeline.fail("Cxone.Conflict").await;
    let lines = lines(&pipeline, &failed.execution_arn);
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "ERROR")
        .collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["handler"], "finalize");
    let text = format!("Cxone.Conflict: {}", message(&failed));
    assert_eq!(errors[0]["message"], text);
}

/// Each handler in turn lacks a setting, so that it fails at its first invocation.
#[tokio::test]
async fn a_failure_of_each_handler_says_what_it_was_asked_for() {
    for (handler, setting) in [
        ("trigger", "LANDING_BUCKET"),
        ("poll-once", "CXONE_SECRET_PREFIX"),
        ("cancel", "CXONE_SECRET_PREFIX"),
        ("fetch-page", "LANDING_BUCKET"),
        ("finalize", "LANDING_BUCKET"),
    ] {
        // The first run is cut off, so that every handler has its turn.
        let setup = PipelineBuilder::daily().fault("processing-forever:run=1");
        let pipeline = setup.start().await;
        let lambda = pipeline.world.lambda();
        lambda.configure(handler, |function| {
            function.environment.remove(setting);
        });
        let failed = pipeline.fail("Cxone.Config").await;
        let lines = lines(&pipeline, &failed.execution_arn);
        let errors: Vec<_> = lines
            .iter()
            .filter(|line| line["level"] == "ERROR")
            .collect();
        assert_eq!(errors.len(), 1, "{handler}: {errors:?}");
        assert_eq!(errors[0]["handler"], handler);
        let text = errors[0]["message"].as_str().unwrap();
        assert!(text.contains(setting), "{handler}: {text}");
    }
}

/// A definition that is refused still says whose it is.
#[tokio::test]
async fn a_message_that_is_refused_is_found_by_its_report_too() {
    let setup = PipelineBuilder::daily().define("/pipeline/maxRuns", Value::from(0));
    let pipeline = setup.start().await;
    let failed = pipeline.fail("Cxone.Config").await;
    let lines = pipeline.world.lambda().logs().lines();
    let error = lines
        .iter()
        .find(|line| line.text.contains("Cxone.Config"))
        .unwrap();
    let line: Value = serde_json::from_str(&error.text).unwrap();
    assert_eq!(line["execution"], *failed.execution_arn);
    assert_eq!(
        (&line["tenant"], &line["state"]),
        (&"acme".into(), &"Trigger".into())
    );
    assert_eq!(
        (&line["window"], &line["run"]),
        (&Value::Null, &Value::Null)
    );
}
