//! Dates in requests: midnight of a day, or a moment.

use jiff::{Timestamp, tz::TimeZone};

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
