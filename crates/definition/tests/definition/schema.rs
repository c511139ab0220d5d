//! The JSON Schema says what the checker says, as far as it can.

use std::cell::RefCell;
use std::collections::HashMap;

use definition::{Api, Definition, schema};
use regex::Regex;
use serde_json::{Value, json};

use crate::{good, put};

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

fn has_pattern(text: &str, pattern: &str) -> bool {
    PATTERNS.with_borrow_mut(|patterns| {
        let compile = || Regex::new(pattern).unwrap();
        let compiled = patterns.entry(pattern.to_owned()).or_insert_with(compile);
        compiled.is_match(text)
    })
}

fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Whether a value is valid, by the keywords that our schema uses. Formats of texts are the checker's.
fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(keywords) = schema.as_object() else {
        return schema != &json!(false);
    };
    let all = |list: &Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| is_valid(root, one, value))
            .collect::<Vec<_>>()
    };
    keywords
        .iter()
        .all(|(keyword, said)| match keyword.as_str() {
            "$ref" => is_valid(
                root,
                root.pointer(&said.as_str().unwrap()[1..]).unwrap(),
                value,
            ),
            "type" => [said.clone()]
                .iter()
                .chain(said.as_array().into_iter().flatten())
                .any(|kind| is_of(kind, value)),
            "const" => value == said,
            "enum" => said.as_array().unwrap().contains(value),
            "allOf" => all(said).iter().all(|valid| *valid),
            "anyOf" => all(said).contains(&true),
            "oneOf" => all(said).iter().filter(|valid| **valid).count() == 1,
            "not" => !is_valid(root, said, value),
            "if" => !is_valid(root, said, value) || is_valid(root, &schema["then"], value),
            "required" => value.as_object().is_none_or(|fields| {
                said.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| fields.contains_key(name.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|fields| {
                fields.iter().all(|(name, value)| {
                    said.get(name).is_none_or(|one| is_valid(root, one, value))
                })
            }),
            "additionalProperties" => value.as_object().is_none_or(|fields| {
                let known = |name: &str| schema["properties"].get(name).is_some();
                fields
                    .iter()
                    .all(|(name, value)| known(name) || is_valid(root, said, value))
            }),
            "items" => value
                .as_array()
                .is_none_or(|list| list.iter().all(|one| is_valid(root, said, one))),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 <= said.as_u64().unwrap()),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= said.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= said.as_i64().unwrap()),
            "uniqueItems" => value.as_array().is_none_or(|list| {
                let repeated = |at: usize| list[..at].contains(&list[at]);
                *said != json!(true) || !(0..list.len()).any(repeated)
            }),
            "pattern" => value
                .as_str()
                .is_none_or(|text| has_pattern(text, said.as_str().unwrap())),
            "minLength" => value
                .as_str()
                .is_none_or(|text| length(text) >= said.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| length(text) <= said.as_u64().unwrap()),
            "then" | "title" | "description" | "default" | "format" | "$defs" | "$schema" => true,
            other => panic!("the test does not know {other}"),
        })
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        _ => false,
    }
}

fn samples() -> Vec<Value> {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let mut ic = good();
    ic["report"] = json!({ "type": "ic", "metrics": ["messageCount"], "dimensions": ["agentId"],
        "dateRange": { "type": "relative", "value": "previousDay" } });
    let mut hourly: Value = read(include_str!("../../../local/definitions/contacts.json"));
    hourly["schedule"] =
        json!({ "type": "hourly", "everyHours": 4, "time": "00:50", "timezone": "UTC" });
    hourly["report"]["dateRange"]["value"] = json!("previousHours");
    vec![
        good(),
        ic,
        hourly,
        read(include_str!("../../../local/definitions/contacts.json")),
        read(include_str!(
            "../../../local/definitions/data-download.json"
        )),
        read(include_str!(
            "../../../local/definitions/data-extraction.json"
        )),
        read(include_str!("../../../local/definitions/report-jobs.json")),
    ]
}

