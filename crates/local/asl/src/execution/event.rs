//! The events of an execution's history, with the names and shapes of `GetExecutionHistory`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::time;

/// One event of a history.
///
/// It serialises as in a response of `GetExecutionHistory`, its time in seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the history, from 1.
    pub id: u64,
    /// The event before it, 0 where there is none.
    pub previous_event_id: u64,
    /// When it happened, to the millisecond.
    pub timestamp: Timestamp,
    pub detail: EventDetail,
}

/// The type of a state, which its events show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateType {
    Task,
    Choice,
    Wait,
    Pass,
    Succeed,
    Fail,
}

/// The integration that a task event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskResource {
    /// The service, as in `lambda` or `aws-sdk:sfn`.
    pub resource_type: Arc<str>,
    /// The action, as in `invoke`.
    pub resource: Arc<str>,
}

/// What happened, by the event types of Step Functions.
///
/// Inputs, outputs and variables are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventDetail {
    ExecutionStarted {
        input: Arc<str>,
        role_arn: Arc<str>,
    },
    /// `TaskStateEntered` and so on.
    StateEntered {
        state: StateType,
        name: Arc<str>,
        input: Arc<str>,
    },
    /// `TaskStateExited` and so on.
    StateExited {
        state: StateType,
        name: Arc<str>,
        output: Arc<str>,
        assigned_variables: Vec<(Arc<str>, Arc<str>)>,
    },
    TaskScheduled {
        task: TaskResource,
        region: Arc<str>,
        parameters: Arc<str>,
        timeout_in_seconds: Option<u64>,
    },
    TaskStarted {
        task: TaskResource,
    },
    TaskSucceeded {
        task: TaskResource,
        output: Arc<str>,
    },
    TaskFailed {
        task: TaskResource,
        error: String,
        cause: Option<String>,
    },
    TaskTimedOut {
        task: TaskResource,
        error: String,
        cause: Option<String>,
    },
    EvaluationFailed {
        state: Arc<str>,
        error: String,
        cause: String,
        location: String,
    },
    ExecutionSucceeded {
        output: Arc<str>,
    },
    ExecutionFailed {
        error: Option<String>,
        cause: Option<String>,
    },
    ExecutionTimedOut {
        error: Option<String>,
        cause: Option<String>,
    },
    ExecutionAborted {
        error: Option<String>,
        cause: Option<String>,
    },
    ExecutionRedriven {
        redrive_count: u64,
    },
}

impl Event {
    /// The type as Step Functions names it, as in `TaskStateEntered`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.detail.kind()
    }

    /// What `aws stepfunctions get-execution-history` prints for it: the time in RFC 3339.
    #[must_use]
    pub fn to_cli_json(&self) -> Value {
        self.to_json(time::to_rfc3339(self.timestamp).into())
    }

    fn to_json(&self, timestamp: Value) -> Value {
        let mut map = Map::new();
        map.insert("timestamp".into(), timestamp);
        map.insert("type".into(), self.kind().into());
        map.insert("id".into(), self.id.into());
        map.insert("previousEventId".into(), self.previous_event_id.into());
        map.insert(self.detail.details_name(), self.detail.to_details());
        Value::Object(map)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json(epoch_seconds(self.timestamp))
            .serialize(serializer)
    }
}

/// Seconds since 1970, with milliseconds as a fraction.
fn epoch_seconds(time: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any date fit")]
    Value::from(time.as_millisecond() as f64 / 1_000.0)
}

