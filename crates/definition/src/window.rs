//! The half-open span of time that a run covers.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// More than 31 days, and more than the hours by which clocks may be set back in them.
    #[error("the window is longer than 31 days")]
    TooLong,
    /// Before the year 2000 or after the year 2100.
    #[error("the window is outside of the years 2000 to 2100")]
    OutOfRange,
}

/// The half-open span `[start, end)` in UTC, in whole seconds, at most 31 days (and three hours, for a month in
/// which clocks are set back), in the years 2000 to 2100.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wire {
    start: String,
    end: String,
}

impl Window {
    /// No window is longer: a month of 31 days, in which clocks may be set back by up to three hours. So one that
    /// overlaps another begins at most so long before it.
    pub const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24 + 3);

    /// No window begins earlier.
    pub const EARLIEST: Timestamp = Timestamp::constant(EARLIEST, 0);

    /// How a time is written in [`Window::key`].
    pub const KEY_TIME: &str = "%Y%m%dT%H%M%SZ";

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
        if end.duration_since(start) > Self::LONGEST {
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

    /// Whether the other window lies within this one; a window lies within itself.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two have a moment in common. Windows that only touch have none.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
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
            self.start.strftime(Self::KEY_TIME),
            self.end.strftime(Self::KEY_TIME)
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
    civil(Window::KEY_TIME, text)
}

fn civil(format: &str, text: &str) -> Result<Timestamp, WindowError> {
    let time = DateTime::strptime(format, text).map_err(|_| WindowError::Format)?;
    TimeZone::UTC
        .to_timestamp(time)
        .map_err(|_| WindowError::Format)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(start: i64, seconds: i64) -> Result<Window, WindowError> {
        Window::new(
            Timestamp::from_second(start).unwrap(),
            Timestamp::from_second(start + seconds).unwrap(),
        )
    }

    #[test]
    fn bounds_are_held() {
        let day = 86_400;
        let longest = 31 * day + 3 * 3_600;
        assert!(window(EARLIEST, longest).is_ok());
        assert!(window(LATEST - day, day).is_ok());
        assert_eq!(window(EARLIEST, longest + 1), Err(WindowError::TooLong));
        assert_eq!(window(EARLIEST, 0), Err(WindowError::Order));
        assert_eq!(window(EARLIEST - 1, day), Err(WindowError::OutOfRange));
        assert_eq!(window(LATEST - day + 1, day), Err(WindowError::OutOfRange));
        let fraction = Timestamp::new(EARLIEST, 1).unwrap();
        assert_eq!(
            Window::new(fraction, Timestamp::from_second(LATEST).unwrap()),
            Err(WindowError::Fraction)
        );
    }

    #[test]
    fn json_is_strict() {
        let json = r#"{"start":"2026-11-21T00:00:00Z","end":"2026-11-22T00:00:00Z"}"#;
        let window: Window = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&window).unwrap(), json);
        for bad in [
            "2026-11-21T00:00:00+00:00",
            "2026-11-21 00:00:00Z",
            "2026-11-21T00:00:00z",
            "2026-11-21T00:00:00.0Z",
            "2026-11-21",
            "2026-1-21T00:00:00Z",
        ] {
            assert!(
                serde_json::from_str::<Window>(&json.replace("2026-11-21T00:00:00Z", bad)).is_err(),
                "{bad}"
            );
        }
        assert!(
            serde_json::from_str::<Window>(&json.replace("\"end\"", "\"x\":1,\"end\"")).is_err()
        );
    }

    #[test]
    fn halves_of_a_day_are_noon_to_noon() {
        let (morning, evening) = "20261121T000000Z-20261122T000000Z"
            .parse::<Window>()
            .unwrap()
            .halves()
            .unwrap();
        assert_eq!(morning.key(), "20261121T000000Z-20261121T120000Z");
        assert_eq!(evening.key(), "20261121T120000Z-20261122T000000Z");
    }

    #[test]
    fn windows_that_touch_do_not_overlap() {
        let first: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
        let (morning, evening) = first.halves().unwrap();
        let next: Window = "20261122T000000Z-20261123T000000Z".parse().unwrap();
        assert!(first.contains(&first) && first.contains(&morning) && first.contains(&evening));
        assert!(!morning.contains(&first) && !first.contains(&next));
        assert!(first.overlaps(&morning) && morning.overlaps(&first) && first.overlaps(&first));
        assert!(!first.overlaps(&next) && !next.overlaps(&first) && !morning.overlaps(&evening));
    }

    proptest! {
        #[test]
        fn halves_touch_and_make_the_whole_and_keys_come_back(start in EARLIEST..LATEST - 2_678_400, seconds in 1..2_678_400_i64) {
            let whole = window(start, seconds).unwrap();
            prop_assert_eq!(whole.key().parse::<Window>(), Ok(whole));
            match whole.halves() {
                None => prop_assert_eq!(seconds, 1),
                Some((first, second)) => {
                    prop_assert_eq!((first.start(), first.end(), second.end()), (whole.start(), second.start(), whole.end()));
                    prop_assert!(first.start() < first.end() && second.start() < second.end());
                    let aligned = first.end().as_second() % 60 == 0;
                    prop_assert!(aligned || seconds < 120);
                }
            }
        }
    }
}
