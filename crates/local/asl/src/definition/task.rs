//! Task, with its Retry and Catch.

use std::sync::Arc;

use serde_json::Value;

use super::fields::{Fields, Reading};
use super::{Exit, MAX_SECONDS, StateId, Transition};
use crate::expression::{Allowed, Reads, Template};

/// A delay of a retry stays below this, in seconds.
const MAX_DELAY: u64 = 31_622_399;

/// The reserved names that an `ErrorEquals` here can match.
const RESERVED: &str = "\
    States.ALL States.Timeout States.TaskFailed States.Permissions States.DataLimitExceeded \
    States.QueryEvaluationError States.Http.Socket States.Http.StatusCode";

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) arguments: Template,
    pub(crate) timeout: Option<Template>,
    /// What `Arguments` and `TimeoutSeconds` read together.
    pub(crate) reads: Reads,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) exit: Exit,
    pub(crate) after: Transition,
}

#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) arn: Arc<str>,
    /// What the history calls `resourceType`, as in `lambda` or `aws-sdk:sfn`.
    pub(crate) service: Arc<str>,
    /// What the history calls `resource`, as in `invoke`.
    pub(crate) action: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: ErrorNames,
    pub(crate) interval_seconds: u64,
    pub(crate) max_attempts: u64,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<u64>,
    pub(crate) jitter: Jitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jitter {
    None,
    Full,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: ErrorNames,
    pub(crate) next: StateId,
    pub(crate) exit: Exit,
}

/// The names of an `ErrorEquals`.
#[derive(Debug)]
pub(crate) struct ErrorNames(Vec<String>);

impl ErrorNames {
    /// Whether a Retry with these names takes the error, wildcards included.
    pub(crate) fn retries(&self, error: &str) -> bool {
        // `States.Runtime` is never taken. The wildcards of a Retry do not match `States.DataLimitExceeded`, which only a
        // change of the definition can avoid.
        let is_limit = error == "States.DataLimitExceeded";
        error != "States.Runtime"
            && self.0.iter().any(|name| match name.as_str() {
                "States.ALL" => !is_limit,
                "States.TaskFailed" => !is_limit && error != "States.Timeout",
                name => name == error,
            })
    }

    /// Whether a Catch with these names takes the error. Recorded executions show, against AWS's documents, that `States.ALL`
    /// takes `States.DataLimitExceeded` here.
    pub(crate) fn catches(&self, error: &str) -> bool {
        let is_limit = error == "States.DataLimitExceeded";
        self.retries(error) || (is_limit && self.0.iter().any(|name| name == "States.ALL"))
    }
}

