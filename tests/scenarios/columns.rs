//! Columns and rows that are not as usual: the commit says so, the operators are told, and a strict definition refuses.

use std::collections::BTreeSet;

use delivery::documents::Commit;
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{
    Pipeline, PipelineBuilder, day_before, delivered, lines, message, weekday_before,
};

/// What was told: the commit's words are in an alert and in the log, with the execution.
fn check_told(pipeline: &Pipeline, commit: &Commit, execution: &str) {
    let mut alerts = pipeline.world.alerts();
    alerts.retain(|alert| alert.message.contains(execution));
    let logs = pipeline.world.lambda().logs();
    assert!(!commit.warnings.is_empty());
    for warning in &commit.warnings {
        assert!(
            alerts[0].message.contains(warning.as_str()),
            "{warning}: {alerts:#?}"
        );
        let warning = format!(r#""message":{}"#, json!(warning));
        let mut lines = logs.find(&warning);
        lines.retain(|line| line.text.contains(execution));
        assert_eq!(lines.len(), 1, "said once: {warning}: {lines:#?}");
    }
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
}

/// The lists of a commit's report by name, each as JSON.
fn lists(commit: &Commit) -> Value {
    let mut report = serde_json::to_value(&commit.column_report).unwrap();
    let report = report.as_object_mut().unwrap();
    for other in ["columns", "rows", "comparedWith"] {
        report.remove(other).unwrap();
    }
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

/// Delivers one day after the other, each with a fault, of a report whose definition lists no columns; and looks at what
/// is said of each: in its commit, or with a strict definition in the failure.
async fn check_days(api: &str, policy: &str, days: &[(&str, &[&str])]) {
    let mut setup = PipelineBuilder::of_api(api)
        .rows(250, 50)
        .define("/pipeline/schema", json!(policy));
    if api == "report-jobs" {
        // Only the versions that take dates can be asked for any day.
        setup = setup
            .define("/report/apiVersion", json!(13))
            .define("/report/range", json!("dates"));
    }
    let pipeline = setup.start().await;
    for (nth, (fault, said)) in days.iter().enumerate() {
        let faults = Some(*fault).filter(|fault| !fault.is_empty());
        pipeline.set_faults(faults.as_slice());
        let before = i64::try_from(days.len() - nth).unwrap();
        let committed = pipeline.log().len() as u64;
        let ended = pipeline.ask_for(day_before(before)).await;
        if policy == "strict" && !said.is_empty() {
            assert_eq!(ended.error.as_deref(), Some("Cxone.Contract"), "{fault}");
            let message = message(&ended);
            let starts = format!("{}. The definition's pipeline.schema", said.join("; "));
            assert!(message.starts_with(&starts), "{fault}: {message}");
            assert_eq!(pipeline.log().len() as u64, committed, "{fault}");
            continue;
        }
        let ended = delivered(ended);
        // Not `commit()`: the rows are not those of a tenant without faults.
        let commit = pipeline.log().pop().unwrap();
        let report = commit.column_report.as_ref().unwrap();
        assert_eq!(report.compared_with, Some(committed), "{fault}");
        if policy == "strict" && committed == 0 {
            assert!(
                commit.warnings[0].contains("lists no columns"),
                "{commit:?}"
            );
            assert_eq!(commit.warnings.len(), 1, "{commit:?}");
        } else {
            assert_eq!(commit.warnings, *said, "{nth}: {fault}");
        }
        if !commit.warnings.is_empty() {
            check_told(&pipeline, &commit, &ended.execution_arn);
        }
    }
}

/// A day on which all is well.
const AS_USUAL: (&str, &[&str]) = ("", &[]);

#[tokio::test]
async fn without_listed_columns_a_column_in_some_rows_is_told_whatever_the_day_before_was() {
    let some = r#"only some rows have "avgWaitTime" (50 of 250 rows)"#;
    let most = r#"only some rows have "avgWaitTime" (200 of 250 rows)"#;
    let from_second = ("schema-drift:as=missing,page=1", &[some][..]);
    let in_last = ("schema-drift:as=missing,page=4", &[most][..]);
    let in_none = (
        "schema-drift:as=missing,page=0",
        &[r#"no row has "avgWaitTime""#][..],
    );
    let days = [in_last, in_none, from_second, AS_USUAL, from_second];
    check_days("contacts", "warn", &days).await;
    let days = [from_second, AS_USUAL, in_last, in_none, AS_USUAL];
    check_days("contacts", "strict", &days).await;
    let renamed =
        r#"only some rows have "avgWaitTime" (50 of 250 rows), "renamed" (200 of 250 rows)"#;
    let renamed = ("schema-drift:as=renamed,page=1", &[renamed][..]);
    check_days("contacts", "strict", &[renamed, AS_USUAL]).await;
}

#[tokio::test]
async fn without_listed_columns_a_drift_is_told_until_three_windows_were_like_it() {
    let missing = r#"no row has "avgWaitTime""#;
    let renamed = r#"columns are new: "Renamed" (250 of 250 rows)"#;
    let renamed = ("csv-drift:as=renamed", &[missing, renamed][..]);
    let usual_by_now = ("csv-drift:as=renamed", &[][..]);
    let missing = ("csv-drift:as=missing", &[missing][..]);
    let days = [AS_USUAL, AS_USUAL, missing, renamed, AS_USUAL, renamed];
    check_days("data-extraction", "warn", &days).await;
    let days = [AS_USUAL, renamed, renamed, renamed, usual_by_now];
    check_days("data-extraction", "warn", &days).await;
    let kind = r#"values are of another kind in "avgWaitTime" (text, before: integer and decimal)"#;
    let retyped = ("schema-drift:as=retyped,page=0", &[kind][..]);
    let none = r#"no row has a value in "avgWaitTime""#;
    let nulled = ("schema-drift:as=nulled,page=0", &[none][..]);
    let days = [AS_USUAL, retyped, retyped, nulled, nulled, AS_USUAL];
    check_days("contacts", "warn", &days).await;
}

#[tokio::test]
async fn a_column_whose_texts_all_turn_empty_is_told() {
    let none = |column: &str| format!("no row has a value in \"{column}\"");
    for (api, policy, column) in [
        ("data-download", "warn", "Avg Wait Time"),
        ("report-jobs", "warn", "Avg Handle Time"),
        ("data-extraction", "warn", "avgWaitTime"),
        ("data-extraction", "strict", "avgWaitTime"),
    ] {
        let none = none(column);
        let emptied = ("csv-drift:as=emptied", &[none.as_str()][..]);
        check_days(api, policy, &[AS_USUAL, emptied, AS_USUAL]).await;
    }
    // The column had numbers in JSON, so that a text is of another kind too.
    let kind = r#"values are of another kind in "avgWaitTime" (text, before: integer and decimal)"#;
    let said = [&none("avgWaitTime"), kind];
    let emptied = ("schema-drift:as=emptied,page=0", &said[..]);
    check_days("contacts", "warn", &[AS_USUAL, emptied, AS_USUAL]).await;
}

#[tokio::test]
async fn without_listed_columns_a_strict_definition_refuses_every_kind_of_drift() {
    let new = r#"columns are new: "sentiment" (250 of 250 rows)"#;
    let renamed = r#"columns are new: "renamed" (250 of 250 rows)"#;
    let missing = r#"no row has "avgWaitTime""#;
    let kind = r#"values are of another kind in "avgWaitTime" (text, before: integer and decimal)"#;
    let days = [
        AS_USUAL,
        ("schema-drift:as=new,page=0", &[new][..]),
        ("schema-drift:as=renamed,page=0", &[missing, renamed]),
        ("schema-drift:as=retyped,page=0", &[kind]),
        (
            "schema-drift:as=nulled,page=0",
            &[r#"no row has a value in "avgWaitTime""#],
        ),
        AS_USUAL,
    ];
    check_days("contacts", "strict", &days).await;
    let new = r#"columns are new: "Sentiment" (250 of 250 rows)"#;
    let new = ("csv-drift:as=new", &[new][..]);
    check_days("data-extraction", "strict", &[AS_USUAL, new, AS_USUAL]).await;
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
