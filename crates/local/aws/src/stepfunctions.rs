//! Step Functions: the operations that clients call on the engine's executions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::{Description, Engine, RedriveError, StartError, Status};
use hyper::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::http::Body;
use crate::response::{self, JsonError, cut_page, seconds};

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The state machines and their executions; none until one is [`StateMachines::attach`]ed.
#[derive(Debug, Clone, Default)]
pub struct StateMachines(Arc<Mutex<Vec<Arc<Machine>>>>);

#[derive(Debug)]
struct Machine {
    engine: Engine,
    arn: String,
    definition: String,
    /// Its tags, each a name and a value.
    tags: Vec<(String, String)>,
    created: Timestamp,
}

impl StateMachines {
    /// Opens a state machine of the engine to clients.
    pub fn attach(&self, engine: Engine, arn: &str, definition: String, tags: &[(&str, &str)]) {
        let created = engine.clock().now();
        let machine = Machine {
            engine,
            arn: arn.to_owned(),
            definition,
            tags: tags
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            created,
        };
        self.lock().push(Arc::new(machine));
    }

    pub(super) fn answer(&self, operation: &str, input: &Value) -> Response<Body> {
        let input = Input(input);
        let result = match operation {
            "ListStateMachines" => Ok(self.list()),
            _ => self
                .find(&input)
                .and_then(|machine| machine.call(operation, &input)),
        };
        response::json(CONTENT_TYPE, result)
    }

    fn list(&self) -> Value {
        let machines = self.lock();
        let machines = machines.iter().map(|machine| {
            json!({
                "stateMachineArn": machine.arn,
                "name": machine.name(),
                "type": "STANDARD",
                "creationDate": seconds(machine.created),
            })
        });
        json!({"stateMachines": machines.collect::<Vec<_>>()})
    }

    /// The machine that a call is about. One that names none that there is goes to the first, which says what is wrong.
    fn find(&self, input: &Input<'_>) -> Result<Arc<Machine>, JsonError> {
        let machines = self.lock();
        let named = machines.iter().find(|machine| machine.is_named_by(input));
        let found = named.or_else(|| machines.first()).cloned();
        found.ok_or_else(|| JsonError::new("StateMachineDoesNotExist", "there is none yet"))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Machine>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input of a call.
struct Input<'a>(&'a Value);

impl Input<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn arn(&self, name: &str) -> Result<&str, JsonError> {
        let arn = self.text(name).filter(|arn| arn.starts_with("arn:"));
        arn.ok_or_else(|| JsonError::new("InvalidArn", format!("{name} is no ARN")))
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A page of what there is, and the token of the next one.
    fn page(
        &self,
        all: Vec<Value>,
        default: usize,
    ) -> Result<(Vec<Value>, Option<String>), JsonError> {
        let size = self
            .0
            .get("maxResults")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let size = match usize::try_from(size) {
            Ok(0) | Err(_) => default,
            Ok(size) => size.min(1000),
        };
        let page = cut_page(all, size, self.text("nextToken"));
        page.ok_or_else(|| JsonError::new("InvalidToken", "this token was not given out here"))
    }
}

impl Machine {
    /// Whether the ARN in a call is that of this machine or of one of its executions.
    fn is_named_by(&self, input: &Input<'_>) -> bool {
        let executions = self.arn.replacen(":stateMachine:", ":execution:", 1);
        let arns = ["stateMachineArn", "resourceArn", "executionArn"];
        let mut arns = arns.into_iter().filter_map(|name| input.text(name));
        arns.any(|arn| {
            let execution = arn.rsplit_once(':').map(|(machine, _)| machine);
            arn == self.arn || execution == Some(&executions)
        })
    }

    fn call(&self, operation: &str, input: &Input<'_>) -> Result<Value, JsonError> {
        match operation {
            "StartExecution" => self.start(input),
            "DescribeExecution" => {
                let described = self.describe(input.arn("executionArn")?)?;
                Ok(described_execution(&described))
            }
            "ListExecutions" => self.list(input),
            "GetExecutionHistory" => self.history(input),
            "RedriveExecution" => self.redrive(input),
            "StopExecution" => self.stop(input),
            "DescribeStateMachine" => {
                self.is_known(input.arn("stateMachineArn")?)?;
                Ok(self.described())
            }
            "DescribeStateMachineForExecution" => {
                self.describe(input.arn("executionArn")?)?;
                let mut described = self.described();
                described["updateDate"] = seconds(self.created);
                Ok(described)
            }
            "ListTagsForResource" => {
                self.is_known(input.arn("resourceArn")?)?;
                let tags = self.tags.iter();
                let tags = tags.map(|(key, value)| json!({"key": key, "value": value}));
                Ok(json!({"tags": tags.collect::<Vec<_>>()}))
            }
            _ => Err(JsonError::new(
                "UnknownOperationException",
                format!("{operation} is not known here"),
            )),
        }
    }

    fn start(&self, input: &Input<'_>) -> Result<Value, JsonError> {
        let text = input.text("input").unwrap_or("{}");
        let value = serde_json::from_str(text)
            .map_err(|error| JsonError::new("InvalidExecutionInput", error.to_string()))?;
        let started = self
            .engine
            .start(input.arn("stateMachineArn")?, input.text("name"), value);
        let started = started.map_err(|error| start_error(&error))?;
        Ok(json!({
            "executionArn": &*started.execution_arn,
            "startDate": seconds(started.started),
        }))
    }

