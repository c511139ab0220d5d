//! Dates in requests: a day, which means its midnight, or a time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::window::Window;

/// A window; `read` parses both ends.
pub(super) fn parse_window(
    start: &str,
    end: &str,
    read: impl Fn(&str) -> Option<Timestamp>,
) -> Result<Window, String> {
    let at = |name: &str, text: &str| {
        read(text).ok_or_else(|| format!("{name} is not a date that this API takes"))
    };
    let window = Window {
        start: at("startDate", start)?,
        end: at("endDate", end)?,
    };
    if window.start >= window.end {
        return Err("startDate is not before endDate".to_owned());
    }
    Ok(window)
}

/// `2026-01-14`, or a time with its zone.
pub(super) fn parse_instant(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        let midnight: jiff::civil::Date = text.parse().ok()?;
        return Some(midnight.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    text.parse().ok()
}

/// A time in UTC that ends in `Z`.
pub(super) fn parse_utc(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|_| text.ends_with('Z'))
}

/// A local time, `offset` minutes ahead of UTC; a `Z` at its end is ignored, as the API does.
pub(super) fn parse_local(text: &str, offset: i64) -> Option<Timestamp> {
    let text = text.trim_end_matches('Z');
    let shown: DateTime = text.parse().ok()?;
    let utc = shown.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Timestamp::from_second(utc.as_second() - offset * 60).ok()
}
