//! What a report is: the guide's payload, plus what the pipeline does with it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::{Dialect, Report, SourceStatement, TotalLabels};
use crate::date_range::DateRange;
use crate::enums::{DeliveryFormat, DeliveryKind, Recurrence, RelativeRange};
use crate::finding::Finding;
use crate::grid::Grid;
use crate::ids::ReportName;
use crate::pipeline::Pipeline;
use crate::restate::RestateDistance;
use crate::schedule::Schedule;
use crate::text::contains_any;
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

    /// How long after the schedule's own run each window is stated anew, ascending.
    #[must_use]
    pub fn restatements(&self) -> &[RestateDistance] {
        &self.pipeline.restate
    }

    /// Texts in which CXone says that there is no data, as the author wrote them.
    #[must_use]
    pub fn empty_messages(&self) -> &[String] {
        &self.pipeline.empty_messages
    }

    /// Whether words of CXone's say that there is no data: they contain one of `emptyMessages`, in whatever case.
    #[must_use]
    pub fn is_empty_message(&self, message: &str) -> bool {
        contains_any(message, &self.pipeline.empty_messages)
    }

    /// Which rows at the end of a file are totals.
    #[must_use]
    pub fn total_labels(&self) -> TotalLabels<'_> {
        match self.pipeline.total_labels.as_deref() {
            Some([]) => TotalLabels::None,
            Some(labels) => TotalLabels::Named(labels),
            None => self.report.total_labels(),
        }
    }

    /// When the data of a window is final. No run is started before, and an empty result of an earlier run is not believed.
    #[must_use]
    pub fn settled_at(&self, window: &Window) -> Timestamp {
        self.pipeline
            .settling
            .settled_at(window, &self.pipeline.window_zone)
    }

    /// The window of the run that was scheduled for a time.
    pub fn window_for(&self, scheduled: Timestamp) -> Result<Window, WindowError> {
        match self.report.date_range() {
            DateRange::Absolute(window) => Ok(*window),
            DateRange::Relative { value } => self.grid(*value).last_before(scheduled),
        }
    }

    /// Whether a window is one of those that the schedule's runs have, one after the other.
    #[must_use]
    pub fn is_on_grid(&self, window: &Window) -> bool {
        self.window_for(window.end()) == Ok(*window)
    }

    /// Whether each window of the schedule begins where the one before it ends.
    #[must_use]
    pub fn windows_are_adjacent(&self) -> bool {
        let fitting = self.schedule.recurrence.fitting_range();
        matches!(self.report.date_range(), DateRange::Relative { value } if fitting == Some(*value))
    }

    /// The window that is stated anew at a time: the one that the schedule meant so long before.
    pub fn restated_window(
        &self,
        time: Timestamp,
        distance: RestateDistance,
    ) -> Result<Window, WindowError> {
        self.window_scheduled_before(time, distance.duration())
    }

    /// The window of the run that was scheduled so long before a time.
    pub(crate) fn window_scheduled_before(
        &self,
        time: Timestamp,
        earlier: SignedDuration,
    ) -> Result<Window, WindowError> {
        let scheduled = time.checked_sub(earlier);
        self.window_for(scheduled.map_err(|_| WindowError::OutOfRange)?)
    }

    /// The report's own windows in which another one begins and ends: twice the same where it lies in one, or is one.
    pub fn own_windows_at(&self, window: &Window) -> Result<(Window, Window), WindowError> {
        match self.report.date_range() {
            DateRange::Absolute(own) => Ok((*own, *own)),
            DateRange::Relative { value } => {
                let grid = self.grid(*value);
                let last_second = window.end() - SignedDuration::from_secs(1);
                Ok((
                    grid.window_around(window.start())?,
                    grid.window_around(last_second)?,
                ))
            }
        }
    }

    fn grid(&self, range: RelativeRange) -> Grid<'_> {
        Grid {
            range,
            every_hours: self.schedule.every_hours,
            zone: self.pipeline.window_zone.rules(),
        }
    }

    /// The simpler definition that `pipeline.fallback` describes; `None` if there is no fallback.
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

    /// What is registered at CXone: the definition without `pipeline`, as JSON. An hourly report is registered as a daily
    /// one, because the guide shows no other word; each of its runs is started with its own dates.
    #[must_use]
    pub fn registered_body(&self) -> Vec<u8> {
        let mut report = self.report.clone();
        let mut schedule = self.schedule.clone();
        if schedule.recurrence == Recurrence::Hourly {
            schedule.recurrence = Recurrence::Daily;
            schedule.every_hours = None;
            report.set_date_range(DateRange::Relative {
                value: RelativeRange::PreviousDay,
            });
        }
        to_json(&Registered {
            name: &self.name,
            schedule: &schedule,
            report: &report,
            delivery: &self.delivery,
        })
    }

    /// The definition as JSON: one form for all texts that mean the same.
    #[must_use]
    pub fn canonical_json(&self) -> Vec<u8> {
        to_json(self)
    }

    /// Whether CXone is asked for the same, and its rows are stored in the same way. A table is made of what is stored, and may
    /// be asked for at any time.
    #[must_use]
    pub fn delivers_as(&self, other: &Self) -> bool {
        let without_table = |definition: &Self| {
            let mut definition = definition.clone();
            definition.pipeline.table = None;
            definition
        };
        without_table(self) == without_table(other)
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
