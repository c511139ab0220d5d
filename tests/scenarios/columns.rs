//! Columns and rows that are not as usual: the commit says so, the operators are told, and a strict definition refuses.

use std::collections::BTreeSet;

use delivery::documents::Commit;
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{
    Pipeline, PipelineBuilder, day_before, delivered, lines, weekday_before,
};

/// What was told: the commit's words are in an alert and in the log, with the execution.
fn check_told(pipeline: &Pipeline, commit: &Commit, execution: &str) {
    let alerts = pipeline.world.alerts();
    let logs = pipeline.world.lambda().logs();
    assert!(!commit.warnings.is_empty());
    for warning in &commit.warnings {
        let is_told = |text: &str| text.contains(warning.as_str()) && text.contains(execution);
        assert!(
            alerts.iter().any(|alert| is_told(&alert.message)),
            "{warning}: {alerts:#?}"
        );
        let warning = serde_json::to_string(warning).unwrap();
        let lines = logs.find(warning.trim_matches('"'));
        let line = lines.iter().find(|line| line.text.contains(execution));
        assert!(line.is_some(), "{warning}: {lines:#?}");
        assert_eq!(lines.len(), 1, "said once: {lines:#?}");
    }
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
}

/// The lists of a commit's report by name, each as JSON.
fn lists(commit: &Commit) -> Value {
    let mut report = serde_json::to_value(&commit.column_report).unwrap();
    let report = report.as_object_mut().unwrap();
    report.remove("columns");
    report.remove("rows");
    Value::Object(report.clone())
}

async fn check_drift(format: &str, how: &str, expected: Value, said: &[&str]) {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/format", json!(format))
        .fault(&format!("schema-drift:as={how}"));
    let pipeline = setup.start().await;
    pipeline.one_page_a_batch();
    let ended = pipeline.deliver().await;
    assert!(pipeline.states(&ended).contains(&"Warn".to_owned()));
    let log = pipeline.log();
    assert_eq!(lists(&log[0]), expected, "{how}");
    assert_eq!(log[0].warnings, said, "{how}");
    assert_eq!(log[0].rows, 250);
    check_told(&pipeline, &log[0], &ended.execution_arn);
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn columns_that_come_go_and_change_are_counted_and_told() {
    let missing = json!([{"name": "avgHandleTime", "rows": 100, "of": 250}]);
    let some = r#"only some rows have "avgHandleTime" (100 of 250 rows)"#;
    check_drift("ndjson", "missing", json!({"missing": missing}), &[some]).await;
    let new = json!([{"name": "renamed", "rows": 150, "of": 250}]);
    let renamed = json!({"missing": missing, "new": new});
    let named = r#"the definition does not name "renamed" (150 of 250 rows)"#;
    check_drift("ndjson", "renamed", renamed.clone(), &[some, named]).await;
    let left_out =
        r#"the definition does not name, and CSV leaves out, "renamed" (150 of 250 rows)"#;
    check_drift("csv", "renamed", renamed, &[some, left_out]).await;
    let changed = json!([{"name": "avgHandleTime", "kinds": ["text", "integer", "decimal"]}]);
    let retyped = r#"values are of another kind in "avgHandleTime" (text and integer and decimal)"#;
    check_drift("ndjson", "retyped", json!({"changed": changed}), &[retyped]).await;
}

#[tokio::test]
async fn a_strict_definition_delivers_nothing_of_such_a_window_and_starts_no_other_run() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/schema", json!("strict"))
        .fault("schema-drift:as=renamed");
    let pipeline = setup.start().await;
    let ended = pipeline.fail("Cxone.Contract").await;
    let cause = ended.cause.clone().unwrap();
    for word in [
        "avgHandleTime",
        "100 of 250 rows",
        "renamed",
        "pipeline.schema",
        "replay",
    ] {
        assert!(cause.contains(word), "{cause}");
    }
    let again = pipeline.redrive(&ended).await;
    assert_eq!(again.error.as_deref(), Some("Cxone.Contract"));
    assert_eq!((pipeline.log().len(), pipeline.started()), (0, 1));
}

#[tokio::test]
async fn a_strict_definition_delivers_what_is_as_it_says() {
    let setup = PipelineBuilder::daily().define("/pipeline/schema", json!("strict"));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.replay("again").await;
    assert_eq!(pipeline.log().len(), 2);
    assert_eq!(pipeline.world.alerts(), []);
}

#[tokio::test]
async fn a_kind_that_changes_from_one_commit_to_the_next_is_told() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.set_faults(&["schema-drift:as=retyped,page=0"]);
    pipeline.replay("changed").await;
    let log = pipeline.log();
    assert_eq!(log[0].warnings, [""; 0]);
    let said =
        r#"values are of another kind in "avgHandleTime" (text, before: integer and decimal)"#;
    assert_eq!(log[1].warnings, [said]);
}

