//! Published: completed contacts, in pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{ApiReport, Capabilities, Columns, RawApiReport, RunKind, SplitBounds};
use crate::bounds::name_schema;
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::Recurrence;
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
/// lack some, and a column that is not in it is a warning only.
const COLUMNS: &[&str] = &[
    "ACWSeconds",
    "abandonSeconds",
    "abandoned",
    "acwSeconds",
    "agentId",
    "agentSeconds",
    "analyticsProcessedDate",
    "businessUnitId",
    "callbackTime",
    "campaignId",
    "campaignName",
    "confSeconds",
    "conferenceSeconds",
    "contactId",
    "contactStart",
    "contactStartDate",
    "dateACWWarehoused",
    "dateContactWarehoused",
    "dispositionNotes",
    "endReason",
    "fileName",
    "firstName",
    "fromAddr",
    "highProficiency",
    "holdCount",
    "holdSeconds",
    "inQueueSeconds",
    "isActive",
    "isAnalyticsProcessed",
    "isLogged",
    "isOutbound",
    "isRefused",
    "isShortAbandon",
    "isTakeover",
    "isWarehoused",
    "lastName",
    "lastUpdateTime",
    "lowProficiency",
    "masterContactId",
    "mediaSubTypeId",
    "mediaSubTypeName",
    "mediaType",
    "mediaTypeName",
    "pointOfContactId",
    "pointOfContactName",
    "postQueueSeconds",
    "preQueueSeconds",
    "primaryDispositionId",
    "refuseReason",
    "refuseTime",
    "releaseSeconds",
    "routingAttribute",
    "routingTime",
    "secondaryDispositionId",
    "serviceLevelFlag",
    "skillId",
    "skillName",
    "state",
    "stateId",
    "tags",
    "teamId",
    "teamName",
    "toAddr",
    "totalDurationSeconds",
    "transferIndicatorId",
    "transferIndicatorName",
];

/// Which completed contacts are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactsReport {
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// The columns of the stored rows; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
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
    #[schemars(length(min = 1), extend("items" = name_schema(), "uniqueItems" = true))]
    columns: Option<Vec<String>>,
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
        let columns =
            validator.check_names("/report/columns", "column name", self.columns.as_deref());
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        Some(ContactsReport {
            api_version: api_version?,
            columns,
            date_range: date_range?,
        })
    }
}

impl RawApiReport for RawContactsReport {
    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns::listed(self.columns.as_deref())
    }
}

impl ApiReport for ContactsReport {
    fn date_range(&self) -> &DateRange {
        &self.date_range
    }

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn split_bounds(&self) -> Option<SplitBounds> {
        Some(SplitBounds::THIRTY_DAYS)
    }
}
