//! A definition as it was written: every field optional and every word a text, so that all that is wrong with it
//! can be said at once. The JSON Schema is made from these types, because they are what authors write.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Api, Compression, Definition, DeliveryFormat, DeliveryKind, Findings, OnConflict, Operator,
    OutputFormat, Recurrence, RelativeRange, ReportType, check,
};

/// A scheduled CXone report, and what the pipeline does with its rows.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CXone report definition")]
pub(super) struct Draft {
    /// The schedule's name at CXone: 1 to 100 characters, no space at either end.
    #[schemars(required, length(min = 1, max = 100))]
    pub(super) name: Option<String>,
    /// When CXone runs the report by itself.
    #[schemars(required)]
    pub(super) schedule: Option<ScheduleDraft>,
    /// What is counted, by what, and over which time.
    #[schemars(required)]
    pub(super) report: Option<ReportDraft>,
    /// How CXone hands the rows out.
    #[schemars(required)]
    pub(super) delivery: Option<DeliveryDraft>,
    /// What the pipeline does with the rows; never sent to CXone.
    #[schemars(required)]
    pub(super) pipeline: Option<PipelineDraft>,
}

/// When CXone runs the report by itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub(super) struct ScheduleDraft {
    /// How often.
    #[serde(rename = "type")]
    #[schemars(required, with = "Recurrence")]
    pub(super) recurrence: Option<String>,
    /// hh:mm in UTC; not before the data is final (`pipeline.settledAt`).
    #[schemars(required, regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(super) time: Option<String>,
    /// Always UTC: the data is, and a relative range would not match it otherwise.
    #[schemars(required, regex(pattern = "^UTC$"))]
    pub(super) timezone: Option<String>,
}

/// What is counted, by what, and over which time.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Report")]
pub(super) struct ReportDraft {
    /// The type of the report, which decides what metrics and dimensions there are.
    #[serde(rename = "type")]
    #[schemars(required, with = "ReportType")]
    pub(super) report_type: Option<String>,
    /// The numbers of a row; at least one.
    #[schemars(required, length(min = 1))]
    pub(super) metrics: Option<Vec<String>>,
    /// The texts of a row; at least one.
    #[schemars(required, length(min = 1))]
    pub(super) dimensions: Option<Vec<String>>,
    /// Which rows count.
    #[serde(default)]
    pub(super) filters: Option<Vec<FilterDraft>>,
    /// Over which time.
    #[schemars(required, with = "DateRangeSchema")]
    pub(super) date_range: Option<DateRangeDraft>,
    /// The dimensions that a row is aggregated by; empty for one row an interaction.
    #[serde(default)]
    pub(super) grouping: Option<Vec<String>>,
}

/// A condition on a dimension.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Filter")]
pub(super) struct FilterDraft {
    /// The dimension, which need not be among the report's.
    #[schemars(required)]
    pub(super) dimension: Option<String>,
    /// The values to compare with; at least one.
    #[schemars(required, length(min = 1))]
    pub(super) values: Option<Vec<String>>,
    /// How they are compared.
    #[schemars(required, with = "Operator")]
    pub(super) operator: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DateRangeDraft {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) value: Option<String>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

/// Over which time: relative for a schedule that recurs, absolute for one that runs once.
#[derive(JsonSchema)]
#[schemars(
    rename = "DateRange",
    tag = "type",
    rename_all = "lowercase",
    deny_unknown_fields
)]
#[expect(dead_code, reason = "describes `DateRangeDraft` to people; never made")]
enum DateRangeSchema {
    /// Relative to the scheduled time.
    Relative {
        /// Which span before the scheduled time.
        value: RelativeRange,
    },
    /// The same window every time.
    Absolute {
        /// The first second, `YYYY-MM-DDThh:mm:ssZ`.
        start: String,
        /// The first second after it, at most 31 days later.
        end: String,
    },
}

/// How CXone hands the rows out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Delivery")]
pub(super) struct DeliveryDraft {
    /// Only over the API.
    #[serde(rename = "type")]
    #[schemars(required, with = "DeliveryKind")]
    pub(super) kind: Option<String>,
    /// `json` by default.
    #[serde(default)]
    #[schemars(with = "DeliveryFormat")]
    pub(super) format: Option<String>,
}

/// What the pipeline does with the rows; never sent to CXone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Pipeline")]
pub(super) struct PipelineDraft {
    /// Whose report it is; the first part of every object key.
    #[schemars(required, regex(pattern = "^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub(super) tenant: Option<String>,
    /// In what form the rows are stored; `ndjson` by default.
    #[serde(default)]
    #[schemars(with = "OutputFormat")]
    pub(super) format: Option<String>,
    /// How the parts are compressed; `gzip` by default.
    #[serde(default)]
    #[schemars(with = "Compression")]
    pub(super) compression: Option<String>,
    /// The columns that make a row unique; by default the grouping, or the dimensions where there is none.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) key: Option<Vec<String>>,
    /// What happens when two rows have the same key and differ; `fail` by default.
    #[serde(default)]
    #[schemars(with = "OnConflict")]
    pub(super) on_conflict: Option<String>,
    /// How many runs are tried, 1 to 10; 3 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub(super) max_runs: Option<i64>,
    /// Try a run that was cut off again over halves of its window.
    #[serde(default)]
    pub(super) narrow: Option<NarrowDraft>,
    /// What to leave out when the full report can't be had.
    #[serde(default)]
    pub(super) fallback: Option<FallbackDraft>,
    /// hh:mm in UTC after which the day before is final; 05:00 by default.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(super) settled_at: Option<String>,
    /// Which of CXone's APIs; `analytics` by default and so far the only one implemented.
    #[serde(default)]
    #[schemars(with = "Api")]
    pub(super) api: Option<String>,
}

/// How far a window is narrowed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Narrow")]
pub(super) struct NarrowDraft {
    /// An ISO 8601 duration in whole minutes that divides a day, or whole days, such as PT1H.
    #[schemars(required)]
    pub(super) smallest_window: Option<String>,
}

/// A simpler query for when the full one can't be had.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fallback")]
pub(super) struct FallbackDraft {
    /// The metrics and dimensions to leave out; none of the key or the grouping.
    #[schemars(required, length(min = 1))]
    pub(super) drop: Option<Vec<String>>,
}

impl TryFrom<Draft> for Definition {
    type Error = Findings;

    fn try_from(draft: Draft) -> Result<Self, Findings> {
        check::without_catalogue(&draft)
    }
}

/// The JSON Schema (2020-12) of a definition, for editors and continuous integration.
///
/// It knows the words and the shape; [`Definition::parse`] knows more, such as which metric belongs to which report.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Draft);
    format!("{:#}\n", schema.to_value())
}
