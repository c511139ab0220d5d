//! Many executions at once on one clock, with the operations of Step Functions.

mod drive;
mod errors;
mod names;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::clock::Clock;
use crate::definition::StateMachine;
use crate::execution::{Event, Execution, ExecutionSpec, NotRedrivable, Status, TaskCall};
use crate::random::Random;
use drive::Entry;

pub use errors::{RedriveError, RegisterError, StartError, TaskFailure, UnknownExecution};

/// How many events a slow subscriber may lag behind before it misses some.
const PROGRESS_CAPACITY: usize = 4_096;

type Runner = Box<
    dyn Fn(TaskCall) -> Pin<Box<dyn Future<Output = Result<Value, TaskFailure>> + Send>>
        + Send
        + Sync,
>;

/// Runs executions; clones are the same engine. It needs a tokio runtime.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    clock: Clock,
    runner: Runner,
    task_limit: Option<Duration>,
    progress: broadcast::Sender<Progress>,
    state: Mutex<State>,
}

struct State {
    random: Random,
    machines: HashMap<String, Arc<Machine>>,
    executions: HashMap<Arc<str>, Arc<Entry>>,
    /// The ARNs of the executions, oldest first.
    order: Vec<Arc<str>>,
}

struct Machine {
    arn: String,
    name: String,
    role_arn: String,
    definition: Arc<StateMachine>,
}

/// An execution that was started, now or before with the same name and input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub execution_arn: Arc<str>,
    /// When it was started.
    pub started: Timestamp,
}

/// One event of one execution, as it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub execution_arn: Arc<str>,
    pub event: Event,
}

/// An execution as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    pub execution_arn: Arc<str>,
    pub state_machine_arn: String,
    pub name: String,
    pub status: Status,
    /// The state it is in, or ended in.
    pub state: String,
    /// When it was started.
    pub started: Timestamp,
    pub stopped: Option<Timestamp>,
    /// What it was started with.
    pub input: Value,
    /// What it succeeded with.
    pub output: Option<Value>,
    /// The error that it ended in.
    pub error: Option<String>,
    /// The cause of that error.
    pub cause: Option<String>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// When it was last redriven.
    pub redriven: Option<Timestamp>,
    /// Why it can't be redriven now, if it can't.
    pub not_redrivable: Option<NotRedrivable>,
}

impl Started {
    fn new(execution: &Execution) -> Self {
        Self {
            execution_arn: Arc::clone(execution.arn()),
            started: execution.started(),
        }
    }
}

/// A second start with the same name and input means the execution that is running.
fn started_before(execution: &Execution, input: &Value) -> Option<Started> {
    let same = execution.status() == Status::Running && execution.input() == input;
    same.then(|| Started::new(execution))
}

impl Engine {
    /// An engine on a clock. `runner` runs the tasks; a virtual clock stands still meanwhile.
    pub fn new<R, F>(clock: Clock, runner: R) -> Self
    where
        R: Fn(TaskCall) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, TaskFailure>> + Send + 'static,
    {
        Self::with_task_limit(clock, runner, None, 0)
    }

    /// An engine that lets no task take longer than `task_limit` of real time, whatever its
    /// `TimeoutSeconds`, and whose random numbers come from `seed`.
    pub fn with_task_limit<R, F>(
        clock: Clock,
        runner: R,
        task_limit: Option<Duration>,
        seed: u64,
    ) -> Self
    where
        R: Fn(TaskCall) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, TaskFailure>> + Send + 'static,
    {
        let state = State {
            random: Random::new(seed),
            machines: HashMap::new(),
            executions: HashMap::new(),
            order: Vec::new(),
        };
        Self(Arc::new(Inner {
            clock,
            runner: Box::new(move |call| Box::pin(runner(call))),
            task_limit,
            progress: broadcast::Sender::new(PROGRESS_CAPACITY),
            state: Mutex::new(state),
        }))
    }

    /// The clock of its executions.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Registers a machine, or replaces the definition under its ARN; executions that exist, also
    /// redriven ones, keep the definition that they were started with.
    pub fn register(
        &self,
        state_machine_arn: &str,
        role_arn: &str,
        definition: StateMachine,
    ) -> Result<(), RegisterError> {
        let name = names::parse_machine_name(state_machine_arn)?;
        let machine = Machine {
            arn: state_machine_arn.to_owned(),
            name: name.to_owned(),
            role_arn: role_arn.to_owned(),
            definition: Arc::new(definition),
        };
        self.lock_state()
            .machines
            .insert(state_machine_arn.to_owned(), Arc::new(machine));
        Ok(())
    }

    /// The ARNs of the machines.
    #[must_use]
    pub fn state_machines(&self) -> Vec<String> {
        let mut arns: Vec<_> = self.lock_state().machines.keys().cloned().collect();
        arns.sort();
        arns
    }