    fn list(&self, input: &Input<'_>) -> Result<Value, JsonError> {
        let arn = input.arn("stateMachineArn")?;
        self.is_known(arn)?;
        let status = input.text("statusFilter").map(status).transpose()?;
        let listed = self.engine.list(arn, status);
        let mut listed: Vec<Value> = listed.iter().map(listed_execution).collect();
        match input.text("redriveFilter") {
            Some("REDRIVEN") => listed.retain(|execution| execution["redriveCount"] != 0),
            Some("NOT_REDRIVEN") => listed.retain(|execution| execution["redriveCount"] == 0),
            _ => {}
        }
        let (executions, next) = input.page(listed, 100)?;
        Ok(with_token(json!({ "executions": executions }), next))
    }

    fn history(&self, input: &Input<'_>) -> Result<Value, JsonError> {
        let history = self.engine.history(input.arn("executionArn")?);
        let mut history = history.map_err(|error| no_execution(&error))?;
        if input.flag("reverseOrder", false) {
            history.reverse();
        }
        let with_data = input.flag("includeExecutionData", true);
        let events = history.iter().map(|event| {
            let mut event = serde_json::to_value(event).unwrap_or_default();
            if !with_data {
                strip_data(&mut event);
            }
            event
        });
        let (events, next) = input.page(events.collect(), 100)?;
        Ok(with_token(json!({ "events": events }), next))
    }

    fn redrive(&self, input: &Input<'_>) -> Result<Value, JsonError> {
        let redriven = self.engine.redrive(input.arn("executionArn")?);
        let redriven = redriven.map_err(|error| {
            let code = match error {
                RedriveError::ExecutionDoesNotExist(_) => "ExecutionDoesNotExist",
                RedriveError::ExecutionNotRedrivable(_) => "ExecutionNotRedrivable",
            };
            JsonError::new(code, error.to_string())
        })?;
        Ok(json!({"redriveDate": seconds(redriven)}))
    }

    fn stop(&self, input: &Input<'_>) -> Result<Value, JsonError> {
        let text = |name| input.text(name).map(str::to_owned);
        let stopped = self
            .engine
            .stop(input.arn("executionArn")?, text("error"), text("cause"));
        let stopped = stopped.map_err(|error| no_execution(&error))?;
        Ok(json!({"stopDate": seconds(stopped)}))
    }

    fn describe(&self, arn: &str) -> Result<Description, JsonError> {
        self.engine
            .describe(arn)
            .map_err(|error| no_execution(&error))
    }

    fn described(&self) -> Value {
        json!({
            "stateMachineArn": self.arn,
            "name": self.name(),
            "status": "ACTIVE",
            "definition": self.definition,
            "roleArn": "arn:aws:iam::000000000000:role/local",
            "type": "STANDARD",
            "creationDate": seconds(self.created),
        })
    }

    fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    fn is_known(&self, arn: &str) -> Result<(), JsonError> {
        if arn == self.arn {
            return Ok(());
        }
        Err(JsonError::new(
            "StateMachineDoesNotExist",
            format!("State Machine Does Not Exist: '{arn}'"),
        ))
    }
}

fn status(text: &str) -> Result<Status, JsonError> {
    serde_json::from_value(text.into())
        .map_err(|_| JsonError::new("ValidationException", format!("no status {text}")))
}

fn start_error(error: &StartError) -> JsonError {
    JsonError::new(name_start_error(error), error.to_string())
}

/// What Step Functions calls the error.
pub(crate) fn name_start_error(error: &StartError) -> &'static str {
    match error {
        StartError::StateMachineDoesNotExist(_) => "StateMachineDoesNotExist",
        StartError::InvalidName(_) => "InvalidName",
        StartError::ExecutionAlreadyExists(_) => "ExecutionAlreadyExists",
        StartError::InvalidExecutionInput(_) => "InvalidExecutionInput",
    }
}

fn no_execution(error: &asl::UnknownExecution) -> JsonError {
    JsonError::new("ExecutionDoesNotExist", error.to_string())
}

fn listed_execution(execution: &Description) -> Value {
    let mut listed = json!({
        "executionArn": &*execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status.as_str(),
        "startDate": seconds(execution.started),
        "redriveCount": execution.redrive_count,
    });
    set(&mut listed, "stopDate", execution.stopped.map(seconds));
    set(&mut listed, "redriveDate", execution.redriven.map(seconds));
    listed
}

fn described_execution(execution: &Description) -> Value {
    let mut described = listed_execution(execution);
    described["input"] = json!(execution.input.to_string());
    described["inputDetails"] = json!({"included": true});
    set(
        &mut described,
        "error",
        execution.error.as_deref().map(Value::from),
    );
    set(
        &mut described,
        "cause",
        execution.cause.as_deref().map(Value::from),
    );
    if let Some(output) = &execution.output {
        described["output"] = json!(output.to_string());
        described["outputDetails"] = json!({"included": true});
    }
    match &execution.not_redrivable {
        None => described["redriveStatus"] = json!("REDRIVABLE"),
        Some(reason) => {
            described["redriveStatus"] = json!("NOT_REDRIVABLE");
            described["redriveStatusReason"] = json!(reason.to_string());
        }
    }
    described
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

fn with_token(mut answer: Value, token: Option<String>) -> Value {
    set(&mut answer, "nextToken", token.map(Value::from));
    answer
}

/// Takes inputs and outputs out of an event.
fn strip_data(event: &mut Value) {
    let details = event.as_object_mut().into_iter().flat_map(Map::values_mut);
    for details in details.filter_map(Value::as_object_mut) {
        for name in ["input", "output", "parameters", "assignedVariables"] {
            details.remove(name);
        }
    }
}
