//! From text to draft, collecting every misfit instead of stopping at the first.

use serde_json::Value;

use super::{Api, Finding, FindingCode};
use crate::raw::{Draft, api_of};

/// The largest definition, in bytes: it travels in every event and every execution's input.
const MAX_BYTES: usize = 32 * 1024;
/// No more misfits than this are collected; a text with more of them is something else altogether.
const MAX_MISFITS: usize = 64;

/// A draft, what did not fit into it, and the pointers about which enough was said.
pub(super) struct Reading {
    pub(super) draft: Draft,
    pub(super) findings: Vec<Finding>,
    pub(super) spoiled: Vec<String>,
}

/// Reads a text; gives the findings alone where there is nothing to go on with.
pub(super) fn read(json: &[u8]) -> Result<Reading, Vec<Finding>> {
    if json.len() > MAX_BYTES {
        let message = format!(
            "the definition has {} bytes, more than {MAX_BYTES}",
            json.len()
        );
        return Err(vec![Finding::new(
            FindingCode::TooLarge,
            "",
            message,
            "it travels in every event",
        )]);
    }
    let whole = |message: String| vec![Finding::new(FindingCode::NotJson, "", message, "")];
    let mut value: Value =
        serde_json::from_slice(json).map_err(|e| whole(format!("not JSON: {e}")))?;
    if !value.is_object() {
        return Err(whole("not a JSON object".to_owned()));
    }

    let api = api_of(&value);
    let mut findings = doubled_field(api, json).into_iter().collect::<Vec<_>>();
    let mut spoiled = Vec::new();
    loop {
        let error = match Draft::read(api, &value) {
            Ok(draft) => {
                return Ok(Reading {
                    draft,
                    findings,
                    spoiled,
                });
            }
            Err(error) => error,
        };
        let (at, finding) = misfit(&error, &value);
        findings.push(finding);
        if !remove(&mut value, &at) || findings.len() > MAX_MISFITS {
            return Err(findings);
        }
        spoiled.push(at);
    }
}

/// A field that is there twice: a parsed value would silently keep the last one.
fn doubled_field(api: Api, json: &[u8]) -> Option<Finding> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let error = Draft::read(api, &mut deserializer).err()?;
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
        format!("the field {field:?} is there twice"),
        "",
    ))
}

/// What did not fit, and the pointer of what has to go so that the rest can be read.
fn misfit(
    error: &serde_path_to_error::Error<serde_json::Error>,
    value: &Value,
) -> (String, Finding) {
    let message = error.inner().to_string();
    if let Some((_, expected)) = message
        .split_once("unknown field `")
        .and_then(|(_, m)| m.rsplit_once("`, expected "))
    {
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let full = pointer(error.path());
        // Whether the path ends in the unknown key or above it is up to the deserialiser.
        let parent = match value.pointer(&full) {
            Some(Value::Object(fields))
                if fields.keys().any(|key| !known.contains(&key.as_str())) =>
            {
                full
            }
            _ => full
                .rsplit_once('/')
                .map_or(String::new(), |(parent, _)| parent.to_owned()),
        };
        let unknown = value
            .pointer(&parent)
            .and_then(Value::as_object)
            .and_then(|fields| {
                fields
                    .keys()
                    .find(|key| !known.contains(&key.as_str()))
                    .cloned()
            });
        if let Some(key) = unknown {
            let at = format!("{parent}/{}", escape(&key));
            let hint = hint_among(&key, known.iter().copied());
            let message = format!("unknown field {:?}", crate::finding::shown(&key));
            return (
                at.clone(),
                Finding::new(FindingCode::UnknownField, at, message, hint),
            );
        }
    }
    let at = pointer(error.path());
    // An entry of the wrong kind takes its list along, so that the other entries keep their numbers.
    let spoiled = match at.rsplit_once('/') {
        Some((list, index)) if index.bytes().all(|b| b.is_ascii_digit()) && !index.is_empty() => {
            list.to_owned()
        }
        _ => at.clone(),
    };
    (
        spoiled,
        Finding::new(
            FindingCode::WrongValue,
            at,
            crate::finding::shown(&message),
            "",
        ),
    )
}

fn remove(value: &mut Value, at: &str) -> bool {
    let Some((parent, last)) = at.rsplit_once('/') else {
        return false;
    };
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).is_some(),
        _ => false,
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn parent_pointer(path: &serde_path_to_error::Path, field: &str) -> String {
    let full = pointer(path);
    full.strip_suffix(&format!("/{field}"))
        .map_or_else(|| full.clone(), str::to_owned)
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// "did you mean …?" for a word that is close to a known one, or the known ones.
pub(super) fn hint_among<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let lower = word.to_lowercase();
    let near = known
        .iter()
        .filter(|_| word.len() <= 64)
        .map(|k| (strsim::osa_distance(&lower, &k.to_lowercase()), *k))
        .min()
        .filter(|(distance, k)| *distance <= (k.len() / 3).max(1));
    match near {
        Some((_, k)) => format!("did you mean {k:?}?"),
        None if known.is_empty() => String::new(),
        None => format!("one of {}", known.join(", ")),
    }
}
