//! One execution of a state machine, without I/O and without a clock: `step` returns what the
//! execution waits for, and the caller tells it what happened and when.

mod end;
mod evaluate;
mod event;
mod fault;
mod payload;
mod run;
mod settle;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::definition::{StateId, StateMachine};
use crate::random::Random;
use crate::time;
use payload::Payload;

pub use end::NotRedrivable;
pub use event::{Event, EventDetail, StateType, TaskResource};

/// The most bytes of JSON in any input, output, argument or variable.
pub const MAX_PAYLOAD_BYTES: usize = 262_144;

/// The most events of a history, redrives included.
pub const MAX_EVENTS: usize = 25_000;

/// A variable, with its JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) value: Arc<Value>,
    text: Arc<str>,
}

/// A name or a JSON text, shared by the events that show it.
type Text = Arc<str>;

/// The variables of an execution by name.
pub(crate) type Variables = BTreeMap<Arc<str>, Variable>;

/// The identity of an execution, which its context object shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSpec {
    /// The ARN of the execution.
    pub arn: String,
    pub name: String,
    /// The ARN of its state machine.
    pub state_machine_arn: String,
    /// The name of its state machine.
    pub state_machine_name: String,
    /// The role of the state machine; it is shown and never used.
    pub role_arn: String,
}

/// What an execution waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The caller runs the task and answers with `succeed_task`, `fail_task` or `time_out_task`.
    Task(TaskCall),
    /// The caller calls `step` again at this time or later.
    WaitUntil(Timestamp),
    /// Nothing: the execution has ended.
    Done,
}

/// A task to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCall {
    /// The ARN of the execution.
    pub execution_arn: Arc<str>,
    pub state: Arc<str>,
    /// The ARN in its `Resource`.
    pub resource: Arc<str>,
    /// The evaluated `Arguments`; always an object.
    pub arguments: Arc<Value>,
    pub timeout: Option<Duration>,
    /// 1 for the first call since the state was entered, one more for each retry.
    pub attempt: u32,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Running,
    /// It ended in a Succeed state or with `End`.
    Succeeded,
    /// It ended in an error.
    Failed,
    /// It took longer than its definition's `TimeoutSeconds`.
    TimedOut,
    Aborted,
}

impl Status {
    /// As Step Functions writes it, as in `TIMED_OUT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// An answer to an execution that waits for no task, for example because it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the execution waits for no task")]
pub struct NoTask;

/// An input that is too large to start an execution with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the input has {bytes} bytes of JSON, more than {MAX_PAYLOAD_BYTES}")]
pub struct InputTooLarge {
    /// The size of the input.
    pub bytes: usize,
}

/// What `step` does next.
#[derive(Debug)]
enum Phase {
    Enter,
    /// Do the work of the state.
    Run,
    /// Wait for the answer to a task.
    Task(TaskCall),
    /// Run the task again at this time.
    Retry(Timestamp),
    /// Leave the Wait state at this time.
    Wait(Timestamp),
    Ended,
}

/// One execution; the engine calls `step` and answers its tasks.
#[derive(Debug)]
pub struct Execution {
    machine: Arc<StateMachine>,
    spec: ExecutionSpec,
    arn: Arc<str>,
    region: Arc<str>,
    initial_input: Payload,
    started: Timestamp,
    stopped: Option<Timestamp>,
    deadline: Option<Timestamp>,
    redrive_count: u64,
    redriven: Option<Timestamp>,
    status: Status,
    output: Option<Payload>,
    error: Option<String>,
    cause: Option<String>,
    history: Vec<Event>,
    random: Random,
    variables: Variables,
    /// The state it is in, and what the state was entered with.
    state: StateId,
    input: Payload,
    entered: Option<Entered>,
    /// How often each retrier of the state has been used.
    retries: Vec<u64>,
    phase: Phase,
}

/// The entry into the current state.
#[derive(Debug, Clone, Copy)]
struct Entered {
    time: Timestamp,
    event_id: u64,
}

impl Execution {
    /// Starts an execution. `seed` decides the jitter of its retries.
    pub fn start(
        machine: Arc<StateMachine>,
        spec: ExecutionSpec,
        input: Value,
        now: Timestamp,
        seed: u64,
    ) -> Result<Self, InputTooLarge> {
        let input = Payload::new(input);
        if input.is_too_large() {
            return Err(InputTooLarge {
                bytes: input.text.len(),
            });
        }
        let now = time::to_millisecond(now);
        let mut execution = Self {
            arn: spec.arn.as_str().into(),
            region: region_of(&spec.state_machine_arn).into(),
            initial_input: input.clone(),
            started: now,
            stopped: None,
            deadline: None,
            redrive_count: 0,
            redriven: None,
            status: Status::Running,
            output: None,
            error: None,
            cause: None,
            history: Vec::new(),
            random: Random::new(seed),
            variables: Variables::new(),
            state: machine.start_at,
            input,
            entered: None,
            retries: Vec::new(),
            phase: Phase::Enter,
            machine,
            spec,
        };
        execution.set_deadline(now);
        let started = EventDetail::ExecutionStarted {
            input: Arc::clone(&execution.input.text),
            role_arn: execution.spec.role_arn.as_str().into(),
        };
        execution.push_event(now, started);
        Ok(execution)
    }

