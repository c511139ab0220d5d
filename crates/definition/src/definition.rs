//! What a report is: the guide's payload, plus what the pipeline does with it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::{Api, Dialect, Report, SourceStatement};
use crate::date_range::DateRange;
use crate::enums::{
    Compression, DeliveryFormat, DeliveryKind, OnConflict, OutputFormat, Recurrence,
};
use crate::finding::Finding;
use crate::ids::{ReportName, TenantId};
use crate::time_of_day::TimeOfDay;
use crate::window::{Window, WindowError};

/// A report definition whose every field is valid by itself and with the others.
///
/// Made by [`Definition::parse`], which also holds it against a [`Catalogue`](crate::Catalogue); deserialising one checks everything
/// but the catalogue, so that a message made by a tenant with an extended catalogue stays readable everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The schedule's name at CXone.
    pub name: ReportName,
    /// When CXone runs it by itself.
    pub schedule: Schedule,
    /// What is asked for, in the terms of the API.
    pub report: Report,
    /// How CXone hands the rows out.
    pub delivery: Delivery,
    /// What this pipeline does with them; never sent to CXone.
    pub pipeline: Pipeline,
}

/// A definition without errors, and what is worth knowing about it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub definition: Definition,
    /// Findings of severity [`Severity::Warning`](crate::Severity::Warning).
    pub warnings: Vec<Finding>,
}

/// When CXone runs a report by itself; the time zone is always UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    #[serde(rename = "type")]
    pub recurrence: Recurrence,
    /// At what time of the day, in UTC.
    pub time: TimeOfDay,
    pub timezone: Utc,
}

/// The only time zone in which relative ranges and the stored data agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Utc {
    #[serde(rename = "UTC")]
    Utc,
}

/// How CXone hands the rows out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delivery {
    #[serde(rename = "type")]
    pub kind: DeliveryKind,
    /// The form, where the definition says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<DeliveryFormat>,
}

impl Delivery {
    /// The form, with the default for a definition that says none.
    #[must_use]
    pub fn format(&self) -> DeliveryFormat {
        self.format.unwrap_or(DeliveryFormat::Json)
    }
}

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
    /// The time of the day (UTC) after which the day before is final.
    pub settled_at: TimeOfDay,
    /// Which of CXone's APIs.
    pub api: Api,
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

impl Definition {
    /// Which API is asked, with what its calls need to know.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.report.dialect()
    }

    /// The columns of a row in the definition's order, of an analytics report the dimensions and then the metrics.
    /// Empty where they are not known beforehand.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        self.report.columns()
    }

    /// Columns whose texts are numbers: the metrics of an analytics report. Another API's texts stay texts.
    #[must_use]
    pub fn metrics(&self) -> &[String] {
        self.report.metrics()
    }

    /// Whether a row sums others up, so that rows of two halves of a window are different ones even if they look the
    /// same: an analytics report with a grouping.
    #[must_use]
    pub fn is_aggregated(&self) -> bool {
        self.report.is_aggregated()
    }

    /// The longest window that the API is asked for; `None` where any will do.
    #[must_use]
    pub fn largest_window(&self) -> Option<SignedDuration> {
        self.pipeline
            .split
            .as_ref()
            .map(|split| split.largest_window)
    }

    /// Where its rows are from, for the commit. Where the range is the template's, an operator can't ask for a window.
    #[must_use]
    pub fn source(&self) -> SourceStatement {
        self.report.source()
    }

    /// The columns that make a row unique.
    #[must_use]
    pub fn key_columns(&self) -> Vec<&str> {
        self.pipeline.key.iter().map(String::as_str).collect()
    }

    /// When the data of a window is final: the first `settledAt` at or after its end.
    #[must_use]
    pub fn settled_at(&self, window: &Window) -> Timestamp {
        self.pipeline.settled_at.first_at_or_after(window.end())
    }

    /// The window of the run that was scheduled for a time.
    pub fn window_for(&self, scheduled: Timestamp) -> Result<Window, WindowError> {
        match self.report.date_range() {
            DateRange::Absolute(window) => Ok(*window),
            DateRange::Relative { value } => value.before(scheduled),
        }
    }

    /// The simpler definition that [`Fallback`] describes; `None` if there is no fallback.
    #[must_use]
    pub fn simplified(&self) -> Option<Self> {
        let dropped = &self.pipeline.fallback.as_ref()?.drop;
        let mut simple = self.clone();
        simple.name = ReportName::new(fallback_name(self.name.as_str())).ok()?;
        if !simple.report.remove_columns(dropped) {
            return None;
        }
        simple.pipeline.fallback = None;
        Some(simple)
    }

    /// What is registered at CXone: the definition without `pipeline`, as JSON.
    #[must_use]
    pub fn registered_body(&self) -> Vec<u8> {
        to_json(&Registered {
            name: &self.name,
            schedule: &self.schedule,
            report: &self.report,
            delivery: &self.delivery,
        })
    }

    /// The definition as JSON: one form for all texts that mean the same.
    #[must_use]
    pub fn canonical_json(&self) -> Vec<u8> {
        to_json(self)
    }

    /// SHA-256 of the canonical JSON, in lower-case hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.canonical_json()))
    }
}

/// The name of the schedule that a definition's fallback is registered as.
pub(crate) fn fallback_name(name: &str) -> String {
    format!("{name} (fallback)")
}

#[derive(Serialize)]
struct Registered<'a> {
    name: &'a ReportName,
    schedule: &'a Schedule,
    report: &'a Report,
    delivery: &'a Delivery,
}

#[expect(
    clippy::expect_used,
    reason = "strings, numbers and structs always serialise; a map with other keys is not among them"
)]
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a definition serialises")
}
