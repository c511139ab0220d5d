//! The JSON Schema of a definition.

mod rules;

use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::api::{Api, RawReport, with_raw_report};
use crate::raw::RawDefinitionOf;

/// The JSON Schema (2020-12) of a definition, for editors and continuous integration.
///
/// It knows the words, the shape, the metrics and dimensions of each type of report, and which fields go together.
/// [`Definition::parse`](crate::Definition::parse) knows more, such as whether a window is too long. What the schema refuses,
/// it refuses as well.
#[must_use]
pub fn schema() -> String {
    let reports: Vec<(Api, Value)> = Api::ALL.iter().map(|api| (*api, schema_of(*api))).collect();
    let mut schema = schema_of(Api::default());
    schema["properties"]["report"] =
        json!({ "description": "What is asked for. Its fields depend on `pipeline.api`." });
    schema["allOf"] = reports
        .iter()
        .map(|(api, of_report)| {
            json!({
                "if": condition(*api),
                "then": { "properties": { "report": of_report["properties"]["report"] } },
            })
        })
        .chain(rules::write_rules())
        .collect();
    for (_, of_report) in reports {
        if let Value::Object(parts) = &of_report["$defs"] {
            for (name, part) in parts {
                schema["$defs"][name] = part.clone();
            }
        }
    }
    format!("{schema:#}\n")
}

/// What a definition for this API looks like. Without a `pipeline` block it is for none, so that an editor says that the
/// block is missing and does not say anything about the report.
fn condition(api: Api) -> Value {
    let required: &[&str] = if api == Api::default() { &[] } else { &["api"] };
    let pipeline = json!({ "properties": { "api": { "const": api } }, "required": required });
    json!({ "properties": { "pipeline": pipeline }, "required": ["pipeline"] })
}

fn schema_of(api: Api) -> Value {
    with_raw_report!(api, variant => schema_with(variant))
}

fn schema_with<R: JsonSchema>(_variant: fn(R) -> RawReport) -> Value {
    schema_for!(RawDefinitionOf<R>).to_value()
}
