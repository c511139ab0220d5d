//! The `report` block: what is asked for, in the terms of the API that is asked.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Api, EndDate, Operator, RangeOf, RelativeRange, ReportType, SourceRange, UtcOffset};
use crate::Dialect;
use crate::Window;
use crate::{EntityName, EntityVersion, ReportId};

/// What is asked for, in the terms of the API that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of the guide's API.
    Analytics(AnalyticsReport),
    /// Of report jobs.
    ReportJobs(ReportJobsReport),
    /// Of data extraction.
    DataExtraction(DataExtractionReport),
    /// Of data download.
    DataDownload(DataDownloadReport),
    /// Of completed contacts.
    Contacts(ContactsReport),
}

/// What is counted, by what, and over which time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsReport {
    /// The type of the report, which decides what metrics and dimensions there are.
    #[serde(rename = "type")]
    pub report_type: ReportType,
    /// The numbers of a row.
    pub metrics: Vec<String>,
    /// The texts of a row.
    pub dimensions: Vec<String>,
    /// Which rows count.
    pub filters: Vec<Filter>,
    /// Over which time.
    pub date_range: DateRange,
    /// The dimensions that a row is aggregated by; empty for one row an interaction.
    pub grouping: Vec<String>,
}

/// A report's template that a job runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportJobsReport {
    /// The template.
    pub report_id: ReportId,
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// Whose range the file is about.
    pub range: RangeOf,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What the first cells of a total row at the end say; empty for the usual words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub total_labels: Vec<String>,
    /// Over which time.
    pub date_range: DateRange,
}

/// An entity whose rows are extracted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataExtractionReport {
    /// The entity.
    pub entity_name: EntityName,
    /// The version of its columns.
    pub entity_version: EntityVersion,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// How the API reads the end of a window of whole days; none where the definition does not say: `exclusive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<EndDate>,
    /// Over which time.
    pub date_range: DateRange,
}

/// A report that is downloaded for dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataDownloadReport {
    /// The report.
    pub report_id: ReportId,
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// The API user's time zone without daylight saving, in which the API reads dates.
    pub utc_offset: UtcOffset,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Over which time.
    pub date_range: DateRange,
}

/// Completed contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactsReport {
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// The columns of the stored rows; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Over which time.
    pub date_range: DateRange,
}

/// A condition on a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The dimension, which need not be among the report's.
    pub dimension: String,
    /// The values to compare with; at least one.
    pub values: Vec<String>,
    /// How they are compared.
    pub operator: Operator,
}

/// The time that a report covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum DateRange {
    /// Relative to the scheduled time.
    Relative {
        /// Which span.
        value: RelativeRange,
    },
    /// The same window every time: only for a schedule that runs once.
    Absolute(Window),
}

/// What a commit says about where its rows are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatement {
    /// The API.
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

    /// Over which time.
    #[must_use]
    pub fn date_range(&self) -> &DateRange {
        match self {
            Self::Analytics(report) => &report.date_range,
            Self::ReportJobs(report) => &report.date_range,
            Self::DataExtraction(report) => &report.date_range,
            Self::DataDownload(report) => &report.date_range,
            Self::Contacts(report) => &report.date_range,
        }
    }

    /// The columns of a row, as far as they are known beforehand.
    pub(super) fn columns(&self) -> Vec<&str> {
        let columns = match self {
            Self::Analytics(report) => {
                let all = report.dimensions.iter().chain(&report.metrics);
                return all.map(String::as_str).collect();
            }
            Self::ReportJobs(report) => &report.columns,
            Self::DataExtraction(report) => &report.columns,
            Self::DataDownload(report) => &report.columns,
            Self::Contacts(report) => &report.columns,
        };
        columns.iter().map(String::as_str).collect()
    }

    /// Where its rows are from.
    pub(super) fn source(&self) -> SourceStatement {
        let (time_zone, range) = match self {
            Self::Analytics(_) | Self::DataExtraction(_) | Self::Contacts(_) => {
                ("UTC".to_owned(), SourceRange::Requested)
            }
            Self::ReportJobs(report) => {
                let range = match report.range {
                    RangeOf::Template => SourceRange::Template,
                    RangeOf::Dates => SourceRange::Requested,
                };
                ("business-unit".to_owned(), range)
            }
            Self::DataDownload(report) => (report.utc_offset.to_string(), SourceRange::Requested),
        };
        SourceStatement {
            api: self.dialect().api(),
            time_zone,
            range,
        }
    }

    /// What windows may be split to: the default and the most; `None` where they can't be split.
    pub(super) fn split(&self) -> Option<(SignedDuration, SignedDuration)> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        const TWO_WEEKS: SignedDuration = SignedDuration::from_hours(14 * 24);
        const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);
        match self {
            Self::DataExtraction(_) => Some((DAY, TWO_WEEKS)),
            Self::DataDownload(_) | Self::Contacts(_) => Some((THIRTY_DAYS, THIRTY_DAYS)),
            Self::ReportJobs(report) if report.range == RangeOf::Dates => {
                Some((THIRTY_DAYS, THIRTY_DAYS))
            }
            Self::Analytics(_) | Self::ReportJobs(_) => None,
        }
    }
}
