//! When a task is tried again, and which errors are caught.

use asl::{Execution, Step};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::runner::{finish, kinds, machine, run, start, start_of_time, task};

/// Fails a task with `errors` one after the other; the delays before its tries, in ms.
fn delays(retry: Value, errors: &[&'static str]) -> (Vec<i64>, Execution) {
    let states = json!({"A": task(json!({"Retry": retry}))});
    let mut execution = start(machine(&states), json!({}));
    let (mut now, mut delays, mut errors) = (start_of_time(), Vec::new(), errors.iter());
    loop {
        match execution.step(now) {
            Step::Done => return (delays, execution),
            Step::WaitUntil(until) => {
                delays.push(until.duration_since(now).as_millis().try_into().unwrap());
                now = until;
            }
            Step::Task(_) => match errors.next() {
                Some(error) => execution.fail_task(now, *error, None).unwrap(),
                None => execution.succeed_task(now, json!({})).unwrap(),
            },
        }
    }
}

fn check(retry: Value, errors: &[&'static str], expect: &[i64]) {
    assert_eq!(delays(retry.clone(), errors).0, expect, "{retry}");
}

#[test]
fn intervals_grow_up_to_their_limit() {
    let all = json!(["States.ALL"]);
    check(
        json!([{"ErrorEquals": all}]),
        &["E"; 9],
        &[1_000, 2_000, 4_000],
    );
    check(
        json!([{"ErrorEquals": all, "IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 4}]),
        &["E"; 9],
        &[3_000, 4_500, 6_750, 10_125],
    );
    check(
        json!([{"ErrorEquals": all, "IntervalSeconds": 10, "BackoffRate": 10, "MaxDelaySeconds": 60}]),
        &["E"; 9],
        &[10_000, 60_000, 60_000],
    );
    check(json!([{"ErrorEquals": all, "MaxAttempts": 0}]), &["E"], &[]);
    check(json!([{"ErrorEquals": all}]), &["E"], &[1_000]);
}

#[test]
fn attempts_count_for_each_retrier() {
    let retry = json!([
        {"ErrorEquals": ["A", "B"], "MaxAttempts": 2, "BackoffRate": 1},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 5}
    ]);
    check(retry.clone(), &["A", "C", "B"], &[1_000, 5_000, 1_000]);
    // A retrier that is used up does not hand over to the next one that matches.
    check(retry, &["A", "A", "A"], &[1_000, 1_000]);
}

#[test]
fn full_jitter_stays_below_the_interval_and_repeats_with_its_seed() {
    let retry = json!([{
        "ErrorEquals": ["E"], "IntervalSeconds": 8, "MaxAttempts": 6, "JitterStrategy": "FULL"
    }]);
    let (first, _) = delays(retry.clone(), &["E"; 9]);
    let limits: Vec<i64> = (0..6).map(|n| 8_000 << n).collect();
    assert_eq!(first.len(), 6);
    assert!(
        first
            .iter()
            .zip(&limits)
            .all(|(delay, limit)| (0..=*limit).contains(delay))
    );
    assert_ne!(first, limits);
    assert_eq!(delays(retry, &["E"; 9]).0, first);
}

#[test]
fn wildcards_leave_out_what_they_should() {
    let caught = |by: &str, error: &'static str| {
        let states = json!({
            "A": task(json!({"Catch": [{"ErrorEquals": [by], "Next": "B"}]})),
            "B": {"Type": "Succeed"}
        });
        run(&states, json!({}), |_| Err((error, "")))
            .error()
            .is_none()
    };
    let table = [
        ("States.ALL", "Mine", true),
        ("States.ALL", "States.Timeout", true),
        ("States.ALL", "States.QueryEvaluationError", true),
        ("States.ALL", "States.DataLimitExceeded", true),
        ("States.ALL", "States.Runtime", false),
        ("States.TaskFailed", "Mine", true),
        ("States.TaskFailed", "States.Timeout", false),
        ("States.TaskFailed", "States.DataLimitExceeded", false),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", true),
        ("States.Timeout", "States.Timeout", true),
        ("Mine", "Mine", true),
        ("Mine", "mine", false),
        ("Mine", "Mine.Other", false),
    ];
    for (by, error, expect) in table {
        assert_eq!(caught(by, error), expect, "{by} for {error}");
    }
}

#[test]
fn a_timeout_of_a_task_can_be_retried() {
    let states = json!({"A": task(json!({
        "TimeoutSeconds": "{% $states.input.limit %}",
        "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}]
    }))});
    let mut execution = start(machine(&states), json!({"limit": 30}));
    let now = start_of_time();
    let Step::Task(call) = execution.step(now) else {
        panic!()
    };
    assert_eq!((call.timeout.unwrap().as_secs(), call.attempt), (30, 1));
    execution.time_out_task(now).unwrap();
    let Step::WaitUntil(until) = execution.step(now) else {
        panic!()
    };
    let Step::Task(call) = execution.step(until) else {
        panic!()
    };
    assert_eq!(call.attempt, 2);
    execution.time_out_task(until).unwrap();
    assert_eq!(execution.step(until), Step::Done);
    assert_eq!(execution.error(), Some("States.Timeout"));
    assert_eq!(
        kinds(&execution)[3..6],
        ["TaskStarted", "TaskTimedOut", "TaskScheduled"]
    );
}

#[test]
fn a_timeout_that_is_caught_has_a_cause_without_text() {
    let states = json!({
        "A": task(json!({"TimeoutSeconds": 30, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]})),
        "B": {"Type": "Succeed"}
    });
    let mut execution = start(machine(&states), json!({}));
    let now = start_of_time();
    assert!(matches!(execution.step(now), Step::Task(_)));
    execution.time_out_task(now).unwrap();
    assert_eq!(execution.step(now), Step::Done);
    let caught = json!({"Error": "States.Timeout", "Cause": ""});
    assert_eq!(execution.output(), Some(&caught));
}

#[test]
fn arguments_are_evaluated_for_each_try() {
    let states = json!({"A": task(json!({
        "Arguments": {"try": "{% $states.context.State.RetryCount %}", "at": "{% $now() %}"},
        "Retry": [{"ErrorEquals": ["States.ALL"]}]
    }))});
    let mut seen = Vec::new();
    run(&states, json!({}), |call| {
        seen.push(call.arguments["try"].clone());
        assert_eq!(
            call.arguments["at"] == "2025-01-01T00:00:00.000Z",
            seen.len() == 1
        );
        Err(("E", ""))
    });
    assert_eq!(seen, [json!(0), json!(1), json!(2), json!(3)]);
}

#[test]
fn an_output_that_fails_is_caught_like_the_task() {
    let states = json!({
        "A": task(json!({
            "Output": "{% $states.result.none %}",
            "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"}]
        })),
        "B": {"Type": "Succeed"}
    });
    let execution = run(&states, json!({}), |_| Ok(json!({})));
    assert_eq!(
        kinds(&execution)[4..],
        [
            "TaskSucceeded",
            "EvaluationFailed",
            "TaskStateExited",
            "SucceedStateEntered",
            "SucceedStateExited",
            "ExecutionSucceeded"
        ]
    );
}

#[test]
fn the_limit_of_the_execution_ends_a_wait_for_a_retry() {
    let states = json!({"A": task(json!({
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100}]
    }))});
    let mut definition = crate::runner::definition(&states);
    definition["TimeoutSeconds"] = 60.into();
    let mut execution = start(crate::runner::machine_of(&definition), json!({}));
    let end = finish(&mut execution, start_of_time(), |_| Err(("E", "")));
    let expect: Timestamp = "2025-01-01T00:01:00Z".parse().unwrap();
    assert_eq!((end, execution.status()), (expect, asl::Status::TimedOut));
    assert_eq!(kinds(&execution).last(), Some(&"ExecutionTimedOut"));
}
