//! A definition as it was written: every field optional and every word a text, so that all that is wrong with it
//! can be said at once. The JSON Schema is made from these types, because they are what authors write.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::api::{Api, RawReport, with_raw_report};
use crate::bounds::{LONGEST_EXPECTATION, LONGEST_SETTLING, longer_than, name_schema};
use crate::declare::RawDeclared;
use crate::enums::{
    ColumnNames, Compression, DeliveryFormat, DeliveryKind, OnConflict, OutputFormat, Recurrence,
    SchemaPolicy, TableFormat,
};
use crate::restate::RestateDistance;
use crate::text_enum::TextEnum;
use crate::warehouse::Warehouse;

/// An ISO 8601 duration without years and months.
const DURATION: &str = r"^P([0-9]+[WwDd])*([Tt]([0-9.,]+[HhMmSs])+)?$";

/// At least six bytes, as far as a pattern can count them.
const MESSAGE: &str = r"[^\x00-\x7f]|.{6}";

/// A definition with whatever report its API has.
pub(crate) type RawDefinition = RawDefinitionOf<RawReport>;

/// A scheduled CXone report, and what the pipeline does with its rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CXone report definition", rename = "Definition")]
pub(crate) struct RawDefinitionOf<R> {
    /// The address of the JSON Schema that an editor checks this file with. The pipeline ignores it.
    #[serde(rename = "$schema", default)]
    pub(crate) schema: Option<String>,
    /// The name of the report, and of its schedule at CXone: 1 to 100 characters without spaces at the ends, unique
    /// in a tenant. It is part of every object key, so renaming a report begins a new one.
    #[schemars(
        required,
        length(min = 1, max = 100),
        regex(pattern = r"^[^ \x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^ \x00-\x1f\x7f])?$")
    )]
    pub(crate) name: Option<String>,
    /// When the report is run. With `analytics`, CXone is told the same schedule, but of an `hourly` one a daily one.
    #[schemars(required)]
    pub(crate) schedule: Option<RawSchedule>,
    // Each API describes its own.
    #[schemars(required)]
    pub(crate) report: Option<R>,
    /// How CXone hands out the rows.
    #[schemars(required)]
    pub(crate) delivery: Option<RawDelivery>,
    /// What the pipeline does with the rows. Nothing of it is sent to CXone.
    #[schemars(required)]
    pub(crate) pipeline: Option<RawPipeline>,
}

/// When the report is run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Schedule")]
pub(crate) struct RawSchedule {
    /// How often the report is run. Choose the `dateRange` that goes with it, so that windows neither overlap nor
    /// leave gaps.
    #[serde(rename = "type")]
    #[schemars(required, with = "Recurrence")]
    pub(crate) recurrence: Option<String>,
    /// How many hours a window of an `hourly` report has: 1, 2, 3, 4, 6, 8 or 12. Required with `hourly`, and not allowed
    /// with any other type.
    #[serde(default)]
    #[schemars(extend("enum" = [1, 2, 3, 4, 6, 8, 12, null]))]
    pub(crate) every_hours: Option<i64>,
    /// The time of day in UTC, `hh:mm`. Choose a time at or after `pipeline.settledAt`; the pipeline waits until
    /// then anyway. For an `hourly` report it is the first time of the day, such as `00:50`.
    #[schemars(required, regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub(crate) time: Option<String>,
    /// Always `UTC`. CXone computes a relative range in this zone and the data is stored in UTC, so another zone
    /// would shift each day by hours.
    #[schemars(required, regex(pattern = "^UTC$"))]
    pub(crate) timezone: Option<String>,
}

/// How CXone hands out the rows.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Delivery")]
pub(crate) struct RawDelivery {
    /// Always `api`: the pipeline fetches the rows itself.
    #[serde(rename = "type")]
    #[schemars(required, with = "DeliveryKind")]
    pub(crate) kind: Option<String>,
    /// The form in which CXone hands out the rows. Only `analytics` can be asked for another one than its default.
    /// It does not change how rows are stored.
    #[serde(default)]
    #[schemars(with = "DeliveryFormat", extend("default" = "json"))]
    pub(crate) format: Option<String>,
}

