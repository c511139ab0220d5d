//! Times as Step Functions writes them.

use jiff::Timestamp;

/// RFC 3339 in UTC with milliseconds and `Z`.
pub(crate) fn to_rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Drops what is below a millisecond, as Step Functions does.
pub(crate) fn to_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// Drops what is below a second, as the Timestamp of a Wait does.
pub(crate) fn to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// An RFC 3339 time with `T`, and `Z` or an offset.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let separated = text.as_bytes().get(10) == Some(&b'T');
    let lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    if separated && !lower {
        text.parse().ok().map(to_millisecond)
    } else {
        None
    }
}

/// `seconds` after `time`, at most the largest timestamp.
pub(crate) fn add_seconds(time: Timestamp, seconds: f64) -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a saturating cast is meant"
    )]
    let millis = (seconds * 1_000.0).round() as i64;
    time.checked_add(jiff::SignedDuration::from_millis(millis))
        .unwrap_or(Timestamp::MAX)
}
