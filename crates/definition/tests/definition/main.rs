//! What authors of definitions are told.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up should panic"
)]

mod due;
mod published;
mod rows;
mod schema;
mod stored;
mod tables;
mod windows;

use definition::{Catalogue, Definition, Severity, Window, check, schema};
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../fixtures/guide.json");

fn good() -> Value {
    let mut value: Value = serde_json::from_str(GUIDE).unwrap();
    value["schedule"]["time"] = json!("06:00");
    value["pipeline"] = json!({ "tenant": "acme" });
    value
}

/// What is said about the good definition after a change, one line a finding.
fn said(change: impl FnOnce(&mut Value)) -> String {
    let mut value = good();
    change(&mut value);
    lines(value.to_string())
}

fn lines(text: impl AsRef<[u8]>) -> String {
    let findings = match Definition::parse(text) {
        Ok(checked) => checked.warnings,
        Err(findings) => findings.0,
    };
    findings.iter().fold(String::new(), |lines, finding| {
        lines + &finding.to_string() + "\n"
    })
}

/// Each value put where the second pointer says gives exactly this code at the first pointer.
fn check_codes(cases: &[(&str, &str, &str, Value)]) {
    for (code, pointer, target, value) in cases {
        let said = said(|d| put(d, target, value));
        let expected = format!("[{code}] at {pointer}: ");
        assert!(
            said.lines().count() == 1 && said.contains(&expected),
            "expected {expected}, said:\n{said}"
        );
    }
}

/// Puts a value at a pointer; `-` is the end of a list.
fn put(definition: &mut Value, target: &str, value: &Value) {
    let (parent, last) = target.rsplit_once('/').unwrap();
    match definition.pointer_mut(parent).unwrap() {
        Value::Array(entries) if last == "-" => entries.push(value.clone()),
        Value::Array(entries) => entries[last.parse::<usize>().unwrap()] = value.clone(),
        parent => parent[last] = value.clone(),
    }
}

#[test]
fn the_guides_own_sample_lacks_its_pipeline_block_and_is_scheduled_too_early() {
    assert_eq!(
        lines(GUIDE),
        "warning[CXD021] at /schedule/time: scheduled at 02:00 UTC, before the data of the day before is final at \
         05:00 UTC (the pipeline waits until 05:00; schedule it then, or set pipeline.settledAt)\n\
         error[CXD010] at /pipeline: the pipeline block is missing (add \"pipeline\": {\"tenant\": \"…\"}; everything \
         else in it has a default, and none of it is sent to CXone)\n"
    );
}

#[test]
fn the_guides_sample_with_a_tenant_is_good_from_0500_on() {
    assert_eq!(said(|_| ()), "");
    assert_eq!(said(|d| d["schedule"]["time"] = json!("05:00")), "");
    let early = said(|d| d["schedule"]["time"] = json!("04:59"));
    assert!(early.starts_with("warning[CXD021]"), "{early}");
    assert_eq!(
        said(|d| {
            d["schedule"]["time"] = json!("04:00");
            d["pipeline"]["settledAt"] = json!("04:00");
        }),
        ""
    );
}

