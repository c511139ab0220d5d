//! What small answers say, in whatever shape: an id may be a text or a number, by itself or within an object.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, from_slice, from_str};

/// The id in an answer: by one of these names, the first first, or the answer itself. An answer may be within the only object of
/// another one that has such a name. `None` where there is none, or more than one.
pub(super) fn find_id(answer: &[u8], names: &[&str]) -> Option<String> {
    let answer: &RawValue = from_slice(answer).ok()?;
    if let Some(id) = id_text(answer) {
        return Some(id);
    }
    if let Some(id) = named_id(answer, names) {
        return Some(id);
    }
    let fields: BTreeMap<String, &RawValue> = from_str(answer.get()).ok()?;
    let mut within = fields.values().filter_map(|field| named_id(field, names));
    within.next().filter(|_| within.next().is_none())
}

fn named_id(object: &RawValue, names: &[&str]) -> Option<String> {
    let fields: BTreeMap<String, &RawValue> = from_str(object.get()).ok()?;
    let mut found = names.iter().filter_map(|name| fields.get(*name));
    found.find_map(|id| id_text(id))
}

/// A text, or a whole number with the very digits that were sent, however many they are.
fn id_text(value: &RawValue) -> Option<String> {
    let raw = value.get();
    let text = match from_str(raw).ok()? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) if raw.bytes().all(|byte| byte.is_ascii_digit()) => raw.to_owned(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A text in an answer. A whole number counts as a text, and an empty text as missing.
pub(super) fn read_text(object: &Value, name: &str) -> Option<String> {
    match &object[name] {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        // A number that is too large for an integer was rounded when it was read.
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// The word of a state and what the API says beside it.
pub(super) fn join_said(word: &str, message: &str) -> String {
    format!("{word} {message}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::find_id;

    #[test]
    fn an_id_is_found_in_any_shape_and_keeps_its_digits() {
        let names = ["runId", "id"];
        for (answer, id) in [
            (r#"{"runId":"r-1","id":"x"}"#, Some("r-1")),
            (r#"{"runId":17}"#, Some("17")),
            (
                r#"{"id":18446744073709551617}"#,
                Some("18446744073709551617"),
            ),
            (r#""r-1""#, Some("r-1")),
            (" 18446744073709551617\n", Some("18446744073709551617")),
            (r#"{"run":{"id":" r-1 "},"state":"queued"}"#, Some("r-1")),
            (r#"{"run":{"id":"r-1"},"schedule":{"id":"s-1"}}"#, None),
            (r#"{"runId":null}"#, None),
            (r#"{"runId":""}"#, None),
            (r#"{"runId":1.5}"#, None),
            (r#"{"runId":{"a":1}}"#, None),
            ("{}", None),
            ("null", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(
                find_id(answer.as_bytes(), &names).as_deref(),
                id,
                "{answer}"
            );
        }
    }
}
