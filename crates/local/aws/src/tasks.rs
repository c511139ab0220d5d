//! What a task of a state machine does with executions: the integrations `aws-sdk:sfn:startExecution` and `describeExecution`.

use asl::{Description, Engine, TaskFailure};
use serde_json::{Value, json};

use crate::stepfunctions::name_start_error;

/// Starts an execution, as a task with these arguments does.
///
/// # Errors
/// When an argument is missing, or the engine refuses it; the name is that of the SDK's error.
pub fn start_execution(engine: &Engine, arguments: &Value) -> Result<Value, TaskFailure> {
    let input = arguments
        .get("Input")
        .and_then(Value::as_str)
        .unwrap_or("{}");
    let input = serde_json::from_str(input).map_err(|error| {
        TaskFailure::new("Sfn.InvalidExecutionInputException", error.to_string())
    })?;
    let name = arguments.get("Name").and_then(Value::as_str);
    let machine = get_text(arguments, "StateMachineArn")?;
    let started = engine.start(machine, name, input).map_err(|error| {
        let name = name_start_error(&error);
        TaskFailure::new(format!("Sfn.{name}Exception"), error.to_string())
    })?;
    Ok(json!({
        "ExecutionArn": &*started.execution_arn,
        "StartDate": started.started.to_string(),
    }))
}

/// Describes an execution, as a task with these arguments does.
///
/// # Errors
/// When an argument is missing, or there is no such execution.
pub fn describe_execution(engine: &Engine, arguments: &Value) -> Result<Value, TaskFailure> {
    let described = engine.describe(get_text(arguments, "ExecutionArn")?);
    let described = described.map_err(|error| {
        TaskFailure::new("Sfn.ExecutionDoesNotExistException", error.to_string())
    })?;
    let with_data = match arguments.get("IncludedData").and_then(Value::as_str) {
        None | Some("ALL_DATA") => true,
        Some("METADATA_ONLY") => false,
        Some(other) => {
            let cause = format!("IncludedData {other} is neither ALL_DATA nor METADATA_ONLY");
            return Err(TaskFailure::new("Sfn.ValidationException", cause));
        }
    };
    Ok(write_described(&described, with_data))
}

/// The answer of `DescribeExecution`, spelt as tasks see it. What is left out as data, AWS does not say; here it is all that
/// belongs to input and result.
fn write_described(described: &Description, with_data: bool) -> Value {
    let details = json!({"Included": with_data});
    let mut answer = json!({
        "ExecutionArn": &*described.execution_arn,
        "StateMachineArn": described.state_machine_arn,
        "Name": described.name,
        "Status": described.status.as_str(),
        "StartDate": described.started.to_string(),
        "RedriveCount": described.redrive_count,
        "RedriveStatus": if described.not_redrivable.is_none() { "REDRIVABLE" } else { "NOT_REDRIVABLE" },
        "InputDetails": details,
    });
    let text = |value: &Value| value.to_string();
    let optional = [
        ("StopDate", described.stopped.map(|at| at.to_string())),
        ("RedriveDate", described.redriven.map(|at| at.to_string())),
        (
            "RedriveStatusReason",
            described.not_redrivable.as_ref().map(ToString::to_string),
        ),
        ("Input", with_data.then(|| text(&described.input))),
        (
            "Output",
            described.output.as_ref().filter(|_| with_data).map(text),
        ),
        ("Error", described.error.clone().filter(|_| with_data)),
        ("Cause", described.cause.clone().filter(|_| with_data)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            answer[name] = value.into();
        }
    }
    answer
}

fn get_text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, TaskFailure> {
    arguments.get(name).and_then(Value::as_str).ok_or_else(|| {
        TaskFailure::new(
            "States.Runtime",
            format!("the task's arguments have no {name}"),
        )
    })
}
