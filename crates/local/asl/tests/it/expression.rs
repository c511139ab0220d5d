//! What expressions come to.

use asl::Status;
use serde_json::{Value, json};

use crate::runner::{no_task, run};

/// Checks what an Output comes to; `Err` is what the cause ends in.
fn check(input: &Value, output: Value, expect: Result<Value, &str>) {
    let states = json!({"A": {"Type": "Pass", "End": true, "Output": output}});
    let execution = run(&states, input.clone(), no_task);
    match expect {
        Ok(value) => assert_eq!(
            execution.output(),
            Some(&value),
            "{output} {:?}",
            execution.cause()
        ),
        Err(end) => {
            assert_eq!(
                execution.error(),
                Some("States.QueryEvaluationError"),
                "{output}"
            );
            let cause = execution.cause().unwrap();
            assert!(
                cause.ends_with(end),
                "{output}\nwanted {end}\n   got {cause}"
            );
        }
    }
}

fn input() -> Value {
    json!({
        "id": "r-1", "n": 3, "f": 1.5, "one": 1.0, "nothing": null, "list": [1], "empty": [],
        "nested": [[1, 2]], "rows": [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}], "deep": {"a": {"b": []}}
    })
}

#[test]
fn paths_and_templates() {
    let input = input();
    check(&input, json!("{% $states.input.id %}"), Ok(json!("r-1")));
    check(
        &input,
        json!("{% $states.input.nothing %}"),
        Ok(json!(null)),
    );
    check(&input, json!("{% $states.input.one %}"), Ok(json!(1)));
    check(&input, json!("{% $states.input.list %}"), Ok(json!([1])));
    check(&input, json!("{% $states.input.empty %}"), Ok(json!([])));
    check(
        &input,
        json!("{% $states.input.nested %}"),
        Ok(json!([[1, 2]])),
    );
    check(
        &input,
        json!("{% $states.input.rows.v %}"),
        Ok(json!(["a", "b"])),
    );
    check(
        &input,
        json!("{% $states.input.rows[k=2].v %}"),
        Ok(json!("b")),
    );
    check(
        &input,
        json!("{% [$states.input.rows[k=2].v] %}"),
        Ok(json!(["b"])),
    );
    check(
        &input,
        json!("{% $states.input.rows.{'x': k} %}"),
        Ok(json!([{"x": 1}, {"x": 2}])),
    );
    check(
        &input,
        json!("{% $sum($states.input.rows.k) + $states.input.n %}"),
        Ok(json!(6)),
    );
    check(&input, json!("{% $states.input.n / 2 %}"), Ok(json!(1.5)));
    check(
        &input,
        json!("{% $states.input.deep %}"),
        Ok(json!({"a": {"b": []}})),
    );
    check(
        &input,
        json!("{% $states.input.rows.k.%.v %}"),
        Ok(json!(["a", "b"])),
    );
    check(
        &input,
        json!("{% $keys($states.input)[0] %}"),
        Ok(json!("id")),
    );
    check(
        &input,
        json!("{% $states.input.** [$type($) = 'string'] %}"),
        Ok(json!(["r-1", "a", "b"])),
    );
    check(
        &input,
        json!("{% ($s := $states; $s.input.id) %}"),
        Ok(json!("r-1")),
    );
    check(
        &input,
        json!("{% ($f := function($x) { $x * 2 }; $f(4)) %}"),
        Ok(json!(8)),
    );
    check(
        &input,
        json!({"a": ["{% $states.input.n %}", {"b": "{% $states.input.f %}"}], "c": "plain {x}"}),
        Ok(json!({"a": [3, {"b": 1.5}], "c": "plain {x}"})),
    );
    check(&input, json!({"a": 1}), Ok(json!({"a": 1})));
    check(&input, json!(null), Ok(json!(null)));
}