/// Values for fields anywhere in a definition, right ones and wrong ones; null takes a field out.
fn mutations() -> Vec<(&'static str, Value)> {
    let apis: Vec<&str> = Api::ALL.iter().map(|api| api.as_str()).collect();
    let day = json!({ "type": "absolute",
        "start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z" });
    let lists = json!([["contactId"], null, ["contactId", "contactId"], [""]]);
    let table = [
        (
            "/schedule/type",
            json!(["once", "hourly", "daily", "weekly", "monthly", "yearly"]),
        ),
        (
            "/report/dateRange/value",
            json!([
                "previousHours",
                "previousDay",
                "previousWeek",
                "previousMonth"
            ]),
        ),
        ("/schedule/everyHours", json!([1, 5, null])),
        ("/report/type", json!(["agent", "ic", "skill"])),
        (
            "/report/metrics",
            json!([["talkTime"], ["nps"], [], ["talkTime", "talkTime"]]),
        ),
        ("/report/dimensions", json!([["agentId"], ["site"]])),
        ("/report/columns", lists.clone()),
        ("/report/range", json!(["template", "dates"])),
        ("/report/dateRange", json!([day])),
        ("/pipeline/api", json!(apis)),
        ("/pipeline/format", json!(["csv", "xml"])),
        ("/pipeline/key", lists),
        ("/pipeline/key", json!([[]])),
        (
            "/pipeline/declare",
            json!([{ "metrics": { "nps": { "type": "long" } } }, { "dimensions": {} }]),
        ),
        ("/pipeline/settledAt", json!(["05:00", null])),
        (
            "/pipeline/settledAfter",
            json!(["PT45M", 45, "P7D", "PT169H"]),
        ),
        ("/pipeline/windowZone", json!(["UTC", "Asia/Tokyo", 9])),
        (
            "/pipeline/restate",
            json!([[], ["P1D"], "P1D", ["PT2160H"], ["P12W"], ["P91D"]]),
        ),
        ("/pipeline/expectedBy", json!(["PT3H", 3, "P8D"])),
        ("/pipeline/totalLabels", json!([[], "Summe", ["a", "a"]])),
        (
            "/pipeline/fallback",
            json!([{ "drop": ["talkTime"] }, null]),
        ),
        (
            "/pipeline/narrow",
            json!([{ "smallestWindow": "PT1H" }, null]),
        ),
        ("/pipeline/schema", json!(["strict", "lax"])),
        (
            "/pipeline/table",
            json!([{ "format": "delta" }, { "format": "csv" }, null]),
        ),
        ("/$schema", json!(["https://example.com/schema.json", 1])),
        ("/pipeline/unknown", json!([1])),
    ];
    let values = table.into_iter().flat_map(|(pointer, values)| {
        let values = values.as_array().cloned().unwrap_or_default();
        values.into_iter().map(move |value| (pointer, value))
    });
    values.collect()
}

fn change(definition: &Value, (pointer, value): &(&str, Value)) -> Value {
    let mut changed = definition.clone();
    put(&mut changed, pointer, value);
    changed
}

#[test]
fn what_the_schema_refuses_the_checker_refuses_too() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mutations = mutations();
    let (mut both, mut checker_alone, mut taken) = (0, 0, 0);
    for sample in samples() {
        assert!(is_valid(&schema, &schema, &sample), "{sample}");
        for first in &mutations {
            let once = change(&sample, first);
            for second in &mutations {
                let twice = change(&once, second);
                let checked = Definition::from_value(&twice);
                match (is_valid(&schema, &schema, &twice), &checked) {
                    (true, Ok(_)) => taken += 1,
                    (true, Err(_)) => checker_alone += 1,
                    (false, Err(_)) => both += 1,
                    (false, Ok(_)) => panic!("only the schema refuses {twice}"),
                }
            }
        }
    }
    println!("taken {taken}, refused by both {both}, by the checker alone {checker_alone}");
    assert!(
        taken > 0 && both > 4 * checker_alone,
        "{taken} {both} {checker_alone}"
    );
}

