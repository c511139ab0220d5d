//! From text to a raw definition, collecting every misfit instead of stopping at the first.

use serde_json::Value;
use serde_path_to_error::{Error, Path, Segment};

use crate::api::Api;
use crate::finding::Finding;
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::raw::{RawDefinition, find_api};
use crate::text::quote;

/// The largest definition, in bytes: it travels in every event and every execution's input.
const MAX_BYTES: usize = 32 * 1024;
/// No more misfits than this are collected; a text with more of them is something else altogether.
const MAX_MISFITS: usize = 64;

/// A raw definition, what could not be read of it, and the pointers of that.
pub(crate) struct Reading {
    pub(crate) raw: RawDefinition,
    pub(crate) findings: Vec<Finding>,
    pub(crate) spoiled: Vec<String>,
}

/// Reads a text; returns the findings alone if so little can be read that nothing is left to check.
pub(crate) fn parse_text(json: &[u8]) -> Result<Reading, Vec<Finding>> {
    let value = parse_object(json).map_err(|finding| vec![finding])?;
    let doubled = find_doubled_field(find_api(&value), json);
    parse_value(value, doubled.into_iter().collect())
}

/// Reads a definition that is JSON already, and adds to the findings what can't be read of it.
pub(crate) fn parse_value(
    mut value: Value,
    mut findings: Vec<Finding>,
) -> Result<Reading, Vec<Finding>> {
    let api = find_api(&value);
    let mut spoiled = Vec::new();
    loop {
        let error = match RawDefinition::read(api, &value) {
            Ok(raw) => {
                return Ok(Reading {
                    raw,
                    findings,
                    spoiled,
                });
            }
            Err(error) => error,
        };
        let (at, finding) = describe_misfit(&error, &value);
        findings.push(finding);
        if !remove_value(&mut value, &at) || findings.len() > MAX_MISFITS {
            return Err(findings);
        }
        spoiled.push(at);
    }
}

fn parse_object(json: &[u8]) -> Result<Value, Finding> {
    if json.len() > MAX_BYTES {
        let message = format!(
            "the definition has {} bytes, more than {MAX_BYTES}",
            json.len()
        );
        let hint = "a definition is part of every event; shorten its lists";
        return Err(Finding::new(FindingCode::TooLarge, "", message, hint));
    }
    let not_json = |message: String| Finding::new(FindingCode::NotJson, "", message, "");
    let value: Value =
        serde_json::from_slice(json).map_err(|e| not_json(format!("not JSON: {e}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(not_json("not a JSON object".to_owned()))
    }
}

/// A field that is there twice: a parsed value would silently keep the last one.
fn find_doubled_field(api: Api, json: &[u8]) -> Option<Finding> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let error = RawDefinition::read(api, &mut deserializer).err()?;
    let message = error.inner().to_string();
    let field = message
        .strip_prefix("duplicate field `")?
        .split('`')
        .next()?
        .to_owned();
    let at = format!("{}/{field}", parent_pointer(error.path(), &field));
    Some(Finding::new(
        FindingCode::Duplicate,
        at,
        format!("the field {field:?} occurs twice"),
        "",
    ))
}

/// Describes what did not fit, and gives the pointer of what to take out so that the rest can be read.
fn describe_misfit(error: &Error<serde_json::Error>, value: &Value) -> (String, Finding) {
    let message = error.inner().to_string();
    let at = format_pointer(error.path());
    if let Some(misfit) = describe_unknown_field(&message, &at, value) {
        return misfit;
    }
    // An entry of the wrong kind takes its list along, so that the other entries keep their numbers.
    let spoiled = match at.rsplit_once('/') {
        Some((list, index)) if index.bytes().all(|b| b.is_ascii_digit()) && !index.is_empty() => {
            list.to_owned()
        }
        _ => at.clone(),
    };
    let found = value.pointer(&at).unwrap_or(&Value::Null);
    let message = format!(
        "expected {}, found {}",
        name_expected(&message),
        name_found(found)
    );
    let finding = Finding::new(FindingCode::WrongValue, at, message, "");
    (spoiled, finding)
}

/// What the deserialiser expected, in an author's words.
fn name_expected(message: &str) -> &str {
    let (_, expected) = message.rsplit_once(", expected ").unwrap_or(("", message));
    match expected {
        "a string" => "a text",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "i64" => "a whole number",
        // The deserialiser also takes a list of an object's values, if it is as long.
        "fewer elements in array" => "an object",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    }
}

fn name_found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", quote(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The same for a field with an unknown name; `None` for any other misfit.
fn describe_unknown_field(message: &str, at: &str, value: &Value) -> Option<(String, Finding)> {
    let (_, expected) = message.split_once("unknown field `")?;
    let (_, expected) = expected.rsplit_once("`, expected ")?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let find_unknown = |pointer: &str| {
        let fields = value.pointer(pointer)?.as_object()?;
        fields.keys().find(|key| !known.contains(&key.as_str()))
    };
    // The path ends in the unknown field or above it; which of them is up to the deserialiser.
    let above = || at.rsplit_once('/').map_or("", |(above, _)| above);
    let (parent, key) = match find_unknown(at) {
        Some(key) => (at, key),
        None => (above(), find_unknown(above())?),
    };
    let at = format!("{parent}/{}", escape(key));
    let message = format!("unknown field {}", quote(key));
    let hint = suggest(key, known.iter().copied());
    let finding = Finding::new(FindingCode::UnknownField, at.clone(), message, hint);
    Some((at, finding))
}

fn remove_value(value: &mut Value, at: &str) -> bool {
    let Some((parent, last)) = at.rsplit_once('/') else {
        return false;
    };
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).is_some(),
        _ => false,
    }
}

fn format_pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn parent_pointer(path: &Path, field: &str) -> String {
    let full = format_pointer(path);
    full.strip_suffix(&format!("/{field}"))
        .map_or_else(|| full.clone(), str::to_owned)
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
