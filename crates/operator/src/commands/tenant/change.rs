//! What differs between a tenant's secret as it is and as it is to be. Of a secret field only that it differs.

use std::fmt;

use definition::tenant::{Field, FieldValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::output::one_line;

/// A field that is added, removed or changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Change {
    pub(super) field: &'static str,
    pub(super) what: What,
    /// The value before and the one after, where they may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    Added,
    Removed,
    Changed,
}

/// The fields that differ, in the order of the fields; those that are removed come last.
pub(super) fn compare_fields(before: &[Field], after: &[Field]) -> Vec<Change> {
    let removed = before
        .iter()
        .filter(|field| find(after, field.name).is_none());
    after
        .iter()
        .chain(removed)
        .filter_map(|field| {
            compare(
                field.name,
                find(before, field.name),
                find(after, field.name),
            )
        })
        .collect()
}

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a FieldValue> {
    let found = fields.iter().find(|field| field.name == name);
    found.map(|field| &field.value)
}

fn compare(
    field: &'static str,
    before: Option<&FieldValue>,
    after: Option<&FieldValue>,
) -> Option<Change> {
    let what = match (before, after) {
        (Some(before), Some(after)) if before == after => return None,
        (Some(_), Some(_)) => What::Changed,
        (Some(_), None) => What::Removed,
        (None, _) => What::Added,
    };
    Some(Change {
        field,
        what,
        before: before.and_then(FieldValue::plain).cloned(),
        after: after.and_then(FieldValue::plain).cloned(),
    })
}

/// A text as it is, a list with commas.
pub(super) fn render(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(listed) if listed.is_empty() => "none".to_owned(),
        Value::Array(listed) => {
            let texts: Vec<String> = listed.iter().map(render).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    };
    one_line(&text)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.what {
            What::Added => "added",
            What::Removed => "removed",
            What::Changed => "changed",
        };
        write!(f, "{:<17}  {word}", self.field)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, ": {} -> {}", render(before), render(after)),
            (Some(value), None) | (None, Some(value)) => write!(f, ": {}", render(value)),
            (None, None) => Ok(()),
        }
    }
}
