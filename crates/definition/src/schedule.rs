//! `schedule`: when a report is run.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use crate::enums::Recurrence;
use crate::time_of_day::TimeOfDay;

/// When CXone runs a report by itself; the time zone is always UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    #[serde(rename = "type")]
    pub recurrence: Recurrence,
    /// How many hours a window has: of an hourly schedule, and of no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<EveryHours>,
    /// At what time of the day, in UTC; of an hourly schedule the first of the day.
    pub time: TimeOfDay,
    pub timezone: Utc,
}

impl Schedule {
    /// The hours of the day (UTC) at which the report is run on a day that it is run.
    pub fn hours(&self) -> impl Iterator<Item = u8> {
        (self.time.hour()..24).step_by(usize::from(self.step()))
    }

    /// The times at which the report is run, from one time to another, in order: of a week on its Monday, of a
    /// month on its first day. None for a report that runs once.
    #[must_use]
    pub fn times(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut times = Vec::new();
        let mut day = Some(from.to_zoned(TimeZone::UTC).date());
        while let Some(date) = day {
            let Ok(midnight) = TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight()))
            else {
                break;
            };
            if midnight > to {
                break;
            }
            if self.runs_on(date) {
                let at = |hour| midnight.checked_add(self.since_midnight(hour)).ok();
                let of_day = self.hours().filter_map(at);
                times.extend(of_day.filter(|time| *time >= from && *time <= to));
            }
            day = date.tomorrow().ok();
        }
        times
    }

    fn runs_on(&self, date: Date) -> bool {
        match self.recurrence {
            Recurrence::Once => false,
            Recurrence::Hourly | Recurrence::Daily => true,
            Recurrence::Weekly => date.weekday() == Weekday::Monday,
            Recurrence::Monthly => date.day() == 1,
        }
    }

    fn since_midnight(&self, hour: u8) -> jiff::Span {
        i64::from(hour)
            .hours()
            .minutes(i64::from(self.time.minute()))
    }

    /// After how many hours it is the same time of the schedule again: of an hourly one its own number, of any other a day.
    pub(crate) fn step(&self) -> u8 {
        self.every_hours.map_or(24, EveryHours::get)
    }
}

/// The only time zone in which relative ranges and the stored data agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Utc {
    #[serde(rename = "UTC")]
    Utc,
}

/// How many hours a window of an hourly report has: a number that divides a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EveryHours(u8);

impl EveryHours {
    /// The numbers that there are.
    pub const ALL: [u8; 7] = [1, 2, 3, 4, 6, 8, 12];

    pub(crate) fn new(hours: i64) -> Option<Self> {
        let hours = u8::try_from(hours).ok()?;
        Self::ALL.contains(&hours).then_some(Self(hours))
    }

    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
