//! What the history of an execution says, gathered entry by entry in constant memory.

mod handler_output;

use definition::Window;
use delivery::Ended;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use handler_output::{HandlerOutput, WorkRun};

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    pub(crate) at: Timestamp,
    pub(crate) kind: EntryKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    StateEntered(String),
    StateExited {
        state: String,
        /// The state's output, as JSON.
        output: String,
    },
    /// A task was tried and failed; the execution may try it again.
    AttemptFailed(ExecutionError),
    ExecutionFailed(ExecutionError),
    Redriven,
}

/// An error as Step Functions stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ExecutionError {
    /// The name, such as `Cxone.Auth`.
    pub(crate) error: String,
    /// The sentence that came with it.
    pub(crate) cause: String,
}

/// Where and how an execution failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StateFailure {
    pub(crate) state: String,
    pub(crate) at: Timestamp,
    /// How often the state's task was tried.
    pub(crate) attempts: u32,
    #[serde(flatten)]
    pub(crate) error: ExecutionError,
}

/// One run at CXone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CxoneRun {
    pub(crate) segment: String,
    /// The run's number within its segment.
    pub(crate) run: u32,
    /// CXone's id of the run.
    pub(crate) run_id: String,
    pub(crate) triggered_at: Timestamp,
    /// The state that CXone reported last.
    pub(crate) state: Option<String>,
    /// How many pages are stored.
    pub(crate) page_count: u64,
    /// How many rows are stored.
    pub(crate) row_count: u64,
    /// Why it ended without its data, if it did.
    pub(crate) ended: Option<Ended>,
    /// Whether it is over because it was cancelled.
    #[serde(skip)]
    pub(crate) cancelled: bool,
}

/// What the history of an execution says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    /// The window, once a handler has named it.
    pub(crate) window: Option<Window>,
    pub(crate) generation: Option<u32>,
    /// The runs, in the order in which the execution worked on them.
    pub(crate) runs: Vec<CxoneRun>,
    /// The result, in words.
    pub(crate) outcome: Option<String>,
    /// What is worth a look in what was committed.
    pub(crate) warnings: Vec<String>,
    /// The failure that ended the execution, or the last failed attempt of a task that is tried again.
    pub(crate) failure: Option<StateFailure>,
    /// The failures before each redrive.
    pub(crate) earlier_failures: Vec<StateFailure>,
    /// The state that was entered last.
    pub(crate) state: Option<String>,
    /// How many tasks were done.
    pub(crate) tasks: u32,
    /// Whether the execution ended without success.
    #[serde(skip)]
    pub(crate) has_failed: bool,
    /// What the last answer adds to the outcome.
    #[serde(skip)]
    pub(crate) note: Option<String>,
    /// Whether nothing was ever delivered of the window that was to be withdrawn.
    #[serde(skip)]
    pub(crate) is_about_nothing: bool,
    /// The execution that goes on in its place.
    #[serde(skip)]
    pub(crate) continued_by: Option<String>,
    #[serde(skip)]
    attempts: u32,
}

impl History {
    pub(crate) fn add(&mut self, entry: HistoryEntry) {
        match entry.kind {
            EntryKind::StateEntered(state) => {
                self.state = Some(state);
                self.forget_attempts();
            }
            EntryKind::StateExited { state, output } => {
                self.tasks += u32::from(is_task(&state));
                self.forget_attempts();
                if let Ok(output) = serde_json::from_str(&output) {
                    self.record_output(output);
                }
            }
            EntryKind::AttemptFailed(error) => {
                self.attempts += 1;
                self.record_failure(entry.at, error);
            }
            EntryKind::ExecutionFailed(error) => {
                self.record_failure(entry.at, error);
                self.has_failed = true;
            }
            EntryKind::Redriven => {
                self.has_failed = false;
                self.earlier_failures.extend(self.failure.take());
                self.attempts = 0;
            }
        }
    }

    /// Whether Trigger's last answer was a run to work on.
    pub(crate) fn is_at_run(&self) -> bool {
        self.outcome.as_deref() == Some(handler_output::AT_RUN)
    }

    /// Failed attempts no longer matter once one has succeeded.
    fn forget_attempts(&mut self) {
        self.attempts = 0;
        self.failure = None;
    }

    fn record_failure(&mut self, at: Timestamp, error: ExecutionError) {
        self.failure = Some(StateFailure {
            state: self.state.clone().unwrap_or_default(),
            at,
            attempts: self.attempts,
            error: error.without_lambda_json(),
        });
    }

    fn record_output(&mut self, output: HandlerOutput) {
        self.generation = output.generation.or(self.generation);
        self.is_about_nothing |= output.is_about_nothing();
        self.continued_by = output.continued_by.clone().or(self.continued_by.take());
        if let Some(outcome) = output.describe_outcome() {
            self.outcome = Some(outcome);
            self.note.clone_from(&output.note);
            self.warnings.clone_from(&output.warnings);
        }
        if let Some(work) = output.work {
            self.window = Some(work.window);
            self.generation = work.generation.or(self.generation);
            if let Some(run) = work.run {
                self.record_run(run);
            }
            return;
        }
        let Some(run) = self.runs.last_mut() else {
            return;
        };
        run.state = output.state.or(run.state.take());
        run.cancelled |= output.cancelled;
        run.page_count = output.page_count.unwrap_or(run.page_count);
        run.row_count = output.row_count.unwrap_or(run.row_count);
        if let Some(ended) = output.ended {
            self.record_end(ended);
        }
    }

    fn record_run(&mut self, work: WorkRun) {
        let known = self.runs.iter().position(|run| run.run_id == work.run_id);
        let run = known.map(|index| self.runs.remove(index));
        self.runs.push(run.unwrap_or(CxoneRun {
            segment: work.segment,
            run: work.run,
            run_id: work.run_id,
            triggered_at: work.triggered_at,
            state: None,
            page_count: 0,
            row_count: 0,
            ended: None,
            cancelled: false,
        }));
    }

    fn record_end(&mut self, ended: Ended) {
        let mut runs = self.runs.iter_mut().rev();
        if let Some(run) =
            runs.find(|run| run.segment == ended.segment.as_str() && run.run == ended.run)
        {
            run.ended = Some(ended);
        }
    }
}

impl ExecutionError {
    /// The same error with the sentence alone as its cause: Lambda wraps it in JSON.
    pub(crate) fn without_lambda_json(self) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct LambdaError {
            error_message: String,
        }
        match serde_json::from_str::<LambdaError>(&self.cause) {
            Ok(error) => Self {
                cause: error.error_message,
                ..self
            },
            Err(_) => self,
        }
    }
}

fn is_task(state: &str) -> bool {
    matches!(
        state,
        "Trigger"
            | "PollOnce"
            | "Cancel"
            | "FetchPage"
            | "Finalize"
            | "Publish"
            | "Alert"
            | "Warn"
            | "Continue"
    )
}

#[cfg(test)]
mod tests;
