//! What authors of definitions for the published APIs are told.

use definition::{Api, Catalogue, Definition, check, schema};
use serde_json::{Value, json};

use crate::{good, lines, put, said};

/// API, code, pointer, and what is put there.
type Case = (&'static str, &'static str, &'static str, Value);

/// A good definition of one of the published APIs.
fn published(api: &str) -> Value {
    let report = match api {
        "report-jobs" => json!({ "reportId": "4711", "apiVersion": 34, "range": "template" }),
        "data-extraction" => json!({ "entityName": "qm-workflows", "entityVersion": "5" }),
        "data-download" => json!({ "reportId": "540", "apiVersion": 34, "utcOffset": "-07:00" }),
        _ => json!({ "apiVersion": 34 }),
    };
    let mut value = good();
    value["report"] = report;
    value["report"]["dateRange"] = json!({ "type": "relative", "value": "previousDay" });
    value["delivery"] = json!({ "type": "api" });
    value["pipeline"] = json!({ "tenant": "acme", "api": api });
    if api != "contacts" {
        value["pipeline"]["key"] = json!(["Contact ID"]);
    }
    value
}

/// Every API but the guide's.
const PUBLISHED: [&str; Api::ALL.len() - 1] = [
    "report-jobs",
    "data-extraction",
    "data-download",
    "contacts",
];

/// What can be wrong with a report.
fn reports() -> Vec<Case> {
    vec![
        ("report-jobs", "CXD034", "/report/columns", json!([])),
        ("report-jobs", "CXD040", "/report/columns", json!(["Other"])),
        ("contacts", "CXD040", "/report/columns", json!(["agentId"])),
        (
            "report-jobs",
            "CXD033",
            "/report/columns",
            json!(["Contact ID", "A", "A"]),
        ),
        (
            "data-download",
            "CXD052",
            "/report/columns",
            json!(["Contact ID", "a\nb"]),
        ),
        (
            "data-download",
            "CXD052",
            "/report/columns",
            json!(["Contact ID", ""]),
        ),
        (
            "report-jobs",
            "CXD052",
            "/report/totalLabels",
            json!(["x".repeat(257)]),
        ),
        ("report-jobs", "CXD053", "/report/reportId", json!("../1")),
        (
            "data-download",
            "CXD053",
            "/report/reportId",
            json!("12345678901234567890"),
        ),
        (
            "data-extraction",
            "CXD053",
            "/report/entityName",
            json!("a/b"),
        ),
        (
            "data-extraction",
            "CXD053",
            "/report/entityVersion",
            json!(""),
        ),
        (
            "data-extraction",
            "CXD005",
            "/report/endDate",
            json!("maybe"),
        ),
        ("report-jobs", "CXD054", "/report/apiVersion", json!(9)),
        ("contacts", "CXD054", "/report/apiVersion", json!(100)),
        ("report-jobs", "CXD055", "/report/range", json!("dates")),
        ("report-jobs", "CXD055", "/report/range", json!(null)),
        ("report-jobs", "CXD005", "/report/range", json!("window")),
        ("data-download", "CXD056", "/report/utcOffset", json!("-7")),
        ("data-download", "CXD004", "/report/utcOffset", json!(null)),
        (
            "data-extraction",
            "CXD003",
            "/report/metrics",
            json!(["handleTime"]),
        ),
        (
            "data-extraction",
            "CXD004",
            "/report/dateRange",
            json!(null),
        ),
        (
            "contacts",
            "CXD064",
            "/report/dateRange/value",
            json!("previousWeek"),
        ),
        ("contacts", "CXD005", "/report/apiVersion", json!("34")),
    ]
}

/// What can be wrong with the rest.
fn pipelines() -> Vec<Case> {
    vec![
        ("report-jobs", "CXD050", "/pipeline/key", json!(null)),
        ("data-extraction", "CXD050", "/pipeline/key", json!(null)),
        ("data-download", "CXD050", "/pipeline/key", json!(null)),
        ("report-jobs", "CXD034", "/pipeline/key", json!([])),
        ("contacts", "CXD051", "/pipeline/format", json!("csv")),
        (
            "contacts",
            "CXD057",
            "/pipeline/fallback",
            json!({ "drop": ["a"] }),
        ),
        (
            "report-jobs",
            "CXD057",
            "/pipeline/narrow",
            json!({ "smallestWindow": "PT1H" }),
        ),
        (
            "report-jobs",
            "CXD057",
            "/pipeline/split",
            json!({ "largestWindow": "P1D" }),
        ),
        (
            "data-extraction",
            "CXD058",
            "/pipeline/split",
            json!({ "largestWindow": "P15D" }),
        ),
        (
            "contacts",
            "CXD058",
            "/pipeline/split",
            json!({ "largestWindow": "P31D" }),
        ),
        (
            "data-download",
            "CXD058",
            "/pipeline/split",
            json!({ "largestWindow": "1 day" }),
        ),
        ("contacts", "CXD004", "/pipeline/split", json!({})),
        ("contacts", "CXD059", "/delivery/format", json!("csv")),
    ]
}

#[test]
fn every_rule_of_the_published_apis_has_its_code() {
    for (api, code, pointer, value) in reports().into_iter().chain(pipelines()) {
        let mut definition = published(api);
        put(&mut definition, pointer, &value);
        let said = lines(definition.to_string());
        let at = said.split_once("] at ").map_or("", |(_, at)| at);
        // Some are said where the cause is, some where the rule is.
        let is_there = at.starts_with(pointer)
            || (["CXD040", "CXD051"].contains(&code) && at.starts_with('/'));
        assert!(
            said.lines().count() == 1 && said.contains(code) && is_there,
            "{api} {pointer} {value}: expected {code}, said:\n{said}"
        );
    }
    let split = said(|d| d["pipeline"]["split"] = json!({ "largestWindow": "P1D" }));
    assert!(
        split.starts_with("error[CXD057] at /pipeline/split: "),
        "{split}"
    );
}

#[test]
fn the_templates_range_is_explained() {
    let mut definition = published("report-jobs");
    definition["report"]["range"] = json!("dates");
    assert_eq!(
        lines(definition.to_string()),
        "error[CXD055] at /report/range: version 34 takes no dates (from version 14 on a report job takes no dates: \
         the range of the report's template is the window, whatever dateRange says. Write \"range\": \"template\", \
         give the template the same range as dateRange, and mind that it is in the business unit's time zone)\n"
    );
    for (version, range) in [(10, "dates"), (13, "template"), (14, "template")] {
        definition["report"]["apiVersion"] = json!(version);
        definition["report"]["range"] = json!(range);
        assert_eq!(lines(definition.to_string()), "", "{version} {range}");
    }
}

#[test]
fn published_definitions_come_back_the_same_and_say_where_their_rows_are_from() {
    let said: Vec<String> = PUBLISHED
        .into_iter()
        .map(|api| {
            let definition = Definition::parse(published(api).to_string());
            let definition = definition.unwrap().definition;
            let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
            assert_eq!(again, definition);
            assert_eq!(again.hash(), definition.hash());
            assert!(check(&definition, Catalogue::builtin()).is_empty());
            assert!(definition.simplified().is_none() && !definition.is_aggregated());
            assert_eq!(definition.columns(), Vec::<&str>::new());
            let split = definition
                .largest_window()
                .map(|window| window.as_hours() / 24);
            let source = serde_json::to_string(&definition.source()).unwrap();
            assert_eq!(
                serde_json::from_str::<definition::SourceStatement>(&source).unwrap(),
                definition.source()
            );
            let dialect = serde_json::to_string(&definition.dialect()).unwrap();
            format!(
                "{dialect} {source} {split:?} {}",
                definition.key_columns().join(",")
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            r#"{"api":"report-jobs","apiVersion":34} {"api":"report-jobs","timeZone":"business-unit","range":"template"} None Contact ID"#,
            r#"{"api":"data-extraction"} {"api":"data-extraction","timeZone":"UTC","range":"requested"} Some(1) Contact ID"#,
            r#"{"api":"data-download","apiVersion":34} {"api":"data-download","timeZone":"-07:00","range":"requested"} Some(30) Contact ID"#,
            r#"{"api":"contacts","apiVersion":34} {"api":"contacts","timeZone":"UTC","range":"requested"} Some(30) contactId"#,
        ]
    );
}

#[test]
fn a_field_of_another_api_is_unknown_and_all_is_said_at_once() {
    let mut definition = published("data-download");
    definition["report"]["metrics"] = json!(["handleTime"]);
    definition["report"]["reportID"] = json!("1");
    definition["report"]["apiVersion"] = json!(1);
    definition["pipeline"]["key"] = json!(null);
    let said = lines(definition.to_string());
    for part in [
        "[CXD003] at /report/metrics: unknown field \"metrics\" (one of reportId, apiVersion, utcOffset, columns, dateRange)",
        "[CXD003] at /report/reportID: unknown field \"reportID\" (did you mean \"reportId\"?)",
        "[CXD054] at /report/apiVersion",
        "[CXD050] at /pipeline/key",
    ] {
        assert!(said.contains(part), "{part}\nnot in\n{said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn the_schema_has_a_report_for_each_api() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let reports = schema["allOf"].as_array().unwrap();
    // The rules for fields of all APIs follow.
    let required: Vec<String> = reports[..Api::ALL.len()]
        .iter()
        .map(|of| {
            let api = &of["if"]["properties"]["pipeline"]["properties"]["api"]["const"];
            let report = &of["then"]["properties"]["report"];
            // Without a pipeline block an editor says that it is missing, and nothing about the report.
            assert_eq!(of["if"]["required"], json!(["pipeline"]), "{api}");
            assert_eq!(report["additionalProperties"], json!(false), "{api}");
            format!("{api} {}", report["required"])
        })
        .collect();
    assert_eq!(
        required,
        [
            r#""analytics" ["type","metrics","dimensions","dateRange"]"#,
            r#""report-jobs" ["reportId","apiVersion","range","dateRange"]"#,
            r#""data-download" ["reportId","apiVersion","utcOffset","dateRange"]"#,
            r#""data-extraction" ["entityName","entityVersion","dateRange"]"#,
            r#""contacts" ["apiVersion","dateRange"]"#,
        ]
    );
}