/// What the pipeline does with the rows. Nothing of it is sent to CXone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Pipeline")]
pub(crate) struct RawPipeline {
    /// The tenant that the report belongs to: 1 to 63 lower-case letters, digits and `-`. It is the first part of
    /// every object key and selects the secret with the tenant's credentials.
    #[schemars(required, regex(pattern = "^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub(crate) tenant: Option<String>,
    /// The form in which the rows are stored.
    #[serde(default)]
    #[schemars(with = "OutputFormat", extend("default" = "ndjson"))]
    pub(crate) format: Option<String>,
    /// How the stored parts are compressed.
    #[serde(default)]
    #[schemars(with = "Compression", extend("default" = "gzip"))]
    pub(crate) compression: Option<String>,
    /// Options for `"format": "csv"`.
    #[serde(default)]
    pub(crate) csv: Option<RawCsv>,
    /// The columns that together make a row unique, such as `["Contact ID"]`. The pipeline uses them to drop a row
    /// that was fetched twice, and to notice two rows that contradict each other. Required where the API has no
    /// default; the table of the APIs says which have one.
    #[serde(default)]
    #[schemars(length(min = 1), extend("items" = name_schema(), "uniqueItems" = true))]
    pub(crate) key: Option<Vec<String>>,
    /// What happens if two rows have the same key and differ in another column.
    #[serde(default)]
    #[schemars(with = "OnConflict", extend("default" = "fail"))]
    pub(crate) on_conflict: Option<String>,
    /// How many runs an execution may start for a window before it gives up, from 1 to 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10), extend("default" = 3))]
    pub(crate) max_runs: Option<i64>,
    /// Allows a run that took too long to be tried again as two runs, each over half of the window. Without it, the
    /// same window is tried again. Not with `"range": "template"`.
    #[serde(default)]
    pub(crate) narrow: Option<RawNarrow>,
    /// How long a window the API is asked for at once. A longer window is cut into windows of this length. The table
    /// of the APIs says which APIs allow it and what their defaults are.
    #[serde(default)]
    pub(crate) split: Option<RawSplit>,
    /// A simpler report that is run when the full one took too long and its window can't be halved any further. Only
    /// with `analytics`.
    #[serde(default)]
    pub(crate) fallback: Option<RawFallback>,
    /// The time of day in UTC, `hh:mm`, from which on the data of the UTC day before is final at CXone. No run is
    /// started before the first such time at or after the end of its window. With a `windowZone` a window ends within
    /// a UTC day, and that day has to be over first, so that it is often better to say `settledAfter`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"), extend("default" = "05:00"))]
    pub(crate) settled_at: Option<String>,
    /// How long after the end of a window its data is final at CXone, instead of `settledAt`. An ISO 8601 duration of
    /// whole minutes up to 7 days, such as `PT45M`, which is what an `hourly` report has if it says nothing. An
    /// `hourly` report of `analytics` has to say it, because CXone documents only that days become final at night.
    #[serde(default)]
    #[schemars(regex(pattern = DURATION), extend("not" = longer_than(LONGEST_SETTLING)))]
    pub(crate) settled_after: Option<String>,
    /// The time zone in which days, weeks and months begin and end, as an IANA name such as `America/New_York`.
    /// Windows reach from local midnight to local midnight, so that a day has 23 or 25 hours when clocks change. The
    /// times of the schedule stay in UTC. Only for APIs that can be asked for times, and not for `hourly` reports.
    ///
    /// **To change the zone of a report that was delivered before**, ask once for the hours between the last window of the old
    /// zone and the first of the new one, which no schedule asks for:
    /// `cxr run FILE --window 2026-11-11T00:00:00Z/2026-11-11T05:00:00Z --off-grid`. The commit of the first new window warns of
    /// them and names the command. To a zone further east, the first new window overlaps the last old one and is
    /// refused; the hours then reach to the second one.
    #[serde(default)]
    #[schemars(extend("default" = "UTC"))]
    pub(crate) window_zone: Option<String>,
    /// When each window is fetched again because its data may have been late or corrected, such as `["P1D", "P7D"]`:
    /// so long after the schedule's own run. ISO 8601 durations, at most five, ascending. Whole days up to 90; with
    /// a `monthly` schedule up to 27; with an `hourly` one also hours, as a multiple of `everyHours`.
    #[serde(default)]
    #[schemars(length(max = 5), extend("items" = json!({
        "type": "string", "pattern": DURATION, "not": longer_than(RestateDistance::LONGEST),
    })))]
    pub(crate) restate: Option<Vec<String>>,
    /// How long after the schedule's time its window is expected to have been delivered: an ISO 8601 duration of whole
    /// minutes up to 7 days, such as `PT90M`. If it is missing then, an execution fails with `Cxone.Overdue`, which raises the
    /// alarm. Without this field it is three hours, and longer by the time that a run waits for its data to become final.
    #[serde(default)]
    #[schemars(regex(pattern = DURATION), extend("not" = longer_than(LONGEST_EXPECTATION)))]
    pub(crate) expected_by: Option<String>,
    /// What happens when a column is missing from the rows, is new, has no value any more, or changes its type: against
    /// the columns that `report` names or, where it names none, against the last fourteen windows.
    #[serde(default)]
    #[schemars(with = "Option<SchemaPolicy>", extend("default" = "warn"))]
    pub(crate) schema: Option<String>,
    /// Texts with which CXone says that there is no data, such as `["No data available"]`. A run is an empty result if
    /// it fails with a message which contains one of them, or if its state is not documented (`Cancelled`) and the state
    /// or the message beside it contains one, or if its file has one in place of a header, and nothing else. Upper and lower
    /// case are the same. 6 to 256 bytes each. Contacts have no such messages.
    #[serde(default)]
    #[schemars(extend("items" = json!({ "type": "string", "pattern": MESSAGE }), "uniqueItems" = true))]
    pub(crate) empty_messages: Option<Vec<String>>,
    /// What the first cell of a total row at the end of a file says, such as `["Gesamt"]`. A total row is left out.
    /// `[]` keeps every row. Without this field, the usual English words count with `report-jobs`, unless
    /// `report.totalLabels` names others, and with `data-download`, and none with `data-extraction` and `analytics`.
    #[serde(default)]
    #[schemars(extend("items" = name_schema(), "uniqueItems" = true))]
    pub(crate) total_labels: Option<Vec<String>>,
    /// What columns are called where the rows are stored. Everywhere in the definition they are spelt as in CXone.
    #[serde(default)]
    #[schemars(with = "Option<ColumnNames>", extend("default" = "as-is"))]
    pub(crate) column_names: Option<String>,
    /// Metrics and dimensions that your tenant has and the pipeline does not know, with the type of their values, and the unit
    /// and a description for the tables that rows are loaded into:
    /// `{"metrics": {"netPromoterScore": {"type": "double"}}}`. The types are `long`, `double`, `string`, `timestamp` and
    /// `boolean`; a metric is `long` or `double`. What the pipeline knows may be declared too, such as a unit.
    #[serde(default)]
    pub(crate) declare: Option<RawDeclared>,
    /// The warehouse that you load the rows into. Nothing is loaded by this; the checker then says what that warehouse can't
    /// load, and `cxr ddl` and `cxr sql` need not be told.
    #[serde(default)]
    #[schemars(with = "Option<Warehouse>")]
    pub(crate) target: Option<String>,
    /// A table that is kept of what is delivered, in the folder `table/` beside the rows. Engines read it in place, with one
    /// statement and nothing to load. Everything that was committed before is in it too, as far as its rows are still stored.
    #[serde(default)]
    pub(crate) table: Option<RawTable>,
    /// The API of CXone that the report is fetched from.
    #[serde(default)]
    #[schemars(with = "Api", extend("default" = "analytics"))]
    pub(crate) api: Option<String>,
}

