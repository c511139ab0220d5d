//! `pipeline.settledAt`, `settledAfter`, `windowZone` and `restate`: which windows there are, and when.

use std::collections::BTreeSet;

use crate::api::{Api, Report};
use crate::bounds::LONGEST_SETTLING;
use crate::date_range::DateRange;
use crate::definition::Definition;
use crate::duration::{DAY, describe_duration, parse_minutes};
use crate::enums::Recurrence;
use crate::finding_code::FindingCode;
use crate::raw::RawPipeline;
use crate::restate::RestateDistance;
use crate::schedule::Schedule;
use crate::settling::Settling;
use crate::text::quote;
use crate::time_of_day::TimeOfDay;
use crate::validator::Validator;
use crate::window_zone::WindowZone;

use super::windows::has_template_range;

const AFTER: &str = "/pipeline/settledAfter";
const ZONE: &str = "/pipeline/windowZone";
const RESTATE: &str = "/pipeline/restate";
const MAX_RESTATEMENTS: usize = 5;
/// The shortest month has 28 days, so that a restatement after 27 is before the next one.
const MAX_DAYS_OF_MONTHLY: i64 = 27;

impl Validator<'_> {
    pub(super) fn check_settling(
        &mut self,
        raw: &RawPipeline,
        report: Option<&Report>,
        schedule: Option<&Schedule>,
    ) -> Option<Settling> {
        let is_hourly = schedule.is_some_and(|s| s.recurrence == Recurrence::Hourly);
        if let Some(text) = &raw.settled_after {
            if raw.settled_at.is_some() {
                let message = "\"settledAt\" says it already";
                let hint = "take one of the two out";
                self.report_finding(FindingCode::SettledAfterInvalid, AFTER, message, hint);
            }
            return self.parse_settled_after(text);
        }
        let time = match &raw.settled_at {
            None if is_hourly => {
                self.require_own_settling(report);
                return Some(Settling::HOURLY);
            }
            None => TimeOfDay::FIVE,
            text => self.parse_time("/pipeline/settledAt", text.as_ref())?,
        };
        if is_hourly {
            let message =
                "an hourly report is final so long after each window, not at a time of the day";
            let hint = "use \"settledAfter\", such as \"PT45M\"";
            let at = "/pipeline/settledAt";
            self.report_finding(FindingCode::SettledAfterInvalid, at, message, hint);
        }
        Some(Settling::SettledAt(time))
    }

    fn parse_settled_after(&mut self, text: &str) -> Option<Settling> {
        let delay = parse_minutes(text).filter(|delay| *delay <= LONGEST_SETTLING);
        if delay.is_none() {
            let hint = "ISO 8601, whole minutes up to 7 days, such as \"PT45M\"";
            self.refuse_duration(FindingCode::SettledAfterInvalid, AFTER, text, hint);
        }
        delay.map(Settling::SettledAfter)
    }

    /// The guide says of `analytics` only that days become final at night. Whether hours do, its author has to say.
    fn require_own_settling(&mut self, report: Option<&Report>) {
        if report.is_none_or(|report| report.dialect().api() != Api::Analytics) {
            return;
        }
        let message = "CXone documents for analytics that days become final at night, and nothing about hours";
        let hint = "if the data of your tenant is final earlier, say how long after a window, such as \"PT45M\"";
        self.report_finding(FindingCode::SettledAfterInvalid, AFTER, message, hint);
    }

    pub(super) fn check_window_zone(
        &mut self,
        raw: &RawPipeline,
        report: Option<&Report>,
        schedule: Option<&Schedule>,
    ) -> Option<WindowZone> {
        let Some(text) = &raw.window_zone else {
            return Some(WindowZone::utc());
        };
        let Ok(zone) = text.parse::<WindowZone>() else {
            let message = format!("{} is not a time zone", quote(text));
            let hint = "use a name of the IANA database, such as \"America/New_York\"";
            self.report_finding(FindingCode::WindowZoneInvalid, ZONE, message, hint);
            return None;
        };
        if zone.is_utc() {
            return Some(zone);
        }
        if report.is_some_and(has_template_range) {
            let message =
                "the window is the template's range, in the time zone of the business unit";
            self.refuse_for_api(ZONE, message, "take it out");
        }
        if let Some(schedule) = schedule {
            self.compare_with_zone(schedule, report, &zone);
        }
        if schedule.is_some_and(|s| s.recurrence == Recurrence::Hourly) {
            let message = "the windows of an hourly report are counted from 00:00 UTC";
            self.refuse_for_api(ZONE, message, "take it out");
        }
        Some(zone)
    }

    /// Reports a schedule whose time is another date in the zone when clocks change, and warns of one whose time is still
    /// the day before.
    fn compare_with_zone(
        &mut self,
        schedule: &Schedule,
        report: Option<&Report>,
        zone: &WindowZone,
    ) {
        let is_relative =
            report.is_some_and(|r| matches!(r.date_range(), DateRange::Relative { .. }));
        let recurs = !matches!(schedule.recurrence, Recurrence::Once | Recurrence::Hourly);
        if !is_relative || !recurs {
            return;
        }
        let shifts: BTreeSet<i64> = (zone.offsets().into_iter())
            .map(|offset| (schedule.time.seconds_since_midnight() + offset).div_euclid(DAY))
            .collect();
        let (at, time) = ("/schedule/time", schedule.time);
        if shifts.len() > 1 {
            let message = format!(
                "{time} UTC is another date in {zone} when clocks change: a day would be left out, and another one repeated"
            );
            let hint = "choose a time that is an hour or more away from midnight there, in summer and in winter";
            self.report_finding(FindingCode::ZoneShiftsDays, at, message, hint);
        } else if shifts.first().is_some_and(|shift| *shift < 0) {
            let message = format!(
                "{time} UTC is still the day before in {zone}, so that the window which has ended last is not meant"
            );
            let hint = "schedule it after midnight there";
            self.report_finding(FindingCode::ZoneIsBehind, at, message, hint);
        }
    }

    /// Warns of a schedule that fires before its windows are final, and of an API that has not been seen with times.
    pub(super) fn compare_with_windows(&mut self, definition: &Definition) {
        let pipeline = &definition.pipeline;
        let is_daily =
            pipeline.window_zone.is_utc() && definition.schedule.recurrence != Recurrence::Hourly;
        if !is_daily && definition.dialect().api() == Api::DataExtraction {
            let message = "data-extraction has been seen with whole days in UTC only, and is asked for times here";
            let hint = "compare one of your windows with what CXone shows";
            self.report_finding(FindingCode::TimesAssumed, "/pipeline/api", message, hint);
        }
        let says_when = matches!(pipeline.settling, Settling::SettledAfter(_));
        if !says_when && pipeline.window_zone.is_utc() {
            return;
        }
        let late = definition.longest_wait();
        if late.is_zero() {
            return;
        }
        let message = format!(
            "scheduled at {} UTC, {} before its window is final",
            definition.schedule.time,
            describe_duration(late)
        );
        let hint = "the pipeline waits until then; schedule it later, or say with pipeline.settledAfter how long after \
                    the end of a window its data is final";
        self.report_finding(FindingCode::BeforeSettled, "/schedule/time", message, hint);
    }

    pub(super) fn check_restate(
        &mut self,
        raw: &RawPipeline,
        report: Option<&Report>,
        schedule: Option<&Schedule>,
    ) -> Option<Vec<RestateDistance>> {
        let Some(list) = &raw.restate else {
            return Some(Vec::new());
        };
        if report.is_some_and(has_template_range) && !list.is_empty() {
            let message =
                "the window is the template's range, so that an older window can't be asked for";
            self.refuse_for_api(RESTATE, message, "take it out");
        }
        if list.len() > MAX_RESTATEMENTS {
            let message = format!("{} entries, more than {MAX_RESTATEMENTS}", list.len());
            self.report_finding(FindingCode::RestateInvalid, RESTATE, message, "");
        }
        let distances: Vec<_> = (list.iter().enumerate())
            .map(|(i, text)| self.parse_distance(&format!("{RESTATE}/{i}"), text, schedule))
            .collect();
        let distances: Vec<RestateDistance> = distances.into_iter().collect::<Option<_>>()?;
        if let Some(i) = (1..distances.len()).find(|i| distances[i - 1] >= distances[*i]) {
            let message = format!("{} is not longer than the entry before it", distances[i]);
            let at = format!("{RESTATE}/{i}");
            self.report_finding(FindingCode::RestateInvalid, at, message, "");
        }
        Some(distances)
    }

    fn parse_distance(
        &mut self,
        at: &str,
        text: &str,
        schedule: Option<&Schedule>,
    ) -> Option<RestateDistance> {
        let Ok(distance) = text.parse::<RestateDistance>() else {
            let hint = "ISO 8601, whole days up to 90, such as \"P1D\"";
            self.refuse_duration(FindingCode::RestateInvalid, at, text, hint);
            return None;
        };
        let Some(schedule) = schedule else {
            return Some(distance);
        };
        let step = i64::from(schedule.step());
        let days = distance.duration().as_hours() / 24;
        let problem = if distance.duration().as_hours() % step != 0 {
            Some(format!(
                "{distance} is not a multiple of the schedule's {step} hours"
            ))
        } else if schedule.recurrence == Recurrence::Monthly && days > MAX_DAYS_OF_MONTHLY {
            Some(format!(
                "{distance} may be later than the next month's run; at most P{MAX_DAYS_OF_MONTHLY}D"
            ))
        } else {
            None
        };
        if let Some(problem) = problem {
            self.report_finding(FindingCode::RestateInvalid, at, problem, "");
        }
        Some(distance)
    }
}
