//! ISO 8601 durations as authors write them, and as they are shown.

use jiff::{SignedDuration, Span, SpanRelativeTo};

pub(crate) const DAY: i64 = 24 * 60 * 60;
pub(crate) const HOUR: i64 = 60 * 60;

/// Reads a duration of whole minutes, at least one; `None` for anything else. A day has 24 hours.
pub(crate) fn parse_minutes(text: &str) -> Option<SignedDuration> {
    // jiff also reads "1 hour"; the contract is ISO 8601.
    if !text.starts_with('P') || text.len() > 32 {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let seconds = duration.as_secs();
    (duration.subsec_nanos() == 0 && seconds >= 60 && seconds % 60 == 0).then_some(duration)
}

/// The duration in words, such as `24 h 30 min`.
pub(crate) fn describe_duration(duration: SignedDuration) -> String {
    match (duration.as_hours(), duration.as_mins() % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The duration in its shortest form: `P7D`, `PT6H` or `PT45M`.
pub(crate) fn format_duration(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds if seconds % DAY == 0 => format!("P{}D", seconds / DAY),
        seconds if seconds % HOUR == 0 => format!("PT{}H", seconds / HOUR),
        seconds => format!("PT{}M", seconds / 60),
    }
}
