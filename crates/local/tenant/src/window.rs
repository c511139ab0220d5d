//! The window of a report.

use jiff::{SignedDuration, Timestamp};

const SECONDS_A_DAY: u64 = 86_400;

/// A half-open span of time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first moment inside.
    pub start: Timestamp,
    /// The first moment after.
    pub end: Timestamp,
}

impl Window {
    /// Its length in whole seconds, 0 when it is upside down.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.end.as_second() - self.start.as_second()).unwrap_or(0)
    }

    /// How many seconds ago it ended, 0 before its end.
    pub(crate) fn age_at(&self, now: Timestamp) -> u64 {
        u64::try_from(now.as_second() - self.end.as_second()).unwrap_or(0)
    }

    /// How many rows it holds when a full day holds `rows_per_day`.
    #[must_use]
    pub fn rows(&self, rows_per_day: u64) -> u64 {
        let rows =
            u128::from(rows_per_day) * u128::from(self.seconds()) / u128::from(SECONDS_A_DAY);
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    /// The part of the window whose data is there at `now`, if data comes `minutes` late.
    pub(crate) fn settled_at(self, now: Timestamp, minutes: u64) -> Self {
        let late = SignedDuration::from_secs(minutes.cast_signed() * 60);
        let until = now.checked_sub(late).unwrap_or(Timestamp::MIN);
        Self {
            start: self.start,
            end: self.end.min(until).max(self.start),
        }
    }
}
