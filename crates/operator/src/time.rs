//! Reads times and windows as people type them.

use definition::{Window, WindowZone};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::error::CommandError;

/// `START/END`, each a time or a day, or one day. Days are those of the report's `windowZone`.
pub(crate) fn parse_window(text: &str, zone: &WindowZone) -> Result<Window, CommandError> {
    zone.read_window(text)
        .map_err(|error| CommandError::Window {
            text: text.to_owned(),
            reason: error.to_string(),
        })
}

/// A time, or a day (its midnight in UTC).
pub(crate) fn parse_time(option: &'static str, text: &str) -> Result<Timestamp, CommandError> {
    parse_time_or_day(text).ok_or_else(|| CommandError::Time {
        option,
        text: text.to_owned(),
    })
}

/// A time, a day, or how long ago: `90m`, `12h`, `7d`, `P2W`.
pub(crate) fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let ago = || {
        let span: Span = text.parse().ok()?;
        let then = now.to_zoned(TimeZone::UTC).checked_sub(span.abs()).ok()?;
        Some(then.timestamp())
    };
    match parse_time_or_day(text).or_else(ago) {
        Some(time) => Ok(time),
        None => parse_time("--since", text),
    }
}

fn parse_time_or_day(text: &str) -> Option<Timestamp> {
    WindowZone::utc().read_time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_times_two_days_or_one() {
        let june_first = "2026-06-01T00:00:00Z/2026-06-02T00:00:00Z";
        for text in [june_first, "2026-06-01/2026-06-02", "2026-06-01"] {
            assert_eq!(
                parse_window(text, &WindowZone::utc()).unwrap().to_string(),
                june_first,
                "{text}"
            );
        }
        let hour = "2026-06-01T01:00:00Z/2026-06-01T02:00:00Z";
        let read = parse_window(hour, &WindowZone::utc());
        assert_eq!(read.unwrap().to_string(), hour);
    }

    #[test]
    fn a_window_that_is_none_says_why() {
        for (text, reason) in [
            ("", "not two times"),
            ("yesterday", "not two times"),
            ("2026-06-01T00:00:00Z", "not two times"),
            ("2026-06-01T00:00:00+02:00/2026-06-02", "not two times"),
            ("2026-06-01T00:00:00.5Z/2026-06-02", "not two times"),
            ("2026-06-02/2026-06-01", "not before its end"),
            ("2026-06-01/2026-08-01", "longer than 31 days"),
        ] {
            let error = parse_window(text, &WindowZone::utc()).unwrap_err();
            assert_eq!(error.code(), "CXO003");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        let now: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-06-01", "2026-06-01T00:00:00Z"),
            ("2026-06-01T05:30:00Z", "2026-06-01T05:30:00Z"),
            ("12h", "2026-06-10T00:00:00Z"),
            ("7d", "2026-06-03T12:00:00Z"),
            ("P1W", "2026-06-03T12:00:00Z"),
            ("90m", "2026-06-10T10:30:00Z"),
        ] {
            assert_eq!(
                parse_since(text, now).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        assert_eq!(parse_since("a while", now).unwrap_err().code(), "CXO004");
    }
}