#[test]
fn what_is_not_json_is_an_evaluation_error() {
    let input = input();
    let undefined = "returned nothing (undefined).";
    check(&input, json!("{% $states.input.missing %}"), Err(undefined));
    check(&input, json!("{% $states.input.id.x %}"), Err(undefined));
    check(
        &input,
        json!("{% $states.input.nothing.x %}"),
        Err(undefined),
    );
    check(
        &input,
        json!("{% $states.input.rows[k=9] %}"),
        Err(undefined),
    );
    check(
        &input,
        json!({"a": {"b": "{% $states.input.missing %}"}}),
        Err(
            "The JSONata expression '$states.input.missing' specified for the field 'Output/a/b' \
         returned nothing (undefined).",
        ),
    );
    check(
        &input,
        json!("{% function($x) { $x } %}"),
        Err("returned a function."),
    );
    check(&input, json!("{% $sum %}"), Err("returned a function."));
    check(&input, json!("{% $error('too bad') %}"), Err("too bad"));
    check(
        &input,
        json!("{% $states.input.id + 1 %}"),
        Err("must evaluate to a number"),
    );
    check(
        &input,
        json!("{% ($f := function($n) { $f($n + 1) + 1 }; $f(0)) %}"),
        Err(""),
    );
    // Inside an object or array constructor the undefined is left out, as JSONata has it.
    check(
        &input,
        json!("{% {'a': $states.input.missing} %}"),
        Ok(json!({})),
    );
    check(
        &input,
        json!("{% [1, $states.input.missing] %}"),
        Ok(json!([1])),
    );
}

#[test]
fn time_comes_from_the_caller() {
    let nothing = json!({});
    check(
        &nothing,
        json!("{% $now() %}"),
        Ok(json!("2025-01-01T00:00:00.000Z")),
    );
    check(
        &nothing,
        json!("{% $millis() %}"),
        Ok(json!(1_735_689_600_000_i64)),
    );
    check(
        &nothing,
        json!("{% $fromMillis($millis(), '[Y0001]/[M01]/[D01]') %}"),
        Ok(json!("2025/01/01")),
    );
    check(
        &nothing,
        json!("{% $fromMillis($millis(), '[H01]:[m01]', '+0200') %}"),
        Ok(json!("02:00")),
    );
    check(
        &nothing,
        json!("{% $fromMillis($millis() + 1000) %}"),
        Ok(json!("2025-01-01T00:00:01.000Z")),
    );
}

#[test]
fn a_hash_can_be_computed() {
    let nothing = json!({});
    check(
        &nothing,
        json!("{% $substring($hash('abc', 'SHA-256'), 0, 8) %}"),
        Ok(json!("ba7816bf")),
    );
    check(
        &nothing,
        json!("{% $length($hash('abc', 'SHA-512')) %}"),
        Ok(json!(128)),
    );
}

#[test]
fn a_range_of_one_number_is_that_number() {
    let nothing = json!({});
    for (call, expect) in [
        ("$range(0, 10, 5)", Ok(json!([0, 5, 10]))),
        ("$range(3, 1, -1)", Ok(json!([3, 2, 1]))),
        ("$range(1, 9, 9)", Ok(json!(1))),
        ("$count($range(1, 1000, 1))", Ok(json!(1000))),
        ("$range(1, 1001, 1)", Err("$range gives 1 to 1000 numbers")),
        ("$range(9, 1, 1)", Err("$range gives 1 to 1000 numbers")),
        ("$range(1, 9, 0)", Err("$range gives 1 to 1000 numbers")),
        ("$range('a', 9, 1)", Err("$range takes three numbers")),
    ] {
        check(&nothing, json!(format!("{{% {call} %}}")), expect);
    }
}

#[test]
fn a_text_that_is_json_can_be_read() {
    let input =
        json!({"body": "{\"n\": 7, \"rows\": [[1], []], \"text\": \"it's\"}", "cut": "{\"n\": "});
    for (call, expect) in [
        ("$parse($states.input.body).n", Ok(json!(7))),
        ("$parse($states.input.body).rows", Ok(json!([[1], []]))),
        ("$parse('[]')", Ok(json!([]))),
        (
            "$parse($states.input.cut)",
            Err("$parse was given no JSON: EOF while parsing a value at line 1 column 6"),
        ),
        ("$parse(1)", Err("$parse takes a string")),
    ] {
        check(&input, json!(format!("{{% {call} %}}")), expect);
    }
}

#[test]
fn the_context_object_is_that_of_step_functions() {
    let states = json!({"A": {"Type": "Pass", "End": true, "Output": "{% $states.context %}"}});
    let execution = run(&states, json!({"x": 1}), no_task);
    let expect = json!({
        "Execution": {
            "Id": "arn:aws:states:eu-west-1:123456789012:execution:M:one",
            "Input": {"x": 1},
            "Name": "one",
            "RoleArn": "arn:aws:iam::123456789012:role/r",
            "StartTime": "2025-01-01T00:00:00.000Z",
            "RedriveCount": 0
        },
        "State": {"EnteredTime": "2025-01-01T00:00:00.000Z", "Name": "A", "RetryCount": 0},
        "StateMachine": {
            "Id": "arn:aws:states:eu-west-1:123456789012:stateMachine:M",
            "Name": "M"
        }
    });
    assert_eq!(execution.output(), Some(&expect));
}

