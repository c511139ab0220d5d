//! What is too large or too long.

use asl::{InputTooLarge, MAX_EVENTS, MAX_PAYLOAD_BYTES, NotRedrivable, Status};
use serde_json::{Value, json};

use crate::runner::{finish, kinds, machine, no_task, run, start, start_of_time, task};

/// A text whose JSON has this many bytes.
fn text(bytes: usize) -> Value {
    "x".repeat(bytes - 2).into()
}

#[test]
fn an_input_has_to_fit() {
    let states = json!({"A": {"Type": "Succeed"}});
    assert_eq!(
        run(&states, text(MAX_PAYLOAD_BYTES), no_task).status(),
        Status::Succeeded
    );
    let spec = start(machine(&states), json!({})).spec().clone();
    let input = text(MAX_PAYLOAD_BYTES + 1);
    let refused = asl::Execution::start(machine(&states), spec, input, start_of_time(), 0);
    assert_eq!(
        refused.unwrap_err(),
        InputTooLarge {
            bytes: MAX_PAYLOAD_BYTES + 1
        }
    );
}

#[test]
fn results_outputs_arguments_and_variables_have_to_fit() {
    let doubled = "{% $states.input & $states.input %}";
    let half = text(MAX_PAYLOAD_BYTES / 2 + 2);
    let table = [
        json!({"Output": doubled}),
        json!({"Assign": {"x": doubled}}),
        json!({"Assign": {"x": "{% $states.input %}", "y": "{% $states.input %}"}}),
        json!({"Arguments": {"x": doubled}}),
    ];
    for fields in table {
        let run = |by: &str| {
            let states = json!({
                "A": task({
                    let mut fields = fields.clone();
                    fields["Catch"] = json!([{"ErrorEquals": [by], "Output": 1, "Next": "B"}]);
                    fields
                }),
                "B": {"Type": "Succeed"}
            });
            run(&states, half.clone(), |_| Ok(json!({})))
        };
        let failed = run("States.TaskFailed");
        assert_eq!(failed.error(), Some("States.DataLimitExceeded"), "{fields}");
        assert_eq!(run("States.ALL").state(), "B", "{fields}");
    }
}

#[test]
fn a_result_has_to_fit() {
    let states = json!({"A": task(json!({"Output": 1}))});
    let fits = run(&states, json!({}), |_| Ok(text(MAX_PAYLOAD_BYTES)));
    assert_eq!(fits.status(), Status::Succeeded);
    let large = run(&states, json!({}), |_| Ok(text(MAX_PAYLOAD_BYTES + 1)));
    assert_eq!(large.error(), Some("States.DataLimitExceeded"));
    assert_eq!(kinds(&large)[4..], ["TaskFailed", "ExecutionFailed"]);
}

#[test]
fn all_variables_together_have_to_fit() {
    let states = json!({
        "A": {"Type": "Choice", "Choices": [
            {"Condition": "{% $count($keys($states.input)) > 0 %}", "Next": "B"}
        ]},
        "B": {"Type": "Pass", "Assign": {"a0": "{% $states.input.x %}"}, "Next": "V1"}
    });
    let mut states = states;
    for n in 1..50 {
        let next = if n == 49 {
            json!({"End": true})
        } else {
            json!({"Next": format!("V{}", n + 1)})
        };
        let mut state =
            json!({"Type": "Pass", "Assign": {format!("a{n}"): "{% $states.input.x %}"}});
        state
            .as_object_mut()
            .unwrap()
            .extend(next.as_object().unwrap().clone());
        states[format!("V{n}")] = state;
    }
    let execution = run(&states, json!({"x": "x".repeat(250_000)}), no_task);
    assert_eq!(execution.error(), Some("States.DataLimitExceeded"));
    assert_eq!(execution.state(), "V41");
}

#[test]
fn a_history_ends_at_its_limit() {
    let states = json!({
        "A": {"Type": "Choice", "Choices": [{"Condition": true, "Next": "B"}]},
        "B": {"Type": "Pass", "Next": "A"}
    });
    let mut execution = run(&states, json!({}), no_task);
    assert_eq!(execution.history().len(), MAX_EVENTS);
    assert_eq!(execution.status(), Status::Failed);
    assert_eq!(execution.error(), Some("States.Runtime"));
    assert_eq!(
        execution.cause(),
        Some("The execution reached the maximum number of history events (25000).")
    );
    assert_eq!(
        execution.redrive(start_of_time()),
        Err(NotRedrivable::HistoryFull)
    );
}

#[test]
fn redrives_go_on_in_the_same_history_until_it_is_full() {
    let states = json!({"A": {"Type": "Fail", "Error": "E"}});
    let mut execution = run(&states, json!({}), no_task);
    let mut redrives = 0;
    while execution.redrive(start_of_time()).is_ok() {
        finish(&mut execution, start_of_time(), no_task);
        redrives += 1;
    }
    // 3 events at first, 3 for each redrive: 24,999 is one too many to go on.
    assert_eq!((redrives, execution.history().len()), (8_332, 24_999));
}
