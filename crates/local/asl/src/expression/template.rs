//! A JSON value with expressions in its strings.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::session::{EvalError, Session};
use super::{Allowed, Expression, Reads};

/// A field of a definition that may hold expressions.
#[derive(Debug)]
pub(crate) enum Template {
    Constant(Value),
    Expression(Box<Expression>),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Parses a field; `problems` gets a location and a message for each thing wrong.
    pub(crate) fn parse(
        value: &Value,
        location: &str,
        allowed: Allowed,
        variables: &BTreeSet<String>,
        problems: &mut Vec<(String, String)>,
    ) -> Option<Self> {
        let mut inner = |value: &Value, part: &str| {
            Self::parse(
                value,
                &format!("{location}/{part}"),
                allowed,
                variables,
                problems,
            )
        };
        match value {
            Value::String(text) => match delimited(text) {
                Ok(None) => Some(Self::Constant(value.clone())),
                Ok(Some(source)) => {
                    let parsed = Expression::parse(source, location, allowed, variables);
                    let errors = |found: Vec<String>| {
                        problems.extend(found.into_iter().map(|m| (location.to_owned(), m)));
                    };
                    parsed
                        .map_err(errors)
                        .ok()
                        .map(|e| Self::Expression(Box::new(e)))
                }
                Err(message) => {
                    problems.push((location.to_owned(), message.to_owned()));
                    None
                }
            },
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items: Vec<_> = items
                    .map(|(index, item)| inner(item, &index.to_string()))
                    .collect();
                let items = items.into_iter().collect::<Option<Vec<_>>>()?;
                Some(if items.iter().all(Self::is_constant) {
                    Self::Constant(value.clone())
                } else {
                    Self::Array(items)
                })
            }
            Value::Object(map) => {
                let fields = map
                    .iter()
                    .map(|(name, item)| Some((name.clone(), inner(item, name)?)));
                let fields: Vec<_> = fields.collect();
                let fields = fields.into_iter().collect::<Option<Vec<_>>>()?;
                Some(if fields.iter().all(|(_, field)| field.is_constant()) {
                    Self::Constant(value.clone())
                } else {
                    Self::Object(fields)
                })
            }
            other => Some(Self::Constant(other.clone())),
        }
    }

    pub(crate) fn is_expression(&self) -> bool {
        matches!(self, Self::Expression(_))
    }

    fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    pub(crate) fn add_reads(&self, reads: &mut Reads) {
        match self {
            Self::Constant(_) => {}
            Self::Expression(expression) => reads.add(&expression.reads),
            Self::Array(items) => items.iter().for_each(|item| item.add_reads(reads)),
            Self::Object(fields) => fields.iter().for_each(|(_, field)| field.add_reads(reads)),
        }
    }

    pub(crate) fn evaluate(&self, session: &mut Session<'_>) -> Result<Value, EvalError> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Expression(expression) => session.evaluate(expression),
            Self::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| item.evaluate(session)).collect();
                items.map(Value::Array)
            }
            Self::Object(fields) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(name, field)| Ok((name.clone(), field.evaluate(session)?)));
                fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    /// Where its expression stands and what it says, for a message.
    pub(crate) fn source(&self) -> Option<(&str, &str)> {
        match self {
            Self::Expression(expression) => Some((&expression.location, &expression.source)),
            _ => None,
        }
    }
}

/// What stands between `{%` and `%}`, if the text is an expression.
fn delimited(text: &str) -> Result<Option<&str>, &'static str> {
    let trimmed = text.trim();
    if !trimmed.contains("{%") && !trimmed.contains("%}") {
        return Ok(None);
    }
    let inner = text
        .strip_prefix("{%")
        .and_then(|text| text.strip_suffix("%}"));
    match inner {
        Some(inner) if !inner.contains("{%") => Ok(Some(inner)),
        _ => Err("an expression is the whole string: it starts with {% and ends with %}"),
    }
}
