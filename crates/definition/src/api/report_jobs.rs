//! Published: a job that runs a report's template and leaves a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{
    ApiReport, Capabilities, Columns, RawApiReport, RunKind, SplitBounds, TotalLabels,
};
use super::report_columns::{RawReportColumns, ReportColumns};
use crate::bounds::name_schema;
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::{Recurrence, SourceRange};
use crate::finding_code::FindingCode;
use crate::ids::ReportId;
use crate::text_enum::text_enum;
use crate::validator::Validator;

/// The last version in which a report job took dates.
const LAST_WITH_DATES: u16 = 13;
const RANGE: &str = "/report/range";

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    run: RunKind::Polled,
    spacing: None,
    keeps: None,
    has_delivery_formats: false,
    names_every_column: false,
    has_total_rows: true,
    has_messages: true,
    documented_columns: None,
    default_key: |_| None,
};

text_enum!(
    /// Whose range the file of a report job covers.
    RangeOf {
        /// The range of the report's template, whatever `dateRange` says.
        Template = "template",
        /// The dates that are sent with the job. Only versions 10 to 13 take them.
        Dates = "dates",
    }
);

/// A report's template that a job runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportJobsReport {
    /// The template, by its number at CXone.
    pub report_id: ReportId,
    /// The API's version, 10 to 99.
    pub api_version: u16,
    /// Whose range the file is about.
    pub range: RangeOf,
    /// The columns that the file must have; empty where they are not known beforehand.
    #[serde(skip_serializing_if = "ReportColumns::is_empty")]
    pub columns: ReportColumns,
    /// What the first cells of a total row at the end say; empty for the usual words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub total_labels: Vec<String>,
    /// The time of the window, which the file covers too if `range` is `dates`.
    pub date_range: DateRange,
}

/// A custom report that somebody has built in CXone: a job that runs the report's template and leaves a file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ReportJobsReport")]
pub(crate) struct RawReportJobsReport {
    /// The id of the report: 1 to 19 digits. `GET reports` of the API lists them.
    #[schemars(required, regex(pattern = r"^\d{1,19}$"))]
    report_id: Option<String>,
    /// The version of the API: the `N` of `/inContactAPI/services/vN.0`, from 10 to 99. The newest that is known is
    /// 34. From version 14 on a job takes no dates.
    #[schemars(required, range(min = 10, max = 99))]
    api_version: Option<i64>,
    /// Whose range the file covers. From version 14 on only `template` is possible: give the template in CXone the
    /// same range as `dateRange`, and mind that it is in the time zone of the business unit.
    #[schemars(required, with = "RangeOf")]
    range: Option<String>,
    /// The columns that the file must have, spelt as in its header. A file without one of them is refused. Required
    /// if rows are stored as CSV, which has them in this order.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    columns: Option<RawReportColumns>,
    /// What the first cell of a total row at the end of the file says, such as `["Summe"]`. A total row is left out.
    /// Without this field these are `Total`, `Totals`, `Grand Total` and the like. If there is
    /// `pipeline.totalLabels`, it counts instead.
    #[serde(default)]
    #[schemars(length(min = 1), extend("items" = name_schema(), "uniqueItems" = true))]
    total_labels: Option<Vec<String>>,
    /// The time that the report covers. With `"range": "template"` it only names the window: the template decides
    /// what is in the file.
    #[schemars(required, with = "DateRangeSchema")]
    date_range: Option<RawDateRange>,
}

impl RawReportJobsReport {
    pub(super) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<ReportJobsReport> {
        let report_id = validator.parse_id("/report/reportId", self.report_id.as_ref());
        let api_version = validator.parse_api_version(self.api_version);
        let range = parse_range(validator, self.range.as_deref(), api_version);
        let columns = validator.check_report_columns(self.columns.as_ref());
        let total_labels =
            validator.check_names("/report/totalLabels", "label", self.total_labels.as_deref());
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        Some(ReportJobsReport {
            report_id: report_id?,
            api_version: api_version?,
            range: range?,
            columns: columns?,
            total_labels,
            date_range: date_range?,
        })
    }
}

/// Parses whose range the file is about. The author has to say it, because the API no longer takes dates.
fn parse_range(
    validator: &mut Validator<'_>,
    word: Option<&str>,
    api_version: Option<u16>,
) -> Option<RangeOf> {
    let takes_dates = api_version.is_some_and(|version| version <= LAST_WITH_DATES);
    if word.is_none() && api_version.is_some() && !takes_dates && !validator.is_spoiled(RANGE) {
        refuse_dates(validator, "\"range\" is missing".to_owned());
        return None;
    }
    let range = validator.parse_enum(RANGE, word)?;
    if let (RangeOf::Dates, Some(version), false) = (range, api_version, takes_dates) {
        refuse_dates(validator, format!("version {version} takes no dates"));
    }
    Some(range)
}

fn refuse_dates(validator: &mut Validator<'_>, message: String) {
    let hint = "from version 14 on a report job takes no dates: the range of the report's template is the window, \
                whatever dateRange says. Write \"range\": \"template\", give the template the same range as \
                dateRange, and mind that it is in the business unit's time zone";
    validator.report_finding(FindingCode::TemplateRange, RANGE, message, hint);
}

impl RawApiReport for RawReportJobsReport {
    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns::listed(self.columns.as_ref().map(RawReportColumns::names))
    }
}

impl ApiReport for ReportJobsReport {
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
        match self.total_labels.as_slice() {
            [] => TotalLabels::Usual,
            labels => TotalLabels::Named(labels),
        }
    }

    fn time_zone(&self) -> String {
        "business-unit".to_owned()
    }

    fn source_range(&self) -> SourceRange {
        match self.range {
            RangeOf::Template => SourceRange::Template,
            RangeOf::Dates => SourceRange::Requested,
        }
    }

    fn split_bounds(&self) -> Option<SplitBounds> {
        (self.range == RangeOf::Dates).then_some(SplitBounds::THIRTY_DAYS)
    }
}
