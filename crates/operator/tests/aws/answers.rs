//! What the functions of the deployed state machines answer, as a test says it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};

use asl::{Engine, TaskCall, TaskFailure};
use local_aws::tasks;
use serde_json::{Value, json};

use crate::states::MACHINE;

/// What a function answers, or the error that it fails with and its cause.
pub(crate) type Answer = Result<Value, (&'static str, &'static str)>;

/// The answers for an execution, by its name or by what that begins with up to the first `-`, such as `cancel-`. An execution
/// without any is never answered, and so goes on running.
#[derive(Clone, Default)]
pub(crate) struct Answers(
    Arc<Mutex<HashMap<String, VecDeque<Answer>>>>,
    /// The engine itself, whose executions a backfill starts and looks at.
    Arc<OnceLock<Engine>>,
);

impl Answers {
    /// Says which engine asks.
    pub(crate) fn attach(&self, engine: Engine) {
        self.1.set(engine).unwrap();
    }

    /// Adds what the functions answer in an execution, one after another.
    pub(crate) fn extend(&self, execution: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut known = self.0.lock().unwrap();
        known
            .entry(execution.to_owned())
            .or_default()
            .extend(answers);
    }

    pub(crate) async fn run_task(self, call: TaskCall) -> Result<Value, TaskFailure> {
        if call.resource.ends_with("sns:publish") {
            return Ok(json!({"MessageId": "1"}));
        }
        match call.resource.rsplit(':').next() {
            Some("startExecution") => {
                return tasks::start_execution(self.1.get().unwrap(), &call.arguments);
            }
            Some("describeExecution") => {
                return tasks::describe_execution(self.1.get().unwrap(), &call.arguments);
            }
            _ => {}
        }
        let name = call.execution_arn.rsplit(':').next().unwrap();
        let verb = name.split_inclusive('-').next().unwrap();
        let next = {
            let mut known = self.0.lock().unwrap();
            let key = if known.contains_key(name) { name } else { verb };
            known.get_mut(key).and_then(VecDeque::pop_front)
        };
        match next {
            Some(Ok(payload)) => Ok(json!({"Payload": payload, "StatusCode": 200})),
            Some(Err((error, cause))) => Err(TaskFailure::new(error, cause)),
            None => std::future::pending().await,
        }
    }
}

/// A state machine as it is deployed.
pub(crate) fn read_definition(name: &str) -> String {
    let text = std::fs::read_to_string(format!("../../infra/{name}.asl.json")).unwrap();
    let placeholders = text
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let values: BTreeMap<String, String> = placeholders
        .map(|(name, _)| {
            let value = name
                .replace("Partition", "aws")
                .replace("PipelineArn", MACHINE);
            (name.to_owned(), value)
        })
        .collect();
    asl::substitute(&text, &values).unwrap()
}
