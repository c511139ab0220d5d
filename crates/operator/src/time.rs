//! Reads times as people type them.

use std::time::Duration;

use definition::WindowZone;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

use crate::error::CommandError;

/// A time, or a day (its midnight in UTC).
pub(crate) fn parse_time(option: &'static str, text: &str) -> Result<Timestamp, CommandError> {
    parse_time_or_day(text).ok_or_else(|| CommandError::Time {
        option,
        text: text.to_owned(),
        problem: "not a time",
    })
}

/// A time, a day, or how long ago: `90m`, `12h`, `7d`, `P2W`. Since a time that is yet to come, nothing would be wrong.
pub(crate) fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let ago = || {
        let span: Span = text.parse().ok()?;
        let then = now.to_zoned(TimeZone::UTC).checked_sub(span.abs()).ok()?;
        Some(then.timestamp())
    };
    match parse_time_or_day(text).or_else(ago) {
        Some(time) if time <= now => Ok(time),
        Some(_) => Err(CommandError::Time {
            option: "--since",
            text: text.to_owned(),
            problem: "in the future",
        }),
        None => parse_time("--since", text),
    }
}

/// How long something may take: `90s`, `45m`, `2h`, `1d`.
pub(crate) fn parse_span(option: &'static str, text: &str) -> Result<Duration, CommandError> {
    let span: Option<Span> = text.parse().ok();
    let span = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let span = span.and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| CommandError::Time {
        option,
        text: text.to_owned(),
        problem: "not a span of time",
    })
}

fn parse_time_or_day(text: &str) -> Option<Timestamp> {
    WindowZone::utc().read_time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (text, problem) in [
            ("a while", "is not a time"),
            ("2026-06-10T12:00:01Z", "is in the future"),
        ] {
            let error = parse_since(text, now).unwrap_err();
            assert_eq!(error.code(), "CXO004", "{text}");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
