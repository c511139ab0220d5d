//! Reads times and windows as people type them.

use definition::Window;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

use crate::error::CommandError;

/// `START/END`, each a time or a day (its midnight in UTC), or one day.
pub(crate) fn parse_window(text: &str) -> Result<Window, CommandError> {
    let wrong = |reason: String| CommandError::Window {
        text: text.to_owned(),
        reason,
    };
    let (start, end) = match text.split_once('/') {
        Some((start, end)) => (parse_time_or_day(start), parse_time_or_day(end)),
        None => (parse_day(text), parse_day(text).and_then(next_day)),
    };
    match (start, end) {
        (Some(start), Some(end)) => {
            Window::new(start, end).map_err(|error| wrong(error.to_string()))
        }
        _ => Err(wrong("not two times in UTC".to_owned())),
    }
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
    parse_day(text).or_else(|| {
        let time: Timestamp = text.ends_with('Z').then(|| text.parse().ok())??;
        (time.subsec_nanosecond() == 0).then_some(time)
    })
}

fn parse_day(text: &str) -> Option<Timestamp> {
    // Only this form: jiff would also read the date out of a longer text.
    if text.len() != "2026-06-01".len() {
        return None;
    }
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn next_day(start: Timestamp) -> Option<Timestamp> {
    start.checked_add(24.hours()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_times_two_days_or_one() {
        let june_first = "2026-06-01T00:00:00Z/2026-06-02T00:00:00Z";
        for text in [june_first, "2026-06-01/2026-06-02", "2026-06-01"] {
            assert_eq!(
                parse_window(text).unwrap().to_string(),
                june_first,
                "{text}"
            );
        }
        let hour = "2026-06-01T01:00:00Z/2026-06-01T02:00:00Z";
        assert_eq!(parse_window(hour).unwrap().to_string(), hour);
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
            let error = parse_window(text).unwrap_err();
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
