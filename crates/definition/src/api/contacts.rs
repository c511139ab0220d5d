//! Published: completed contacts, in pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{
    ApiReport, Capabilities, Columns, DocumentedColumn, RawApiReport, RunKind, SplitBounds,
};
use super::report_columns::{RawReportColumns, ReportColumns};
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::{ColumnType, Recurrence};
use crate::validator::Validator;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    run: RunKind::Direct,
    spacing: None,
    keeps: None,
    has_delivery_formats: false,
    names_every_column: false,
    has_total_rows: false,
    has_messages: false,
    documented_columns: Some(COLUMNS),
    default_key: |_| Some(vec!["contactId".to_owned()]),
};

/// The columns of a completed contact that public clients are known to read. NICE lists none where we could look, so the list may
/// lack some, and a column that is not in it is a warning only. The types are those that they read the columns as.
const COLUMNS: &[DocumentedColumn] = {
    use ColumnType::{Boolean, Double, Long, String, Timestamp};
    &[
        ("ACWSeconds", Double, "s"),
        ("abandonSeconds", Double, "s"),
        ("abandoned", Boolean, ""),
        ("acwSeconds", Double, "s"),
        ("agentId", Long, ""),
        ("agentSeconds", Double, "s"),
        ("analyticsProcessedDate", Timestamp, ""),
        ("businessUnitId", Long, ""),
        ("callbackTime", Long, ""),
        ("campaignId", Long, ""),
        ("campaignName", String, ""),
        ("confSeconds", Double, "s"),
        ("conferenceSeconds", Double, "s"),
        ("contactId", Long, ""),
        ("contactStart", Timestamp, ""),
        ("contactStartDate", Timestamp, ""),
        ("dateACWWarehoused", Timestamp, ""),
        ("dateContactWarehoused", Timestamp, ""),
        ("dispositionNotes", String, ""),
        ("endReason", String, ""),
        ("fileName", String, ""),
        ("firstName", String, ""),
        ("fromAddr", String, ""),
        ("highProficiency", Long, ""),
        ("holdCount", Long, ""),
        ("holdSeconds", Double, "s"),
        ("inQueueSeconds", Double, "s"),
        ("isActive", Boolean, ""),
        ("isAnalyticsProcessed", Boolean, ""),
        ("isLogged", Boolean, ""),
        ("isOutbound", Boolean, ""),
        ("isRefused", Boolean, ""),
        ("isShortAbandon", Boolean, ""),
        ("isTakeover", Boolean, ""),
        ("isWarehoused", Boolean, ""),
        ("lastName", String, ""),
        ("lastUpdateTime", Timestamp, ""),
        ("lowProficiency", Long, ""),
        ("masterContactId", Long, ""),
        ("mediaSubTypeId", Long, ""),
        ("mediaSubTypeName", String, ""),
        ("mediaType", Long, ""),
        ("mediaTypeName", String, ""),
        ("pointOfContactId", Long, ""),
        ("pointOfContactName", String, ""),
        ("postQueueSeconds", Double, "s"),
        ("preQueueSeconds", Double, "s"),
        ("primaryDispositionId", Long, ""),
        ("refuseReason", String, ""),
        ("refuseTime", Timestamp, ""),
        ("releaseSeconds", Double, "s"),
        ("routingAttribute", String, ""),
        ("routingTime", Long, ""),
        ("secondaryDispositionId", Long, ""),
        ("serviceLevelFlag", Long, ""),
        ("skillId", Long, ""),
        ("skillName", String, ""),
        ("state", String, ""),
        ("stateId", Long, ""),
        ("tags", String, ""),
        ("teamId", Long, ""),
        ("teamName", String, ""),
        ("toAddr", String, ""),
        ("totalDurationSeconds", Double, "s"),
        ("transferIndicatorId", Long, ""),
        ("transferIndicatorName", String, ""),
    ]
};

/// Which completed contacts are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactsReport {
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// The columns of the stored rows; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "ReportColumns::is_empty")]
    pub columns: ReportColumns,
    /// The time that the contacts are from.
    pub date_range: DateRange,
}

/// Completed contacts: one row for each contact, in pages of JSON, without any setup in CXone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ContactsReport")]
pub(crate) struct RawContactsReport {
    /// The version of the API: the `N` of `/inContactAPI/services/vN.0`, from 10 to 99. The newest that is known is
    /// 34.
    #[schemars(required, range(min = 10, max = 99))]
    api_version: Option<i64>,
    /// The columns of the rows, spelt as CXone sends them. Required if rows are stored as CSV, which has them in
    /// this order.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    columns: Option<RawReportColumns>,
    /// The time that the report covers.
    #[schemars(required, with = "DateRangeSchema")]
    date_range: Option<RawDateRange>,
}

impl RawContactsReport {
    pub(super) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<ContactsReport> {
        let api_version = validator.parse_api_version(self.api_version);
        let columns = validator.check_report_columns(self.columns.as_ref());
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        Some(ContactsReport {
            api_version: api_version?,
            columns: columns?,
            date_range: date_range?,
        })
    }
}

impl RawApiReport for RawContactsReport {
    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns::listed(self.columns.as_ref().map(RawReportColumns::names))
    }
}

impl ApiReport for ContactsReport {
    fn date_range(&self) -> &DateRange {
        &self.date_range
    }

    fn columns(&self) -> Vec<&str> {
        self.columns.names().collect()
    }

    fn meaning_of(&self, column: &str) -> Option<&ColumnMeaning> {
        self.columns.meaning_of(column)
    }

    fn split_bounds(&self) -> Option<SplitBounds> {
        Some(SplitBounds::THIRTY_DAYS)
    }
}