pub(super) fn read_task(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Task> {
    let allowed = "Type Comment QueryLanguage Resource Arguments Output Assign Next End TimeoutSeconds Retry Catch";
    fields.reject_unknown(reading, allowed);
    let resource = read_resource(reading, fields);
    let arguments = read_arguments(reading, fields);
    let timeout = read_time_limit(reading, fields);
    let retry = read_retry(reading, fields);
    let catch = read_catch(reading, fields);
    let exit = fields.read_exit(reading, Allowed::RESULT);
    let after = fields.read_transition(reading);
    let (arguments, catch) = (arguments?, catch?);
    let mut reads = Reads::default();
    arguments.add_reads(&mut reads);
    if let Some(timeout) = &timeout {
        timeout.add_reads(&mut reads);
    }
    Some(Task {
        resource: resource?,
        arguments,
        timeout,
        reads,
        retry,
        catch,
        exit,
        after: after?,
    })
}

fn read_resource(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Resource> {
    let arn = fields.read_required_text(reading, "Resource")?;
    let parts: Vec<_> = arn.split(':').collect();
    let integration = match parts[..] {
        ["arn", _, "states", "", "", "aws-sdk", service, action] => {
            Some((format!("aws-sdk:{service}"), action))
        }
        ["arn", _, "states", "", "", service, action] => Some((service.to_owned(), action)),
        _ => None,
    };
    let Some((service, action)) = integration else {
        let message = format!("only arn:aws:states:::service:action is implemented, not {arn}");
        fields.report(reading, "Resource", message);
        return None;
    };
    if action.contains('.') {
        let message = format!("only request and response is implemented, not {action}");
        fields.report(reading, "Resource", message);
    }
    let supported =
        |patterns: &[&str]| patterns.iter().any(|pattern| matches_pattern(pattern, arn));
    if !reading.resources.is_none_or(supported) {
        fields.report(reading, "Resource", format!("{arn} is not supported here"));
    }
    Some(Resource {
        arn: arn.into(),
        service: service.into(),
        action: action.into(),
    })
}

/// Whether a text matches a pattern in which `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let ends = text
        .char_indices()
        .map(|(index, _)| index)
        .chain([text.len()]);
    ends.into_iter()
        .any(|index| matches_pattern(rest, &text[index..]))
}

fn read_arguments(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Template> {
    let arguments = fields.read_template(reading, "Arguments", Allowed::default());
    match fields.field_value("Arguments") {
        None => fields.report(
            reading,
            "Arguments",
            "is missing; an integration needs them",
        ),
        Some(Value::Object(_)) => {}
        Some(_) => {
            if arguments.as_ref().is_some_and(Template::is_literal) {
                let message = "must be an object or a JSONata expression";
                fields.report(reading, "Arguments", message);
            }
        }
    }
    arguments
}

fn read_time_limit(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Template> {
    let template = fields.read_template(reading, "TimeoutSeconds", Allowed::default())?;
    if template.is_literal() {
        fields.read_integer(reading, "TimeoutSeconds", 1..=MAX_SECONDS)?;
    }
    Some(template)
}

fn read_retry(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Vec<Retrier> {
    let allowed = "ErrorEquals Comment IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds JitterStrategy";
    let objects = fields.read_objects(reading, "Retry", allowed);
    let last = objects.len().saturating_sub(1);
    let retriers = objects.iter().enumerate();
    retriers
        .map(|(index, object)| read_retrier(reading, object, index == last))
        .collect()
}

fn read_retrier(reading: &mut Reading<'_>, fields: &Fields<'_>, last: bool) -> Retrier {
    let errors = read_error_names(reading, fields, last);
    let interval = fields.read_integer(reading, "IntervalSeconds", 1..=MAX_SECONDS);
    let interval_seconds = interval.unwrap_or(1);
    let max_attempts = fields.read_integer(reading, "MaxAttempts", 0..=MAX_SECONDS);
    let max_delay_seconds = fields.read_integer(reading, "MaxDelaySeconds", 1..=MAX_DELAY);
    if max_delay_seconds.is_some_and(|delay| delay <= interval_seconds) {
        fields.report(
            reading,
            "MaxDelaySeconds",
            "must be greater than IntervalSeconds",
        );
    }
    let backoff_rate = match fields.field_value("BackoffRate") {
        None => 2.0,
        Some(value) => value
            .as_f64()
            .filter(|rate| *rate >= 1.0)
            .unwrap_or_else(|| {
                fields.report(reading, "BackoffRate", "must be a number of at least 1");
                1.0
            }),
    };
    let jitter = match fields.field_value("JitterStrategy").map(Value::as_str) {
        None | Some(Some("NONE")) => Jitter::None,
        Some(Some("FULL")) => Jitter::Full,
        Some(_) => {
            fields.report(reading, "JitterStrategy", "must be \"FULL\" or \"NONE\"");
            Jitter::None
        }
    };
    Retrier {
        errors,
        interval_seconds,
        max_attempts: max_attempts.unwrap_or(3),
        backoff_rate,
        max_delay_seconds,
        jitter,
    }
}

fn read_catch(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Vec<Catcher>> {
    let allowed = "ErrorEquals Comment Next Assign Output";
    let objects = fields.read_objects(reading, "Catch", allowed);
    let last = objects.len().saturating_sub(1);
    let catchers = objects.iter().enumerate().map(|(index, object)| {
        let errors = read_error_names(reading, object, index == last);
        let exit = object.read_exit(reading, Allowed::ERROR_OUTPUT);
        let next = object.read_target(reading, "Next")?;
        Some(Catcher { errors, next, exit })
    });
    let catchers: Vec<_> = catchers.collect();
    catchers.into_iter().collect()
}

fn read_error_names(reading: &mut Reading<'_>, fields: &Fields<'_>, last: bool) -> ErrorNames {
    let names = fields.field_value("ErrorEquals").and_then(Value::as_array);
    let names: Option<Vec<String>> = names.filter(|names| !names.is_empty()).and_then(|names| {
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    let Some(names) = names else {
        fields.report(
            reading,
            "ErrorEquals",
            "must be an array with at least one error name",
        );
        return ErrorNames(Vec::new());
    };
    if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !last) {
        fields.report(
            reading,
            "ErrorEquals",
            "States.ALL must stand alone, and last",
        );
    }
    for name in &names {
        if name.is_empty() {
            fields.report(reading, "ErrorEquals", "an error name can't be empty");
        } else if name.starts_with("States.") && !RESERVED.split(' ').any(|known| known == name) {
            let message = format!("no task here can fail with {name}, or nothing can catch it");
            fields.report(reading, "ErrorEquals", message);
        }
    }
    ErrorNames(names)
}