    /// Goes on as far as it can without waiting, and returns what it waits for.
    ///
    /// While a task has no answer, it returns that task again.
    pub fn step(&mut self, now: Timestamp) -> Step {
        let now = time::to_millisecond(now);
        loop {
            self.end_if_overdue(now);
            let until = match &self.phase {
                Phase::Ended => return Step::Done,
                Phase::Task(call) => return Step::Task(call.clone()),
                Phase::Wait(until) | Phase::Retry(until) => *until,
                Phase::Enter | Phase::Run => now,
            };
            if now < until {
                return Step::WaitUntil(self.deadline.map_or(until, |limit| limit.min(until)));
            }
            self.run_phase(now);
        }
    }

    /// Answers the task with its result.
    pub fn succeed_task(&mut self, now: Timestamp, output: Value) -> Result<(), NoTask> {
        self.answer_task(now, |execution, now| execution.task_succeeded(now, output))
    }

    /// Answers the task with a failure; `error` is the name that Retry and Catch match.
    pub fn fail_task(
        &mut self,
        now: Timestamp,
        error: impl Into<String>,
        cause: Option<String>,
    ) -> Result<(), NoTask> {
        let error = error.into();
        self.answer_task(now, |execution, now| {
            execution.task_failed(now, error, cause)
        })
    }

    /// Answers that the task took longer than its `TimeoutSeconds`.
    pub fn time_out_task(&mut self, now: Timestamp) -> Result<(), NoTask> {
        self.answer_task(now, Self::task_timed_out)
    }

    #[must_use]
    pub fn arn(&self) -> &Arc<str> {
        &self.arn
    }

    #[must_use]
    pub fn spec(&self) -> &ExecutionSpec {
        &self.spec
    }

    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Everything that happened so far.
    #[must_use]
    pub fn history(&self) -> &[Event] {
        &self.history
    }

    /// What it was started with.
    #[must_use]
    pub fn input(&self) -> &Value {
        &self.initial_input.value
    }

    /// What it succeeded with.
    #[must_use]
    pub fn output(&self) -> Option<&Value> {
        self.output.as_ref().map(|output| &*output.value)
    }

    /// The name of the error that it ended in.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The cause of the error that it ended in.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// When it was started.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// When it ended, if it has.
    #[must_use]
    pub fn stopped(&self) -> Option<Timestamp> {
        self.stopped
    }

    /// When `TimeoutSeconds` of the definition will have passed.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// How often it was redriven.
    #[must_use]
    pub fn redrive_count(&self) -> u64 {
        self.redrive_count
    }

    /// When it was last redriven.
    #[must_use]
    pub fn redriven(&self) -> Option<Timestamp> {
        self.redriven
    }

    /// The state it is in, or ended in.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.machine.states[self.state].name
    }

    /// What a variable holds now.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name).map(|variable| &*variable.value)
    }
}

/// The region in an ARN.
fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}
