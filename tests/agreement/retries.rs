//! What the tasks of the state machine do about errors.

use std::collections::{BTreeMap, BTreeSet};

use delivery::FailureName;
use serde_json::Value;

use crate::{DEFINITION, read, unreadable};

/// Names that Step Functions and Lambda give themselves.
const AWS_NAMES: [&str; 10] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "States.Timeout",
    "States.ALL",
];

fn tasks(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let states = definition["States"].as_object().unwrap();
    states.iter().filter(|(_, state)| state["Type"] == "Task")
}

fn handler_tasks(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    tasks(definition)
        .filter(|(_, state)| state["Resource"] == "arn:${Partition}:states:::lambda:invoke")
}

fn retries(task: &Value) -> &[Value] {
    task["Retry"].as_array().map_or(&[], Vec::as_slice)
}

/// What is wrong with any task, whatever it calls.
pub(crate) fn careless(definition: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, task) in tasks(definition) {
        if !task["TimeoutSeconds"].is_u64() {
            wrong.push(format!("{name} has no timeout and may hang for a year"));
        }
        if retries(task).is_empty() {
            wrong.push(format!("{name} is not tried again"));
        }
        for (index, retry) in retries(task).iter().enumerate() {
            let repeats = retry["MaxAttempts"].as_u64() != Some(0);
            if repeats && retry["JitterStrategy"] != "FULL" {
                wrong.push(format!("{name}: Retry {index} has no full jitter"));
            }
            if repeats && !retry["MaxDelaySeconds"].is_u64() {
                wrong.push(format!("{name}: Retry {index} has no longest delay"));
            }
        }
    }
    wrong
}

/// Failure names that a handler's task forgets, names twice, or retries although it is pointless.
fn misjudged(definition: &Value) -> Vec<String> {
    let ours = FailureName::ALL.iter().map(|name| name.as_str());
    let known: BTreeSet<&str> = ours.chain(AWS_NAMES).collect();
    let mut wrong = Vec::new();
    for (name, task) in handler_tasks(definition) {
        let mut attempts = BTreeMap::new();
        for retry in retries(task) {
            for error in retry["ErrorEquals"].as_array().unwrap() {
                let error = error.as_str().unwrap();
                if attempts
                    .insert(error, retry["MaxAttempts"].as_u64())
                    .is_some()
                {
                    wrong.push(format!("{name} names {error} twice"));
                }
            }
        }
        let named: BTreeSet<&str> = attempts.keys().copied().collect();
        for error in known.difference(&named) {
            wrong.push(format!("{name} does not name {error}"));
        }
        for error in named.difference(&known) {
            wrong.push(format!("{name} names {error}, which is no failure"));
        }
        for failure in FailureName::ALL {
            let count = attempts.get(failure.as_str()).copied().flatten();
            if count.is_some_and(|count| (count > 0) != failure.is_transient()) {
                wrong.push(format!("{name} retries {} wrongly", failure.as_str()));
            }
        }
    }
    wrong
}

/// Where a handler's task retries otherwise than the first one. The states language can't share a Retry between tasks, so
/// that each repeats it.
fn unlike(definition: &Value) -> Vec<String> {
    let mut handlers = handler_tasks(definition);
    let (first, pattern) = handlers.next().unwrap();
    let pattern = retries(pattern);
    let mut wrong = Vec::new();
    for (name, task) in handlers {
        let own = retries(task);
        if own.len() != pattern.len() {
            let (own, pattern) = (own.len(), pattern.len());
            wrong.push(format!("{name} has {own} Retry blocks, {first} {pattern}"));
        }
        for (index, (own, pattern)) in own.iter().zip(pattern).enumerate() {
            let fields = own.as_object().unwrap().keys();
            let fields: BTreeSet<_> = fields.chain(pattern.as_object().unwrap().keys()).collect();
            for field in fields {
                if own[field] != pattern[field] {
                    wrong.push(format!(
                        "{name}: {field} of Retry {index} is {}, {first} has {}",
                        own[field], pattern[field]
                    ));
                }
            }
        }
    }
    wrong
}

fn fail_states(definition: &Value) -> Vec<String> {
    let states = definition["States"].as_object().unwrap().iter();
    states
        .filter(|(_, state)| state["Type"] == "Fail")
        .map(|(name, _)| format!("{name}: a redrive would enter it and fail again"))
        .collect()
}

fn definition() -> Value {
    serde_json::from_str(&read(DEFINITION)).unwrap()
}

#[test]
fn every_task_has_a_timeout_and_spreads_its_retries() {
    assert_eq!(careless(&definition()), [""; 0]);
}

#[test]
fn every_failure_name_is_retried_or_refused_on_purpose_in_every_handler_task() {
    let definition = definition();
    assert_eq!(handler_tasks(&definition).count(), 6);
    assert_eq!(misjudged(&definition), [""; 0]);
}

#[test]
fn every_handler_task_retries_alike() {
    assert_eq!(unlike(&definition()), [""; 0]);
}

#[test]
fn no_fail_state_stands_on_any_path() {
    assert_eq!(fail_states(&definition()), [""; 0]);
}

/// What is broken, what is replaced by what where it stands first, and a part of the finding that must come of it.
const MUTATIONS: [(&str, &str, &str, &str); 7] = [
    (
        "a refused client that is tried again",
        "\"Cxone.Auth\",",
        "\"Cxone.Other\",",
        "does not name Cxone.Auth",
    ),
    (
        "retries all at the same moment",
        "\"JitterStrategy\": \"FULL\"",
        "\"JitterStrategy\": \"NONE\"",
        "no full jitter",
    ),
    (
        "retries without a longest delay",
        "\"MaxDelaySeconds\": 120,",
        "",
        "no longest delay",
    ),
    (
        "a task that may hang",
        "\"TimeoutSeconds\": 150,",
        "",
        "no timeout",
    ),
    (
        "States.ALL not alone",
        "\"States.ALL\"\n          ],\n          \"IntervalSeconds\": 10,",
        "\"States.ALL\", \"States.Timeout\"\n          ],\n          \"IntervalSeconds\": 10,",
        "States.ALL",
    ),
    (
        "a Fail state on a path",
        "\"Delivered\": {\n      \"Type\": \"Succeed\"",
        "\"Delivered\": {\n      \"Type\": \"Fail\"",
        "a redrive would enter it",
    ),
    (
        "a task that gives up earlier than the others",
        "\"MaxAttempts\": 8,",
        "\"MaxAttempts\": 7,",
        "MaxAttempts of Retry 1 is",
    ),
];

#[test]
fn each_mutation_is_noticed() {
    let text = read(DEFINITION);
    for (broken, from, to, told) in MUTATIONS {
        assert!(text.contains(from), "{broken}: not in the definition");
        let text = text.replacen(from, to, 1);
        let definition = serde_json::from_str(&text).unwrap();
        let mut found = [careless, misjudged, unlike, fail_states]
            .map(|check| check(&definition))
            .concat();
        found.extend(unreadable(&text));
        assert!(
            found.iter().any(|finding| finding.contains(told)),
            "{broken}: {found:?}"
        );
    }
}