#[test]
fn every_rule_of_the_report_has_its_code() {
    check_codes(&[
        ("CXD003", "/report/metrix", "/report/metrix", json!([])),
        (
            "CXD003",
            "/pipeline/max_runs",
            "/pipeline/max_runs",
            json!(3),
        ),
        ("CXD004", "/report/metrics", "/report/metrics", json!(null)),
        ("CXD004", "/delivery", "/delivery", json!(null)),
        (
            "CXD005",
            "/report/metrics",
            "/report/metrics",
            json!("handleTime"),
        ),
        ("CXD005", "/report/metrics/1", "/report/metrics/1", json!(7)),
        ("CXD005", "/report/type", "/report/type", json!("agents")),
        (
            "CXD005",
            "/report/dateRange/value",
            "/report/dateRange/value",
            json!("yesterday"),
        ),
        ("CXD005", "/delivery/type", "/delivery/type", json!("email")),
        ("CXD012", "/name", "/name", json!(" padded ")),
        ("CXD012", "/name", "/name", json!("x".repeat(101))),
        ("CXD015", "/schedule/time", "/schedule/time", json!("6:00")),
        (
            "CXD020",
            "/schedule/timezone",
            "/schedule/timezone",
            json!("America/New_York"),
        ),
        (
            "CXD022",
            "/report/dateRange",
            "/report/dateRange",
            absolute("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
        ),
        (
            "CXD064",
            "/report/dateRange/value",
            "/report/dateRange/value",
            json!("previousWeek"),
        ),
        (
            "CXD030",
            "/report/metrics/4",
            "/report/metrics/4",
            json!("avgHandelTime"),
        ),
        (
            "CXD031",
            "/report/dimensions/1",
            "/report/dimensions/1",
            json!("agentname"),
        ),
        (
            "CXD031",
            "/report/filters/0/dimension",
            "/report/filters/0/dimension",
            json!("state"),
        ),
        (
            "CXD032",
            "/report/grouping/1",
            "/report/grouping/1",
            json!("queue"),
        ),
        (
            "CXD033",
            "/report/metrics/5",
            "/report/metrics/-",
            json!("handleTime"),
        ),
        (
            "CXD033",
            "/report/filters/0/values/3",
            "/report/filters/0/values/-",
            json!("busy"),
        ),
        ("CXD034", "/report/metrics", "/report/metrics", json!([])),
        (
            "CXD034",
            "/report/filters/0/values",
            "/report/filters/0/values",
            json!([]),
        ),
    ]);
}

#[test]
fn every_rule_of_the_pipeline_has_its_code() {
    check_codes(&[
        (
            "CXD011",
            "/pipeline/tenant",
            "/pipeline/tenant",
            json!("Acme/../x"),
        ),
        ("CXD005", "/pipeline/api", "/pipeline/api", json!("soap")),
        ("CXD014", "/pipeline/maxRuns", "/pipeline/maxRuns", json!(0)),
        (
            "CXD014",
            "/pipeline/maxRuns",
            "/pipeline/maxRuns",
            json!(11),
        ),
        (
            "CXD015",
            "/pipeline/settledAt",
            "/pipeline/settledAt",
            json!("25:00"),
        ),
        (
            "CXD040",
            "/pipeline/key/0",
            "/pipeline/key",
            json!(["agent"]),
        ),
        ("CXD034", "/pipeline/key", "/pipeline/key", json!([])),
        (
            "CXD043",
            "/pipeline/fallback/drop/0",
            "/pipeline/fallback",
            json!({ "drop": ["talk"] }),
        ),
        (
            "CXD044",
            "/pipeline/fallback/drop/0",
            "/pipeline/fallback",
            json!({ "drop": ["queueId"] }),
        ),
        (
            "CXD042",
            "/pipeline/narrow",
            "/pipeline/narrow",
            json!({ "smallestWindow": "PT1H" }),
        ),
    ]);
    let too_long = said(|d| {
        d["name"] = json!("x".repeat(95));
        d["pipeline"]["fallback"] = json!({ "drop": ["talkTime"] });
    });
    assert!(
        too_long.starts_with("error[CXD012] at /name: too long for a fallback"),
        "{too_long}"
    );
    for bad in [
        "",
        "1 hour",
        "PT0S",
        "PT30S",
        "PT7H",
        "P32D",
        "-PT1H",
        "P1M",
        "PT90M1S",
        "P100000000000D",
    ] {
        let said = said(|d| {
            d["report"]["grouping"] = json!([]);
            d["pipeline"]["narrow"] = json!({ "smallestWindow": bad });
        });
        assert!(
            said.contains("[CXD041] at /pipeline/narrow/smallestWindow"),
            "{bad:?}: {said}"
        );
    }
    for ok in ["PT1M", "PT1H", "PT90M", "P1D", "PT24H", "P7D"] {
        let said = said(|d| {
            d["report"]["grouping"] = json!([]);
            d["pipeline"]["narrow"] = json!({ "smallestWindow": ok });
        });
        assert_eq!(said, "", "{ok:?}");
    }
}

fn absolute(start: &str, end: &str) -> Value {
    json!({ "type": "absolute", "start": start, "end": end })
}

#[test]
fn absolute_ranges_are_checked_as_windows() {
    let day = "2026-11-21T00:00:00Z";
    for (code, start, end) in [
        ("CXD023", "2026-11-21", day),
        ("CXD023", "2026-11-21T00:00:00+00:00", day),
        ("CXD023", "2026-02-30T00:00:00Z", day),
        ("CXD023", day, "2026-11-21T00:00:60Z"),
        ("CXD024", day, day),
        ("CXD025", "2026-10-20T00:00:00Z", day),
        ("CXD026", "0001-01-01T00:00:00Z", day),
        ("CXD026", day, "9999-01-01T00:00:00Z"),
    ] {
        let said = said(|d| {
            d["schedule"]["type"] = json!("once");
            d["report"]["dateRange"] = absolute(start, end);
        });
        assert!(
            said.lines().count() == 1 && said.contains(code),
            "{start} {end}: {said}"
        );
    }
}

#[test]
fn a_metric_of_another_report_says_whose_it_is_and_what_there_is() {
    let said = said(|d| {
        d["report"]["type"] = json!("ic");
        d["report"]["metrics"] = json!(["talkTime"]);
    });
    assert!(said.contains("\"talkTime\" is not a metric of ic reports (agent, queue, skill reports have it; ic reports have"), "{said}");
    assert!(said.contains("messageCount"), "{said}");
}

#[test]
fn all_misfits_are_said_at_once_with_what_was_meant() {
    let said = said(|d| {
        d["report"]["dimension"] = json!([]);
        d["shedule"] = json!({});
        d["report"]["filters"][0]["values"][0] = json!(false);
        d["pipeline"]["maxRuns"] = json!("3");
        d["schedule"]["timezone"] = json!("CET");
    });
    for part in [
        "[CXD003] at /report/dimension: unknown field \"dimension\" (did you mean \"dimensions\"?)",
        "[CXD003] at /shedule: unknown field \"shedule\" (did you mean \"schedule\"?)",
        "[CXD005] at /report/filters/0/values/0: expected a text, found false",
        "[CXD005] at /pipeline/maxRuns: expected a whole number, found the text \"3\"",
        "[CXD020] at /schedule/timezone",
    ] {
        assert!(said.contains(part), "{part}\nnot in\n{said}");
    }
    assert_eq!(said.lines().count(), 5, "{said}");
}

#[test]
fn what_is_not_a_definition_at_all_is_said_in_one_line() {
    assert!(lines("{").contains("[CXD001] at /: not JSON"));
    assert!(lines("[]").contains("[CXD001]"));
    assert!(lines(vec![b' '; 33 * 1024]).contains("[CXD002]"));
    assert!(lines("[".repeat(4000)).contains("[CXD001]"));
    let twice = good()
        .to_string()
        .replacen("\"name\"", "\"name\":\"other\",\"name\"", 1);
    assert!(
        lines(&twice).contains("[CXD033] at /name: the field \"name\" occurs twice"),
        "{}",
        lines(&twice)
    );
    assert!(lines("{}").lines().count() == 5);
}

#[test]
fn the_formula_guard_is_an_option_that_is_off() {
    let with = |csv: Value| {
        let mut definition = good();
        definition["pipeline"]["csv"] = csv;
        Definition::from_value(&definition).unwrap().definition
    };
    let off = Definition::from_value(&good()).unwrap().definition;
    assert!(off.pipeline.csv.is_none());
    for csv in [json!({}), json!({"formulaGuard": false}), Value::Null] {
        assert_eq!(with(csv).hash(), off.hash());
    }
    let on = with(json!({"formulaGuard": true}));
    assert!(on.pipeline.csv.is_some_and(|csv| csv.formula_guard));
    // What a spreadsheet is shown differs, so the commit has to say that the definition did.
    assert_ne!(on.hash(), off.hash());
    let again: Definition = serde_json::from_slice(&on.canonical_json()).unwrap();
    assert_eq!(again, on);
}

#[test]
fn equal_definitions_hash_equally_whatever_they_leave_to_the_defaults() {
    let short = Definition::parse(good().to_string()).unwrap().definition;
    let mut long = good();
    long["pipeline"] = json!({
        "tenant": "acme", "format": "ndjson", "compression": "gzip", "key": ["agentId", "queueId"], "onConflict": "fail",
        "maxRuns": 3, "settledAt": "05:00", "api": "analytics", "fallback": null
    });
    let long = Definition::from_value(&long).unwrap().definition;
    assert_eq!(short.hash(), long.hash());
    assert_eq!(short.hash().len(), 64);
    let again: Definition = serde_json::from_slice(&short.canonical_json()).unwrap();
    assert_eq!(again, short);
    assert!(check(&short, Catalogue::builtin()).is_empty());
    assert_eq!(
        short.columns().join(" "),
        "agentId agentName queueId queueName handleTime talkTime wrapUpTime callsHandled avgHandleTime"
    );
    assert_eq!(short.key_columns(), ["agentId", "queueId"]);
}

#[test]
fn the_canonical_form_of_an_analytics_definition_stays_what_it_was() {
    let text = r#"{"name":"Weekly","schedule":{"type":"weekly","time":"06:00","timezone":"UTC"},"report":{"type":"agent","metrics":["handleTime","talkTime"],"dimensions":["agentId","queueId"],"filters":[{"dimension":"status","values":["busy"],"operator":"in"}],"dateRange":{"type":"relative","value":"previousWeek"},"grouping":["agentId"]},"delivery":{"type":"api","format":"csv"},"pipeline":{"tenant":"acme","format":"csv","compression":"gzip","key":["agentId"],"onConflict":"fail","maxRuns":3,"narrow":{"smallestWindow":"PT1H"},"fallback":{"drop":["talkTime"]},"settledAt":"05:00","api":"analytics"}}"#;
    let definition = Definition::parse(text).unwrap().definition;
    assert_eq!(
        String::from_utf8(definition.canonical_json()).unwrap(),
        text
    );
}

#[test]
fn the_pipeline_block_is_never_registered() {
    let definition = Definition::parse(good().to_string()).unwrap().definition;
    let body: Value = serde_json::from_slice(&definition.registered_body()).unwrap();
    let mut expected = good();
    expected.as_object_mut().unwrap().remove("pipeline");
    assert_eq!(body, expected);
}

#[test]
fn a_definition_of_an_extended_tenant_stays_readable() {
    let mut value = good();
    value["report"]["metrics"][0] = json!("botHandoffs");
    assert!(Definition::parse(value.to_string()).is_err());
    let extended = Catalogue::builtin()
        .extended_with(r#"{"agent":{"metrics":["botHandoffs"]}}"#)
        .unwrap();
    let definition = Definition::parse_with(value.to_string(), &extended)
        .unwrap()
        .definition;
    assert_eq!(
        serde_json::from_slice::<Definition>(&definition.canonical_json()).unwrap(),
        definition
    );
    assert_eq!(check(&definition, Catalogue::builtin()).len(), 1);
}

#[test]
fn windows_come_from_the_scheduled_time() {
    let with = |value: &str| {
        let mut d = good();
        d["report"]["dateRange"]["value"] = json!(value);
        // Weekly and monthly schedules repeat no window of these ranges.
        d["schedule"]["type"] = json!(match value {
            "previousDay" => "daily",
            "previousWeek" => "weekly",
            _ => "monthly",
        });
        Definition::parse(d.to_string()).unwrap().definition
    };
    for (value, scheduled, key) in [
        (
            "previousDay",
            "2026-11-22T06:00:00Z",
            "20261121T000000Z-20261122T000000Z",
        ),
        (
            "previousDay",
            "2026-11-22T00:00:00Z",
            "20261121T000000Z-20261122T000000Z",
        ),
        (
            "previousDay",
            "2026-03-01T23:59:59Z",
            "20260228T000000Z-20260301T000000Z",
        ),
        (
            "previousWeek",
            "2026-11-22T06:00:00Z",
            "20261109T000000Z-20261116T000000Z",
        ),
        (
            "previousWeek",
            "2026-11-23T06:00:00Z",
            "20261116T000000Z-20261123T000000Z",
        ),
        (
            "previousMonth",
            "2026-01-05T06:00:00Z",
            "20251201T000000Z-20260101T000000Z",
        ),
    ] {
        let window = with(value).window_for(scheduled.parse().unwrap()).unwrap();
        assert_eq!(window.key(), key, "{value} {scheduled}");
    }
    let definition = with("previousDay");
    assert!(
        definition
            .window_for("1999-01-01T00:00:00Z".parse().unwrap())
            .is_err()
    );
    let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
    assert_eq!(
        definition.settled_at(&window).to_string(),
        "2026-11-22T05:00:00Z"
    );
    let odd: Window = "20261121T000000Z-20261121T120000Z".parse().unwrap();
    assert_eq!(
        definition.settled_at(&odd).to_string(),
        "2026-11-22T05:00:00Z"
    );
}

#[test]
fn the_fallback_is_the_definition_without_what_it_drops() {
    let mut value = good();
    value["pipeline"]["fallback"] = json!({ "drop": ["avgHandleTime", "agentName"] });
    let definition = Definition::parse(value.to_string()).unwrap().definition;
    let simple = definition.simplified().unwrap();
    assert_eq!(
        simple.name.as_str(),
        "Daily Agent Performance Aggregation (fallback)"
    );
    assert_eq!(
        simple.columns().join(" "),
        "agentId queueId queueName handleTime talkTime wrapUpTime callsHandled"
    );
    assert!(simple.simplified().is_none());
    assert!(
        check(&simple, Catalogue::builtin())
            .iter()
            .all(|f| f.severity == Severity::Warning)
    );
}

#[test]
fn the_schema_names_every_field_and_refuses_others() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    assert_eq!(
        schema["required"],
        json!(["name", "schedule", "report", "delivery", "pipeline"])
    );
    assert_eq!(
        schema["properties"]["pipeline"]["required"],
        json!(["tenant"])
    );
    assert!(
        schema["allOf"][0]["then"]["properties"]["report"]["properties"]["type"]
            .to_string()
            .contains("voicemail")
    );
    assert_eq!(open_objects(&schema), Vec::<&Value>::new());
}

/// The objects of a schema that would let an unknown field through.
fn open_objects(schema: &Value) -> Vec<&Value> {
    let inner = match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "if" && *name != "then")
            .flat_map(|(_, inner)| open_objects(inner))
            .chain(open_objects(&schema["then"]["properties"]["report"]))
            .collect(),
        Value::Array(list) => list.iter().flat_map(open_objects).collect(),
        _ => Vec::new(),
    };
    let open = schema["properties"].is_object() && schema["additionalProperties"] != json!(false);
    inner.into_iter().chain(open.then_some(schema)).collect()
}

#[test]
fn every_code_is_in_the_readme_with_its_severity_and_its_meaning() {
    let readme = include_str!("../../README.md");
    for code in definition::FindingCode::ALL {
        let row = format!("| {code} | {} | {} |\n", code.severity(), code.summary());
        assert_eq!(readme.matches(&row).count(), 1, "{row}");
    }
}
