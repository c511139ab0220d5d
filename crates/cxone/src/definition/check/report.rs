//! The `report` block.

use super::Walk;
use crate::definition::draft::{DateRangeDraft, FilterDraft, ReportDraft};
use crate::definition::finding::shown;
use crate::definition::read::hint_among;
use crate::definition::{
    Catalogue, DateRange, Filter, FindingCode, Recurrence, RelativeRange, Report, ReportType,
    Schedule,
};
use crate::window::{Window, WindowError, parse_utc};

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
    pub(super) fn report(
        &mut self,
        draft: &ReportDraft,
        schedule: Option<&Schedule>,
    ) -> Option<Report> {
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
        let range = self.required("/report/dateRange", draft.date_range.as_ref());
        let date_range = range.and_then(|range| self.date_range(range, schedule));
        let grouping = draft.grouping.as_deref().unwrap_or_default();
        self.grouping(grouping, dimensions);
        Some(Report {
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

    fn date_range(
        &mut self,
        draft: &DateRangeDraft,
        schedule: Option<&Schedule>,
    ) -> Option<DateRange> {
        let at = "/report/dateRange";
        let kind = self.required("/report/dateRange/type", draft.kind.as_ref())?;
        match kind.as_str() {
            "relative" => {
                self.superfluous(
                    at,
                    "relative",
                    &[("start", &draft.start), ("end", &draft.end)],
                );
                let value = self.word("/report/dateRange/value", draft.value.as_deref())?;
                self.rhythm(value, schedule);
                Some(DateRange::Relative { value })
            }
            "absolute" => {
                self.superfluous(at, "absolute", &[("value", &draft.value)]);
                self.absolute_once(schedule);
                self.window(draft).map(DateRange::Absolute)
            }
            other => {
                let message = format!("unknown word {:?}", shown(other));
                let hint = hint_among(other, ["relative", "absolute"].into_iter());
                self.say(
                    FindingCode::WrongValue,
                    "/report/dateRange/type",
                    message,
                    hint,
                );
                None
            }
        }
    }

    fn superfluous(&mut self, at: &str, kind: &str, fields: &[(&str, &Option<String>)]) {
        for (field, _) in fields.iter().filter(|(_, value)| value.is_some()) {
            let message = format!("a range of type {kind:?} has no {field:?}");
            self.say(
                FindingCode::UnknownField,
                format!("{at}/{field}"),
                message,
                "",
            );
        }
    }

    /// Warns where the windows of a schedule would overlap or leave gaps.
    fn rhythm(&mut self, value: RelativeRange, schedule: Option<&Schedule>) {
        let Some(recurrence) = schedule.map(|s| s.recurrence) else {
            return;
        };
        let fits = match recurrence {
            Recurrence::Once => true,
            Recurrence::Daily => value == RelativeRange::PreviousDay,
            Recurrence::Weekly => value == RelativeRange::PreviousWeek,
            Recurrence::Monthly => value == RelativeRange::PreviousMonth,
        };
        if !fits {
            let message =
                format!("{value} on a {recurrence} schedule: windows overlap or leave gaps");
            self.say(
                FindingCode::RangeNotSchedule,
                "/report/dateRange/value",
                message,
                "",
            );
        }
    }

    fn absolute_once(&mut self, schedule: Option<&Schedule>) {
        let Some(recurrence) = schedule
            .map(|s| s.recurrence)
            .filter(|r| *r != Recurrence::Once)
        else {
            return;
        };
        let message = format!(
            "an absolute range on a {recurrence} schedule: every run would return the same window"
        );
        let hint = "use a relative range such as {\"type\":\"relative\",\"value\":\"previousDay\"}; \
                    for another window, replay it";
        self.say(
            FindingCode::AbsoluteOnRecurring,
            "/report/dateRange",
            message,
            hint,
        );
    }

    fn window(&mut self, draft: &DateRangeDraft) -> Option<Window> {
        let start = self.utc("/report/dateRange/start", draft.start.as_ref());
        let end = self.utc("/report/dateRange/end", draft.end.as_ref());
        let (start, end) = (start?, end?);
        let window = Window::new(start, end);
        if let Err(error) = window {
            let code = match error {
                WindowError::TooLong => FindingCode::WindowTooLong,
                WindowError::OutOfRange => FindingCode::WindowOutOfRange,
                _ => FindingCode::StartNotBeforeEnd,
            };
            self.say(code, "/report/dateRange", error.to_string(), "");
        }
        window.ok()
    }

    fn utc(&mut self, at: &str, text: Option<&String>) -> Option<jiff::Timestamp> {
        let text = self.required(at, text)?;
        let time = parse_utc(text);
        if let Err(error) = time {
            self.say(
                FindingCode::NotIsoUtc,
                at,
                error.to_string(),
                "such as \"2026-11-21T00:00:00Z\"",
            );
        }
        time.ok()
    }
}