    /// Starts an execution; without a name it gets a random one.
    ///
    /// If an execution with the same name and input is running, that one is returned. A name can
    /// never be used again (on AWS it can, 90 days after the end).
    pub fn start(
        &self,
        state_machine_arn: &str,
        name: Option<&str>,
        input: Value,
    ) -> Result<Started, StartError> {
        let busy = self.0.clock.busy();
        let mut state = self.lock_state();
        let machine = state.machines.get(state_machine_arn).cloned();
        let machine = machine
            .ok_or_else(|| StartError::StateMachineDoesNotExist(state_machine_arn.to_owned()))?;
        let name = match name {
            Some(name) => names::check_execution_name(name)?.to_owned(),
            None => state.random.next_uuid(),
        };
        let arn: Arc<str> = names::make_execution_arn(&machine.arn, &name).into();
        if let Some(entry) = state.executions.get(&arn) {
            let started = started_before(&entry.lock_execution().execution, &input);
            return started.ok_or(StartError::ExecutionAlreadyExists(name));
        }
        let spec = ExecutionSpec {
            arn: arn.to_string(),
            name,
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            role_arn: machine.role_arn.clone(),
        };
        let (now, seed) = (self.0.clock.now(), state.random.next_u64());
        let definition = Arc::clone(&machine.definition);
        let execution = Execution::start(definition, spec, input, now, seed)?;
        let started = Started::new(&execution);
        let entry = Arc::new(Entry::new(execution));
        state
            .executions
            .insert(Arc::clone(&arn), Arc::clone(&entry));
        state.order.push(arn);
        drop(state);
        self.0.spawn_driver(entry, busy);
        Ok(started)
    }

    /// The status of an execution, its input and its result.
    pub fn describe(&self, execution_arn: &str) -> Result<Description, UnknownExecution> {
        Ok(self.describe_entry(&*self.find_entry(execution_arn)?))
    }

    /// The executions of a machine, newest first, all of them or those of one status.
    #[must_use]
    pub fn list(&self, state_machine_arn: &str, status: Option<Status>) -> Vec<Description> {
        let entries: Vec<_> = {
            let state = self.lock_state();
            let arns = state.order.iter().rev();
            arns.filter_map(|arn| state.executions.get(arn).cloned())
                .collect()
        };
        let wanted = |entry: &Arc<Entry>| {
            let execution = &entry.lock_execution().execution;
            execution.spec().state_machine_arn == state_machine_arn
                && status.is_none_or(|status| status == execution.status())
        };
        let entries = entries.iter().filter(|entry| wanted(entry));
        entries.map(|entry| self.describe_entry(entry)).collect()
    }

    /// The history of an execution so far.
    pub fn history(&self, execution_arn: &str) -> Result<Vec<Event>, UnknownExecution> {
        let entry = self.find_entry(execution_arn)?;
        Ok(entry.lock_execution().execution.history().to_vec())
    }

    /// Stops an execution, unless it has ended, and returns the time of its end.
    pub fn stop(
        &self,
        execution_arn: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Result<Timestamp, UnknownExecution> {
        let entry = self.find_entry(execution_arn)?;
        let now = self.0.clock.now();
        let stopped = self.0.update_execution(&entry, |execution| {
            if execution.stop(now, error, cause) {
                entry.interrupt_driver();
            }
            execution.stopped()
        });
        Ok(stopped.unwrap_or(now))
    }

    /// Redrives an execution and returns the time.
    pub fn redrive(&self, execution_arn: &str) -> Result<Timestamp, RedriveError> {
        let busy = self.0.clock.busy();
        let entry = self.find_entry(execution_arn)?;
        let now = self.0.clock.now();
        self.0
            .update_execution(&entry, |execution| execution.redrive(now))?;
        self.0.spawn_driver(entry, busy);
        Ok(now)
    }

    /// Waits until an execution has ended.
    pub async fn wait(&self, execution_arn: &str) -> Result<Description, UnknownExecution> {
        let entry = self.find_entry(execution_arn)?;
        entry.wait_for_end().await;
        Ok(self.describe_entry(&entry))
    }

    /// Every event of every execution from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_entry(&self, execution_arn: &str) -> Result<Arc<Entry>, UnknownExecution> {
        let entry = self.lock_state().executions.get(execution_arn).cloned();
        entry.ok_or_else(|| UnknownExecution(execution_arn.to_owned()))
    }

    fn describe_entry(&self, entry: &Entry) -> Description {
        let execution = &entry.lock_execution().execution;
        Description {
            execution_arn: Arc::clone(execution.arn()),
            state_machine_arn: execution.spec().state_machine_arn.clone(),
            name: execution.spec().name.clone(),
            status: execution.status(),
            state: execution.state().to_owned(),
            started: execution.started(),
            stopped: execution.stopped(),
            input: execution.input().clone(),
            output: execution.output().cloned(),
            error: execution.error().map(str::to_owned),
            cause: execution.cause().map(str::to_owned),
            redrive_count: execution.redrive_count(),
            redriven: execution.redriven(),
            not_redrivable: execution.check_redrivable(self.0.clock.now()).err(),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}
