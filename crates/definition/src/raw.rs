//! A definition as it was written: every field optional and every word a text, so that all that is wrong with it
//! can be said at once. The JSON Schema is made from these types, because they are what authors write.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{
    Api, Compression, DeliveryFormat, DeliveryKind, EndDate, OnConflict, Operator, OutputFormat,
    RangeOf, Recurrence, RelativeRange, ReportType,
};

/// A definition with whatever report its API has.
pub(super) type Draft = DraftOf<ReportDraft>;

/// A scheduled CXone report, and what the pipeline does with its rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CXone report definition", rename = "Definition")]
pub(super) struct DraftOf<R> {
    /// The schedule's name at CXone: 1 to 100 characters, no space at either end.
    #[schemars(required, length(min = 1, max = 100))]
    pub(super) name: Option<String>,
    /// When CXone runs the report by itself.
    #[schemars(required)]
    pub(super) schedule: Option<ScheduleDraft>,
    /// What is asked for, in the terms of the API that `pipeline.api` picks.
    #[schemars(required)]
    pub(super) report: Option<R>,
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
#[schemars(rename = "AnalyticsReport")]
pub(super) struct AnalyticsDraft {
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

/// A template that a report job runs (`pipeline.api` is `report-jobs`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ReportJobsReport")]
pub(super) struct ReportJobsDraft {
    /// The template's id.
    #[schemars(required, regex(pattern = r"^\d{1,19}$"))]
    pub(super) report_id: Option<String>,
    /// The `N` of `/inContactAPI/services/vN.0`.
    #[schemars(required, range(min = 10, max = 99))]
    pub(super) api_version: Option<i64>,
    /// Whose range the file is about. From version 14 on a job takes no dates, so that it is the template's.
    #[schemars(required, with = "RangeOf")]
    pub(super) range: Option<String>,
    /// The columns that the file must have; needed for CSV.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) columns: Option<Vec<String>>,
    /// What the first cell of a total row at the end may say; by default `Total`, `Totals`, `Grand Total` and the like.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) total_labels: Option<Vec<String>>,
    /// Over which time. With the template's range it only names the window.
    #[schemars(required, with = "DateRangeSchema")]
    pub(super) date_range: Option<DateRangeDraft>,
}

/// An entity whose rows are extracted (`pipeline.api` is `data-extraction`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "DataExtractionReport")]
pub(super) struct DataExtractionDraft {
    /// The entity, such as `recording-interaction-metadata`.
    #[schemars(required, regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    pub(super) entity_name: Option<String>,
    /// The version of its columns, such as `7`.
    #[schemars(required, regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,15}$"))]
    pub(super) entity_version: Option<String>,
    /// The columns that the file must have; needed for CSV.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) columns: Option<Vec<String>>,
    /// How the API reads an end date of a window of whole days: not known, so look at a day of yours. `exclusive` by default.
    #[serde(default)]
    #[schemars(with = "Option<EndDate>")]
    pub(super) end_date: Option<String>,
    /// Over which time.
    #[schemars(required, with = "DateRangeSchema")]
    pub(super) date_range: Option<DateRangeDraft>,
}

/// A report that is downloaded for dates (`pipeline.api` is `data-download`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "DataDownloadReport")]
pub(super) struct DataDownloadDraft {
    /// The report's id.
    #[schemars(required, regex(pattern = r"^\d{1,19}$"))]
    pub(super) report_id: Option<String>,
    /// The `N` of `/inContactAPI/services/vN.0`.
    #[schemars(required, range(min = 10, max = 99))]
    pub(super) api_version: Option<i64>,
    /// The API user's time zone without daylight saving, in which the API reads dates; such as `-07:00`.
    #[schemars(required, regex(pattern = r"^[+-]\d\d:\d\d$"))]
    pub(super) utc_offset: Option<String>,
    /// The columns that the file must have; needed for CSV.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) columns: Option<Vec<String>>,
    /// Over which time.
    #[schemars(required, with = "DateRangeSchema")]
    pub(super) date_range: Option<DateRangeDraft>,
}

/// Completed contacts (`pipeline.api` is `contacts`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ContactsReport")]
pub(super) struct ContactsDraft {
    /// The `N` of `/inContactAPI/services/vN.0`.
    #[schemars(required, range(min = 10, max = 99))]
    pub(super) api_version: Option<i64>,
    /// The columns of the stored rows; needed for CSV.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) columns: Option<Vec<String>>,
    /// Over which time.
    #[schemars(required, with = "DateRangeSchema")]
    pub(super) date_range: Option<DateRangeDraft>,
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
    /// How CSV is written; NDJSON is never changed.
    #[serde(default)]
    pub(super) csv: Option<CsvDraft>,
    /// The columns that make a row unique; by default the grouping, or the dimensions where there is none, or
    /// `contactId`. Report jobs, data extraction and data download have no default.
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
    /// How long the windows are that the API is asked for; longer ones are split. Not with `analytics`.
    #[serde(default)]
    pub(super) split: Option<SplitDraft>,
    /// What to leave out when the full report can't be had; only with `analytics`.
    #[serde(default)]
    pub(super) fallback: Option<FallbackDraft>,
    /// hh:mm in UTC after which the day before is final; 05:00 by default.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(super) settled_at: Option<String>,
    /// Which of CXone's APIs; `analytics` by default.
    #[serde(default)]
    #[schemars(with = "Api")]
    pub(super) api: Option<String>,
}

/// How CSV is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Csv")]
pub(super) struct CsvDraft {
    /// Puts a `'` before each text that begins with one of `= + - @ '`, a tab or a line break (or the full-width forms of the
    /// first four), so that no spreadsheet takes it for a formula. Off by default, because it changes the data.
    #[serde(default)]
    pub(super) formula_guard: Option<bool>,
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

/// How long the windows are that an API is asked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Split")]
pub(super) struct SplitDraft {
    /// An ISO 8601 duration in whole minutes that divides a day, or whole days: by default and at most P1D and P14D for
    /// `data-extraction`, P30D for the others.
    #[schemars(required)]
    pub(super) largest_window: Option<String>,
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

/// The report of one of the APIs, as it was written.
#[derive(Debug, Clone)]
pub(super) enum ReportDraft {
    Analytics(AnalyticsDraft),
    ReportJobs(ReportJobsDraft),
    DataExtraction(DataExtractionDraft),
    DataDownload(DataDownloadDraft),
    Contacts(ContactsDraft),
}

impl ReportDraft {
    pub(super) fn date_range(&self) -> Option<&DateRangeDraft> {
        match self {
            Self::Analytics(report) => report.date_range.as_ref(),
            Self::ReportJobs(report) => report.date_range.as_ref(),
            Self::DataExtraction(report) => report.date_range.as_ref(),
            Self::DataDownload(report) => report.date_range.as_ref(),
            Self::Contacts(report) => report.date_range.as_ref(),
        }
    }
}

/// The API that a definition is for, as far as it says so: what it says wrong is found later.
pub(super) fn api_of(definition: &Value) -> Api {
    let word = definition.pointer("/pipeline/api").and_then(Value::as_str);
    word.and_then(Api::from_word).unwrap_or(Api::Analytics)
}

impl Draft {
    /// The API that it is for.
    pub(super) fn api(&self) -> Api {
        let word = self.pipeline.as_ref().and_then(|p| p.api.as_deref());
        word.and_then(Api::from_word).unwrap_or(Api::Analytics)
    }

