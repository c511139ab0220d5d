//! The `report` block of the guide's API.

use super::Walk;
use crate::finding::shown;
use crate::parse::hint_among;
use crate::raw::{AnalyticsDraft, FilterDraft};
use crate::{AnalyticsReport, Catalogue, Filter, FindingCode, ReportType, Schedule};

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

    fn known(self, catalogue: &Catalogue, report_type: ReportType) -> Vec<&str> {
        match self {
            Self::Metric => catalogue.metrics(report_type).collect(),
            Self::Dimension => catalogue.dimensions(report_type).collect(),
        }
    }
}

impl Walk<'_> {
    pub(super) fn analytics(
        &mut self,
        draft: &AnalyticsDraft,
        schedule: Option<&Schedule>,
    ) -> Option<AnalyticsReport> {
        let report_type = self.word("/report/type", draft.report_type.as_deref());
        let metrics = self.columns(
            "/report/metrics",
            draft.metrics.as_ref(),
            Side::Metric,
            report_type,
        );
        let dimensions = self.columns(
            "/report/dimensions",
            draft.dimensions.as_ref(),
            Side::Dimension,
            report_type,
        );
        self.in_both(metrics.unwrap_or_default(), dimensions.unwrap_or_default());
        let filters = self.filters(draft.filters.as_deref().unwrap_or_default(), report_type);
        let date_range = self.date_range(draft.date_range.as_ref(), schedule);
        let grouping = draft.grouping.as_deref().unwrap_or_default();
        self.grouping(grouping, dimensions);
        Some(AnalyticsReport {
            report_type: report_type?,
            metrics: metrics?.to_vec(),
            dimensions: dimensions?.to_vec(),
            filters: filters?,
            date_range: date_range?,
            grouping: grouping.to_vec(),
        })
    }

    fn columns<'d>(
        &mut self,
        at: &str,
        list: Option<&'d Vec<String>>,
        side: Side,
        report_type: Option<ReportType>,
    ) -> Option<&'d [String]> {
        let list = self.required(at, list)?;
        self.not_empty(at, list);
        self.duplicates(at, list);
        for (i, name) in list.iter().enumerate() {
            self.known(&format!("{at}/{i}"), name, side, report_type);
        }
        Some(list)
    }

    /// Whether the catalogue has the name for this type of report, and if not, who has.
    fn known(&mut self, at: &str, name: &str, side: Side, report_type: Option<ReportType>) {
        let (Some(catalogue), Some(report_type)) = (self.catalogue, report_type) else {
            return;
        };
        let known = side.known(catalogue, report_type);
        if known.contains(&name) {
            return;
        }
        let elsewhere: Vec<&str> = ReportType::ALL
            .iter()
            .filter(|other| side.known(catalogue, **other).contains(&name))
            .map(|other| other.as_str())
            .collect();
        let message = format!(
            "{:?} is not a {} of {report_type} reports",
            shown(name),
            side.word()
        );
        let hint = if elsewhere.is_empty() {
            hint_among(name, known.into_iter())
        } else {
            format!(
                "{} reports have it; {report_type} reports have {}",
                elsewhere.join(", "),
                known.join(", ")
            )
        };
        self.say(side.code(), at, message, hint);
    }

    fn in_both(&mut self, metrics: &[String], dimensions: &[String]) {
        for (i, name) in dimensions
            .iter()
            .enumerate()
            .filter(|(_, name)| metrics.contains(name))
        {
            let message = format!("{:?} is a metric as well", shown(name));
            self.say(
                FindingCode::Duplicate,
                format!("/report/dimensions/{i}"),
                message,
                "a row has each column once",
            );
        }
    }

    fn filters(
        &mut self,
        drafts: &[FilterDraft],
        report_type: Option<ReportType>,
    ) -> Option<Vec<Filter>> {
        // Every filter is looked at before the first bad one ends the list.
        let filters: Vec<_> = drafts
            .iter()
            .enumerate()
            .map(|(i, draft)| self.filter(i, draft, report_type))
            .collect();
        filters.into_iter().collect()
    }

    fn filter(
        &mut self,
        i: usize,
        draft: &FilterDraft,
        report_type: Option<ReportType>,
    ) -> Option<Filter> {
        let at = format!("/report/filters/{i}");
        let dimension = self.required(&format!("{at}/dimension"), draft.dimension.as_ref());
        if let Some(dimension) = dimension {
            self.known(
                &format!("{at}/dimension"),
                dimension,
                Side::Dimension,
                report_type,
            );
        }
        let values = self.required(&format!("{at}/values"), draft.values.as_ref());
        if let Some(values) = values {
            self.not_empty(&format!("{at}/values"), values);
            self.duplicates(&format!("{at}/values"), values);
        }
        let operator = self.word(&format!("{at}/operator"), draft.operator.as_deref());
        Some(Filter {
            dimension: dimension?.clone(),
            values: values?.clone(),
            operator: operator?,
        })
    }

    fn grouping(&mut self, grouping: &[String], dimensions: Option<&[String]>) {
        self.duplicates("/report/grouping", grouping);
        let Some(dimensions) = dimensions else { return };
        for (i, name) in grouping
            .iter()
            .enumerate()
            .filter(|(_, name)| !dimensions.contains(name))
        {
            let message = format!("{:?} is not among the dimensions", shown(name));
            let hint = hint_among(name, dimensions.iter().map(String::as_str));
            self.say(
                FindingCode::GroupingNotDimension,
                format!("/report/grouping/{i}"),
                message,
                hint,
            );
        }
    }
}
