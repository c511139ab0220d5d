//! The `pipeline` block: what this pipeline does with a report.

use jiff::SignedDuration;
use serde::Serialize;

use crate::api::Api;
use crate::declare::Declared;
use crate::enums::{ColumnNames, Compression, OnConflict, OutputFormat, SchemaPolicy, TableFormat};
use crate::ids::TenantId;
use crate::restate::RestateDistance;
use crate::settling::Settling;
use crate::warehouse::Warehouse;
use crate::window_zone::WindowZone;

/// What this pipeline does with a report. Serialised with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pipeline {
    /// Whose report it is.
    pub tenant: TenantId,
    /// In what form the rows are stored.
    pub format: OutputFormat,
    /// How the parts are compressed.
    pub compression: Compression,
    /// How CSV is written where the defaults don't do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvOptions>,
    /// The columns that make a row unique: the grouping by default, or the dimensions where there is none.
    pub key: Vec<String>,
    /// What happens when two rows have the same key and differ.
    pub on_conflict: OnConflict,
    /// How many runs of a segment are tried, 1 to 10.
    pub max_runs: u32,
    /// Whether a run that was cut off is tried again over halves of its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrow: Option<Narrow>,
    /// How long the windows are that the API is asked for; `None` where it takes any, or none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What is left out when the full report can't be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// When the data of a window is final.
    #[serde(flatten)]
    pub settling: Settling,
    /// Which of CXone's APIs.
    pub api: Api,
    /// Where the days of the windows begin and end.
    #[serde(skip_serializing_if = "WindowZone::is_utc")]
    pub window_zone: WindowZone,
    /// How long after the schedule's own run each window is stated anew, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restate: Vec<RestateDistance>,
    /// How long after the schedule's time a window is expected to have been delivered, where the definition says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<SignedDuration>,
    /// What happens when the columns change.
    #[serde(skip_serializing_if = "is_default")]
    pub schema: SchemaPolicy,
    /// Texts in which CXone says that there is no data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub empty_messages: Vec<String>,
    /// The labels of total rows, empty for "keep every row"; `None` where the definition leaves it to the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_labels: Option<Vec<String>>,
    /// What columns are called where the rows are stored.
    #[serde(skip_serializing_if = "is_default")]
    pub column_names: ColumnNames,
    /// Columns that the tenant has beside those of the catalogue.
    #[serde(skip_serializing_if = "Declared::is_empty")]
    pub declare: Declared,
    /// The warehouse that the rows are loaded into, where the definition says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Warehouse>,
    /// The table that is kept of what is committed, where the definition asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableOptions>,
}

/// A table that is kept of what is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TableOptions {
    /// How it is written.
    pub format: TableFormat,
}

/// How CSV is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CsvOptions {
    /// Whether a text that a spreadsheet would take for a formula gets a `'` before it.
    pub formula_guard: bool,
}

/// How far a window is narrowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Narrow {
    /// No window gets smaller than this.
    pub smallest_window: SignedDuration,
}

/// How long the windows are that an API is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Split {
    /// A longer window is cut into windows of this length, from its start on.
    pub largest_window: SignedDuration,
}

/// A simpler query for when the full one can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// The metrics and dimensions to leave out.
    pub drop: Vec<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
