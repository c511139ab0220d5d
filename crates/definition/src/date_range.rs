//! The `dateRange` of a report, which every API has.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::enums::{Recurrence, RelativeRange};
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::text::quote;
use crate::validator::Validator;
use crate::window::{Window, WindowError, parse_utc};

const AT: &str = "/report/dateRange";

/// The time that a report covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum DateRange {
    /// Relative to the scheduled time.
    Relative { value: RelativeRange },
    /// The same window every time: only for a schedule that runs once.
    Absolute(Window),
}

/// A `dateRange` as the author wrote it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDateRange {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    value: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

/// The time that a report covers: `relative` for a schedule that recurs, `absolute` for one that runs once.
#[derive(JsonSchema)]
#[schemars(
    rename = "DateRange",
    tag = "type",
    rename_all = "lowercase",
    deny_unknown_fields
)]
#[expect(dead_code, reason = "describes `RawDateRange` to people; never made")]
pub(crate) enum DateRangeSchema {
    /// Whole hours, a day, a week or a month before the scheduled time.
    Relative {
        /// Which span before the scheduled time.
        value: RelativeRange,
    },
    /// A fixed window, for a schedule of type `once`.
    Absolute {
        /// The first second in UTC, such as `2026-11-21T00:00:00Z`.
        start: String,
        /// The first second that is left out, such as `2026-11-22T00:00:00Z`: at most 31 days after the start.
        end: String,
    },
}

impl Validator<'_> {
    /// Checks the range by itself and, where the schedule's recurrence is known, against it.
    pub(crate) fn check_date_range(
        &mut self,
        raw: Option<&RawDateRange>,
        recurrence: Option<Recurrence>,
    ) -> Option<DateRange> {
        let raw = self.require(AT, raw)?;
        let kind = self.require("/report/dateRange/type", raw.kind.as_ref())?;
        match kind.as_str() {
            "relative" => {
                self.refuse_fields("relative", &[("start", &raw.start), ("end", &raw.end)]);
                let value = self.parse_enum("/report/dateRange/value", raw.value.as_deref())?;
                self.compare_with_schedule(value, recurrence);
                Some(DateRange::Relative { value })
            }
            "absolute" => {
                self.refuse_fields("absolute", &[("value", &raw.value)]);
                self.refuse_recurring(recurrence);
                self.parse_window(raw).map(DateRange::Absolute)
            }
            other => {
                let message = format!("unknown value {}", quote(other));
                let hint = suggest(other, ["relative", "absolute"].into_iter());
                self.report_finding(
                    FindingCode::WrongValue,
                    "/report/dateRange/type",
                    message,
                    hint,
                );
                None
            }
        }
    }

    /// Reports fields that belong to the other type of range.
    fn refuse_fields(&mut self, kind: &str, fields: &[(&str, &Option<String>)]) {
        for (field, _) in fields.iter().filter(|(_, value)| value.is_some()) {
            let message = format!("a range of type {kind:?} has no field {field:?}");
            let at = format!("{AT}/{field}");
            self.report_finding(FindingCode::UnknownField, at, message, "");
        }
    }

    /// Reports a schedule whose own windows would repeat or overlap, and warns of one that leaves gaps.
    fn compare_with_schedule(&mut self, value: RelativeRange, recurrence: Option<Recurrence>) {
        let at = "/report/dateRange/value";
        let Some(recurrence) = recurrence else { return };
        let schedule = recurrence.with_article();
        if value == RelativeRange::PreviousHours && recurrence != Recurrence::Hourly {
            let message =
                format!("{value} on {schedule} schedule, which does not say how many hours");
            let hint = "use \"type\": \"hourly\" and \"everyHours\"";
            self.report_finding(FindingCode::EveryHoursInvalid, at, message, hint);
            return;
        }
        let Some(fitting) = recurrence.fitting_range() else {
            return;
        };
        if value == fitting {
            return;
        }
        let rank = |range| RelativeRange::ALL.iter().position(|other| *other == range);
        let repeats = rank(value) > rank(fitting);
        let (code, what) = if repeats && !self.is_stored() {
            let what = "the same window would be asked for again and again";
            (FindingCode::WindowsRepeat, what)
        } else {
            (FindingCode::RangeNotSchedule, "windows leave gaps")
        };
        let message = format!("{value} on {schedule} schedule: {what}");
        let hint = format!("{schedule} schedule goes with \"{fitting}\"");
        self.report_finding(code, at, message, hint);
    }

    /// Reports an absolute range on a schedule that runs more than once.
    fn refuse_recurring(&mut self, recurrence: Option<Recurrence>) {
        let Some(recurrence) = recurrence.filter(|r| *r != Recurrence::Once) else {
            return;
        };
        let message = format!(
            "an absolute range on {} schedule: every run would return the same window",
            recurrence.with_article()
        );
        let hint = "use a relative range such as {\"type\":\"relative\",\"value\":\"previousDay\"}; \
                    for another window, replay it";
        self.report_finding(FindingCode::AbsoluteOnRecurring, AT, message, hint);
    }

    fn parse_window(&mut self, raw: &RawDateRange) -> Option<Window> {
        let start = self.parse_utc("/report/dateRange/start", raw.start.as_ref());
        let end = self.parse_utc("/report/dateRange/end", raw.end.as_ref());
        let (start, end) = (start?, end?);
        let window = Window::new(start, end);
        if let Err(error) = window {
            let code = match error {
                WindowError::TooLong => FindingCode::WindowTooLong,
                WindowError::OutOfRange => FindingCode::WindowOutOfRange,
                _ => FindingCode::StartNotBeforeEnd,
            };
            self.report_finding(code, AT, error.to_string(), "");
        }
        window.ok()
    }

    fn parse_utc(&mut self, at: &str, text: Option<&String>) -> Option<Timestamp> {
        let text = self.require(at, text)?;
        let time = parse_utc(text);
        if let Err(error) = time {
            let hint = "such as \"2026-11-21T00:00:00Z\"";
            self.report_finding(FindingCode::NotIsoUtc, at, error.to_string(), hint);
        }
        time.ok()
    }
}
