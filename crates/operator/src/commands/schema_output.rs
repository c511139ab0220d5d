//! The JSON Schemas of what commands print with `--json`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{
    backfill, calendar, cancel, dbt, ddl, doctor, drift, explain, list, load, logs, new, plan,
    redrive, replay, retry, run, schedules, show, sql, status, tenant, verify, watch,
};
use crate::definition_check::Verdict;
use crate::error_document::{ERROR_KIND, ErrorDocument};
use crate::execution_input::StartedExecution;
use crate::output::VERSION;

/// A kind of document, and what makes its schema.
type Kind = (&'static str, fn() -> Value);

/// Every kind, by name.
const KINDS: &[Kind] = &[
    ("backfill", schema_of::<backfill::Filled>),
    ("backfill-cancel", schema_of::<backfill::CancelledBackfill>),
    ("backfill-list", schema_of::<backfill::BackfillList>),
    ("backfill-show", schema_of::<backfill::BackfillProgress>),
    ("backfill-watch", schema_of::<backfill::BackfillProgress>),
    ("calendar", schema_of::<calendar::Calendar>),
    ("cancel", schema_of::<cancel::Cancelled>),
    ("check", schema_of::<Verdict>),
    ("dbt", schema_of::<dbt::SourcesFile>),
    ("ddl", schema_of::<ddl::Ddl>),
    ("doctor", schema_of::<doctor::Checks>),
    ("drift", schema_of::<drift::Drift>),
    (ERROR_KIND, schema_of::<ErrorDocument>),
    ("execution", schema_of::<show::Explanation>),
    ("explanation", schema_of::<explain::Explained>),
    ("explanations", schema_of::<explain::Topics>),
    ("list", schema_of::<list::List>),
    ("load", schema_of::<load::Loading>),
    ("logs", schema_of::<logs::Story>),
    ("new", schema_of::<new::Draft>),
    ("plan", schema_of::<plan::ExecutionPlan>),
    ("probe", probe_schema),
    ("redrive", schema_of::<redrive::RedriveOutcome>),
    ("replay", schema_of::<StartedExecution>),
    ("replays", schema_of::<replay::Replays>),
    ("retry", schema_of::<retry::Retried>),
    ("run", schema_of::<StartedExecution>),
    ("running", schema_of::<run::RunningAlready>),
    ("schedules", schema_of::<schedules::TemplateOutcome>),
    ("sql", schema_of::<sql::LoadScript>),
    ("status", schema_of::<status::Status>),
    ("tenant-list", schema_of::<tenant::TenantList>),
    ("tenant-set", schema_of::<tenant::SetOutcome>),
    ("tenant-show", schema_of::<tenant::TenantReport>),
    ("verify", schema_of::<verify::Verified>),
    ("watch", schema_of::<watch::Watched>),
    ("windows", schema_of::<show::ShownWindows>),
    ("withdraw", schema_of::<StartedExecution>),
];

/// The names of all kinds.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

/// The schema of one kind of document.
pub(super) fn output_schema(wanted: &str) -> Option<Value> {
    let (kind, schema) = KINDS.iter().find(|(kind, _)| *kind == wanted)?;
    let mut schema = schema();
    schema["properties"]["v"] = json!({"const": VERSION});
    schema["properties"]["kind"] = json!({"const": kind});
    if let Some(required) = schema["required"].as_array_mut() {
        let missing = ["v", "kind"].map(Value::from).into_iter();
        let missing: Vec<Value> = missing.filter(|name| !required.contains(name)).collect();
        required.extend(missing);
    }
    Some(schema)
}

fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::default().for_serialize().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// The report of a probe has many more fields, which crate `probe` documents.
fn probe_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"tool": {"type": "string"}, "lines": {"type": "array"}, "rows": {"type": "array"}},
        "required": ["tool", "lines", "rows"],
        "additionalProperties": true,
    })
}
