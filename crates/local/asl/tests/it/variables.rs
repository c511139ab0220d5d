//! Assign and Output: what they see, and when it holds.

use asl::Status;
use serde_json::json;

use crate::runner::{no_task, run, task};

#[test]
fn output_and_assign_see_the_variables_as_at_entry() {
    let states = json!({
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 10}, "Next": "B"},
        "B": {
            "Type": "Pass",
            "Assign": {"x": "{% $x + 1 %}", "y": "{% $x + $y %}"},
            "Output": {"x": "{% $x %}", "y": "{% $y %}"},
            "Next": "C"
        },
        "C": {"Type": "Pass", "End": true, "Output": {
            "before": "{% $states.input %}", "x": "{% $x %}", "y": "{% $y %}"
        }}
    });
    let execution = run(&states, json!({}), no_task);
    let expect = json!({"before": {"x": 1, "y": 10}, "x": 2, "y": 11});
    assert_eq!(execution.output(), Some(&expect));
}

#[test]
fn a_failed_state_assigns_nothing() {
    let states = json!({
        "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": 2}, "Output": "{% $states.input.none %}", "End": true}
    });
    let execution = run(&states, json!({}), no_task);
    assert_eq!(execution.status(), Status::Failed);
    assert_eq!(execution.variable("x"), Some(&json!(1)));
}

#[test]
fn output_defaults_to_the_input_or_the_result() {
    let states = json!({
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Wait", "Seconds": 0, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Condition": true, "Next": "D"}]},
        "D": task(json!({"Next": "E", "Arguments": {"in": "{% $states.input %}"}})),
        "E": {"Type": "Succeed"}
    });
    let execution = run(&states, json!({"a": 1}), |call| {
        assert_eq!(*call.arguments, json!({"in": {"a": 1}}));
        Ok(json!("result"))
    });
    assert_eq!(execution.output(), Some(&json!("result")));
}

#[test]
fn rules_of_a_choice_assign_and_put_out_for_themselves() {
    let states = json!({
        "A": {
            "Type": "Choice",
            "Choices": [{
                "Condition": "{% $states.input.n = 1 %}", "Next": "B",
                "Assign": {"way": "rule"}, "Output": {"by": "rule"}
            }, {"Condition": "{% $states.input.n = 2 %}", "Next": "B", "Assign": {"way": "bare"}}],
            "Default": "B",
            "Assign": {"way": "default"},
            "Output": {"by": "default"}
        },
        "B": {"Type": "Pass", "End": true, "Output": ["{% $way %}", "{% $states.input %}"]}
    });
    let by = |n: u8| run(&states, json!({"n": n}), no_task).output().cloned();
    assert_eq!(by(1), Some(json!(["rule", {"by": "rule"}])));
    assert_eq!(by(2), Some(json!(["bare", {"n": 2}])));
    assert_eq!(by(3), Some(json!(["default", {"by": "default"}])));
}

#[test]
fn a_task_sees_its_result_and_a_catcher_the_error() {
    let states = json!({
        "A": task(json!({
            "Assign": {"kept": "{% $states.result.Payload %}"},
            "Output": {"in": "{% $states.input.a %}", "out": "{% $states.result.Payload.n %}"},
            "Next": "B"
        })),
        "B": task(json!({
            "Catch": [
                {"ErrorEquals": ["Other"], "Next": "A"},
                {"ErrorEquals": ["Mine"], "Next": "C",
                 "Assign": {"error": "{% $states.errorOutput.Error %}"},
                 "Output": {"cause": "{% $states.errorOutput.Cause %}", "n": "{% $kept.n %}"}}
            ],
        })),
        "C": {"Type": "Pass", "End": true, "Output": ["{% $error %}", "{% $states.input %}"]}
    });
    let execution = run(&states, json!({"a": 5}), |call| match &*call.state {
        "A" => Ok(json!({"Payload": {"n": 7}})),
        _ => Err(("Mine", "because")),
    });
    assert_eq!(
        execution.output(),
        Some(&json!(["Mine", {"cause": "because", "n": 7}]))
    );
}

#[test]
fn a_catcher_puts_out_the_error_by_default() {
    let states = json!({
        "A": task(json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]})),
        "B": {"Type": "Succeed"}
    });
    let execution = run(&states, json!({}), |_| Err(("E", "why")));
    assert_eq!(
        execution.output(),
        Some(&json!({"Error": "E", "Cause": "why"}))
    );
}
