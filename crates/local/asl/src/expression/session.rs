//! Evaluates the expressions of one step of a state.

use std::cell::OnceCell;

use jiff::Timestamp;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::{JMap, JValue};
use serde_json::Value;

use super::reads::Selection;
use super::{Body, Expression, Reads, convert, functions};
use crate::execution::Variables;

/// Limits far above what a sensible expression needs, so that endless recursion fails.
const MAX_DEPTH: usize = 2_000;
const MAX_ITEMS: usize = 1_000_000;

/// What the expressions of a state can see.
pub(crate) struct Scope<'a> {
    pub(crate) input: &'a Value,
    pub(crate) result: Option<&'a Value>,
    pub(crate) error_output: Option<&'a Value>,
    pub(crate) variables: &'a Variables,
    /// The value of `$states.context.Execution.Input`.
    pub(crate) initial_input: &'a Value,
    /// Makes the context object, with `Execution.Input` or without: it may be large.
    pub(crate) context: &'a dyn Fn(bool) -> Value,
    pub(crate) now: Timestamp,
}

/// An expression that has no value.
#[derive(Debug)]
pub(crate) struct EvalError {
    pub(crate) location: String,
    pub(crate) message: String,
}

/// The outcome of following a plain path.
enum Followed<'a> {
    Value(&'a Value),
    Nothing,
    /// Only the evaluator can tell, for example because an array is in the path.
    Unclear,
}

/// One evaluator for several expressions over one scope. It can't leave its thread.
pub(crate) struct Session<'a> {
    scope: Scope<'a>,
    reads: &'a Reads,
    /// The context object without `Execution.Input`.
    context: OnceCell<Value>,
    evaluator: Option<Evaluator>,
}

impl<'a> Session<'a> {
    /// `reads` covers everything that will be evaluated.
    pub(crate) fn new(scope: Scope<'a>, reads: &'a Reads) -> Self {
        Self {
            scope,
            reads,
            context: OnceCell::new(),
            evaluator: None,
        }
    }

    pub(super) fn evaluate(&mut self, expression: &Expression) -> Result<Value, EvalError> {
        let ast = match &expression.body {
            Body::Path { root, steps, ast } => match self.follow_path(root, steps) {
                Followed::Value(value) => return Ok(convert::normalise_numbers(value)),
                Followed::Nothing => {
                    return Err(unexpected_value(expression, "nothing (undefined)"));
                }
                Followed::Unclear => ast,
            },
            Body::Any(ast) => ast,
        };
        let failed = |message: String| evaluation_error(expression, &message);
        if self.evaluator.is_none() {
            self.evaluator = Some(self.build_evaluator().map_err(failed)?);
        }
        let Some(evaluator) = &mut self.evaluator else {
            return Err(failed("no evaluator".to_owned()));
        };
        let value = evaluator
            .evaluate(ast, &JValue::Null)
            .map_err(|error| failed(error.message().to_owned()))?;
        convert::to_json(&value.unwrap_sequence())
            .map_err(|what| unexpected_value(expression, what))
    }

    /// The value of `$root.a.b`, as long as it leads through objects only.
    fn follow_path(&self, root: &str, steps: &[String]) -> Followed<'_> {
        let (mut value, steps) = if root == "states" {
            match self.follow_states(steps) {
                Ok(start) => start,
                Err(end) => return end,
            }
        } else {
            match self.scope.variables.get(root) {
                Some(variable) => (&*variable.value, steps),
                // It may be a function.
                None => return Followed::Unclear,
            }
        };
        for step in steps {
            value = match value {
                Value::Object(map) => match map.get(step) {
                    Some(value) => value,
                    None => return Followed::Nothing,
                },
                Value::Array(_) => return Followed::Unclear,
                _ => return Followed::Nothing,
            };
        }
        Followed::Value(value)
    }

    /// The part of `$states` that a path starts in, and the rest of the path.
    fn follow_states<'s>(
        &self,
        steps: &'s [String],
    ) -> Result<(&Value, &'s [String]), Followed<'_>> {
        let names: Vec<&str> = steps.iter().take(3).map(String::as_str).collect();
        match names[..] {
            [] | ["context"] | ["context", "Execution"] => Err(Followed::Unclear),
            ["context", "Execution", "Input"] => Ok((self.scope.initial_input, &steps[3..])),
            [first, ..] => {
                let value = self.state_field(first).ok_or(Followed::Nothing)?;
                Ok((value, &steps[1..]))
            }
        }
    }

    fn state_field(&self, field: &str) -> Option<&Value> {
        match field {
            "input" => Some(self.scope.input),
            "result" => self.scope.result,
            "errorOutput" => self.scope.error_output,
            "context" => Some(self.context.get_or_init(|| (self.scope.context)(false))),
            _ => None,
        }
    }

    fn build_evaluator(&self) -> Result<Evaluator, String> {
        let mut context = Context::new();
        for (name, selection) in &self.reads.variables {
            if name == "states" {
                context.bind(name.clone(), self.bound_states(selection));
            } else if let Some(variable) = self.scope.variables.get(name.as_str()) {
                context.bind(
                    name.clone(),
                    convert::copy_selected(&variable.value, selection),
                );
            }
        }
        let options = EvaluatorOptions {
            max_stack_depth: Some(MAX_DEPTH),
            max_sequence_length: Some(MAX_ITEMS),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let names = &self.reads.functions;
        functions::register(&mut evaluator, names, self.scope.now)
            .map_err(|error| error.message().to_owned())?;
        Ok(evaluator)
    }

    fn bound_states(&self, selection: &Selection) -> JValue {
        let mut states = JMap::default();
        for field in ["input", "result", "errorOutput", "context"] {
            let Some(part) = selection.field(field) else {
                continue;
            };
            let value = if field == "context" && reads_input(part) {
                Some(convert::copy_selected(&(self.scope.context)(true), part))
            } else {
                self.state_field(field)
                    .map(|value| convert::copy_selected(value, part))
            };
            if let Some(value) = value {
                states.insert(field.to_owned(), value);
            }
        }
        JValue::Object(states.into())
    }
}

/// Whether `Execution.Input` of the context object is read.
fn reads_input(context: &Selection) -> bool {
    context
        .field("Execution")
        .and_then(|execution| execution.field("Input"))
        .is_some()
}

fn unexpected_value(expression: &Expression, what: &str) -> EvalError {
    error_about(expression, &format!("returned {what}."))
}

fn evaluation_error(expression: &Expression, message: &str) -> EvalError {
    error_about(
        expression,
        &format!("threw an error during evaluation. {message}"),
    )
}

fn error_about(expression: &Expression, what: &str) -> EvalError {
    let Expression {
        source, location, ..
    } = expression;
    EvalError {
        location: location.clone(),
        message: format!(
            "The JSONata expression '{source}' specified for the field '{location}' {what}"
        ),
    }
}
