//! What a field holds at most, as far as JSON Schema can say it.

use jiff::SignedDuration;
use serde_json::{Value, json};

/// The schema of one name of a column, or of one label.
pub(crate) fn name_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 256 })
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