#[test]
fn an_editor_is_told_what_a_type_of_report_has_and_which_fields_go_together() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let all = samples();
    for (sample, pointer, value) in [
        (0, "/report/metrics", json!(["messageCount"])),
        (0, "/report/dimensions", json!(["agentname"])),
        (1, "/report/metrics", json!(["talkTime"])),
        (0, "/schedule/type", json!("hourly")),
        (0, "/report/dateRange/value", json!("previousWeek")),
        (2, "/pipeline/settledAt", json!("05:00")),
        (3, "/pipeline/totalLabels", json!(["Summe"])),
        (4, "/pipeline/fallback", json!({ "drop": ["x"] })),
        (5, "/pipeline/key", Value::Null),
        (6, "/pipeline/restate", json!(["P1D"])),
        (6, "/report/metrics", json!(["talkTime"])),
        (0, "/report/metrics", json!(["talkTime", "talkTime"])),
        (3, "/pipeline/key", json!(["contactId", "contactId"])),
        (3, "/report/columns", json!([""])),
        (3, "/pipeline/restate", json!(["P1D", "P91D"])),
        (3, "/pipeline/settledAfter", json!("P2W")),
        (4, "/pipeline/totalLabels", json!([""])),
    ] {
        let changed = change(&all[sample], &(pointer, value));
        assert!(
            !is_valid(&schema, &schema, &changed),
            "{pointer} of {changed}"
        );
    }
    let columns = json!({ "metrics": { "nps": { "type": "long" } } });
    let unknown = change(&all[0], &("/report/metrics", json!(["nps"])));
    assert!(!is_valid(&schema, &schema, &unknown));
    let declared = change(&unknown, &("/pipeline/declare", columns));
    assert!(is_valid(&schema, &schema, &declared));
}

/// The patterns hold back what no reader of the text could take; the checker says more.
#[test]
fn texts_that_an_editor_can_judge_have_a_pattern() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    for pointer in [
        "/properties/name",
        "/properties/pipeline/properties/settledAfter",
        "/properties/pipeline/properties/restate/items",
        "/properties/pipeline/properties/emptyMessages/items",
    ] {
        let field = schema.pointer(pointer).unwrap();
        assert!(field["pattern"].is_string(), "{pointer}: {field}");
    }
}

#[test]
fn an_hourly_report_of_the_guides_api_has_to_say_when_it_is_final() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut hourly = good();
    hourly["schedule"] =
        json!({ "type": "hourly", "everyHours": 4, "time": "00:50", "timezone": "UTC" });
    hourly["report"]["dateRange"]["value"] = json!("previousHours");
    assert!(!is_valid(&schema, &schema, &hourly));
    hourly["pipeline"]["settledAfter"] = json!("PT45M");
    assert!(is_valid(&schema, &schema, &hourly));
}

/// What is said of a table, both take or both refuse.
#[test]
fn a_table_is_taken_and_refused_as_the_checker_does() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    for (table, fits) in [
        (json!({ "format": "delta" }), true),
        (json!({ "format": "iceberg" }), false),
        (json!({ "format": "Delta" }), false),
        (json!({ "format": "delta", "path": "x" }), false),
        (json!({ "format": null }), false),
        (json!({}), false),
        (json!("delta"), false),
        (json!(true), false),
        (json!([{ "format": "delta" }]), false),
    ] {
        for sample in samples() {
            let changed = change(&sample, &("/pipeline/table", table.clone()));
            assert_eq!(is_valid(&schema, &schema, &changed), fits, "{table}");
            assert_eq!(Definition::from_value(&changed).is_ok(), fits, "{table}");
        }
    }
}

/// A duration beyond its bound is refused by both, in whatever unit it is said, and the schema refuses none up to it.
#[test]
fn durations_have_the_bounds_of_the_checker() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let units = [
        ("P", "W", 7 * 24 * 60),
        ("P", "D", 24 * 60),
        ("PT", "H", 60),
        ("PT", "M", 1),
    ];
    for (pointer, days) in [("restate", 90), ("settledAfter", 7), ("expectedBy", 7)] {
        let field = format!("/properties/pipeline/properties/{pointer}");
        let is_list = pointer == "restate";
        let field = if is_list { field + "/items" } else { field };
        let field = schema.pointer(&field).unwrap();
        for (before, after, minutes) in units {
            let most = days * 24 * 60 / minutes;
            for (number, fits) in [
                (1, true),
                (most, true),
                (most + 1, false),
                (most * 12, false),
            ] {
                let text = json!(format!("{before}0{number}{after}"));
                assert_eq!(is_valid(&schema, field, &text), fits, "{pointer} {text}");
                let value = if is_list { json!([text]) } else { text };
                let mut definition = good();
                definition["pipeline"][pointer] = value.clone();
                let is_taken = Definition::from_value(&definition).is_ok();
                assert!(fits || !is_taken, "{pointer} {value}");
            }
        }
    }
}
