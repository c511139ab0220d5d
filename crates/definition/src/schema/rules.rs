//! What fields of a definition mean for one another, as far as JSON Schema can say it.

use serde_json::{Value, json};

use crate::api::{Api, Columns};
use crate::catalogue::{Catalogue, ReportType};

/// Conditions on the whole definition. Each `then` is a list, so that a reader of the schema finds the shape of a report in
/// one place only.
pub(super) fn write_rules() -> Vec<Value> {
    let mut rules = write_schedule_rules();
    rules.extend(write_catalogue_rules());
    rules.extend(write_api_rules());
    rules
}

fn rule(condition: &Value, consequence: &Value) -> Value {
    json!({ "if": condition, "then": { "allOf": [consequence] } })
}

/// A definition whose field at a path, such as `report.range`, has a value.
fn has(path: &str, value: &Value) -> Value {
    path.rsplit('.').fold(
        value.clone(),
        |inner, field| json!({ "properties": { field: inner }, "required": [field] }),
    )
}

/// A definition that has not said anything at a path: the field is left out or null.
fn lacks(path: &str) -> Value {
    json!({ "not": has(path, &json!({ "not": { "type": "null" } })) })
}

fn is(path: &str, word: &str) -> Value {
    has(path, &json!({ "const": word }))
}

/// A definition whose field of `pipeline`, if it is there, has a value.
fn in_pipeline(field: &str, value: &Value) -> Value {
    json!({ "properties": { "pipeline": { "properties": { field: value } } } })
}

fn utc() -> Value {
    json!({ "enum": ["UTC", null] })
}

fn write_schedule_rules() -> Vec<Value> {
    let range = "report.dateRange.value";
    let one_of = |words: &[&str]| {
        let range = json!({ "properties": { "value": { "enum": words } } });
        json!({ "properties": { "report": { "properties": { "dateRange": range } } } })
    };
    let hours = has("schedule.everyHours", &json!({ "type": "integer" }));
    let hourly = is("schedule.type", "hourly");
    let mut rules = vec![
        rule(&hourly, &hours),
        rule(&hourly, &in_pipeline("windowZone", &utc())),
        rule(&hourly, &lacks("pipeline.settledAt")),
        rule(&hours, &hourly),
        rule(
            &json!({ "allOf": [hourly, is_api(Api::Analytics)] }),
            &has("pipeline.settledAfter", &json!({ "type": "string" })),
        ),
        rule(&is(range, "previousHours"), &hourly),
        rule(
            &has("pipeline.settledAfter", &json!({ "type": "string" })),
            &lacks("pipeline.settledAt"),
        ),
    ];
    // A shorter range leaves gaps, which is a warning; a longer one repeats windows.
    for (recurrence, ranges) in [
        ("hourly", &["previousHours"][..]),
        ("daily", &["previousDay"]),
        ("weekly", &["previousDay", "previousWeek"]),
    ] {
        rules.push(rule(&is("schedule.type", recurrence), &one_of(ranges)));
    }
    let absolute = is("report.dateRange.type", "absolute");
    rules.push(rule(&absolute, &is("schedule.type", "once")));
    rules
}

/// The metrics and dimensions of each type of report. Where a definition declares some itself, any name will do.
fn write_catalogue_rules() -> Vec<Value> {
    let catalogue = Catalogue::builtin();
    let of_type = |report_type: &ReportType| {
        let metrics: Vec<&str> = catalogue.metrics(*report_type).collect();
        let dimensions: Vec<&str> = catalogue.dimensions(*report_type).collect();
        [("metrics", metrics), ("dimensions", dimensions)].map(|(half, names)| {
            let condition = json!({ "allOf": [
                is_api(Api::Analytics),
                is("report.type", report_type.as_str()),
                lacks(&format!("pipeline.declare.{half}")),
            ] });
            let items = json!({ "items": { "enum": names } });
            let report = json!({ "properties": { half: items } });
            rule(&condition, &json!({ "properties": { "report": report } }))
        })
    };
    ReportType::ALL.iter().flat_map(of_type).collect()
}

fn write_api_rules() -> Vec<Value> {
    let template = is("report.range", "template");
    let mut rules = Vec::new();
    for (field, value) in [
        // An empty list and UTC say what is so anyway.
        ("windowZone", utc()),
        ("restate", json!({ "maxItems": 0 })),
        ("narrow", json!({ "type": "null" })),
        ("split", json!({ "type": "null" })),
    ] {
        rules.push(rule(&template, &in_pipeline(field, &value)));
    }
    for api in Api::ALL {
        let capabilities = api.capabilities();
        if !capabilities.names_every_column {
            rules.push(rule(&is_api(*api), &lacks("pipeline.fallback")));
            let condition = json!({ "allOf": [is_api(*api), is("pipeline.format", "csv")] });
            let columns = has("report.columns", &json!({ "type": "array" }));
            rules.push(rule(&condition, &columns));
        }
        if !capabilities.has_total_rows {
            rules.push(rule(&is_api(*api), &lacks("pipeline.totalLabels")));
        }
        if (capabilities.default_key)(&Columns::default()).is_none() {
            let key = has("pipeline.key", &json!({ "type": "array" }));
            rules.push(rule(&is_api(*api), &key));
        }
    }
    rules
}

/// A definition for an API; one that names none is for the default.
fn is_api(api: Api) -> Value {
    let named = is("pipeline.api", api.as_str());
    if api == Api::default() {
        json!({ "anyOf": [named, lacks("pipeline.api")] })
    } else {
        named
    }
}