/// A table that is kept of what is delivered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Table")]
pub(crate) struct RawTable {
    /// How the table is written.
    #[schemars(required, with = "TableFormat")]
    pub(crate) format: Option<String>,
}

/// Options for CSV. NDJSON is stored exactly as CXone sent it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Csv")]
pub(crate) struct RawCsv {
    /// Puts a `'` before each text that begins with one of `= + - @ '`, with a tab or a line break, or with the
    /// full-width form of one of the first four, so that no spreadsheet takes the text for a formula. It is off
    /// unless you ask for it, because it changes the data.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) formula_guard: Option<bool>,
}

/// How far a window may be halved.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Narrow")]
pub(crate) struct RawNarrow {
    /// No window is halved to less than this. An ISO 8601 duration of whole minutes that divide a day, such as
    /// `PT1H`, or of whole days up to 31, such as `P1D`.
    #[schemars(required)]
    pub(crate) smallest_window: Option<String>,
}

/// How long a window the API is asked for at once.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Split")]
pub(crate) struct RawSplit {
    /// An ISO 8601 duration of whole minutes that divide a day, or of whole days, such as `P7D`, up to what the API
    /// allows.
    #[schemars(required)]
    pub(crate) largest_window: Option<String>,
}

/// A simpler report for when the full one takes too long.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fallback")]
pub(crate) struct RawFallback {
    /// The metrics and dimensions to leave out, such as `["avgHandleTime"]`: none of the key or the grouping, and
    /// not all of either kind.
    #[schemars(required, length(min = 1))]
    pub(crate) drop: Option<Vec<String>>,
}

/// The API that a definition is for. One without a valid `pipeline.api` is read as a definition for the default, and the
/// word is reported later.
pub(crate) fn find_api(definition: &Value) -> Api {
    let word = definition.pointer("/pipeline/api").and_then(Value::as_str);
    word.and_then(Api::parse_text).unwrap_or_default()
}

impl RawDefinition {
    /// The API that the definition is for, as [`find_api`] finds it.
    pub(crate) fn api(&self) -> Api {
        let word = self.pipeline.as_ref().and_then(|p| p.api.as_deref());
        word.and_then(Api::parse_text).unwrap_or_default()
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
        schema: raw.schema,
        name: raw.name,
        schedule: raw.schedule,
        report: raw.report.map(variant),
        delivery: raw.delivery,
        pipeline: raw.pipeline,
    })
}
