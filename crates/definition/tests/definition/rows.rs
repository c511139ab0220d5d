//! What a definition says of its columns and rows: declarations, keys, labels, messages.

use definition::{Catalogue, Definition, TotalLabels};
use serde_json::{Value, json};

use crate::{check_codes, good, lines, said};

fn contacts(columns: &[&str]) -> Value {
    json!({
        "name": "Contacts", "schedule": { "type": "daily", "time": "06:00", "timezone": "UTC" },
        "report": { "apiVersion": 34, "columns": columns,
            "dateRange": { "type": "relative", "value": "previousDay" } },
        "delivery": { "type": "api" }, "pipeline": { "tenant": "acme", "api": "contacts" }
    })
}

#[test]
fn a_declared_metric_passes_wherever_the_definition_is_read() {
    let mut value = good();
    value["report"]["metrics"][0] = json!("netPromoterScore");
    assert!(lines(value.to_string()).contains("error[CXD030]"));
    value["pipeline"]["declare"] = json!({
        "metrics": { "netPromoterScore": { "type": "double" } },
        "dimensions": { "site": { "type": "string" } }
    });
    value["report"]["filters"][0]["dimension"] = json!("site");
    assert_eq!(lines(value.to_string()), "");
    let definition = Definition::from_value(&value).unwrap().definition;
    let extended = Catalogue::builtin()
        .extended_with(r#"{"agent":{"metrics":["netPromoterScore"]}}"#)
        .unwrap();
    assert!(definition::check(&definition, &extended).is_empty());
    let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
    assert_eq!(again, definition);
    let contradicts = Catalogue::builtin()
        .extended_with(r#"{"agent":{"dimensions":["netPromoterScore"]}}"#)
        .unwrap();
    assert_eq!(definition::check(&definition, &contradicts).len(), 1);
}

#[test]
fn what_is_said_of_columns_and_rows_has_its_code() {
    let declare = |half: &str, name: &str, kind: &str| json!({ half: { name: { "type": kind } } });
    check_codes(&[
        (
            "CXD005",
            "/pipeline/declare/metrics/nps/type",
            "/pipeline/declare",
            declare("metrics", "nps", "number"),
        ),
        (
            "CXD004",
            "/pipeline/declare/metrics/nps/type",
            "/pipeline/declare",
            json!({ "metrics": { "nps": {} } }),
        ),
        (
            "CXD066",
            "/pipeline/declare/dimensions/talkTime",
            "/pipeline/declare",
            declare("dimensions", "talkTime", "long"),
        ),
        (
            "CXD066",
            "/pipeline/declare/metrics/agentId",
            "/pipeline/declare",
            declare("metrics", "agentId", "long"),
        ),
        (
            "CXD066",
            "/pipeline/declare/metrics/talkTime",
            "/pipeline/declare",
            declare("metrics", "talkTime", "string"),
        ),
        (
            "CXD069",
            "/pipeline/key",
            "/pipeline/key",
            json!(["agentId"]),
        ),
        (
            "CXD005",
            "/pipeline/schema",
            "/pipeline/schema",
            json!("lax"),
        ),
        (
            "CXD005",
            "/pipeline/columnNames",
            "/pipeline/columnNames",
            json!("camel"),
        ),
        (
            "CXD065",
            "/pipeline/emptyMessages/0",
            "/pipeline/emptyMessages",
            json!(["no"]),
        ),
        (
            "CXD033",
            "/pipeline/emptyMessages/1",
            "/pipeline/emptyMessages",
            json!(["No data", "No data"]),
        ),
        (
            "CXD052",
            "/pipeline/totalLabels/0",
            "/pipeline/totalLabels",
            json!([""]),
        ),
    ]);
    for conflict in ["fail", "keep-last"] {
        let narrow = said(|d| {
            d["pipeline"]["onConflict"] = json!(conflict);
            d["pipeline"]["key"] = json!(["agentId"]);
        });
        assert!(
            narrow.starts_with("error[CXD069] at /pipeline/key: the key lacks \"queueId\""),
            "{narrow}"
        );
    }
    let ungrouped = said(|d| {
        d["report"]["grouping"] = json!([]);
        d["pipeline"]["onConflict"] = json!("keep-last");
    });
    assert!(ungrouped.starts_with("warning[CXD070]"), "{ungrouped}");
    assert_eq!(
        said(|d| d["pipeline"]["key"] = json!(["queueId", "agentId", "queueName"])),
        ""
    );
    assert_eq!(said(|d| d["name"] = json!("Tägliche Auslastung")), "");
}

#[test]
fn a_column_that_cxone_does_not_document_is_a_warning_unless_it_is_declared() {
    let mut value = contacts(&["contactId", "agentID", "npsScore"]);
    let said = lines(value.to_string());
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(
        said.contains("warning[CXD073] at /report/columns/1: \"agentID\" is not among"),
        "{said}"
    );
    assert!(said.contains("(did you mean \"agentId\"?)"), "{said}");
    value["report"]["columns"][1] = json!("agentId");
    value["pipeline"]["declare"] = json!({ "dimensions": { "npsScore": { "type": "long" } } });
    assert_eq!(lines(value.to_string()), "");
    value["pipeline"]["key"] = json!(["agentId"]);
    assert_eq!(lines(value.to_string()), "");
    value["pipeline"]["onConflict"] = json!("keep-last");
    assert!(lines(value.to_string()).starts_with("error[CXD069]"));
}

#[test]
fn keep_last_is_a_warning_where_cxone_documents_no_key() {
    for file in [
        include_str!("../fixtures/jobs.json"),
        include_str!("../fixtures/extraction.json"),
        include_str!("../fixtures/download.json"),
    ] {
        let mut value: Value = serde_json::from_str(file).unwrap();
        let before = lines(value.to_string());
        assert!(!before.contains("CXD070"), "{before}");
        value["pipeline"]["onConflict"] = json!("keep-last");
        let said = lines(value.to_string());
        let api = value["pipeline"]["api"].as_str().unwrap();
        let begin = format!(
            "warning[CXD070] at /pipeline/onConflict: CXone does not document what makes a row of {api} unique"
        );
        assert!(said.contains(&begin), "{said}");
    }
}

#[test]
fn columns_that_a_warehouse_takes_for_one_are_told() {
    let mut value: Value = serde_json::from_str(include_str!(
        "../../../local/definitions/data-download.json"
    ))
    .unwrap();
    value["pipeline"]["key"] = json!(["Name"]);
    value["report"]["columns"] = json!(["Name", "name", "Other"]);
    let twins = lines(value.to_string());
    assert!(
        twins.starts_with("warning[CXD071] at /report/columns/1") && twins.lines().count() == 1,
        "{twins}"
    );
    value["report"]["columns"] = json!(["Name", "Contact ID", "contactId"]);
    assert_eq!(lines(value.to_string()), "");
    value["pipeline"]["columnNames"] = json!("snake");
    let same = lines(value.to_string());
    assert!(
        same.starts_with("error[CXD072] at /report/columns/2") && same.contains("\"contact_id\""),
        "{same}"
    );
}

#[test]
fn labels_of_totals_are_the_definitions_or_the_apis() {
    let labels = |file: &str, own: Value| {
        let mut value: Value = serde_json::from_str(file).unwrap();
        value["pipeline"]["totalLabels"] = own;
        let definition = Definition::from_value(&value).unwrap().definition;
        let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
        assert_eq!(again, definition);
        match definition.total_labels() {
            TotalLabels::None => "none".to_owned(),
            TotalLabels::Usual => "usual".to_owned(),
            TotalLabels::Named(labels) => labels.join(","),
        }
    };
    let jobs = include_str!("../../../local/definitions/report-jobs.json");
    let download = include_str!("../../../local/definitions/data-download.json");
    let extraction = include_str!("../../../local/definitions/data-extraction.json");
    for (file, usual) in [(jobs, "usual"), (download, "usual"), (extraction, "none")] {
        assert_eq!(labels(file, Value::Null), usual);
        assert_eq!(labels(file, json!([])), "none");
        assert_eq!(labels(file, json!(["Gesamt"])), "Gesamt");
    }
    let mut value = contacts(&["contactId"]);
    value["pipeline"]["totalLabels"] = json!([]);
    assert!(lines(value.to_string()).starts_with("error[CXD057] at /pipeline/totalLabels"));
}

/// D06: where no message can come, the author is told; a definition that was stored with one is still read.
#[test]
fn a_message_that_can_not_come_is_a_warning() {
    let mut value = contacts(&["contactId"]);
    value["pipeline"]["emptyMessages"] = json!(["No data available"]);
    let said = lines(value.to_string());
    assert!(
        said.starts_with("warning[CXD075] at /pipeline/emptyMessages: contacts have no runs"),
        "{said}"
    );
    value["pipeline"]["emptyMessages"] = json!([]);
    assert_eq!(lines(value.to_string()), "");
}

#[test]
fn a_message_is_empty_if_it_contains_one_of_the_texts_in_any_case() {
    let mut value = good();
    value["pipeline"]["emptyMessages"] = json!(["No data available"]);
    let definition = Definition::from_value(&value).unwrap().definition;
    for (message, is_empty) in [
        ("no DATA available for 2026-11-21", true),
        ("No data available", true),
        ("database not available", false),
        ("", false),
    ] {
        assert_eq!(definition.is_empty_message(message), is_empty, "{message}");
    }
}

#[test]
fn labels_that_have_no_effect_are_told() {
    let mut value: Value = serde_json::from_str(include_str!("../fixtures/jobs.json")).unwrap();
    value["report"]["totalLabels"] = json!(["Summe"]);
    assert!(!lines(value.to_string()).contains("CXD076"));
    value["pipeline"]["totalLabels"] = json!(["Gesamt"]);
    let said = lines(value.to_string());
    assert!(
        said.contains("warning[CXD076] at /report/totalLabels"),
        "{said}"
    );
}
