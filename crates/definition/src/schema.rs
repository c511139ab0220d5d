//! The JSON Schema of a definition.

use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::api::{Api, RawReport, with_raw_report};
use crate::raw::RawDefinitionOf;

/// The JSON Schema (2020-12) of a definition, for editors and continuous integration.
///
/// It knows the words and the shape; [`Definition::parse`](crate::Definition::parse) knows more, such as which metric
/// belongs to which report.
#[must_use]
pub fn schema() -> String {
    let reports = [
        Api::Analytics,
        Api::ReportJobs,
        Api::DataExtraction,
        Api::DataDownload,
        Api::Contacts,
    ]
    .map(|api| (api, schema_of(api)));
    let mut schema = schema_of(Api::Analytics);
    schema["properties"]["report"] =
        json!({ "description": schema["properties"]["report"]["description"] });
    schema["allOf"] = reports
        .iter()
        .map(|(api, of_report)| {
            // Where no API is picked, "analytics" is.
            let required = if *api == Api::Analytics {
                json!([])
            } else {
                json!(["api"])
            };
            json!({
                "if": { "properties": { "pipeline": {
                    "properties": { "api": { "const": api } }, "required": required
                } } },
                "then": { "properties": { "report": of_report["properties"]["report"] } },
            })
        })
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

fn schema_of(api: Api) -> Value {
    with_raw_report!(api, variant => schema_with(variant))
}

fn schema_with<R: JsonSchema>(_variant: fn(R) -> RawReport) -> Value {
    schema_for!(RawDefinitionOf<R>).to_value()
}