    /// Reads a draft with the report that this API has.
    pub(super) fn read<'de, D: Deserializer<'de>>(
        api: Api,
        deserializer: D,
    ) -> Result<Self, serde_path_to_error::Error<D::Error>> {
        match api {
            Api::Analytics => read_with(ReportDraft::Analytics, deserializer),
            Api::ReportJobs => read_with(ReportDraft::ReportJobs, deserializer),
            Api::DataExtraction => read_with(ReportDraft::DataExtraction, deserializer),
            Api::DataDownload => read_with(ReportDraft::DataDownload, deserializer),
            Api::Contacts => read_with(ReportDraft::Contacts, deserializer),
        }
    }
}

fn read_with<'de, R: DeserializeOwned, D: Deserializer<'de>>(
    report: fn(R) -> ReportDraft,
    deserializer: D,
) -> Result<Draft, serde_path_to_error::Error<D::Error>> {
    let draft: DraftOf<R> = serde_path_to_error::deserialize(deserializer)?;
    Ok(DraftOf {
        name: draft.name,
        schedule: draft.schedule,
        report: draft.report.map(report),
        delivery: draft.delivery,
        pipeline: draft.pipeline,
    })
}

/// The JSON Schema (2020-12) of a definition, for editors and continuous integration.
///
/// It knows the words and the shape; [`Definition::parse`](super::Definition::parse) knows more, such as which metric
/// belongs to which report.
#[must_use]
pub fn schema() -> String {
    let reports = [
        (Api::Analytics, of_report::<AnalyticsDraft>()),
        (Api::ReportJobs, of_report::<ReportJobsDraft>()),
        (Api::DataExtraction, of_report::<DataExtractionDraft>()),
        (Api::DataDownload, of_report::<DataDownloadDraft>()),
        (Api::Contacts, of_report::<ContactsDraft>()),
    ];
    let mut schema = of_report::<AnalyticsDraft>();
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

fn of_report<R: JsonSchema>() -> Value {
    schemars::schema_for!(DraftOf<R>).to_value()
}
