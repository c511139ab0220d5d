//! Runs the tasks of the state machines: invokes a function, publishes a message, starts an execution or looks at one.

use std::sync::{Arc, Mutex, PoisonError};

use asl::{Engine, TaskCall, TaskFailure};
use bytes::Bytes;
use serde_json::{Value, json};

use local_aws::lambda::LambdaHost;
use local_aws::{Publication, Topics, tasks};

/// The integrations that a definition may use.
pub(crate) const RESOURCES: [&str; 4] = [INVOKE, PUBLISH, START, DESCRIBE];
const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const PUBLISH: &str = "arn:aws:states:::sns:publish";
const START: &str = "arn:aws:states:::aws-sdk:sfn:startExecution";
const DESCRIBE: &str = "arn:aws:states:::aws-sdk:sfn:describeExecution";

const INVALID_PARAMETER: &str = "SNS.InvalidParameterException";

#[derive(Clone)]
pub(crate) struct Tasks {
    lambda: LambdaHost,
    topics: Topics,
    /// The engine that runs the tasks, for those that start executions or look at them. It is removed at the end, because the engine holds this struct.
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

    /// Sets the engine of the executions that tasks start and look at; `None` removes it.
    pub(crate) fn attach_engine(&self, engine: Option<Engine>) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    pub(crate) async fn run_task(self, call: TaskCall) -> Result<Value, TaskFailure> {
        match &*call.resource {
            INVOKE => self.invoke_function(&call.arguments).await,
            PUBLISH => self.publish_message(&call.arguments),
            START => tasks::start_execution(&self.find_engine()?, &call.arguments),
            DESCRIBE => tasks::describe_execution(&self.find_engine()?, &call.arguments),
            other => Err(TaskFailure::new(
                "States.Runtime",
                format!("the resource {other} is not implemented"),
            )),
        }
    }

    async fn invoke_function(&self, arguments: &Value) -> Result<Value, TaskFailure> {
        let function = get_text(arguments, "FunctionName")?;
        let name = function.split(":function:").last().unwrap_or(function);
        let name = name.split(':').next().unwrap_or(name);
        let payload = arguments.get("Payload").unwrap_or(&Value::Null).to_string();
        let answer = self.lambda.invoke(name, Bytes::from(payload)).await;
        let answer = answer.map_err(|error| TaskFailure::new(error.name(), error.cause()))?;
        let payload: Value = serde_json::from_slice(&answer).map_err(|error| {
            TaskFailure::new(
                "Lambda.Unknown",
                format!("the function's answer is not JSON: {error}"),
            )
        })?;
        Ok(json!({"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}))
    }

    fn publish_message(&self, arguments: &Value) -> Result<Value, TaskFailure> {
        let message = match arguments.get("Message") {
            Some(Value::String(message)) => message.clone(),
            Some(message) => message.to_string(),
            None => return Err(missing_argument("Message")),
        };
        let (message, structured) = match arguments.get("MessageStructure") {
            None => (message, None),
            Some(_) => split_message(&message)?,
        };
        let subject = arguments.get("Subject").and_then(Value::as_str);
        if let Some(subject) = subject.filter(|subject| !is_subject(subject)) {
            return Err(TaskFailure::new(
                INVALID_PARAMETER,
                format!(
                    "Invalid parameter: Subject {subject:?} has to be 1 to 99 printable ASCII characters"
                ),
            ));
        }
        let id = self.topics.publish(Publication {
            topic: get_text(arguments, "TopicArn")?.to_owned(),
            subject: subject.map(str::to_owned),
            message,
            structured,
        });
        Ok(json!({ "MessageId": id }))
    }

    fn find_engine(&self) -> Result<Engine, TaskFailure> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = engine.clone();
        engine.ok_or_else(|| TaskFailure::new("Sfn.SfnException", "the engine is shutting down"))
    }
}

/// The text for mails and the text for everybody else, of a message that has one for each protocol.
fn split_message(message: &str) -> Result<(String, Option<String>), TaskFailure> {
    let texts: Value = serde_json::from_str(message).unwrap_or_default();
    let text_for = |protocol: &str| texts[protocol].as_str().map(str::to_owned);
    let default = text_for("default").ok_or_else(|| {
        let cause = "Invalid parameter: Message Structure - No default entry in JSON message body";
        TaskFailure::new(INVALID_PARAMETER, cause)
    })?;
    Ok(match text_for("email") {
        Some(email) => (email, Some(default)),
        None => (default, None),
    })
}

/// A subject of SNS: fewer than 100 characters of printable ASCII, not starting with a space.
fn is_subject(subject: &str) -> bool {
    (1..100).contains(&subject.len())
        && subject.starts_with(|first: char| first.is_ascii_graphic())
        && subject
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn get_text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, TaskFailure> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| missing_argument(name))
}

fn missing_argument(name: &str) -> TaskFailure {
    TaskFailure::new(
        "States.Runtime",
        format!("the task's arguments have no {name}"),
    )
}
