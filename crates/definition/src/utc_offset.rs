//! A fixed distance from UTC, as an API user's time zone has it when daylight saving is ignored.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// A fixed distance from UTC in whole minutes, `+hh:mm` or `-hh:mm`, from -12:00 to +14:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcOffset {
    minutes: i16,
}

/// The text is not such a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an offset from UTC as +hh:mm or -hh:mm, from -12:00 to +14:00")]
pub struct UtcOffsetError;

impl UtcOffset {
    /// What a clock with this distance from UTC shows.
    #[must_use]
    pub fn civil(self, time: Timestamp) -> DateTime {
        // At most 14 hours, which always fits.
        let offset = Offset::from_seconds(i32::from(self.minutes) * 60).unwrap_or(Offset::UTC);
        offset.to_datetime(time)
    }
}

impl FromStr for UtcOffset {
    type Err = UtcOffsetError;

    fn from_str(text: &str) -> Result<Self, UtcOffsetError> {
        let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = text.as_bytes() else {
            return Err(UtcOffsetError);
        };
        let number = |tens: u8, ones: u8| {
            let both = tens.is_ascii_digit() && ones.is_ascii_digit();
            both.then(|| i16::from(tens - b'0') * 10 + i16::from(ones - b'0'))
        };
        let (Some(hours), Some(minutes @ 0..60)) = (number(h1, h2), number(m1, m2)) else {
            return Err(UtcOffsetError);
        };
        let distance = hours * 60 + minutes;
        let minutes = if sign == b'-' { -distance } else { distance };
        // "-00:00" means "unknown" in RFC 3339.
        if !(-12 * 60..=14 * 60).contains(&minutes) || text == "-00:00" {
            return Err(UtcOffsetError);
        }
        Ok(Self { minutes })
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = UtcOffsetError;

    fn try_from(text: String) -> Result<Self, UtcOffsetError> {
        text.parse()
    }
}

impl From<UtcOffset> for String {
    fn from(offset: UtcOffset) -> Self {
        offset.to_string()
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let distance = self.minutes.abs();
        write!(f, "{sign}{:02}:{:02}", distance / 60, distance % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offsets_that_there_are_are_taken_and_they_come_back() {
        for good in ["+00:00", "-07:00", "+05:45", "+14:00", "-12:00"] {
            assert_eq!(good.parse::<UtcOffset>().unwrap().to_string(), good);
        }
        for bad in [
            "", "Z", "-7:00", "0700", "-0700", "+14:01", "-12:01", "+05:60", "-00:00", "+0a:00",
            "−07:00",
        ] {
            assert!(bad.parse::<UtcOffset>().is_err(), "{bad:?}");
        }
        let offset: UtcOffset = "-07:30".parse().unwrap();
        let midnight = "2026-11-21T00:00:00Z".parse().unwrap();
        assert_eq!(offset.civil(midnight).to_string(), "2026-11-20T16:30:00");
    }
}
