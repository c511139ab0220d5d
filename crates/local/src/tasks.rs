//! What the state machine's tasks do here: invoke a function, publish a message, start an execution.

use std::sync::{Arc, Mutex, PoisonError};

use asl::{Engine, TaskCall, TaskFailure};
use bytes::Bytes;
use serde_json::{Value, json};

use local_aws::lambda::LambdaHost;
use local_aws::{Publication, Topics};

/// The integrations that a definition may use here.
pub(crate) const RESOURCES: [&str; 3] = [INVOKE, PUBLISH, START];
const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const PUBLISH: &str = "arn:aws:states:::sns:publish";
const START: &str = "arn:aws:states:::aws-sdk:sfn:startExecution";

/// Runs tasks.
#[derive(Clone)]
pub(crate) struct Tasks {
    lambda: LambdaHost,
    topics: Topics,
    /// The engine that runs the tasks, which starts executions too. Taken out at the end, because the engine holds this.
    engine: Arc<Mutex<Option<Engine>>>,
}

impl Tasks {
    pub(crate) fn new(lambda: LambdaHost, topics: Topics) -> Self {
        Self {
            lambda,
            topics,
            engine: Arc::default(),
        }
    }

    /// Lets tasks start executions of this engine, or of none.
    pub(crate) fn attach(&self, engine: Option<Engine>) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    pub(crate) async fn run(self, call: TaskCall) -> Result<Value, TaskFailure> {
        match &*call.resource {
            INVOKE => self.invoke(&call.arguments).await,
            PUBLISH => self.publish(&call.arguments),
            START => self.start(&call.arguments),
            other => Err(TaskFailure::new(
                "States.Runtime",
                format!("the resource {other} is not known here"),
            )),
        }
    }

    async fn invoke(&self, arguments: &Value) -> Result<Value, TaskFailure> {
        let function = text(arguments, "FunctionName")?;
        let name = function.split(":function:").last().unwrap_or(function);
        let name = name.split(':').next().unwrap_or(name);
        let payload = arguments.get("Payload").unwrap_or(&Value::Null).to_string();
        let answer = self.lambda.invoke(name, Bytes::from(payload)).await;
        let answer = answer.map_err(|error| TaskFailure::new(error.name(), error.cause()))?;
        let payload: Value = serde_json::from_slice(&answer).map_err(|error| {
            TaskFailure::new(
                "Lambda.Unknown",
                format!("the function's answer is no JSON: {error}"),
            )
        })?;
        Ok(json!({"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}))
    }

    fn publish(&self, arguments: &Value) -> Result<Value, TaskFailure> {
        let message = match arguments.get("Message") {
            Some(Value::String(message)) => message.clone(),
            Some(message) => message.to_string(),
            None => return Err(missing("Message")),
        };
        let subject = arguments.get("Subject").and_then(Value::as_str);
        if let Some(subject) = subject.filter(|subject| !is_subject(subject)) {
            return Err(TaskFailure::new(
                "SNS.InvalidParameterException",
                format!(
                    "Invalid parameter: Subject {subject:?} has to be 1 to 100 printable ASCII characters"
                ),
            ));
        }
        let id = self.topics.publish(Publication {
            topic: text(arguments, "TopicArn")?.to_owned(),
            subject: subject.map(str::to_owned),
            message,
        });
        Ok(json!({ "MessageId": id }))
    }

    fn start(&self, arguments: &Value) -> Result<Value, TaskFailure> {
        let engine = self
            .engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let engine =
            engine.ok_or_else(|| TaskFailure::new("Sfn.SfnException", "it is closing down"))?;
        let input = arguments
            .get("Input")
            .and_then(Value::as_str)
            .unwrap_or("{}");
        let input = serde_json::from_str(input).map_err(|error| {
            TaskFailure::new("Sfn.InvalidExecutionInputException", error.to_string())
        })?;
        let name = arguments.get("Name").and_then(Value::as_str);
        let started = engine.start(text(arguments, "StateMachineArn")?, name, input);
        let started = started.map_err(|error| {
            let name = match error {
                asl::StartError::StateMachineDoesNotExist(_) => {
                    "Sfn.StateMachineDoesNotExistException"
                }
                asl::StartError::InvalidName(_) => "Sfn.InvalidNameException",
                asl::StartError::ExecutionAlreadyExists(_) => "Sfn.ExecutionAlreadyExistsException",
                asl::StartError::InvalidExecutionInput(_) => "Sfn.InvalidExecutionInputException",
            };
            TaskFailure::new(name, error.to_string())
        })?;
        Ok(json!({
            "ExecutionArn": &*started.execution_arn,
            "StartDate": started.started.to_string(),
        }))
    }
}

/// SNS takes subjects of ASCII text that begins with a letter, digit or punctuation mark, without line breaks, shorter than 100 characters or as long.
fn is_subject(subject: &str) -> bool {
    (1..=100).contains(&subject.len())
        && subject.starts_with(|first: char| first.is_ascii_graphic())
        && subject
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, TaskFailure> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> TaskFailure {
    TaskFailure::new(
        "States.Runtime",
        format!("the task's arguments have no {name}"),
    )
}