impl EventDetail {
    /// The type as Step Functions names it, as in `TaskStateEntered`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::StateEntered { state, .. } => state.entered_event(),
            Self::StateExited { state, .. } => state.exited_event(),
            Self::ExecutionStarted { .. } => "ExecutionStarted",
            Self::TaskScheduled { .. } => "TaskScheduled",
            Self::TaskStarted { .. } => "TaskStarted",
            Self::TaskSucceeded { .. } => "TaskSucceeded",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::TaskTimedOut { .. } => "TaskTimedOut",
            Self::EvaluationFailed { .. } => "EvaluationFailed",
            Self::ExecutionSucceeded { .. } => "ExecutionSucceeded",
            Self::ExecutionFailed { .. } => "ExecutionFailed",
            Self::ExecutionTimedOut { .. } => "ExecutionTimedOut",
            Self::ExecutionAborted { .. } => "ExecutionAborted",
            Self::ExecutionRedriven { .. } => "ExecutionRedriven",
        }
    }

    /// Whether the execution has ended with it.
    pub(crate) fn ends_execution(&self) -> bool {
        matches!(
            self,
            Self::ExecutionSucceeded { .. }
                | Self::ExecutionFailed { .. }
                | Self::ExecutionTimedOut { .. }
                | Self::ExecutionAborted { .. }
        )
    }

    /// The name of the field with the details, as in `taskFailedEventDetails`.
    fn details_name(&self) -> String {
        let event = match self {
            Self::StateEntered { .. } => "StateEntered",
            Self::StateExited { .. } => "StateExited",
            other => other.kind(),
        };
        format!(
            "{}{}EventDetails",
            event[..1].to_ascii_lowercase(),
            &event[1..]
        )
    }

    fn to_details(&self) -> Value {
        match self {
            Self::ExecutionStarted { input, role_arn } => {
                json!({"input": &**input, "inputDetails": not_truncated(), "roleArn": &**role_arn})
            }
            Self::StateEntered { name, input, .. } => {
                json!({"name": &**name, "input": &**input, "inputDetails": not_truncated()})
            }
            Self::StateExited {
                name,
                output,
                assigned_variables,
                ..
            } => exited_details(name, output, assigned_variables),
            Self::TaskScheduled {
                task,
                region,
                parameters,
                timeout_in_seconds,
            } => {
                let mut details = task_details(task);
                details.insert("region".into(), (&**region).into());
                details.insert("parameters".into(), (&**parameters).into());
                if let Some(seconds) = timeout_in_seconds {
                    details.insert("timeoutInSeconds".into(), (*seconds).into());
                }
                details.into()
            }
            Self::TaskStarted { task } => task_details(task).into(),
            Self::TaskSucceeded { task, output } => {
                let mut details = task_details(task);
                details.insert("output".into(), (&**output).into());
                details.insert("outputDetails".into(), not_truncated());
                details.into()
            }
            Self::TaskFailed { task, error, cause } | Self::TaskTimedOut { task, error, cause } => {
                with_error(task_details(task), Some(error), cause.as_deref())
            }
            Self::EvaluationFailed {
                state,
                error,
                cause,
                location,
            } => json!({"error": error, "cause": cause, "location": location, "state": &**state}),
            Self::ExecutionSucceeded { output } => {
                json!({"output": &**output, "outputDetails": not_truncated()})
            }
            Self::ExecutionFailed { error, cause }
            | Self::ExecutionTimedOut { error, cause }
            | Self::ExecutionAborted { error, cause } => {
                with_error(Map::new(), error.as_deref(), cause.as_deref())
            }
            Self::ExecutionRedriven { redrive_count } => json!({"redriveCount": redrive_count}),
        }
    }
}

/// This crate keeps every text whole.
fn not_truncated() -> Value {
    json!({"truncated": false})
}

fn task_details(task: &TaskResource) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("resourceType".into(), (&*task.resource_type).into());
    details.insert("resource".into(), (&*task.resource).into());
    details
}

fn exited_details(name: &str, output: &str, variables: &[(Arc<str>, Arc<str>)]) -> Value {
    let mut details = json!({"name": name, "output": output, "outputDetails": not_truncated()});
    if !variables.is_empty() {
        let variables = variables
            .iter()
            .map(|(n, v)| (n.to_string(), Value::from(&**v)));
        details["assignedVariables"] = Value::Object(variables.collect());
        details["assignedVariablesDetails"] = not_truncated();
    }
    details
}

fn with_error(mut details: Map<String, Value>, error: Option<&str>, cause: Option<&str>) -> Value {
    for (name, value) in [("error", error), ("cause", cause)] {
        if let Some(value) = value {
            details.insert(name.into(), value.into());
        }
    }
    details.into()
}

/// `TaskStateEntered` and so on, for the state types that are named.
macro_rules! state_event {
    ($state:expr, $happened:literal, $($kind:ident)+) => {
        match $state { $(StateType::$kind => concat!(stringify!($kind), "State", $happened)),+ }
    };
}

impl StateType {
    fn entered_event(self) -> &'static str {
        state_event!(self, "Entered", Task Choice Wait Pass Succeed Fail)
    }

    fn exited_event(self) -> &'static str {
        state_event!(self, "Exited", Task Choice Wait Pass Succeed Fail)
    }
}
