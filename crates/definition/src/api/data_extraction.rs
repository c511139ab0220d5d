//! Published: a job that extracts an entity's rows into a file.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{ApiReport, Capabilities, Columns, RawApiReport, RunKind, SplitBounds};
use super::report_columns::{RawReportColumns, ReportColumns};
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::Recurrence;
use crate::ids::{EntityName, EntityVersion};
use crate::text_enum::text_enum;
use crate::validator::Validator;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    run: RunKind::Direct,
    // The API allows one call in 30 s.
    spacing: Some(Duration::from_secs(31)),
    keeps: None,
    has_delivery_formats: false,
    names_every_column: false,
    has_total_rows: true,
    has_messages: true,
    documented_columns: None,
    default_key: |_| None,
};

text_enum!(
    /// How an API reads the end of a range of whole days. Its documentation does not say.
    EndDate {
        /// It is the first day that is left out.
        Exclusive = "exclusive",
        /// It is the last day that counts.
        Inclusive = "inclusive",
    }
);

/// An entity whose rows are extracted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataExtractionReport {
    /// The entity whose rows are extracted.
    pub entity_name: EntityName,
    /// The version of its columns.
    pub entity_version: EntityVersion,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "ReportColumns::is_empty")]
    pub columns: ReportColumns,
    /// How the API reads the end of a window of whole days; none where the definition does not say: `exclusive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<EndDate>,
    /// The time that the rows are from.
    pub date_range: DateRange,
}

/// The rows of an entity, such as recordings or evaluations: a job that leaves a file for the dates that are asked
/// for. CXone made it for much data every day.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "DataExtractionReport")]
pub(crate) struct RawDataExtractionReport {
    /// The entity, such as `recording-interaction-metadata` or `qm-workflows`. Which entities there are depends on
    /// the products that your tenant is licensed for. 1 to 128 letters, digits and `. _ : -`.
    #[schemars(required, regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    entity_name: Option<String>,
    /// The version of the entity's columns, such as `7`: 1 to 16 letters, digits and `. _ : -`.
    #[schemars(required, regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,15}$"))]
    entity_version: Option<String>,
    /// The columns that the file must have, spelt as in its header. A file without one of them is refused. Required
    /// if rows are stored as CSV, which has them in this order.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    columns: Option<RawReportColumns>,
    /// How the API reads the end date of a window of whole days. CXone does not document it, so compare a day of
    /// your own with what CXone shows.
    #[serde(default)]
    #[schemars(with = "Option<EndDate>", extend("default" = "exclusive"))]
    end_date: Option<String>,
    /// The time that the report covers.
    #[schemars(required, with = "DateRangeSchema")]
    date_range: Option<RawDateRange>,
}

impl RawDataExtractionReport {
    pub(super) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<DataExtractionReport> {
        let entity_name = validator.parse_id("/report/entityName", self.entity_name.as_ref());
        let entity_version =
            validator.parse_id("/report/entityVersion", self.entity_version.as_ref());
        let columns = validator.check_report_columns(self.columns.as_ref());
        let end_date = (self.end_date.as_deref())
            .and_then(|text| validator.parse_enum("/report/endDate", Some(text)));
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        Some(DataExtractionReport {
            entity_name: entity_name?,
            entity_version: entity_version?,
            columns: columns?,
            end_date,
            date_range: date_range?,
        })
    }
}

impl RawApiReport for RawDataExtractionReport {
    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns::listed(self.columns.as_ref().map(RawReportColumns::names))
    }
}

impl ApiReport for DataExtractionReport {
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
        Some(SplitBounds {
            default: SignedDuration::from_hours(24),
            longest: SignedDuration::from_hours(14 * 24),
        })
    }
}
