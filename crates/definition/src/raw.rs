//! A definition as it was written: every field optional and every word a text, so that all that is wrong with it
//! can be said at once. The JSON Schema is made from these types, because they are what authors write.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::api::{Api, RawReport, with_raw_report};
use crate::enums::{
    Compression, DeliveryFormat, DeliveryKind, OnConflict, OutputFormat, Recurrence,
};
use crate::text_enum::TextEnum;

/// A definition with whatever report its API has.
pub(crate) type RawDefinition = RawDefinitionOf<RawReport>;

/// A scheduled CXone report, and what the pipeline does with its rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CXone report definition", rename = "Definition")]
pub(crate) struct RawDefinitionOf<R> {
    /// The schedule's name at CXone: 1 to 100 characters, no space at either end.
    #[schemars(required, length(min = 1, max = 100))]
    pub(crate) name: Option<String>,
    /// When CXone runs the report by itself.
    #[schemars(required)]
    pub(crate) schedule: Option<RawSchedule>,
    /// What is asked for, in the terms of the API that `pipeline.api` picks.
    #[schemars(required)]
    pub(crate) report: Option<R>,
    /// How CXone hands the rows out.
    #[schemars(required)]
    pub(crate) delivery: Option<RawDelivery>,
    /// What the pipeline does with the rows; never sent to CXone.
    #[schemars(required)]
    pub(crate) pipeline: Option<RawPipeline>,
}

/// When CXone runs the report by itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub(crate) struct RawSchedule {
    /// How often.
    #[serde(rename = "type")]
    #[schemars(required, with = "Recurrence")]
    pub(crate) recurrence: Option<String>,
    /// hh:mm in UTC; not before the data is final (`pipeline.settledAt`).
    #[schemars(required, regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(crate) time: Option<String>,
    /// Always UTC: the data is, and a relative range would not match it otherwise.
    #[schemars(required, regex(pattern = "^UTC$"))]
    pub(crate) timezone: Option<String>,
}

/// How CXone hands the rows out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Delivery")]
pub(crate) struct RawDelivery {
    /// Only over the API.
    #[serde(rename = "type")]
    #[schemars(required, with = "DeliveryKind")]
    pub(crate) kind: Option<String>,
    /// `json` by default.
    #[serde(default)]
    #[schemars(with = "DeliveryFormat")]
    pub(crate) format: Option<String>,
}

/// What the pipeline does with the rows; never sent to CXone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Pipeline")]
pub(crate) struct RawPipeline {
    /// Whose report it is; the first part of every object key.
    #[schemars(required, regex(pattern = "^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub(crate) tenant: Option<String>,
    /// In what form the rows are stored; `ndjson` by default.
    #[serde(default)]
    #[schemars(with = "OutputFormat")]
    pub(crate) format: Option<String>,
    /// How the parts are compressed; `gzip` by default.
    #[serde(default)]
    #[schemars(with = "Compression")]
    pub(crate) compression: Option<String>,
    /// How CSV is written; NDJSON is never changed.
    #[serde(default)]
    pub(crate) csv: Option<RawCsv>,
    /// The columns that make a row unique; by default the grouping, or the dimensions where there is none, or
    /// `contactId`. Report jobs, data extraction and data download have no default.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) key: Option<Vec<String>>,
    /// What happens when two rows have the same key and differ; `fail` by default.
    #[serde(default)]
    #[schemars(with = "OnConflict")]
    pub(crate) on_conflict: Option<String>,
    /// How many runs are tried, 1 to 10; 3 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub(crate) max_runs: Option<i64>,
    /// Try a run that was cut off again over halves of its window.
    #[serde(default)]
    pub(crate) narrow: Option<RawNarrow>,
    /// How long the windows are that the API is asked for; longer ones are split. Not with `analytics`.
    #[serde(default)]
    pub(crate) split: Option<RawSplit>,
    /// What to leave out when the full report can't be had; only with `analytics`.
    #[serde(default)]
    pub(crate) fallback: Option<RawFallback>,
    /// hh:mm in UTC after which the day before is final; 05:00 by default.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(crate) settled_at: Option<String>,
    /// Which of CXone's APIs; `analytics` by default.
    #[serde(default)]
    #[schemars(with = "Api")]
    pub(crate) api: Option<String>,
}

/// How CSV is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Csv")]
pub(crate) struct RawCsv {
    /// Puts a `'` before each text that begins with one of `= + - @ '`, a tab or a line break (or the full-width forms of the
    /// first four), so that no spreadsheet takes it for a formula. Off by default, because it changes the data.
    #[serde(default)]
    pub(crate) formula_guard: Option<bool>,
}

/// How far a window is narrowed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Narrow")]
pub(crate) struct RawNarrow {
    /// An ISO 8601 duration in whole minutes that divides a day, or whole days, such as PT1H.
    #[schemars(required)]
    pub(crate) smallest_window: Option<String>,
}

/// How long the windows are that an API is asked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Split")]
pub(crate) struct RawSplit {
    /// An ISO 8601 duration in whole minutes that divides a day, or whole days: by default and at most P1D and P14D for
    /// `data-extraction`, P30D for the others.
    #[schemars(required)]
    pub(crate) largest_window: Option<String>,
}

/// A simpler query for when the full one can't be had.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fallback")]
pub(crate) struct RawFallback {
    /// The metrics and dimensions to leave out; none of the key or the grouping.
    #[schemars(required, length(min = 1))]
    pub(crate) drop: Option<Vec<String>>,
}

/// The API that a definition is for. One without a valid `pipeline.api` is read as a definition for the default, and the
/// word is reported later.
pub(crate) fn find_api(definition: &Value) -> Api {
    let word = definition.pointer("/pipeline/api").and_then(Value::as_str);
    word.and_then(Api::parse_text).unwrap_or(Api::Analytics)
}

impl RawDefinition {
    /// The API that the definition is for, as [`find_api`] finds it.
    pub(crate) fn api(&self) -> Api {
        let word = self.pipeline.as_ref().and_then(|p| p.api.as_deref());
        word.and_then(Api::parse_text).unwrap_or(Api::Analytics)
    }

    /// Reads a definition whose `report` block is that of an API.
    pub(crate) fn read<'de, D: Deserializer<'de>>(
        api: Api,
        deserializer: D,
    ) -> Result<Self, serde_path_to_error::Error<D::Error>> {
        with_raw_report!(api, variant => read_with(variant, deserializer))
    }
}

fn read_with<'de, R: DeserializeOwned, D: Deserializer<'de>>(
    variant: fn(R) -> RawReport,
    deserializer: D,
) -> Result<RawDefinition, serde_path_to_error::Error<D::Error>> {
    let raw: RawDefinitionOf<R> = serde_path_to_error::deserialize(deserializer)?;
    Ok(RawDefinitionOf {
        name: raw.name,
        schedule: raw.schedule,
        report: raw.report.map(variant),
        delivery: raw.delivery,
        pipeline: raw.pipeline,
    })
}
