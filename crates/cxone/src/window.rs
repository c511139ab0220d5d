//! The half-open span of time that a run covers.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest window, as the API allows it.
pub(crate) const MAX_WINDOW: SignedDuration = SignedDuration::from_hours(31 * 24);
/// 2000-01-01T00:00:00Z
const EARLIEST: i64 = 946_684_800;
/// 2101-01-01T00:00:00Z, the first second that is too late for a start; an end may touch it.
const LATEST: i64 = 4_133_980_800;

/// Why two times make no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Not `YYYY-MM-DDThh:mm:ssZ`, or for a key not `YYYYMMDDThhmmssZ-YYYYMMDDThhmmssZ`.
    #[error("not an ISO 8601 time in UTC, in whole seconds, with a Z")]
    Format,
    /// A time has a fraction of a second.
    #[error("a window's times are whole seconds")]
    Fraction,
    /// The start is not before the end.
    #[error("the window's start is not before its end")]
    Order,
    /// More than 31 days.
    #[error("the window is longer than 31 days")]
    TooLong,
    /// Before the year 2000 or after the year 2100.
    #[error("the window is outside of the years 2000 to 2100")]
    OutOfRange,
}

/// The half-open span `[start, end)` in UTC, in whole seconds, at most 31 days, in the years 2000 to 2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    start: String,
    end: String,
}

impl Window {
    /// Makes a window of two times.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, WindowError> {
        if start.subsec_nanosecond() != 0 || end.subsec_nanosecond() != 0 {
            return Err(WindowError::Fraction);
        }
        if start.as_second() < EARLIEST || end.as_second() > LATEST {
            return Err(WindowError::OutOfRange);
        }
        if start >= end {
            return Err(WindowError::Order);
        }
        if end.duration_since(start) > MAX_WINDOW {
            return Err(WindowError::TooLong);
        }
        Ok(Self { start, end })
    }

    /// The first second of the window.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first second after the window.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }

    /// Two windows that touch and together are this one: cut at a full minute if there is one inside.
    /// `None` for a window of one second.
    #[must_use]
    pub fn halves(&self) -> Option<(Self, Self)> {
        let (start, end) = (self.start.as_second(), self.end.as_second());
        if end - start < 2 {
            return None;
        }
        let middle = start + (end - start) / 2;
        let minute = middle - middle.rem_euclid(60);
        let cut = [minute, minute + 60]
            .into_iter()
            .find(|m| (start + 1..end).contains(m))
            .unwrap_or(middle);
        let cut = Timestamp::from_second(cut).ok()?;
        Some((
            Self {
                start: self.start,
                end: cut,
            },
            Self {
                start: cut,
                end: self.end,
            },
        ))
    }

    /// The window as a part of an object key: `20261121T000000Z-20261122T000000Z`. [`FromStr`] reads it back.
    #[must_use]
    pub fn key(&self) -> String {
        format!(
            "{}-{}",
            self.start.strftime("%Y%m%dT%H%M%SZ"),
            self.end.strftime("%Y%m%dT%H%M%SZ")
        )
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.end)
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(key: &str) -> Result<Self, WindowError> {
        let (start, end) = key.split_once('-').ok_or(WindowError::Format)?;
        let window = Self::new(parse_key_time(start)?, parse_key_time(end)?)?;
        if window.key() == key {
            Ok(window)
        } else {
            Err(WindowError::Format)
        }
    }
}

impl TryFrom<Wire> for Window {
    type Error = WindowError;

    fn try_from(wire: Wire) -> Result<Self, WindowError> {
        Self::new(parse_utc(&wire.start)?, parse_utc(&wire.end)?)
    }
}

impl From<Window> for Wire {
    fn from(window: Window) -> Self {
        Self {
            start: window.start.to_string(),
            end: window.end.to_string(),
        }
    }
}

/// Reads `YYYY-MM-DDThh:mm:ssZ` and nothing else: no offset, no fraction, no lower case.
pub(crate) fn parse_utc(text: &str) -> Result<Timestamp, WindowError> {
    let time = civil("%Y-%m-%dT%H:%M:%SZ", text)?;
    // A leap second or a day that does not exist would come back as another text.
    if time.to_string() == text {
        Ok(time)
    } else {
        Err(WindowError::Format)
    }
}

fn parse_key_time(text: &str) -> Result<Timestamp, WindowError> {
    civil("%Y%m%dT%H%M%SZ", text)
}

fn civil(format: &str, text: &str) -> Result<Timestamp, WindowError> {
    let time = DateTime::strptime(format, text).map_err(|_| WindowError::Format)?;
    TimeZone::UTC
        .to_timestamp(time)
        .map_err(|_| WindowError::Format)
}
