//! What a field holds at most, for the checker and, as far as JSON Schema can say it, for the schema.

use jiff::SignedDuration;
use serde_json::{Value, json};

/// The longest name of a column, in bytes, as for a file's header.
pub(crate) const LONGEST_NAME: usize = 256;
/// The longest `settledAfter`: as long as an execution waits for a window to become final.
pub(crate) const LONGEST_SETTLING: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest `expectedBy`: whoever waits longer than a week has stopped waiting.
pub(crate) const LONGEST_EXPECTATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The schema of one name of a column, or of one label. It counts characters, of which each has a byte at least.
pub(crate) fn name_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_NAME })
}

/// The schema of ISO 8601 durations that are longer than this, of those that say it in their first unit. Whatever follows
/// that makes them longer still.
pub(crate) fn longer_than(longest: SignedDuration) -> Value {
    let hour = 60;
    let units = [
        ("", 7 * 24 * hour, "Ww"),
        ("", 24 * hour, "Dd"),
        ("[Tt]", hour, "Hh"),
        ("[Tt]", 1, "Mm"),
    ];
    let pattern = units.map(|(time, minutes, letter)| {
        let most = longest.as_mins() / minutes;
        format!("^P{time}0*({})[{letter}]", pattern_of_more_than(most))
    });
    json!({ "type": "string", "pattern": pattern.join("|") })
}

/// A pattern of the whole numbers that are greater than this one, without zeros before them.
fn pattern_of_more_than(most: i64) -> String {
    let digits = most.to_string();
    let longer = format!("[1-9][0-9]{{{},}}", digits.len());
    let as_long = digits
        .bytes()
        .enumerate()
        .filter(|(_, digit)| *digit < b'9');
    let as_long = as_long.map(|(at, digit)| {
        let (before, next) = (&digits[..at], char::from(digit + 1));
        format!("{before}[{next}-9][0-9]{{{}}}", digits.len() - at - 1)
    });
    let patterns: Vec<String> = as_long.chain([longer]).collect();
    patterns.join("|")
}
