//! CXone's report APIs. All that is particular to one of them stands in its own file; this one names them.
//!
//! To add an API, write its file after the example of `contacts.rs` and follow the compiler through the lists below.

mod analytics;
mod contacts;
mod data_download;
mod data_extraction;
mod fields;
mod interface;
mod report_columns;
mod report_jobs;

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::catalogue::ReportType;
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, RawDateRange};
use crate::enums::{Recurrence, SourceRange};
use crate::text_enum::text_enum;
use crate::validator::Validator;

pub use analytics::{AnalyticsReport, Filter, Operator};
pub use contacts::ContactsReport;
pub use data_download::DataDownloadReport;
pub use data_extraction::{DataExtractionReport, EndDate};
pub use interface::TotalLabels;
pub use report_columns::ReportColumns;
pub use report_jobs::{RangeOf, ReportJobsReport};

pub(crate) use interface::{Capabilities, Columns, SplitBounds};

/// How long after its permit was stored a call may still begin, where calls have to be kept apart.
pub const CALL_BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(5);

use analytics::RawAnalyticsReport;
use contacts::RawContactsReport;
use data_download::RawDataDownloadReport;
use data_extraction::RawDataExtractionReport;
use interface::{ApiReport, RawApiReport, RunKind};
use report_jobs::RawReportJobsReport;

text_enum!(
    /// Which of CXone's report APIs a definition is for.
    Api {
        /// The API of the guide: metrics by dimensions.
        Analytics = "analytics",
        /// A custom report that somebody has built in CXone.
        ReportJobs = "report-jobs",
        /// A prebuilt report over dates.
        DataDownload = "data-download",
        /// The rows of an entity, such as recordings.
        DataExtraction = "data-extraction",
        /// Completed contacts, one row each.
        Contacts = "contacts",
    }
);

impl Default for Api {
    /// The API of a definition that names none.
    fn default() -> Self {
        Self::Analytics
    }
}

impl Api {
    pub(crate) const fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::Analytics => &analytics::CAPABILITIES,
            Self::ReportJobs => &report_jobs::CAPABILITIES,
            Self::DataExtraction => &data_extraction::CAPABILITIES,
            Self::DataDownload => &data_download::CAPABILITIES,
            Self::Contacts => &contacts::CAPABILITIES,
        }
    }
}

/// Which API, with what a call needs to know beside an id.
///
/// In a message it is `{"api":"report-jobs","apiVersion":34}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "api",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Dialect {
    /// The guide's API, which needs nothing beside an id.
    #[default]
    Analytics,
    /// Published: a job that runs a report's template and leaves a file.
    ReportJobs {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
    /// Published: a job that extracts an entity's rows into a file.
    DataExtraction,
    /// Published: a report over dates, answered at once.
    DataDownload {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
    /// Published: completed contacts, in pages.
    Contacts {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
}

impl Dialect {
    /// The API's word in a definition.
    #[must_use]
    pub const fn api(self) -> Api {
        match self {
            Self::Analytics => Api::Analytics,
            Self::ReportJobs { .. } => Api::ReportJobs,
            Self::DataExtraction => Api::DataExtraction,
            Self::DataDownload { .. } => Api::DataDownload,
            Self::Contacts { .. } => Api::Contacts,
        }
    }

    /// How far apart any two calls of one tenant to this API have to be; `None` where they need not be.
    #[must_use]
    pub const fn spacing(self) -> Option<Duration> {
        self.api().capabilities().spacing
    }

    /// How far back the API has rows, so that older windows can't be asked for; `None` where nothing is known about it.
    #[must_use]
    pub const fn keeps(self) -> Option<SignedDuration> {
        self.api().capabilities().keeps
    }

    /// Whether a run can be cancelled. Where not, one that takes too long is left behind.
    #[must_use]
    pub const fn can_cancel(self) -> bool {
        matches!(self.api().capabilities().run, RunKind::Cancellable)
    }

    /// Whether a run has no state that is worth a look of its own: its rows are asked for at once, and "not yet" is
    /// one of the answers.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self.api().capabilities().run, RunKind::Direct)
    }
}

/// What is asked for, in the terms of the API that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    Analytics(AnalyticsReport),
    ReportJobs(ReportJobsReport),
    DataExtraction(DataExtractionReport),
    DataDownload(DataDownloadReport),
    Contacts(ContactsReport),
}

/// What a commit says about where its rows are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatement {
    pub api: Api,
    /// In which zone the API reads its dates and writes its times: `UTC`, `business-unit`, or an API user's such as
    /// `-07:00`.
    pub time_zone: String,
    /// Whether the rows are about the window, or about what a template says that it is.
    pub range: SourceRange,
}

