//! Task, with its Retry and Catch.

use std::sync::Arc;

use serde_json::Value;

use super::fields::{Fields, Reading};
use super::{After, Exit, MAX_SECONDS, StateId};
use crate::expression::{Allowed, Reads, Template};

/// A delay of a retry stays below this, in seconds.
const MAX_DELAY: u64 = 31_622_399;

/// The reserved names that an `ErrorEquals` here can match.
const RESERVED: [&str; 8] = [
    "States.ALL",
    "States.Timeout",
    "States.TaskFailed",
    "States.Permissions",
    "States.DataLimitExceeded",
    "States.QueryEvaluationError",
    "States.Http.Socket",
    "States.Http.StatusCode",
];

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) arguments: Template,
    pub(crate) timeout: Option<TimeLimit>,
    /// What `Arguments` and `TimeoutSeconds` read together.
    pub(crate) reads: Reads,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) exit: Exit,
    pub(crate) after: After,
}

/// `TimeoutSeconds`.
#[derive(Debug)]
pub(crate) struct TimeLimit(pub(crate) Template);

/// A service integration.
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
    pub(crate) errors: Errors,
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
    pub(crate) errors: Errors,
    pub(crate) next: StateId,
    pub(crate) exit: Exit,
}

/// The names of an `ErrorEquals`.
#[derive(Debug)]
pub(crate) struct Errors(Vec<String>);

impl Errors {
    /// Whether an error of this name is meant.
    pub(crate) fn match_name(&self, error: &str) -> bool {
        // Nothing catches the runtime itself, and the wildcards leave out what only a
        // definition's author can mend.
        let caught_by_all = error != "States.DataLimitExceeded";
        error != "States.Runtime"
            && self.0.iter().any(|name| match name.as_str() {
                "States.ALL" => caught_by_all,
                "States.TaskFailed" => caught_by_all && error != "States.Timeout",
                name => name == error,
            })
    }
}

