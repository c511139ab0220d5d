//! Definitions that are refused, and what is said of them.

use asl::StateMachine;
use serde_json::{Value, json};

use crate::runner::{definition, task};

/// Checks that a definition is refused for one reason, which starts with `expect`.
fn check_text(text: &str, expect: &str) {
    match StateMachine::parse(text) {
        Ok(_) => panic!("accepted, though {expect}: {text}"),
        Err(error) => {
            let said: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
            assert_eq!(said.len(), 1, "{expect}\n{said:#?}");
            assert!(
                said[0].starts_with(expect),
                "wanted {expect}\n   got {}",
                said[0]
            );
        }
    }
}

fn check(states: &Value, expect: &str) {
    check_text(&definition(states).to_string(), expect);
}

/// A state A with these fields.
fn check_state(state: Value, expect: &str) {
    check(&json!({"A": state}), &format!("state \"A\", {expect}"));
}

/// A good task with these fields besides.
fn check_task(fields: Value, expect: &str) {
    check_state(task(fields), expect);
}

/// A Pass with this output.
fn check_output(output: Value, expect: &str) {
    check_state(
        json!({"Type": "Pass", "End": true, "Output": output}),
        &format!("Output: {expect}"),
    );
}

#[test]
fn the_document_is_checked() {
    let good = definition(&json!({"A": {"Type": "Succeed"}}));
    let with = |name: &str, value: Value| {
        let mut document = good.clone();
        document[name] = value;
        document.to_string()
    };
    let without = |name: &str| {
        let mut document = good.clone();
        document.as_object_mut().unwrap().shift_remove(name);
        document.to_string()
    };
    StateMachine::parse(&with("Comment", "fine".into())).unwrap();
    StateMachine::parse(&with("Version", "1.0".into())).unwrap();
    StateMachine::parse(&with("TimeoutSeconds", 60.into())).unwrap();
    check_text("{", "not JSON");
    check_text("[]", "a definition is a JSON object");
    check_text(&format!("{good} x"), "not JSON");
    check_text(
        &without("QueryLanguage"),
        "QueryLanguage: must be \"JSONata\"",
    );
    check_text(
        &with("QueryLanguage", "JSONPath".into()),
        "QueryLanguage: \"JSONPath\" is not",
    );
    check_text(&without("StartAt"), "StartAt: is missing");
    check_text(
        &with("StartAt", "B".into()),
        "StartAt: there is no state \"B\"",
    );
    check_text(&with("StartAt", 1.into()), "StartAt: must be a string");
    check_text(
        &with("TimeoutSeconds", 0.into()),
        "TimeoutSeconds: must be an integer from 1",
    );
    check_text(
        &with("TimeoutSeconds", 1.5.into()),
        "TimeoutSeconds: must be an integer from 1",
    );
    check_text(&with("Version", "2.0".into()), "Version: must be \"1.0\"");
    check_text(&with("Comment", 1.into()), "Comment: must be a string");
    check_text(
        &with("Processor", 1.into()),
        "Processor: is not a field of this",
    );
    check_text(
        &with("Comment", "${Who}".into()),
        "Comment: the placeholder ${Who} has no value",
    );
    let twice = r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed"},"A":{"Type":"Fail"}}}"#;
    check_text(twice, "not JSON: the key \"A\" is given twice");
}