impl Report {
    /// The API, with what its calls need to know.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Analytics(_) => Dialect::Analytics,
            Self::ReportJobs(report) => Dialect::ReportJobs {
                api_version: report.api_version,
            },
            Self::DataExtraction(_) => Dialect::DataExtraction,
            Self::DataDownload(report) => Dialect::DataDownload {
                api_version: report.api_version,
            },
            Self::Contacts(report) => Dialect::Contacts {
                api_version: report.api_version,
            },
        }
    }

    fn as_api_report(&self) -> &dyn ApiReport {
        match self {
            Self::Analytics(report) => report,
            Self::ReportJobs(report) => report,
            Self::DataExtraction(report) => report,
            Self::DataDownload(report) => report,
            Self::Contacts(report) => report,
        }
    }

    /// The time that is asked for, as the definition says it: a span, or one relative to the schedule.
    #[must_use]
    pub fn date_range(&self) -> &DateRange {
        self.as_api_report().date_range()
    }

    pub(crate) fn columns(&self) -> Vec<&str> {
        self.as_api_report().columns()
    }

    pub(crate) fn metrics(&self) -> &[String] {
        self.as_api_report().metrics()
    }

    /// What the report block says of the values of a column.
    pub(crate) fn meaning_of(&self, column: &str) -> Option<&ColumnMeaning> {
        self.as_api_report().meaning_of(column)
    }

    pub(crate) fn total_labels(&self) -> TotalLabels<'_> {
        self.as_api_report().total_labels()
    }

    pub(crate) fn is_aggregated(&self) -> bool {
        self.as_api_report().is_aggregated()
    }

    pub(crate) fn split_bounds(&self) -> Option<SplitBounds> {
        self.as_api_report().split_bounds()
    }

    pub(crate) fn source(&self) -> SourceStatement {
        let report = self.as_api_report();
        SourceStatement {
            api: self.dialect().api(),
            time_zone: report.time_zone(),
            range: report.source_range(),
        }
    }

    /// Changes the range that is registered; only the guide's API registers one.
    pub(crate) fn set_date_range(&mut self, range: DateRange) {
        if let Self::Analytics(report) = self {
            report.date_range = range;
        }
    }

    /// Takes columns out of the report; `false` where a definition does not name every column.
    pub(crate) fn remove_columns(&mut self, names: &[String]) -> bool {
        let Self::Analytics(report) = self else {
            return false;
        };
        report.remove_columns(names);
        true
    }
}

/// The `report` block as the author wrote it.
#[derive(Debug, Clone)]
pub(crate) enum RawReport {
    Analytics(RawAnalyticsReport),
    ReportJobs(RawReportJobsReport),
    DataExtraction(RawDataExtractionReport),
    DataDownload(RawDataDownloadReport),
    Contacts(RawContactsReport),
}

/// Evaluates an expression with the variant of [`RawReport`] of an API, and with that the type of its `report` block.
macro_rules! with_raw_report {
    ($api:expr, $variant:ident => $body:expr) => {
        match $api {
            $crate::api::Api::Analytics => {
                let $variant = $crate::api::RawReport::Analytics;
                $body
            }
            $crate::api::Api::ReportJobs => {
                let $variant = $crate::api::RawReport::ReportJobs;
                $body
            }
            $crate::api::Api::DataExtraction => {
                let $variant = $crate::api::RawReport::DataExtraction;
                $body
            }
            $crate::api::Api::DataDownload => {
                let $variant = $crate::api::RawReport::DataDownload;
                $body
            }
            $crate::api::Api::Contacts => {
                let $variant = $crate::api::RawReport::Contacts;
                $body
            }
        }
    };
}
pub(crate) use with_raw_report;

impl RawReport {
    fn as_api_report(&self) -> &dyn RawApiReport {
        match self {
            Self::Analytics(raw) => raw,
            Self::ReportJobs(raw) => raw,
            Self::DataExtraction(raw) => raw,
            Self::DataDownload(raw) => raw,
            Self::Contacts(raw) => raw,
        }
    }

    pub(crate) fn date_range(&self) -> Option<&RawDateRange> {
        self.as_api_report().date_range()
    }

    pub(crate) fn report_type(&self) -> Option<ReportType> {
        self.as_api_report().report_type()
    }

    pub(crate) fn columns(&self) -> Columns<'_> {
        self.as_api_report().columns()
    }

    /// Checks the block and reports what is wrong with it.
    pub(crate) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<Report> {
        let (v, r) = (validator, recurrence);
        match self {
            Self::Analytics(raw) => raw.validate(v, r).map(Report::Analytics),
            Self::ReportJobs(raw) => raw.validate(v, r).map(Report::ReportJobs),
            Self::DataExtraction(raw) => raw.validate(v, r).map(Report::DataExtraction),
            Self::DataDownload(raw) => raw.validate(v, r).map(Report::DataDownload),
            Self::Contacts(raw) => raw.validate(v, r).map(Report::Contacts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_one_small_object_in_a_message() {
        for (dialect, json) in [
            (Dialect::Analytics, r#"{"api":"analytics"}"#),
            (
                Dialect::ReportJobs { api_version: 34 },
                r#"{"api":"report-jobs","apiVersion":34}"#,
            ),
            (Dialect::DataExtraction, r#"{"api":"data-extraction"}"#),
            (
                Dialect::DataDownload { api_version: 34 },
                r#"{"api":"data-download","apiVersion":34}"#,
            ),
            (
                Dialect::Contacts { api_version: 34 },
                r#"{"api":"contacts","apiVersion":34}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&dialect).unwrap(), json);
            assert_eq!(serde_json::from_str::<Dialect>(json).unwrap(), dialect);
            assert!(json.contains(dialect.api().as_str()));
        }
    }

    #[test]
    fn what_an_api_can_not_do_is_known_beforehand() {
        let all = [
            Dialect::Analytics,
            Dialect::ReportJobs { api_version: 34 },
            Dialect::DataExtraction,
            Dialect::DataDownload { api_version: 34 },
            Dialect::Contacts { api_version: 34 },
        ];
        let which = |holds: fn(Dialect) -> bool| {
            all.into_iter()
                .filter(|dialect| holds(*dialect))
                .map(|dialect| dialect.api().as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(which(Dialect::can_cancel), ["analytics"]);
        assert_eq!(
            which(Dialect::is_direct),
            ["data-extraction", "data-download", "contacts"]
        );
        assert_eq!(which(|d| d.spacing().is_some()), ["data-extraction"]);
    }
}
