//! `cxr schedules --load redshift`: the template of the loads that follow from the definitions.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod offline;

use std::fs;
use std::path::{Path, PathBuf};

use operator::CommandError;
use serde_json::{Value, json};

use offline::cxr_at;

const INFRA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra");
const SHIPPED: &str = "reports/daily-agent-performance.json";

async fn cxr(args: &[&str]) -> (Result<u8, CommandError>, String) {
    cxr_at("2026-06-10T12:00:00Z", args).await
}

/// Writes the shipped definition with changes.
fn write(path: PathBuf, changes: &[(&str, Value)]) {
    let shipped = fs::read(format!("{INFRA}/{SHIPPED}")).unwrap();
    let mut definition: Value = serde_json::from_slice(&shipped).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        definition.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    fs::write(path, definition.to_string()).unwrap();
}

/// What makes the shipped definition one of a file with these columns.
fn file_of(columns: &Value, key: &str) -> [(&'static str, Value); 4] {
    let report = json!({
        "reportId": "540", "apiVersion": 34, "utcOffset": "+00:00", "columns": columns,
        "dateRange": {"type": "relative", "value": "previousDay"},
    });
    [
        ("/pipeline/api", json!("data-download")),
        ("/delivery", json!({"type": "api"})),
        ("/pipeline/key", json!([key])),
        ("/report", report),
    ]
}

/// What the schedule of the only report in the folder starts the state machine with.
async fn read_input(folder: &Path) -> Value {
    let args = ["schedules", "--load", "redshift", folder.to_str().unwrap()];
    let (result, out) = cxr(&args).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    assert!(out.is_ascii(), "CloudFormation keeps ASCII everywhere");
    let template: Value = serde_json::from_str(&out).unwrap();
    let mut resources = template["Resources"].as_object().unwrap().values();
    let schedule = resources.find(|it| it["Type"] == "AWS::Scheduler::Schedule");
    let input = &schedule.unwrap()["Properties"]["Target"]["Input"]["Fn::Sub"];
    let filled = input.as_str().unwrap().replace("${Name}", "s");
    serde_json::from_str(&filled.replace("${!", "${")).unwrap()
}

/// What is said of this folder in place of a template.
async fn refuse(folder: &Path) -> String {
    let args = ["schedules", "--load", "redshift", folder.to_str().unwrap()];
    let error = cxr(&args).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO015", "{error}");
    error.to_string()
}

#[tokio::test]
async fn the_committed_template_has_the_load_of_every_report() {
    let (reports, template) = (
        format!("{INFRA}/reports"),
        format!("{INFRA}/redshift/loads.template.json"),
    );
    let args = ["schedules", "--load", "redshift", &reports, &template];
    let (result, out) = cxr(&[&args[..], &["--check"]].concat()).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    // Neither template takes the place of the other.
    let other = ["schedules", &reports, &template];
    let error = cxr(&other).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO014");
    assert!(
        error.to_string().contains("cxr schedules REPORTS"),
        "{error}"
    );
}

/// Names with everything that SQL, JSON and `CloudFormation` give a meaning to.
#[tokio::test]
async fn a_load_has_places_for_values_and_says_everything_else_itself() {
    let folder = tempfile::tempdir().unwrap();
    let name = "it's \"it\"; -- ${AWS::Region} { $x }";
    let hostile = json!([{"name": name, "type": "double"}, {"name": ":version", "type": "long"}]);
    let file = folder.path().join("täglich.json");
    write(file, &file_of(&hostile, ":version"));
    let input = read_input(folder.path()).await;
    assert_eq!(input["report"], "acme/Daily_Agent_Performance_Aggregation");
    let schedule = input["schedule"].as_str().unwrap();
    assert!(
        schedule.starts_with("s-") && schedule.is_ascii(),
        "{schedule}"
    );
    let stage = input["stage"][1].as_str().unwrap();
    let quoted = name.to_lowercase().replace('"', "\"\"");
    assert!(
        stage.contains(&format!("\"{quoted}\" varchar(65535)")),
        "{stage}"
    );
    assert_eq!(input["stage"][0], "lock table cxone_loaded");
    let texts = ["read", "copy"].map(|field| input[field].as_str().unwrap());
    let lists =
        ["setUp", "register", "stage", "load"].map(|field| input[field].as_array().unwrap());
    let statements = lists.into_iter().flatten().map(|it| it.as_str().unwrap());
    for statement in statements.chain(texts) {
        assert!(!statement.ends_with([';', '\n']), "{statement}");
        // What stands between two marks is the name of a value.
        let pieces: Vec<&str> = statement.split('\u{1f}').collect();
        assert_eq!(pieces.len() % 2, 1, "{statement}");
        for value in pieces.iter().skip(1).step_by(2) {
            assert!(
                value.chars().all(char::is_alphabetic),
                "{value}: {statement}"
            );
        }
    }
}

#[tokio::test]
async fn a_load_that_the_data_api_does_not_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let columns: Vec<Value> = (0..150)
        .map(|nth| json!({"name": format!("Column {nth}"), "type": "timestamp"}))
        .collect();
    let file = folder.path().join("wide.json");
    write(file, &file_of(&columns.into(), "Column 0"));
    let said = refuse(folder.path()).await;
    assert!(
        said.contains("wide.json") && said.contains("cxr sql redshift"),
        "{said}"
    );
}

#[tokio::test]
async fn two_reports_never_share_a_table() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("acme.json"), &[]);
    let other = [("/pipeline/tenant", json!("globex"))];
    write(folder.path().join("globex.json"), &other);
    let said = refuse(folder.path()).await;
    assert!(
        said.contains("globex.json") && said.contains("acme.json"),
        "{said}"
    );
}

#[tokio::test]
async fn what_copy_would_put_into_wrong_columns_or_into_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daily.json");
    write(file.clone(), &[("/pipeline/format", json!("csv"))]);
    assert!(refuse(folder.path()).await.contains("pipeline.format"));
    let columns =
        json!([{"name": "Agent", "type": "string"}, {"name": "Service Level %", "type": "double"}]);
    let of_file = file_of(&columns, "Agent");
    write(file.clone(), &of_file);
    assert!(refuse(folder.path()).await.contains("pipeline.columnNames"));
    let renamed = [&of_file[..], &[("/pipeline/columnNames", json!("snake"))]].concat();
    write(file, &renamed);
    read_input(folder.path()).await;
}
