//! An execution that ended without success goes on.

use asl::{Execution, NotRedrivable, Status, Step};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::runner::{finish, kinds, machine, machine_of, no_task, run, start, start_of_time, task};

fn later(days: i64) -> Timestamp {
    start_of_time() + SignedDuration::from_hours(24 * days)
}

#[test]
fn a_task_runs_again_with_the_input_and_variables_it_had() {
    let states = json!({
        "A": {"Type": "Pass", "Assign": {"x": 1}, "Output": {"n": 5}, "Next": "B"},
        "B": task(json!({
            "Arguments": {
                "n": "{% $states.input.n %}", "x": "{% $x %}",
                "redrives": "{% $states.context.Execution.RedriveCount %}",
                "tries": "{% $states.context.State.RetryCount %}"
            },
            "Assign": {"x": 2},
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
        }))
    });
    let mut execution = run(&states, json!({}), |_| Err(("E", "")));
    assert_eq!(
        (execution.status(), execution.error()),
        (Status::Failed, Some("E"))
    );
    execution.redrive(later(1)).unwrap();
    assert_eq!(
        (execution.status(), execution.error()),
        (Status::Running, None)
    );
    let mut seen = Vec::new();
    finish(&mut execution, later(1), |call| {
        seen.push((*call.arguments).clone());
        if seen.len() == 1 {
            Err(("E", ""))
        } else {
            Ok(json!("done"))
        }
    });
    assert_eq!(
        seen,
        [
            json!({"n": 5, "x": 1, "redrives": 1, "tries": 0}),
            json!({"n": 5, "x": 1, "redrives": 1, "tries": 1}),
        ]
    );
    assert_eq!(execution.output(), Some(&json!("done")));
    assert_eq!(execution.variable("x"), Some(&json!(2)));
    let kinds = kinds(&execution);
    let at = kinds
        .iter()
        .position(|kind| *kind == "ExecutionRedriven")
        .unwrap();
    assert_eq!(
        kinds[at - 1..at + 3],
        [
            "ExecutionFailed",
            "ExecutionRedriven",
            "TaskScheduled",
            "TaskStarted"
        ]
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "TaskStateEntered")
            .count(),
        1
    );
}

#[test]
fn only_a_recent_failure_can_be_redriven() {
    let fail = json!({"A": {"Type": "Fail", "Error": "E"}});
    let mut execution = start(machine(&fail), json!({}));
    assert_eq!(execution.redrive(later(0)), Err(NotRedrivable::Running));
    finish(&mut execution, start_of_time(), no_task);
    let over = later(14) + SignedDuration::from_millis(1);
    assert_eq!(execution.redrive(over), Err(NotRedrivable::TooOld));
    assert_eq!(execution.redrive(later(14)), Ok(()));
    let mut done = run(&json!({"A": {"Type": "Succeed"}}), json!({}), no_task);
    assert_eq!(done.redrive(later(0)), Err(NotRedrivable::Succeeded));
}

#[test]
fn a_fail_state_is_entered_again_and_fails_again() {
    let mut execution = run(
        &json!({"A": {"Type": "Fail", "Error": "E"}}),
        json!({}),
        no_task,
    );
    for count in 1..3 {
        execution.redrive(later(1)).unwrap();
        finish(&mut execution, later(1), no_task);
        assert_eq!(
            (execution.status(), execution.redrive_count()),
            (Status::Failed, count)
        );
    }
    assert_eq!(
        kinds(&execution)[2..6],
        [
            "ExecutionFailed",
            "ExecutionRedriven",
            "FailStateEntered",
            "ExecutionFailed"
        ]
    );
}

#[test]
fn a_choice_is_evaluated_again() {
    let states = json!({
        "A": {"Type": "Choice", "Choices": [{
            "Condition": "{% $states.context.Execution.RedriveCount > 0 %}", "Next": "B"
        }]},
        "B": {"Type": "Succeed"}
    });
    let mut execution = run(&states, json!({}), no_task);
    assert_eq!(execution.error(), Some("States.NoChoiceMatched"));
    execution.redrive(later(1)).unwrap();
    finish(&mut execution, later(1), no_task);
    assert_eq!(execution.status(), Status::Succeeded);
    assert_eq!(
        kinds(&execution)[3..5],
        ["ExecutionRedriven", "ChoiceStateExited"]
    );
}

/// Stops an execution in its first Wait and redrives it after two days; when it ends then.
fn stopped_in_wait(wait: Value) -> (Timestamp, Execution) {
    let mut state = json!({"Type": "Wait", "End": true});
    state
        .as_object_mut()
        .unwrap()
        .extend(wait.as_object().unwrap().clone());
    let mut execution = start(machine(&json!({"A": state})), json!({}));
    assert!(matches!(
        execution.step(start_of_time()),
        Step::WaitUntil(_)
    ));
    assert!(execution.stop(start_of_time(), None, Some("tired".into())));
    assert!(!execution.stop(start_of_time(), None, None), "it had ended");
    assert_eq!(
        (execution.status(), execution.cause()),
        (Status::Aborted, Some("tired"))
    );
    execution.redrive(later(2)).unwrap();
    (finish(&mut execution, later(2), no_task), execution)
}

#[test]
fn a_wait_ends_at_once_if_its_time_has_passed() {
    let (end, execution) = stopped_in_wait(json!({"Timestamp": "2025-01-02T00:00:00Z"}));
    assert_eq!(end, later(2));
    assert_eq!(
        kinds(&execution)[2..5],
        ["ExecutionAborted", "ExecutionRedriven", "WaitStateExited"]
    );
    let (end, _) = stopped_in_wait(json!({"Timestamp": "2025-01-05T00:00:00Z"}));
    assert_eq!(end, later(4));
    let (end, _) = stopped_in_wait(json!({"Seconds": 86_400}));
    assert_eq!(end, later(3));
}

#[test]
fn the_limit_of_the_execution_counts_anew() {
    let states = json!({"A": {"Type": "Wait", "Timestamp": "2025-01-01T00:01:30Z", "End": true}});
    let mut definition = crate::runner::definition(&states);
    definition["TimeoutSeconds"] = 60.into();
    let mut execution = start(machine_of(&definition), json!({}));
    let end = finish(&mut execution, start_of_time(), no_task);
    assert_eq!(
        (execution.status(), end),
        (Status::TimedOut, start_of_time() + 60.seconds())
    );
    execution.redrive(end).unwrap();
    let end = finish(&mut execution, end, no_task);
    assert_eq!(
        (execution.status(), end),
        (Status::Succeeded, start_of_time() + 90.seconds())
    );
}

#[test]
fn an_answer_to_a_task_of_before_is_refused() {
    let mut execution = start(machine(&json!({"A": task(json!({}))})), json!({}));
    assert!(matches!(execution.step(later(0)), Step::Task(_)));
    execution.stop(later(0), None, None);
    assert_eq!(
        execution.succeed_task(later(0), json!({})),
        Err(asl::NoTask)
    );
    execution.redrive(later(0)).unwrap();
    assert_eq!(execution.fail_task(later(0), "E", None), Err(asl::NoTask));
    finish(&mut execution, later(0), |_| Ok(json!({})));
    assert_eq!(execution.status(), Status::Succeeded);
}
