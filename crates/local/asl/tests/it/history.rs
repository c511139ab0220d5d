//! The events, their order and their shape.

use asl::Execution;
use serde_json::{Value, json};

use crate::runner::{kinds, no_task, run, task};

/// The history as `aws stepfunctions get-execution-history` prints it.
fn cli(execution: &Execution) -> Value {
    execution
        .history()
        .iter()
        .map(asl::Event::to_cli_json)
        .collect()
}

#[test]
fn a_task_with_a_variable() {
    let states = json!({
        "A": task(json!({
            "Arguments": {"FunctionName": "f", "Payload": {"n": "{% $states.input.n %}"}},
            "TimeoutSeconds": 60,
            "Assign": {"id": "{% $states.result.id %}"},
            "Output": "{% $states.result.id %}"
        }))
    });
    let execution = run(&states, json!({"n": 1}), |_| Ok(json!({"id": "r"})));
    let at = "2025-01-01T00:00:00.000Z";
    let whole = json!({"truncated": false});
    let expect = json!([
        {
            "timestamp": at, "type": "ExecutionStarted", "id": 1, "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": "{\"n\":1}", "inputDetails": whole,
                "roleArn": "arn:aws:iam::123456789012:role/r"
            }
        },
        {
            "timestamp": at, "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "A", "input": "{\"n\":1}", "inputDetails": whole}
        },
        {
            "timestamp": at, "type": "TaskScheduled", "id": 3, "previousEventId": 2,
            "taskScheduledEventDetails": {
                "resourceType": "lambda", "resource": "invoke", "region": "eu-west-1",
                "parameters": "{\"FunctionName\":\"f\",\"Payload\":{\"n\":1}}",
                "timeoutInSeconds": 60
            }
        },
        {
            "timestamp": at, "type": "TaskStarted", "id": 4, "previousEventId": 3,
            "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}
        },
        {
            "timestamp": at, "type": "TaskSucceeded", "id": 5, "previousEventId": 4,
            "taskSucceededEventDetails": {
                "resourceType": "lambda", "resource": "invoke",
                "output": "{\"id\":\"r\"}", "outputDetails": whole
            }
        },
        {
            "timestamp": at, "type": "TaskStateExited", "id": 6, "previousEventId": 5,
            "stateExitedEventDetails": {
                "name": "A", "output": "\"r\"", "outputDetails": whole,
                "assignedVariables": {"id": "\"r\""}, "assignedVariablesDetails": whole
            }
        },
        {
            "timestamp": at, "type": "ExecutionSucceeded", "id": 7, "previousEventId": 6,
            "executionSucceededEventDetails": {"output": "\"r\"", "outputDetails": whole}
        }
    ]);
    assert_eq!(cli(&execution), expect);
}

#[test]
fn a_failed_evaluation_says_where() {
    let states = json!({"A": task(json!({
        "Arguments": {"FunctionName": "f", "Payload": {"n": "{% $states.input.none %}"}}
    }))});
    let execution = run(&states, json!({}), no_task);
    let cause = "An error occurred while executing the state 'A' (entered at the event id #2). \
        The JSONata expression '$states.input.none' specified for the field \
        'Arguments/Payload/n' returned nothing (undefined).";
    let events = cli(&execution);
    assert_eq!(
        events[2]["evaluationFailedEventDetails"],
        json!({
            "error": "States.QueryEvaluationError",
            "cause": cause,
            "location": "Arguments/Payload/n",
            "state": "A"
        })
    );
    assert_eq!(
        events[3]["executionFailedEventDetails"],
        json!({"error": "States.QueryEvaluationError", "cause": cause})
    );
    assert_eq!(events.as_array().unwrap().len(), 4);
}

#[test]
fn a_retried_and_caught_task() {
    let states = json!({
        "A": task(json!({
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["E"], "Next": "B"}]
        })),
        "B": {"Type": "Fail", "Error": "Caught"}
    });
    let execution = run(&states, json!({}), |_| Err(("E", "why")));
    assert_eq!(
        kinds(&execution),
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskFailed",
            "TaskScheduled",
            "TaskStarted",
            "TaskFailed",
            "TaskStateExited",
            "FailStateEntered",
            "ExecutionFailed"
        ]
    );
    let events = cli(&execution);
    assert_eq!(
        events[4]["taskFailedEventDetails"],
        json!({"resourceType": "lambda", "resource": "invoke", "error": "E", "cause": "why"})
    );
    assert_eq!(events[4]["timestamp"], "2025-01-01T00:00:00.000Z");
    assert_eq!(events[5]["timestamp"], "2025-01-01T00:00:01.000Z");
    assert_eq!(
        events[8]["stateExitedEventDetails"]["output"],
        r#"{"Error":"E","Cause":"why"}"#
    );
    assert_eq!(
        events[10]["executionFailedEventDetails"],
        json!({"error": "Caught"})
    );
}

/// The events that each turn of a loop with these states adds.
fn events_a_turn(states: Value, fail_once: bool) -> usize {
    let length = |turns: usize| {
        let (mut calls, mut failed) = (0, false);
        let execution = run(&states, json!({}), |_| {
            if fail_once && !failed && calls == 1 {
                failed = true;
                return Err(("E", ""));
            }
            calls += 1;
            Ok(json!({"done": calls >= turns}))
        });
        execution.history().len()
    };
    length(3) - length(2) + if fail_once { length(2) - length(1) } else { 0 }
}

#[test]
fn turns_cost_what_they_cost_on_aws() {
    let choice = |default: &str| {
        json!({
            "Type": "Choice", "Default": default,
            "Choices": [{"Condition": "{% $states.input.done %}", "Next": "End"}]
        })
    };
    let retry = json!([{"ErrorEquals": ["States.ALL"]}]);
    let task = task(json!({"Next": "Choice", "Retry": retry}));
    let end = json!({"Type": "Succeed"});
    let poll = json!({"Task": task, "Choice": choice("Task"), "End": end});
    assert_eq!(events_a_turn(poll.clone(), false), 7);
    let wait = json!({"Type": "Wait", "Seconds": 1, "Next": "Task"});
    let waiting = json!({"Task": task, "Choice": choice("Wait"), "Wait": wait, "End": end});
    assert_eq!(events_a_turn(waiting, false), 9);
    assert_eq!(events_a_turn(poll, true), 7 + 7 + 3);
}

#[test]
fn an_sdk_integration_is_named_as_on_aws() {
    let states = json!({"A": task(json!({
        "Resource": "arn:aws:states:::aws-sdk:sfn:startExecution"
    }))});
    let execution = run(&states, json!({}), |_| Ok(json!({})));
    assert_eq!(
        cli(&execution)[3]["taskStartedEventDetails"],
        json!({"resourceType": "aws-sdk:sfn", "resource": "startExecution"})
    );
}

#[test]
fn on_the_wire_a_time_is_in_seconds() {
    let execution = run(&json!({"A": {"Type": "Succeed"}}), json!({}), no_task);
    let wire = serde_json::to_value(&execution.history()[1]).unwrap();
    assert_eq!(wire["timestamp"], json!(1_735_689_600.0));
    assert_eq!(wire["type"], "SucceedStateEntered");
    assert_eq!(wire["stateEnteredEventDetails"]["name"], "A");
}