#[test]
fn states_are_checked() {
    check_state(json!({}), "Type: is missing");
    check_state(
        json!({"Type": "Tsak"}),
        "Type: there is no state type \"Tsak\"",
    );
    check_state(json!({"Type": "Map"}), "Type: Map is not implemented");
    check_state(
        json!({"Type": "Parallel"}),
        "Type: Parallel is not implemented",
    );
    check_state(json!("Pass"), "must be an object");
    check_state(
        json!({"Type": "Pass"}),
        "Next: is missing, and there is no End either",
    );
    check_state(json!({"Type": "Pass", "End": false}), "End: must be true");
    check_state(
        json!({"Type": "Pass", "End": true, "Next": "A"}),
        "End: can't be there together",
    );
    check_state(
        json!({"Type": "Pass", "Next": "B"}),
        "Next: there is no state \"B\"",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "Result": 1}),
        "Result: belongs to JSONPath",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "InputPath": "$"}),
        "InputPath: belongs to",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "Parameters": {}}),
        "Parameters: belongs to",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "Arguments": {}}),
        "Arguments: is not a field",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "QueryLanguage": "JSONPath"}),
        "QueryLanguage: only \"JSONata\"",
    );
    check_state(
        json!({"Type": "Succeed", "Assign": {"x": 1}}),
        "Assign: is not a field",
    );
    check_state(
        json!({"Type": "Succeed", "End": true}),
        "End: is not a field",
    );
    check_state(json!({"Type": "Fail", "Next": "A"}), "Next: is not a field");
    check_state(
        json!({"Type": "Fail", "Error": 1}),
        "Error: must be a string",
    );
    check_state(
        json!({"Type": "Fail", "CausePath": "$.a"}),
        "CausePath: belongs to JSONPath",
    );
    check_state(
        json!({"Type": "Succeed", "Comment": "${Left}"}),
        "Comment: the placeholder ${Left}",
    );
    let lonely = json!({"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}});
    check(&lonely, "state \"B\", no path leads to this state");
    let long = "x".repeat(81);
    check(
        &json!({long.clone(): {"Type": "Succeed"}}),
        &format!("state {long:?}, the name"),
    );
}

#[test]
fn waits_are_checked() {
    let wait = |fields: Value| {
        let mut state = json!({"Type": "Wait", "End": true});
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        state
    };
    check_state(wait(json!({})), "Seconds: is missing");
    check_state(
        wait(json!({"Seconds": -1})),
        "Seconds: must be an integer from 0",
    );
    check_state(
        wait(json!({"Seconds": 100_000_000})),
        "Seconds: must be an integer from 0",
    );
    check_state(
        wait(json!({"Seconds": "10"})),
        "Seconds: must be an integer from 0",
    );
    check_state(
        wait(json!({"Seconds": 1, "Timestamp": "2025-01-01T00:00:00Z"})),
        "Timestamp: can't be there together",
    );
    check_state(
        wait(json!({"Timestamp": "2025-01-01"})),
        "Timestamp: must be an RFC 3339",
    );
    check_state(
        wait(json!({"Timestamp": "2025-01-01 00:00:00Z"})),
        "Timestamp: must be",
    );
    check_state(
        wait(json!({"SecondsPath": "$.s", "Seconds": 1})),
        "SecondsPath: belongs to",
    );
}

#[test]
fn choices_are_checked() {
    let choice = |choices: Value| json!({"Type": "Choice", "Choices": choices, "Default": "A"});
    let rule = json!({"Condition": "{% true %}", "Next": "A"});
    check_state(
        json!({"Type": "Choice", "Default": "A"}),
        "Choices: is missing",
    );
    check_state(choice(json!([])), "Choices: must be an array");
    check_state(choice(json!([1])), "Choices[0]: must be an object");
    check_state(
        choice(json!([{"Next": "A"}])),
        "Choices[0].Condition: is missing",
    );
    check_state(
        choice(json!([rule, {"Condition": "{% true %}"}])),
        "Choices[1].Next: is missing",
    );
    check_state(
        choice(json!([{"Condition": "true", "Next": "A"}])),
        "Choices[0].Condition: must be a JSONata expression or a boolean",
    );
    check_state(
        choice(json!([{"Condition": true, "Next": "A", "Variable": "$.x"}])),
        "Choices[0].Variable: belongs to JSONPath",
    );
    check_state(
        choice(json!([{"Condition": true, "Next": "A", "StringEquals": "x"}])),
        "Choices[0].StringEquals: is not a field",
    );
    check_state(
        json!({"Type": "Choice", "Choices": [rule], "Default": "Z"}),
        "Default: there is no state \"Z\"",
    );
    check_state(
        json!({"Type": "Choice", "Choices": [rule], "Output": 1}),
        "Output or Assign: is used only when the Default is taken",
    );
    check_state(
        json!({"Type": "Choice", "Choices": [rule], "End": true}),
        "End: is not a field",
    );
}

#[test]
fn tasks_are_checked() {
    StateMachine::parse(&definition(&json!({"A": task(json!({}))})).to_string()).unwrap();
    check_task(json!({"Resource": 1}), "Resource: must be a string");
    let lambda = "arn:aws:lambda:eu-west-1:1:function:f";
    check_task(
        json!({"Resource": lambda}),
        "Resource: only arn:aws:states:::service:action",
    );
    let token = "arn:aws:states:::lambda:invoke.waitForTaskToken";
    check_task(
        json!({"Resource": token}),
        "Resource: only request and response",
    );
    check_task(
        json!({"Resource": "arn:${P}:states:::lambda:invoke"}),
        "Resource: the placeholder ${P} has no value",
    );
    check_task(json!({"Arguments": "f"}), "Arguments: must be an object");
    check_task(
        json!({"HeartbeatSeconds": 5}),
        "HeartbeatSeconds: is not implemented",
    );
    check_task(
        json!({"Credentials": {}}),
        "Credentials: is not implemented",
    );
    check_task(
        json!({"ResultPath": "$"}),
        "ResultPath: belongs to JSONPath",
    );
    check_task(
        json!({"ResultSelector": {}}),
        "ResultSelector: belongs to JSONPath",
    );
    check_task(
        json!({"TimeoutSeconds": 0}),
        "TimeoutSeconds: must be an integer from 1",
    );
    check_task(
        json!({"TimeoutSeconds": true}),
        "TimeoutSeconds: must be an integer from 1",
    );
    check_task(
        json!({"Assign": []}),
        "Assign: must be an object of variables",
    );
    check_task(
        json!({"Assign": {"states": 1}}),
        "Assign/states: $states is reserved",
    );
    check_task(
        json!({"Assign": {"a.b": 1}}),
        "Assign/a.b: a variable's name is letters",
    );
    check_task(
        json!({"Assign": {"1a": 1}}),
        "Assign/1a: a variable's name is letters",
    );
    let mut missing = task(json!({}));
    missing.as_object_mut().unwrap().shift_remove("Arguments");
    check_state(missing, "Arguments: is missing");
}

#[test]
fn only_supported_resources_are_accepted() {
    let text = definition(&json!({"A": task(json!({}))})).to_string();
    let supported = |patterns: &[&str]| StateMachine::parse_for(&text, patterns);
    for good in ["arn:aws:states:::lambda:invoke", "arn:*:lambda:*", "*"] {
        supported(&["x", good]).unwrap();
    }
    for bad in [
        "arn:aws:states:::lambda:invok",
        "arn:*:sns:*",
        "*:invoke2",
        "",
    ] {
        let error = supported(&[bad]).unwrap_err().to_string();
        assert!(
            error.contains("lambda:invoke is not supported here"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn retriers_and_catchers_are_checked() {
    let retry = |retrier: Value, expect: &str| {
        check_task(json!({"Retry": [retrier]}), &format!("Retry[0].{expect}"));
    };
    let all = json!(["States.ALL"]);
    retry(
        json!({}),
        "ErrorEquals: must be an array with at least one error name",
    );
    retry(json!({"ErrorEquals": []}), "ErrorEquals: must be an array");
    retry(
        json!({"ErrorEquals": [""]}),
        "ErrorEquals: an error name can't be empty",
    );
    retry(
        json!({"ErrorEquals": ["States.ALL", "X"]}),
        "ErrorEquals: States.ALL must stand alone",
    );
    retry(
        json!({"ErrorEquals": ["States.Timout"]}),
        "ErrorEquals: no task here can fail with",
    );
    retry(
        json!({"ErrorEquals": ["States.Runtime"]}),
        "ErrorEquals: no task here can fail with",
    );
    retry(
        json!({"ErrorEquals": all, "IntervalSeconds": 0}),
        "IntervalSeconds: must be an integer",
    );
    retry(
        json!({"ErrorEquals": all, "MaxAttempts": -1}),
        "MaxAttempts: must be an integer from 0",
    );
    retry(
        json!({"ErrorEquals": all, "BackoffRate": 0.9}),
        "BackoffRate: must be a number of at",
    );
    retry(
        json!({"ErrorEquals": all, "MaxDelaySeconds": 1}),
        "MaxDelaySeconds: must be greater",
    );
    retry(
        json!({"ErrorEquals": all, "MaxDelaySeconds": 31_622_400}),
        "MaxDelaySeconds: must be an integer from 1 to 31622399",
    );
    retry(
        json!({"ErrorEquals": all, "JitterStrategy": "full"}),
        "JitterStrategy: must be",
    );
    retry(
        json!({"ErrorEquals": all, "Next": "A"}),
        "Next: is not a field",
    );
    check_task(json!({"Retry": {}}), "Retry: must be an array");
    check_task(
        json!({"Retry": [{"ErrorEquals": all}, {"ErrorEquals": ["X"]}]}),
        "Retry[0].ErrorEquals: States.ALL must stand alone, and last",
    );
    check_task(
        json!({"Catch": [{"ErrorEquals": all, "Next": "A"}, {"ErrorEquals": ["X"], "Next": "A"}]}),
        "Catch[0].ErrorEquals: States.ALL must stand alone, and last",
    );
    check_task(
        json!({"Catch": [{"ErrorEquals": all}]}),
        "Catch[0].Next: is missing",
    );
    check_task(
        json!({"Catch": [{"ErrorEquals": all, "Next": "A", "ResultPath": "$.e"}]}),
        "Catch[0].ResultPath: belongs to JSONPath",
    );
    check_task(
        json!({"Catch": [{"ErrorEquals": all, "Next": "A", "Output": "{% $states.result %}"}]}),
        "Catch[0].Output: $states.result is not available in this field",
    );
}

#[test]
fn expressions_are_checked() {
    check_output(json!("{% $states.input. %}"), "not JSONata");
    check_output(json!("{% 1 + %}"), "not JSONata");
    check_output(json!("{% %}"), "not JSONata");
    check_output(json!(" {% 1 %}"), "an expression is the whole string");
    check_output(json!("{% 1 %} "), "an expression is the whole string");
    check_output(json!("{% 1"), "an expression is the whole string");
    check_output(json!("at {% 1 %}"), "an expression is the whole string");
    check_output(json!("{% 1 %}{% 2 %}"), "an expression is the whole string");
    check_output(json!("{% $ %}"), "$ has no meaning here");
    check_output(json!("{% $.a %}"), "$ has no meaning here");
    check_output(json!("{% $$.a %}"), "$$ has no meaning here");
    check_output(
        json!("{% a.b %}"),
        "the name a has no meaning here; use $states.input.a",
    );
    check_output(
        json!("{% $runid %}"),
        "no state assigns the variable $runid",
    );
    check_output(
        json!("{% $runid.a[0] %}"),
        "no state assigns the variable $runid",
    );
    check_output(json!("{% $states.inptu %}"), "there is no $states.inptu");
    check_output(
        json!("{% $states.result %}"),
        "$states.result is not available in this field",
    );
    check_output(
        json!("{% $states.errorOutput.Error %}"),
        "$states.errorOutput is not available",
    );
    check_output(
        json!("{% $eval('1') %}"),
        "$eval is not available in Step Functions",
    );
    check_output(
        json!("{% $hash('a', 'MD5') %}"),
        "$hash is implemented with 'SHA-256'",
    );
    check_output(
        json!("{% $nosuch(1) %}"),
        "the function $nosuch is not implemented",
    );
    check_output(
        json!("{% string(1) %}"),
        "there is no function string; did you mean $string?",
    );
    check_output(
        json!("{% $states.input.a ?? 1 %}"),
        "the operators ?? and ?: are not in JSONata",
    );
    check_output(
        json!("{% $states.input.a ?: 1 %}"),
        "the operators ?? and ?: are not in JSONata",
    );
    check_output(
        json!("{% $map([1], $millis) %}"),
        "$millis can be called here, but not passed",
    );
    for (call, name) in [
        ("$partition([1, 2], 1)", "partition"),
        ("$random()", "random"),
        ("$random(5)", "random"),
        ("$shuffle([1, 2])", "shuffle"),
        ("$uuid()", "uuid"),
    ] {
        check_output(
            json!(format!("{{% {call} %}}")),
            &format!("the function ${name} is not implemented"),
        );
    }
    check_output(
        json!("{% $now('[Y0001]') %}"),
        "$now is implemented without arguments only; use $fromMillis($millis(), picture, zone)",
    );
    check_state(
        json!({"Type": "Pass", "End": true, "Output": {"a": [0, {"b": "{% $x %}"}]}}),
        "Output/a/1/b: no state assigns the variable $x",
    );
    check_task(
        json!({"Arguments": {"FunctionName": "{% $states.result %}"}}),
        "Arguments/FunctionName: $states.result is not available",
    );
}

#[test]
fn all_problems_are_said_at_once() {
    let states = json!({
        "A": {"Type": "Pass", "Next": "B", "Result": 1, "Output": "{% $x %}"},
        "C": {"Type": "Map"},
        "D": {"Type": "Wait", "Seconds": -1}
    });
    let mut document = definition(&states);
    document["Extra"] = 1.into();
    let error = StateMachine::parse(&document.to_string()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the definition is refused\n  \
         Extra: is not a field of this\n  \
         state \"A\", Result: belongs to JSONPath; only JSONata is implemented\n  \
         state \"A\", Next: there is no state \"B\"\n  \
         state \"A\", Output: no state assigns the variable $x\n  \
         state \"C\", Type: Map is not implemented\n  \
         state \"D\", Seconds: must be an integer from 0 to 99999999, not -1\n  \
         state \"D\", Next: is missing, and there is no End either"
    );
}
