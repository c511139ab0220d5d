//! What kind of value an answer has where. No value can be told from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::names::Names;

/// How deep an answer is looked into.
const DEEPEST: usize = 8;
/// How many fields of an object are named.
const MOST_FIELDS: usize = 200;

/// The kind of a value: as JSON `"whole-number"`, `"null|text"`, `["text"]` for a list of texts, or an object of kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// One kind, or several where the elements of a list differ.
    Plain(BTreeSet<Plain>),
    /// A list and the kind of its elements, if it has any.
    List(Option<Box<ValueKind>>),
    Object(BTreeMap<String, ValueKind>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plain {
    /// The answer has no body.
    NoBody,
    /// The answer's body is something else.
    NotJson,
    /// Some elements of a list lack this field.
    Missing,
    Null,
    Boolean,
    WholeNumber,
    Number,
    /// A text that is a number.
    NumberInText,
    EmptyText,
    Text,
    /// An object or a list where others of its list have something else, or what lies too deep.
    Nested,
}

impl Plain {
    fn name(self) -> &'static str {
        match self {
            Self::NoBody => "no-body",
            Self::NotJson => "not-json",
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::WholeNumber => "whole-number",
            Self::Number => "number",
            Self::NumberInText => "number-in-text",
            Self::EmptyText => "empty-text",
            Self::Text => "text",
            Self::Nested => "nested",
        }
    }
}

impl From<Plain> for ValueKind {
    fn from(plain: Plain) -> Self {
        Self::Plain(BTreeSet::from([plain]))
    }
}

impl ValueKind {
    /// The kind of an answer's body.
    pub(crate) fn of_body(body: &[u8], names: &Names) -> Self {
        if body.is_empty() {
            return Plain::NoBody.into();
        }
        match serde_json::from_slice(body) {
            Ok(value) => Self::of_value(&value, names, 0),
            Err(_) => Plain::NotJson.into(),
        }
    }

    fn of_value(value: &Value, names: &Names, depth: usize) -> Self {
        match value {
            Value::Null => Plain::Null.into(),
            Value::Bool(_) => Plain::Boolean.into(),
            Value::Number(number) if number.is_u64() || number.is_i64() => {
                Plain::WholeNumber.into()
            }
            Value::Number(_) => Plain::Number.into(),
            Value::String(text) => kind_of_text(text).into(),
            Value::Array(_) | Value::Object(_) if depth >= DEEPEST => Plain::Nested.into(),
            Value::Array(elements) => {
                let kinds = elements
                    .iter()
                    .map(|it| Self::of_value(it, names, depth + 1));
                Self::List(kinds.reduce(Self::merge).map(Box::new))
            }
            Value::Object(fields) => {
                let mut kinds = BTreeMap::new();
                for (name, value) in fields.iter().take(MOST_FIELDS) {
                    let name = names.clean(name);
                    let kind = Self::of_value(value, names, depth + 1);
                    let kind = match kinds.remove(name) {
                        Some(known) => Self::merge(known, kind),
                        None => kind,
                    };
                    kinds.insert(name.to_owned(), kind);
                }
                Self::Object(kinds)
            }
        }
    }

    /// The kind of two elements of a list.
    fn merge(one: Self, other: Self) -> Self {
        match (one, other) {
            (Self::Plain(mut one), Self::Plain(other)) => {
                one.extend(other);
                Self::Plain(one)
            }
            (Self::List(one), Self::List(other)) => Self::List(match (one, other) {
                (Some(one), Some(other)) => Some(Box::new(Self::merge(*one, *other))),
                (one, other) => one.or(other),
            }),
            (Self::Object(one), Self::Object(other)) => Self::Object(merge_fields(one, other)),
            (Self::Plain(mut plain), _) | (_, Self::Plain(mut plain)) => {
                plain.insert(Plain::Nested);
                Self::Plain(plain)
            }
            _ => Plain::Nested.into(),
        }
    }

    /// The kind of a field, by a path such as `_links.next`; of a list's elements where the path meets a list.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        let mut found = self;
        for name in path.split('.') {
            if let Self::List(Some(elements)) = found {
                found = elements;
            }
            let Self::Object(fields) = found else {
                return None;
            };
            found = fields.get(name)?;
        }
        Some(found)
    }

    pub(crate) fn is(&self, plain: Plain) -> bool {
        matches!(self, Self::Plain(kinds) if kinds.len() == 1 && kinds.contains(&plain))
    }

    /// Whether every value is of one of these kinds.
    pub(crate) fn is_among(&self, allowed: &[Plain]) -> bool {
        matches!(self, Self::Plain(kinds) if kinds.iter().all(|kind| allowed.contains(kind)))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// The names of an object's fields whose values are lists.
    pub(crate) fn list_fields(&self) -> Vec<&str> {
        let Self::Object(fields) = self else {
            return Vec::new();
        };
        let lists = fields.iter().filter(|(_, kind)| kind.is_list());
        lists.map(|(name, _)| name.as_str()).collect()
    }
}

fn merge_fields(
    one: BTreeMap<String, ValueKind>,
    mut other: BTreeMap<String, ValueKind>,
) -> BTreeMap<String, ValueKind> {
    let lacks = |kind| ValueKind::merge(kind, Plain::Missing.into());
    let mut merged: BTreeMap<String, ValueKind> = one
        .into_iter()
        .map(|(name, kind)| match other.remove(&name) {
            Some(more) => (name, ValueKind::merge(kind, more)),
            None => (name, lacks(kind)),
        })
        .collect();
    merged.extend(other.into_iter().map(|(name, kind)| (name, lacks(kind))));
    merged
}

fn kind_of_text(text: &str) -> Plain {
    match text.trim() {
        "" => Plain::EmptyText,
        text if text.parse::<f64>().is_ok_and(f64::is_finite) => Plain::NumberInText,
        _ => Plain::Text,
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(kinds) => {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                f.write_str(&names.join("|"))
            }
            Self::List(_) => f.write_str("list"),
            Self::Object(_) => f.write_str("object"),
        }
    }
}

impl Serialize for ValueKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(_) => serializer.collect_str(self),
            Self::List(elements) => serializer.collect_seq(elements),
            Self::Object(fields) => serializer.collect_map(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_described_without_its_values() {
        let names = Names::new([]);
        for (body, kind) in [
            ("", r#""no-body""#),
            ("<html>", r#""not-json""#),
            (r#""a""#, r#""text""#),
            (
                r#"{"a":1,"b":"1","c":1.5,"d":"","e":[]}"#,
                r#"{"a":"whole-number","b":"number-in-text","c":"number","d":"empty-text","e":[]}"#,
            ),
            (
                r#"[{"a":1},{"a":null,"b":true}]"#,
                r#"[{"a":"null|whole-number","b":"missing|boolean"}]"#,
            ),
            (r#"[1,[2],{"a":1}]"#, r#"["whole-number|nested"]"#),
            (r#"[[1],["x"],[]]"#, r#"[["whole-number|text"]]"#),
            (
                r#"{"job 4711":{"a":1},"jane@x.example":"y"}"#,
                r#"{"{name}":"text|nested"}"#,
            ),
        ] {
            let found = ValueKind::of_body(body.as_bytes(), &names);
            assert_eq!(serde_json::to_string(&found).unwrap(), kind, "{body}");
        }
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(
            serde_json::to_string(&ValueKind::of_body(deep.as_bytes(), &names))
                .unwrap()
                .contains("nested")
        );
    }
}
