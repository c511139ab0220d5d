//! The guide's API: metrics by dimensions, aggregated by CXone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface::{ApiReport, Capabilities, Columns, RawApiReport, RunKind};
use crate::catalogue::{Catalogue, ReportType};
use crate::date_range::{DateRange, DateRangeSchema, RawDateRange};
use crate::enums::Recurrence;
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::text::quote;
use crate::text_enum::{TextEnum, text_enum};
use crate::validator::Validator;

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    run: RunKind::Cancellable,
    spacing: None,
    keeps: None,
    has_delivery_formats: true,
    names_every_column: true,
    has_total_rows: true,
    has_messages: true,
    documented_columns: None,
    default_key: |columns| {
        let key = match columns.grouping {
            [] => columns.dimensions,
            grouping => grouping,
        };
        Some(key.to_vec())
    },
};

text_enum!(
    /// How a filter compares. The guide shows `in`; `notIn` is assumed.
    Operator {
        /// The dimension has one of the values.
        In = "in",
        /// The dimension has none of the values.
        NotIn = "notIn",
    }
);

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
    /// What a row has to be like to be counted.
    pub filters: Vec<Filter>,
    /// The time that the rows are about.
    pub date_range: DateRange,
    /// The dimensions that a row is aggregated by; empty for one row an interaction.
    pub grouping: Vec<String>,
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

/// Metrics by dimensions, computed by CXone over the rows that pass the filters. It is the API of the guide; ask
/// CXone whether your tenant has it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AnalyticsReport")]
pub(crate) struct RawAnalyticsReport {
    /// The type of the report. It decides which metrics and dimensions there are.
    #[serde(rename = "type")]
    #[schemars(required, with = "ReportType")]
    report_type: Option<String>,
    /// The numbers of a row, such as `["handleTime", "talkTime"]`: at least one of the metrics of the type.
    #[schemars(required, length(min = 1), extend("uniqueItems" = true))]
    metrics: Option<Vec<String>>,
    /// What the numbers are about, such as `["agentId", "queueId"]`: at least one of the dimensions of the type.
    #[schemars(required, length(min = 1), extend("uniqueItems" = true))]
    dimensions: Option<Vec<String>>,
    /// Conditions on the rows that count, such as `[{"dimension": "status", "values": ["busy"], "operator": "in"}]`.
    /// Without it, every row counts.
    #[serde(default)]
    filters: Option<Vec<RawFilter>>,
    /// The time that the report covers.
    #[schemars(required, with = "DateRangeSchema")]
    date_range: Option<RawDateRange>,
    /// Dimensions of the report that rows are summed up by, such as `["agentId"]`. Without it, each interaction is a
    /// row of its own.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    grouping: Option<Vec<String>>,
}

/// A condition on a dimension. A row counts if it meets all of them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Filter")]
pub(crate) struct RawFilter {
    /// A dimension of the type. It need not be among the dimensions of the report.
    #[schemars(required)]
    dimension: Option<String>,
    /// The values to compare with, such as `["available", "busy"]`: at least one.
    #[schemars(required, length(min = 1))]
    values: Option<Vec<String>>,
    /// How the dimension is compared with the values.
    #[schemars(required, with = "Operator")]
    operator: Option<String>,
}

impl RawAnalyticsReport {
    pub(super) fn validate(
        &self,
        validator: &mut Validator<'_>,
        recurrence: Option<Recurrence>,
    ) -> Option<AnalyticsReport> {
        let report_type = validator.parse_enum("/report/type", self.report_type.as_deref());
        let metrics = validator.check_columns(
            "/report/metrics",
            self.metrics.as_ref(),
            Side::Metric,
            report_type,
        );
        let dimensions = validator.check_columns(
            "/report/dimensions",
            self.dimensions.as_ref(),
            Side::Dimension,
            report_type,
        );
        validator.refuse_in_both(metrics.unwrap_or_default(), dimensions.unwrap_or_default());
        let filters = self.filters.as_deref().unwrap_or_default();
        let filters = validator.parse_filters(filters, report_type);
        let date_range = validator.check_date_range(self.date_range.as_ref(), recurrence);
        let grouping = self.grouping.as_deref().unwrap_or_default();
        validator.check_grouping(grouping, dimensions);
        Some(AnalyticsReport {
            report_type: report_type?,
            metrics: metrics?.to_vec(),
            dimensions: dimensions?.to_vec(),
            filters: filters?,
            date_range: date_range?,
            grouping: grouping.to_vec(),
        })
    }
}

impl RawApiReport for RawAnalyticsReport {
    fn report_type(&self) -> Option<ReportType> {
        self.report_type.as_deref().and_then(ReportType::parse_text)
    }

    fn date_range(&self) -> Option<&RawDateRange> {
        self.date_range.as_ref()
    }

    fn columns(&self) -> Columns<'_> {
        Columns {
            metrics: self.metrics.as_deref().unwrap_or_default(),
            dimensions: self.dimensions.as_deref().unwrap_or_default(),
            grouping: self.grouping.as_deref().unwrap_or_default(),
        }
    }
}

impl AnalyticsReport {
    pub(super) fn remove_columns(&mut self, names: &[String]) {
        self.metrics.retain(|name| !names.contains(name));
        self.dimensions.retain(|name| !names.contains(name));
    }
}