#[test]
fn conditions_have_to_be_booleans() {
    let choice = |condition: &str| {
        let states = json!({
            "A": {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "B"}]},
            "B": {"Type": "Succeed"}
        });
        run(&states, json!({"n": 1}), no_task)
    };
    assert_eq!(
        choice("{% $states.input.n = 1 %}").status(),
        Status::Succeeded
    );
    let none = choice("{% $states.input.n = 2 %}");
    assert_eq!(none.error(), Some("States.NoChoiceMatched"));
    let number = choice("{% $states.input.n %}");
    assert_eq!(number.error(), Some("States.QueryEvaluationError"));
    assert!(number.cause().unwrap().ends_with("1 is not a boolean."));
    let missing = choice("{% $states.input.m %}");
    assert_eq!(missing.error(), Some("States.QueryEvaluationError"));
}

#[test]
fn a_fail_state_can_compute_its_error() {
    let fail = |error: &str| {
        let states =
            json!({"A": {"Type": "Fail", "Error": error, "Cause": "{% 'n=' & $states.input.n %}"}});
        run(&states, json!({"n": 1}), no_task)
    };
    let failed = fail("{% 'E' & $states.input.n %}");
    assert_eq!((failed.error(), failed.cause()), (Some("E1"), Some("n=1")));
    assert_eq!(
        fail("{% $states.input.n %}").error(),
        Some("States.QueryEvaluationError")
    );
    let plain = run(&json!({"A": {"Type": "Fail"}}), json!({}), no_task);
    assert_eq!(
        (plain.status(), plain.error(), plain.cause()),
        (Status::Failed, None, None)
    );
}

#[test]
fn waits_take_expressions() {
    let wait = |field: &str, value: Value| {
        let states = json!({
            "A": {"Type": "Wait", field: value, "Next": "B"},
            "B": {"Type": "Pass", "End": true, "Output": "{% $now() %}"}
        });
        run(
            &states,
            json!({"s": 90, "t": "2025-01-02T03:04:05Z", "bad": 1.5}),
            no_task,
        )
    };
    let output = |execution: asl::Execution| execution.output().cloned();
    assert_eq!(
        output(wait("Seconds", json!(10))),
        Some(json!("2025-01-01T00:00:10.000Z"))
    );
    assert_eq!(
        output(wait("Seconds", json!("{% $states.input.s %}"))),
        Some(json!("2025-01-01T00:01:30.000Z"))
    );
    assert_eq!(
        output(wait("Timestamp", json!("{% $states.input.t %}"))),
        Some(json!("2025-01-02T03:04:05.000Z"))
    );
    assert_eq!(
        output(wait("Timestamp", json!("2024-01-01T00:00:00Z"))),
        Some(json!("2025-01-01T00:00:00.000Z")),
        "a time that has passed is no wait"
    );
    for bad in [
        "{% $states.input.bad %}",
        "{% -1 %}",
        "{% '10' %}",
        "{% 100000000 %}",
    ] {
        let failed = wait("Seconds", json!(bad));
        assert_eq!(failed.error(), Some("States.QueryEvaluationError"), "{bad}");
    }
    for (until, at) in [
        ("2025-01-02T03:04:05.999Z", "2025-01-02T03:04:05.000Z"),
        ("2025-01-01T00:00:00.999Z", "2025-01-01T00:00:00.000Z"),
        ("2093-01-19T03:14:07Z", "2093-01-19T03:14:07.000Z"),
    ] {
        let ended = wait("Timestamp", json!(until));
        assert_eq!(
            output(ended),
            Some(json!(at)),
            "a Timestamp counts to the second"
        );
    }
    let failed = wait("Timestamp", json!("2093-01-19T03:14:08Z"));
    assert_eq!(
        failed.error(),
        Some("States.Runtime"),
        "24,855 days and more"
    );
    let failed = wait("Timestamp", json!("{% 'tomorrow' %}"));
    assert_eq!(failed.error(), Some("States.QueryEvaluationError"));
}
