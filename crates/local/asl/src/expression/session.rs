//! Evaluating the expressions of one step of a state.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use jiff::Timestamp;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::{JMap, JValue};
use serde_json::Value;

use super::reads::Selection;
use super::{Body, Expression, Reads, convert, functions};
use crate::execution::Variables;
use crate::random::Random;

/// Bounds that an honest expression stays below: a run-away one fails instead of hanging.
const MAX_DEPTH: usize = 2_000;
const MAX_ITEMS: usize = 1_000_000;

/// What the expressions of a state can see.
pub(crate) struct Scope<'a> {
    pub(crate) input: &'a Value,
    pub(crate) result: Option<&'a Value>,
    pub(crate) error_output: Option<&'a Value>,
    pub(crate) variables: &'a Variables,
    /// What `$states.context.Execution.Input` is.
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

/// Where a plain path led.
enum Followed<'a> {
    Value(&'a Value),
    Nothing,
    /// That takes the evaluator to say.
    Unclear,
}

/// One evaluator for several expressions over one scope. It can't leave its thread.
pub(crate) struct Session<'a> {
    scope: Scope<'a>,
    reads: &'a Reads,
    random: Rc<RefCell<Random>>,
    /// The context object without `Execution.Input`.
    context: OnceCell<Value>,
    evaluator: Option<Evaluator>,
}

impl<'a> Session<'a> {
    /// `reads` covers everything that will be evaluated.
    pub(crate) fn new(scope: Scope<'a>, reads: &'a Reads, random: &Random) -> Self {
        let random = Rc::new(RefCell::new(random.clone()));
        Self {
            scope,
            reads,
            random,
            context: OnceCell::new(),
            evaluator: None,
        }
    }

    /// The state of chance after the evaluations.
    pub(crate) fn random(&self) -> Random {
        self.random.borrow().clone()
    }

    pub(super) fn evaluate(&mut self, expression: &Expression) -> Result<Value, EvalError> {
        let ast = match &expression.body {
            Body::Path { root, steps, ast } => match self.follow(root, steps) {
                Followed::Value(value) => return Ok(convert::normalised(value)),
                Followed::Nothing => return Err(returned(expression, "nothing (undefined)")),
                Followed::Unclear => ast,
            },
            Body::Any(ast) => ast,
        };
        let failed = |message: String| threw(expression, &message);
        if self.evaluator.is_none() {
            self.evaluator = Some(self.evaluator().map_err(failed)?);
        }
        let Some(evaluator) = &mut self.evaluator else {
            return Err(failed("no evaluator".to_owned()));
        };
        let value = evaluator
            .evaluate(ast, &JValue::Null)
            .map_err(|error| failed(error.message().to_owned()))?;
        convert::to_json(&value.unwrap_sequence()).map_err(|what| returned(expression, what))
    }

    /// The value of `$root.a.b`, as long as it leads through objects only.
    fn follow(&self, root: &str, steps: &[String]) -> Followed<'_> {
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
                let value = self.states(first).ok_or(Followed::Nothing)?;
                Ok((value, &steps[1..]))
            }
        }
    }

    fn states(&self, field: &str) -> Option<&Value> {
        match field {
            "input" => Some(self.scope.input),
            "result" => self.scope.result,
            "errorOutput" => self.scope.error_output,
            "context" => Some(self.context.get_or_init(|| (self.scope.context)(false))),
            _ => None,
        }
    }

    fn evaluator(&self) -> Result<Evaluator, String> {
        let mut context = Context::new();
        for (name, selection) in &self.reads.variables {
            if name == "states" {
                context.bind(name.clone(), self.bound_states(selection));
            } else if let Some(variable) = self.scope.variables.get(name.as_str()) {
                context.bind(name.clone(), convert::selected(&variable.value, selection));
            }
        }
        let options = EvaluatorOptions {
            max_stack_depth: Some(MAX_DEPTH),
            max_sequence_length: Some(MAX_ITEMS),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let names = &self.reads.functions;
        functions::register(&mut evaluator, names, self.scope.now, &self.random)
            .map_err(|error| error.message().to_owned())?;
        Ok(evaluator)
    }

    fn bound_states(&self, selection: &Selection) -> JValue {
        let mut states = JMap::default();
        for field in ["input", "result", "errorOutput", "context"] {
            let Some(part) = selection.part(field) else {
                continue;
            };
            let value = if field == "context" && reads_input(part) {
                Some(convert::selected(&(self.scope.context)(true), part))
            } else {
                self.states(field)
                    .map(|value| convert::selected(value, part))
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
        .part("Execution")
        .and_then(|execution| execution.part("Input"))
        .is_some()
}

fn returned(expression: &Expression, what: &str) -> EvalError {
    said(expression, &format!("returned {what}."))
}

fn threw(expression: &Expression, message: &str) -> EvalError {
    said(
        expression,
        &format!("threw an error during evaluation. {message}"),
    )
}

fn said(expression: &Expression, what: &str) -> EvalError {
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