impl ApiReport for AnalyticsReport {
    fn date_range(&self) -> &DateRange {
        &self.date_range
    }

    fn columns(&self) -> Vec<&str> {
        let all = self.dimensions.iter().chain(&self.metrics);
        all.map(String::as_str).collect()
    }

    fn metrics(&self) -> &[String] {
        &self.metrics
    }

    fn is_aggregated(&self) -> bool {
        !self.grouping.is_empty()
    }
}

/// Which half of the catalogue a name belongs to.
#[derive(Clone, Copy)]
enum Side {
    Metric,
    Dimension,
}

impl Side {
    fn code(self) -> FindingCode {
        match self {
            Self::Metric => FindingCode::MetricInvalid,
            Self::Dimension => FindingCode::DimensionInvalid,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Dimension => "dimension",
        }
    }

    fn known_names(self, catalogue: &Catalogue, report_type: ReportType) -> Vec<&str> {
        match self {
            Self::Metric => catalogue.metrics(report_type).collect(),
            Self::Dimension => catalogue.dimensions(report_type).collect(),
        }
    }
}

impl Validator<'_> {
    fn check_columns<'d>(
        &mut self,
        at: &str,
        list: Option<&'d Vec<String>>,
        side: Side,
        report_type: Option<ReportType>,
    ) -> Option<&'d [String]> {
        let list = self.require(at, list)?;
        self.check_not_empty(at, list);
        self.check_duplicates(at, list);
        for (i, name) in list.iter().enumerate() {
            self.check_known(&format!("{at}/{i}"), name, side, report_type);
        }
        Some(list)
    }

    /// Whether the catalogue has the name for this type of report, and if not, who has.
    fn check_known(&mut self, at: &str, name: &str, side: Side, report_type: Option<ReportType>) {
        let (Some(catalogue), Some(report_type)) = (self.catalogue, report_type) else {
            return;
        };
        let known = side.known_names(catalogue, report_type);
        if known.contains(&name) || self.is_declared(side, name) {
            return;
        }
        let elsewhere: Vec<&str> = ReportType::ALL
            .iter()
            .filter(|other| side.known_names(catalogue, **other).contains(&name))
            .map(|other| other.as_str())
            .collect();
        let message = format!(
            "{} is not a {} of {report_type} reports",
            quote(name),
            side.word()
        );
        let hint = if elsewhere.is_empty() {
            suggest(name, known.into_iter())
        } else {
            format!(
                "{} reports have it; {report_type} reports have {}",
                elsewhere.join(", "),
                known.join(", ")
            )
        };
        self.report_finding(side.code(), at, message, hint);
    }

    fn is_declared(&self, side: Side, name: &str) -> bool {
        self.declared.is_some_and(|declared| match side {
            Side::Metric => declared.has_metric(name),
            Side::Dimension => declared.has_dimension(name),
        })
    }

    fn refuse_in_both(&mut self, metrics: &[String], dimensions: &[String]) {
        for (i, name) in dimensions
            .iter()
            .enumerate()
            .filter(|(_, name)| metrics.contains(name))
        {
            let message = format!("{} is among the metrics too", quote(name));
            self.report_finding(
                FindingCode::Duplicate,
                format!("/report/dimensions/{i}"),
                message,
                "a row has each column once",
            );
        }
    }

    fn parse_filters(
        &mut self,
        raw: &[RawFilter],
        report_type: Option<ReportType>,
    ) -> Option<Vec<Filter>> {
        // Every filter is looked at before the first bad one ends the list.
        let filters: Vec<_> = raw
            .iter()
            .enumerate()
            .map(|(i, raw)| self.parse_filter(i, raw, report_type))
            .collect();
        filters.into_iter().collect()
    }

    fn parse_filter(
        &mut self,
        i: usize,
        raw: &RawFilter,
        report_type: Option<ReportType>,
    ) -> Option<Filter> {
        let at = format!("/report/filters/{i}");
        let dimension = self.require(&format!("{at}/dimension"), raw.dimension.as_ref());
        if let Some(dimension) = dimension {
            self.check_known(
                &format!("{at}/dimension"),
                dimension,
                Side::Dimension,
                report_type,
            );
        }
        let values = self.require(&format!("{at}/values"), raw.values.as_ref());
        if let Some(values) = values {
            self.check_not_empty(&format!("{at}/values"), values);
            self.check_duplicates(&format!("{at}/values"), values);
        }
        let operator = self.parse_enum(&format!("{at}/operator"), raw.operator.as_deref());
        Some(Filter {
            dimension: dimension?.clone(),
            values: values?.clone(),
            operator: operator?,
        })
    }

    fn check_grouping(&mut self, grouping: &[String], dimensions: Option<&[String]>) {
        self.check_duplicates("/report/grouping", grouping);
        let Some(dimensions) = dimensions else { return };
        for (i, name) in grouping
            .iter()
            .enumerate()
            .filter(|(_, name)| !dimensions.contains(name))
        {
            let message = format!("{} is not among the dimensions", quote(name));
            let hint = suggest(name, dimensions.iter().map(String::as_str));
            self.report_finding(
                FindingCode::GroupingNotDimension,
                format!("/report/grouping/{i}"),
                message,
                hint,
            );
        }
    }
}
