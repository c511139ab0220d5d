//! `schedule`: when a report is run.

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
