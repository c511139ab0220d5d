//! Runs an execution to its end without an engine: time is whatever it waits for.

use std::sync::Arc;

use asl::{Execution, ExecutionSpec, StateMachine, Step, TaskCall};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a task answers.
pub(crate) type Answer = Result<Value, (&'static str, &'static str)>;

pub(crate) fn start_of_time() -> Timestamp {
    "2025-01-01T00:00:00Z".parse().unwrap()
}

/// A definition with these states; the first is where it starts.
pub(crate) fn definition(states: &Value) -> Value {
    let start = states.as_object().unwrap().keys().next().unwrap();
    json!({"QueryLanguage": "JSONata", "StartAt": start, "States": states})
}

pub(crate) fn machine(states: &Value) -> Arc<StateMachine> {
    machine_of(&definition(states))
}

pub(crate) fn machine_of(definition: &Value) -> Arc<StateMachine> {
    match StateMachine::parse(&definition.to_string()) {
        Ok(machine) => Arc::new(machine),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn start(machine: Arc<StateMachine>, input: Value) -> Execution {
    let spec = ExecutionSpec {
        arn: "arn:aws:states:eu-west-1:123456789012:execution:M:one".into(),
        name: "one".into(),
        state_machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:M".into(),
        state_machine_name: "M".into(),
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
    };
    Execution::start(machine, spec, input, start_of_time(), 7).unwrap()
}

/// Goes on until the execution ends; says when that was.
pub(crate) fn finish(
    execution: &mut Execution,
    mut now: Timestamp,
    mut answer: impl FnMut(&TaskCall) -> Answer,
) -> Timestamp {
    loop {
        match execution.step(now) {
            Step::Done => return now,
            Step::WaitUntil(until) => now = until,
            Step::Task(call) => match answer(&call) {
                Ok(output) => execution.succeed_task(now, output).unwrap(),
                Err((error, cause)) => execution.fail_task(now, error, Some(cause.into())).unwrap(),
            },
        }
    }
}

/// Runs the states from an input to the end.
pub(crate) fn run(
    states: &Value,
    input: Value,
    answer: impl FnMut(&TaskCall) -> Answer,
) -> Execution {
    let mut execution = start(machine(states), input);
    finish(&mut execution, start_of_time(), answer);
    execution
}

/// A runner for machines without tasks.
pub(crate) fn no_task(call: &TaskCall) -> Answer {
    panic!("no task was expected, but {call:?}")
}

/// A Task with the fields that it has to have, and others.
pub(crate) fn task(others: Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f"}
    });
    if !others["Next"].is_string() {
        task["End"] = true.into();
    }
    let Value::Object(others) = others else {
        unreachable!()
    };
    task.as_object_mut().unwrap().extend(others);
    task
}

/// The types of the events.
pub(crate) fn kinds(execution: &Execution) -> Vec<&'static str> {
    execution.history().iter().map(asl::Event::kind).collect()
}
