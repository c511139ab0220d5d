//! A time of the day in UTC, to the minute.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Serialize, Serializer};

/// A time of the day in UTC, `hh:mm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// 05:00, when CXone has finalized the day before according to the guide.
    pub const FIVE: Self = Self { hour: 5, minute: 0 };

    pub(crate) const MIDNIGHT: Self = Self { hour: 0, minute: 0 };

    /// The first moment with this time of the day that is not before `from`.
    #[must_use]
    pub fn first_at_or_after(self, from: Timestamp) -> Timestamp {
        let from_time = from.to_zoned(TimeZone::UTC).datetime();
        let today = from_time.date().to_datetime(self.time());
        let next = if today < from_time {
            today.checked_add(1.day()).unwrap_or(today)
        } else {
            today
        };
        // Only the last day of the year 9999 has no next one.
        TimeZone::UTC.to_timestamp(next).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn hour(self) -> u8 {
        self.hour.unsigned_abs()
    }

    /// The minute within the hour.
    #[must_use]
    pub fn minute(self) -> u8 {
        self.minute.unsigned_abs()
    }

    pub(crate) fn seconds_since_midnight(self) -> i64 {
        (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60
    }

    fn time(self) -> Time {
        time(self.hour, self.minute, 0, 0)
    }
}

/// The text is not `hh:mm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day in the form hh:mm")]
pub struct TimeOfDayError;

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeOfDayError)?;
        let two_digits = |part: &str, below: i8| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse()
                .ok()
                .filter(|n| digits && *n < below)
                .ok_or(TimeOfDayError)
        };
        Ok(Self {
            hour: two_digits(hour, 24)?,
            minute: two_digits(minute, 60)?,
        })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
