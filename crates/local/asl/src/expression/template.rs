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
        let mut parse_below = |value: &Value, part: &str| {
            let location = format!("{location}/{part}");
            Self::parse(value, &location, allowed, variables, problems)
        };
        match value {
            Value::String(text) => {
                let parsed = Self::parse_text(text, location, allowed, variables);
                let messages = parsed.as_ref().err().into_iter().flatten();
                problems.extend(messages.map(|message| (location.to_owned(), message.clone())));
                parsed.ok()
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| parse_below(item, &index.to_string()));
                // All items are parsed before the first failure counts, so that every problem is found.
                let items: Vec<_> = items.collect();
                let items: Vec<_> = items.into_iter().collect::<Option<_>>()?;
                let literal = items.iter().all(Self::is_constant);
                Some(if literal {
                    Self::Constant(value.clone())
                } else {
                    Self::Array(items)
                })
            }
            Value::Object(map) => {
                let fields = map.iter();
                let fields =
                    fields.map(|(name, item)| Some((name.clone(), parse_below(item, name)?)));
                let fields: Vec<_> = fields.collect();
                let fields: Vec<_> = fields.into_iter().collect::<Option<_>>()?;
                let literal = fields.iter().all(|(_, field)| field.is_constant());
                Some(if literal {
                    Self::Constant(value.clone())
                } else {
                    Self::Object(fields)
                })
            }
            other => Some(Self::Constant(other.clone())),
        }
    }

    fn parse_text(
        text: &str,
        location: &str,
        allowed: Allowed,
        variables: &BTreeSet<String>,
    ) -> Result<Self, Vec<String>> {
        Ok(
            match find_source(text).map_err(|message| vec![message.to_owned()])? {
                None => Self::Constant(text.into()),
                Some(source) => {
                    let expression = Expression::parse(source, location, allowed, variables)?;
                    Self::Expression(Box::new(expression))
                }
            },
        )
    }

    /// Whether the field is a value and not one expression for all of it.
    pub(crate) fn is_literal(&self) -> bool {
        !matches!(self, Self::Expression(_))
    }

    fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    pub(crate) fn add_reads(&self, reads: &mut Reads) {
        match self {
            Self::Constant(_) => {}
            Self::Expression(expression) => reads.merge(&expression.reads),
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

    /// The place and the text of its expression, for a message.
    pub(crate) fn expression_source(&self) -> Option<(&str, &str)> {
        match self {
            Self::Expression(expression) => Some((&expression.location, &expression.source)),
            _ => None,
        }
    }
}

/// The text between `{%` and `%}`, if the text is an expression.
fn find_source(text: &str) -> Result<Option<&str>, &'static str> {
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