#[tokio::test]
async fn a_column_that_no_row_has_is_told() {
    let columns = json!(["contactId", "skillName", "guessedName"]);
    let setup = PipelineBuilder::of_api("contacts")
        .define("/pipeline/format", json!("csv"))
        .define("/report/columns", columns);
    let pipeline = setup.start().await;
    let ended = pipeline.deliver().await;
    let log = pipeline.log();
    let report = log[0].column_report.as_ref().unwrap();
    let missing = &report.missing[0];
    assert_eq!((missing.name.as_str(), missing.rows), ("guessedName", 0));
    assert!(
        log[0].warnings[0].starts_with(r#"no row has "guessedName""#),
        "{:?}",
        log[0].warnings
    );
    check_told(&pipeline, &log[0], &ended.execution_arn);
}

#[tokio::test]
async fn rows_far_from_the_median_of_the_weekday_are_told_and_delivered() {
    let pipeline = PipelineBuilder::daily().start().await;
    let deliver = async |weeks: i64, rows: u64| {
        pipeline.tenant().set_rows(rows);
        delivered(pipeline.ask_for(weekday_before(weeks)).await)
    };
    for (weeks, rows) in [(4, 200), (3, 210), (2, 190)] {
        deliver(weeks, rows).await;
    }
    // Another weekday counts for nothing.
    pipeline.tenant().set_rows(7);
    delivered(pipeline.ask_for(day_before(1)).await);
    deliver(1, 99).await;
    let ended = pipeline.deliver().await;
    let log = pipeline.log();
    let medians: Vec<_> = log.iter().map(|commit| commit.rows_median).collect();
    assert_eq!(medians, [None, None, None, None, Some(200), Some(195)]);
    let low = "99 rows are fewer than half of 200, the median of the last 3 windows of the same weekday and length";
    assert_eq!(log[4].warnings, [low]);
    assert_eq!(ended.state, "Delivered");
}

#[tokio::test]
async fn rows_that_a_narrow_key_replaces_are_counted_and_told() {
    let setup = PipelineBuilder::daily()
        .rows(100, 50)
        .define("/pipeline/onConflict", json!("keep-last"))
        .fault("conflict:rows=3,page=1");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let log = pipeline.log();
    assert_eq!(log[0].replaced, 3);
    assert!(log[0].warnings[0].contains("rows were replaced by a later one with the same key"));
    let counted = pipeline.world.lambda().logs().metrics();
    let replaced = counted.iter().find_map(|line| {
        let line: Value = serde_json::from_str(&line.text).unwrap();
        line["Replaced"].as_u64()
    });
    assert_eq!(replaced, Some(3));
}

#[tokio::test]
async fn a_report_with_a_name_outside_ascii_is_counted_under_a_name_that_cloudwatch_takes() {
    let setup = PipelineBuilder::daily().define("/name", json!("Tägliche Auslastung"));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let told = pipeline.world.lambda().logs().metrics();
    assert!(!told.is_empty());
    for line in told {
        let line: Value = serde_json::from_str(&line.text).unwrap();
        assert_eq!(line["report"], "T~C3~A4gliche_Auslastung");
        assert_eq!(line["reportName"], "Tägliche Auslastung");
    }
}

#[tokio::test]
async fn columns_are_stored_under_the_names_that_the_definition_asks_for() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/columnNames", json!("snake"))
        .fault("duplicates:rows=3,page=1");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let log = pipeline.log();
    let commit = log.last().unwrap();
    assert_eq!(commit.columns[..2], ["agent_id", "agent_name"]);
    let report = commit.column_report.as_ref().unwrap();
    assert_eq!(
        (report.columns[0].name.as_str(), &report.missing[..]),
        ("agentId", &[][..])
    );
    let mut rows = 0;
    for part in &commit.parts {
        for line in lines(&pipeline.world.part(part).unwrap()) {
            let row: Value = serde_json::from_slice(line).unwrap();
            let names: BTreeSet<&String> = row.as_object().unwrap().keys().collect();
            assert_eq!(names, commit.columns.iter().collect(), "{row}");
            rows += 1;
        }
    }
    assert_eq!(rows, commit.unique);
}

/// D03: by the rules of CSV the file is whole, so that the rows can't be refused; but somebody has to look.
#[tokio::test]
async fn a_record_that_may_hold_others_is_a_warning_and_no_value_is_shown() {
    let setup = PipelineBuilder::of_api("report-jobs").rows(60, 20);
    let pipeline = setup.fault("csv-stray-quote:as=ending").start().await;
    let ended = pipeline.deliver().await;
    let commit = pipeline.log().remove(0);
    assert_eq!(commit.unique, 59, "a row is within the third record");
    let [warning] = &commit.warnings[..] else {
        panic!("{:?}", commit.warnings);
    };
    let run = &commit.runs[0].run_id;
    let expected = format!("record 3 of the file of run {run} may hold other rows: ");
    assert!(warning.starts_with(&expected), "{warning}");
    for value in ["needs call back", "pipe 5"] {
        assert!(!warning.contains(value), "{warning}");
    }
    let alerts = pipeline.world.alerts();
    let [alert] = &alerts[..] else {
        panic!("{alerts:#?}");
    };
    let told = [warning.as_str(), &ended.execution_arn];
    assert!(
        told.iter().all(|it| alert.message.contains(it)),
        "{alert:?}"
    );
}
