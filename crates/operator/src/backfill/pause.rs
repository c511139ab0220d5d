//! The hours in which a backfill begins no window.

use std::fmt;

use clap::Args;
use definition::{Definition, Recurrence, TimeOfDay};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::CommandError;

/// So long before the report's own run no window is begun, so that those that run have ended by then.
const BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// And so long after it none.
const AFTER: SignedDuration = SignedDuration::from_mins(90);

/// No backfill is reckoned over more days than this: Step Functions ends an execution after a year.
const DAYS_MAX: usize = 366;

#[derive(Debug, Args)]
pub(crate) struct PauseArg {
    /// Begin no window between two times of the day in UTC, such as 05:00-07:00, so that the daily runs are not held up. Without it:
    /// from half an hour before the report's own run to 90 minutes after it, but not for an hourly report. never: at any time.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    not_between: Option<String>,
}

/// Two times of the day in UTC. Where they are the same, there is no pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    from: String,
    to: String,
}

impl PauseArg {
    pub(crate) fn read(&self, definition: &Definition) -> Result<Pause, CommandError> {
        let Some(text) = self.not_between.as_deref() else {
            return Ok(Pause::around_run(definition));
        };
        if text == "never" {
            return Ok(Pause::never());
        }
        let times = text.split_once('-').and_then(|(from, to)| {
            let (from, to): (TimeOfDay, TimeOfDay) = (from.parse().ok()?, to.parse().ok()?);
            (from != to).then(|| Pause {
                from: from.to_string(),
                to: to.to_string(),
            })
        });
        times.ok_or_else(|| CommandError::Backfill {
            problem: format!(
                "--not-between {text:?} is not two times of the day; write 05:00-07:00 (UTC), or never"
            ),
        })
    }
}

impl Pause {
    fn never() -> Self {
        let midnight = || "00:00".to_owned();
        Self {
            from: midnight(),
            to: midnight(),
        }
    }

    pub(super) fn around_run(definition: &Definition) -> Self {
        let schedule = &definition.schedule;
        if matches!(schedule.recurrence, Recurrence::Hourly | Recurrence::Once) {
            return Self::never();
        }
        let run = schedule.time.first_at_or_after(Timestamp::UNIX_EPOCH);
        let text = |time: Timestamp| time.strftime("%H:%M").to_string();
        Self {
            from: text(run - BEFORE),
            to: text(run + AFTER),
        }
    }

    /// When the pause is over that a time lies in, if it lies in one.
    pub(crate) fn end_at(&self, time: Timestamp) -> Option<Timestamp> {
        let (begins, ends) = self.next_after(time)?;
        // The moment at which it begins is within it, and the one at which it ends is not.
        let is_within = begins == time || (ends < begins && ends != time);
        is_within.then_some(ends)
    }

    /// When so much work is done that begins at a time and rests in the pauses.
    pub(crate) fn finish(&self, begin: Timestamp, work: SignedDuration) -> Timestamp {
        let (mut at, mut left) = (begin, work);
        for _ in 0..DAYS_MAX {
            at = self.end_at(at).unwrap_or(at);
            let Some((begins, _)) = self.next_after(at) else {
                break;
            };
            let until_pause = begins.duration_since(at);
            if left <= until_pause {
                break;
            }
            (at, left) = (begins, left - until_pause);
        }
        at.saturating_add(left).unwrap_or(Timestamp::MAX)
    }

    /// How much of the time between two moments lies in no pause.
    pub(crate) fn working_time(&self, begin: Timestamp, end: Timestamp) -> SignedDuration {
        let (mut at, mut worked) = (begin, SignedDuration::ZERO);
        for _ in 0..DAYS_MAX {
            at = self.end_at(at).unwrap_or(at);
            let next = self.next_after(at).map(|(begins, _)| begins);
            let until = next.map_or(end, |begins| begins.min(end));
            if until <= at {
                break;
            }
            worked += until.duration_since(at);
            at = until;
        }
        worked
    }

    /// When the next pause begins, and when the next one ends; nothing where there is none.
    fn next_after(&self, time: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (from, to): (TimeOfDay, TimeOfDay) = (self.from.parse().ok()?, self.to.parse().ok()?);
        let next = |of_day: TimeOfDay| of_day.first_at_or_after(time);
        (from != to).then(|| (next(from), next(to)))
    }

    /// In words; `None` where there is no pause.
    pub(crate) fn describe(&self) -> Option<String> {
        (self.from != self.to).then(|| self.to_string())
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} UTC", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(from: &str, to: &str) -> Pause {
        Pause {
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-06-{time}:00Z").parse().unwrap()
    }

    #[test]
    fn a_moment_lies_in_a_pause_from_its_beginning_to_before_its_end() {
        for (from, to, time, end) in [
            ("05:00", "07:00", "10T04:59", None),
            ("05:00", "07:00", "10T05:00", Some("10T07:00")),
            ("05:00", "07:00", "10T06:59", Some("10T07:00")),
            ("05:00", "07:00", "10T07:00", None),
            ("23:30", "01:30", "10T23:30", Some("11T01:30")),
            ("23:30", "01:30", "10T00:10", Some("10T01:30")),
            ("23:30", "01:30", "10T12:00", None),
            ("00:00", "00:00", "10T00:00", None),
        ] {
            let found = pause(from, to).end_at(at(time));
            assert_eq!(found, end.map(at), "{from}-{to} {time}");
        }
    }

    #[test]
    fn work_rests_in_the_pauses() {
        let daily = pause("05:00", "07:00");
        let hours = SignedDuration::from_hours;
        for (begin, work, end) in [
            ("10T01:00", 4, "10T05:00"),
            ("10T04:00", 2, "10T08:00"),
            ("10T06:00", 1, "10T08:00"),
            ("10T08:00", 21, "11T05:00"),
            ("10T08:00", 22, "11T08:00"),
            ("10T04:00", 24, "11T08:00"),
        ] {
            let (begin, end) = (at(begin), at(end));
            assert_eq!(daily.finish(begin, hours(work)), end, "{begin} {work}");
            assert_eq!(
                daily.working_time(begin, end),
                hours(work),
                "{begin} {work}"
            );
        }
        let never = Pause::never();
        assert_eq!(never.finish(at("10T04:00"), hours(30)), at("11T10:00"));
        assert_eq!(
            never.working_time(at("10T04:00"), at("11T10:00")),
            hours(30)
        );
        assert_eq!(daily.working_time(at("10T05:30"), at("10T06:30")), hours(0));
    }
}
