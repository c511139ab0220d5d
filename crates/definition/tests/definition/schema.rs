//! The JSON Schema says what the checker says, as far as it can.

use definition::{Api, Definition, schema};
use serde_json::{Value, json};

use crate::{good, put};

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
            "then" | "title" | "description" | "default" | "format" | "pattern" | "minLength"
            | "maxLength" | "$defs" | "$schema" => true,
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
    let of = |pointer, values: Vec<Value>| values.into_iter().map(move |value| (pointer, value));
    let restates = vec![json!([]), json!(["P1D"]), json!("P1D")];
    let apis = Api::ALL.iter().map(|api| json!(api.as_str())).collect();
    let words = ["once", "hourly", "daily", "weekly", "monthly", "yearly"].map(|word| json!(word));
    let ranges = [
        "previousHours",
        "previousDay",
        "previousWeek",
        "previousMonth",
    ]
    .map(|word| json!(word));
    of("/schedule/type", words.to_vec())
        .chain(of("/report/dateRange/value", ranges.to_vec()))
        .chain(of(
            "/schedule/everyHours",
            vec![json!(1), json!(5), Value::Null],
        ))
        .chain(of(
            "/report/type",
            vec![json!("agent"), json!("ic"), json!("skill")],
        ))
        .chain(of(
            "/report/metrics",
            vec![json!(["talkTime"]), json!(["nps"]), json!([])],
        ))
        .chain(of(
            "/report/dimensions",
            vec![json!(["agentId"]), json!(["site"])],
        ))
        .chain(of(
            "/report/columns",
            vec![json!(["contactId"]), Value::Null],
        ))
        .chain(of("/report/range", vec![json!("template"), json!("dates")]))
        .chain(of(
            "/report/dateRange",
            vec![json!({ "type": "absolute",
            "start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z" })],
        ))
        .chain(of("/pipeline/api", apis))
        .chain(of("/pipeline/format", vec![json!("csv"), json!("xml")]))
        .chain(of(
            "/pipeline/key",
            vec![json!(["contactId"]), Value::Null, json!([])],
        ))
        .chain(of(
            "/pipeline/declare",
            vec![
                json!({ "metrics": { "nps": { "type": "long" } } }),
                json!({ "dimensions": {} }),
            ],
        ))
        .chain(of("/pipeline/settledAt", vec![json!("05:00"), Value::Null]))
        .chain(of(
            "/pipeline/settledAfter",
            vec![json!("PT45M"), json!(45)],
        ))
        .chain(of(
            "/pipeline/windowZone",
            vec![json!("UTC"), json!("Asia/Tokyo"), json!(9)],
        ))
        .chain(of("/pipeline/restate", restates))
        .chain(of("/pipeline/expectedBy", vec![json!("PT3H"), json!(3)]))
        .chain(of("/pipeline/totalLabels", vec![json!([]), json!("Summe")]))
        .chain(of(
            "/pipeline/fallback",
            vec![json!({ "drop": ["talkTime"] }), Value::Null],
        ))
        .chain(of(
            "/pipeline/narrow",
            vec![json!({ "smallestWindow": "PT1H" }), Value::Null],
        ))
        .chain(of("/pipeline/schema", vec![json!("strict"), json!("lax")]))
        .chain(of(
            "/$schema",
            vec![json!("https://example.com/schema.json"), json!(1)],
        ))
        .chain(of("/pipeline/unknown", vec![json!(1)]))
        .collect()
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
