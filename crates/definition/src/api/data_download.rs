//! Published: a report over dates, answered at once.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{
    ApiReport, Capabilities, Columns, RawApiReport, RunKind, SplitBounds, TotalLabels,
};
use super::report_columns::{RawReportColumns, ReportColumns};
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::Recurrence;
use crate::finding_code::FindingCode;
use crate::ids::ReportId;
use crate::utc_offset::{UtcOffset, UtcOffsetError};
use crate::validator::Validator;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    run: RunKind::Direct,
    spacing: None,
    keeps: Some(SignedDuration::from_hours(730 * 24)),
    has_delivery_formats: false,
    names_every_column: false,
    has_total_rows: true,
    has_messages: true,
    documented_columns: None,
    default_key: |_| None,
};

/// A report that is downloaded for dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataDownloadReport {
    /// The prebuilt report, by its number at CXone.
    pub report_id: ReportId,
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// The API user's time zone without daylight saving, in which the API reads dates.
    pub utc_offset: UtcOffset,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "ReportColumns::is_empty")]
    pub columns: ReportColumns,
    /// The time that the report is asked for.
    pub date_range: DateRange,
}

/// A prebuilt report that CXone offers for download: a file for the dates that are asked for, answered at once.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "DataDownloadReport")]
pub(crate) struct RawDataDownloadReport {
    /// The id of the report: 1 to 19 digits. `GET reports` of the API lists them.
    #[schemars(required, regex(pattern = r"^\d{1,19}$"))]
    report_id: Option<String>,
    /// The version of the API: the `N` of `/inContactAPI/services/vN.0`, from 10 to 99. The newest that is known is
    /// 34.
    #[schemars(required, range(min = 10, max = 99))]
    api_version: Option<i64>,
    /// The time zone of the API user without daylight saving, from `-12:00` to `+14:00`, such as `-07:00` for
    /// Denver. The API reads its dates in this zone, in summer as well.
    #[schemars(required, regex(pattern = r"^[+-]\d\d:\d\d$"))]
    utc_offset: Option<String>,
    /// The columns that the file must have, spelt as in its header. A file without one of them is refused. Required
    /// if rows are stored as CSV, which has them in this order.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    columns: Option<RawReportColumns>,
    /// The time that the report covers.
    #[schemars(required, with = "DateRangeSchema")]
    date_range: Option<RawDateRange>,
}

impl RawDataDownloadReport {
    pub(super) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<DataDownloadReport> {
        let report_id = validator.parse_id("/report/reportId", self.report_id.as_ref());
        let api_version = validator.parse_api_version(self.api_version);
        let utc_offset = parse_utc_offset(validator, self.utc_offset.as_ref());
        let columns = validator.check_report_columns(self.columns.as_ref());
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        Some(DataDownloadReport {
            report_id: report_id?,
            api_version: api_version?,
            utc_offset: utc_offset?,
            columns: columns?,
            date_range: date_range?,
        })
    }
}

fn parse_utc_offset(validator: &mut Validator<'_>, text: Option<&String>) -> Option<UtcOffset> {
    let at = "/report/utcOffset";
    let offset: Result<_, UtcOffsetError> = validator.require(at, text)?.parse();
    if let Err(error) = &offset {
        let hint = "the API user's time zone without daylight saving, such as \"-07:00\": data download reads its \
                    dates in it";
        validator.report_finding(FindingCode::UtcOffsetInvalid, at, error.to_string(), hint);
    }
    offset.ok()
}

impl RawApiReport for RawDataDownloadReport {
    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns::listed(self.columns.as_ref().map(RawReportColumns::names))
    }
}

impl ApiReport for DataDownloadReport {
    fn date_range(&self) -> &DateRange {
        &self.date_range
    }

    fn columns(&self) -> Vec<&str> {
        self.columns.names().collect()
    }

    fn meaning_of(&self, column: &str) -> Option<&ColumnMeaning> {
        self.columns.meaning_of(column)
    }

    fn total_labels(&self) -> TotalLabels<'_> {
        TotalLabels::Usual
    }

    fn time_zone(&self) -> String {
        self.utc_offset.to_string()
    }

    fn split_bounds(&self) -> Option<SplitBounds> {
        Some(SplitBounds::THIRTY_DAYS)
    }
}
