//! Dates in requests: midnight of a day, or a moment.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::rows::Window;

/// A window whose two ends are read alike.
pub(super) fn window(
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

/// `2026-01-14`, or a moment with its zone.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if text.len() == 10 {
        let midnight: jiff::civil::Date = text.parse().ok()?;
        return Some(midnight.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    text.parse().ok()
}

/// A moment in UTC that says so with the letter `Z`.
pub(super) fn literal(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|_| text.ends_with('Z'))
}

/// What a clock on the wall shows so many minutes ahead of UTC; a zone that is written behind it means nothing.
pub(super) fn on_the_wall(text: &str, offset: i64) -> Option<Timestamp> {
    let text = text.trim_end_matches('Z');
    let shown: DateTime = text.parse().ok()?;
    let utc = shown.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Timestamp::from_second(utc.as_second() - offset * 60).ok()
}
