//! The `dateRange` of a report, which all APIs have in common.

use super::Walk;
use crate::finding::shown;
use crate::parse::hint_among;
use crate::raw::DateRangeDraft;
use crate::window::parse_utc;
use crate::{DateRange, FindingCode, Recurrence, RelativeRange, Schedule};
use crate::{Window, WindowError};

impl Walk<'_> {
    pub(super) fn date_range(
        &mut self,
        draft: Option<&DateRangeDraft>,
        schedule: Option<&Schedule>,
    ) -> Option<DateRange> {
        let at = "/report/dateRange";
        let draft = self.required(at, draft)?;
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