pub(super) fn read(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Task> {
    let allowed = [
        "Type",
        "Comment",
        "QueryLanguage",
        "Resource",
        "Arguments",
        "Output",
        "Assign",
        "Next",
        "End",
        "TimeoutSeconds",
        "Retry",
        "Catch",
    ];
    fields.only(reading, &allowed);
    let resource = resource(reading, fields);
    let arguments = arguments(reading, fields);
    let timeout = time_limit(reading, fields);
    let retry = retry(reading, fields);
    let catch = catch(reading, fields);
    let exit = fields.exit(reading, Allowed::RESULT);
    let after = fields.after(reading);
    let (arguments, catch) = (arguments?, catch?);
    let mut reads = Reads::default();
    arguments.add_reads(&mut reads);
    if let Some(TimeLimit(template)) = &timeout {
        template.add_reads(&mut reads);
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

fn resource(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Resource> {
    let arn = fields.required_text(reading, "Resource")?;
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
        fields.problem(reading, "Resource", message);
        return None;
    };
    if action.contains('.') {
        let message = format!("only request and response is implemented, not {action}");
        fields.problem(reading, "Resource", message);
    }
    let supported = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, arn));
    if !reading.resources.is_none_or(supported) {
        fields.problem(reading, "Resource", format!("{arn} is not supported here"));
    }
    Some(Resource {
        arn: arn.into(),
        service: service.into(),
        action: action.into(),
    })
}

/// Whether a text is what a pattern with `*` for any text describes.
fn matches(pattern: &str, text: &str) -> bool {
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
    ends.into_iter().any(|index| matches(rest, &text[index..]))
}

fn arguments(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Template> {
    let arguments = fields.template(reading, "Arguments", Allowed::default());
    match fields.value("Arguments") {
        None => fields.problem(
            reading,
            "Arguments",
            "is missing; an integration needs them",
        ),
        Some(Value::Object(_)) => {}
        Some(_) => {
            if arguments
                .as_ref()
                .is_some_and(|arguments| !arguments.is_expression())
            {
                fields.problem(
                    reading,
                    "Arguments",
                    "must be an object or a JSONata expression",
                );
            }
        }
    }
    arguments
}

fn time_limit(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<TimeLimit> {
    let template = fields.template(reading, "TimeoutSeconds", Allowed::default())?;
    if !template.is_expression() {
        fields.integer(reading, "TimeoutSeconds", 1..=MAX_SECONDS)?;
    }
    Some(TimeLimit(template))
}

fn retry(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Vec<Retrier> {
    let allowed = [
        "ErrorEquals",
        "Comment",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    ];
    let objects = fields.objects(reading, "Retry", &allowed);
    let last = objects.len().saturating_sub(1);
    let retriers = objects.iter().enumerate();
    retriers
        .map(|(index, object)| retrier(reading, object, index == last))
        .collect()
}

fn retrier(reading: &mut Reading<'_>, fields: &Fields<'_>, last: bool) -> Retrier {
    let errors = errors(reading, fields, last);
    let interval = fields.integer(reading, "IntervalSeconds", 1..=MAX_SECONDS);
    let interval_seconds = interval.unwrap_or(1);
    let max_attempts = fields.integer(reading, "MaxAttempts", 0..=MAX_SECONDS);
    let max_delay_seconds = fields.integer(reading, "MaxDelaySeconds", 1..=MAX_DELAY);
    if max_delay_seconds.is_some_and(|delay| delay <= interval_seconds) {
        fields.problem(
            reading,
            "MaxDelaySeconds",
            "must be greater than IntervalSeconds",
        );
    }
    let backoff_rate = match fields.value("BackoffRate") {
        None => 2.0,
        Some(value) => value
            .as_f64()
            .filter(|rate| *rate >= 1.0)
            .unwrap_or_else(|| {
                fields.problem(reading, "BackoffRate", "must be a number of at least 1");
                1.0
            }),
    };
    let jitter = match fields.value("JitterStrategy").map(Value::as_str) {
        None | Some(Some("NONE")) => Jitter::None,
        Some(Some("FULL")) => Jitter::Full,
        Some(_) => {
            fields.problem(reading, "JitterStrategy", "must be \"FULL\" or \"NONE\"");
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

fn catch(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Vec<Catcher>> {
    let allowed = ["ErrorEquals", "Comment", "Next", "Assign", "Output"];
    let objects = fields.objects(reading, "Catch", &allowed);
    let last = objects.len().saturating_sub(1);
    let catchers = objects.iter().enumerate().map(|(index, object)| {
        let errors = errors(reading, object, index == last);
        let exit = object.exit(reading, Allowed::ERROR_OUTPUT);
        let next = object.target(reading, "Next")?;
        Some(Catcher { errors, next, exit })
    });
    let catchers: Vec<_> = catchers.collect();
    catchers.into_iter().collect()
}

fn errors(reading: &mut Reading<'_>, fields: &Fields<'_>, last: bool) -> Errors {
    let names = fields.value("ErrorEquals").and_then(Value::as_array);
    let names: Option<Vec<String>> = names.filter(|names| !names.is_empty()).and_then(|names| {
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    let Some(names) = names else {
        fields.problem(
            reading,
            "ErrorEquals",
            "must be an array with at least one error name",
        );
        return Errors(Vec::new());
    };
    if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !last) {
        fields.problem(
            reading,
            "ErrorEquals",
            "States.ALL must stand alone, and last",
        );
    }
    for name in &names {
        if name.is_empty() {
            fields.problem(reading, "ErrorEquals", "an error name can't be empty");
        } else if name.starts_with("States.") && !RESERVED.contains(&name.as_str()) {
            let message = format!("no task here can fail with {name}, or nothing can catch it");
            fields.problem(reading, "ErrorEquals", message);
        }
    }
    Errors(names)
}
