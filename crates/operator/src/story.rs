//! What an execution's history tells: a fold over its events, in constant memory.

use definition::Window;
use delivery::Ended;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One event of a history, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A state was entered.
    Entered(String),
    /// A state was left.
    Exited {
        /// Its name.
        state: String,
        /// Its output, as JSON.
        output: String,
    },
    /// A task was tried and failed; the execution may try it again.
    AttemptFailed(Fault),
    /// The execution failed.
    Failed(Fault),
    /// The execution was redriven.
    Redriven,
}

/// An error as Step Functions knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its name.
    pub error: String,
    /// The sentence that came with it.
    pub cause: String,
}

/// Where and how an execution failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The state.
    pub state: String,
    /// When.
    pub at: Timestamp,
    /// How often the state's task was tried.
    pub attempts: u32,
    /// The error.
    #[serde(flatten)]
    pub fault: Fault,
}

/// One run at CXone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The segment of the window that it covers.
    pub segment: String,
    /// Its number within the segment.
    pub run: u32,
    /// CXone's id.
    pub run_id: String,
    /// When it was started.
    pub triggered_at: Timestamp,
    /// CXone's last word for its state.
    pub state: Option<String>,
    /// Pages stored.
    pub page_count: u64,
    /// Rows stored.
    pub row_count: u64,
    /// Why it ended without its data, if it did.
    pub ended: Option<Ended>,
}

/// What a history tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// The window, once a run or a commit has named it.
    pub window: Option<Window>,
    /// The generation of the window that was worked on.
    pub generation: Option<u32>,
    /// The runs, in the order in which they were looked after.
    pub runs: Vec<Run>,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// The failure that ended it, or the last failed attempt of a task that is tried again.
    pub failure: Option<Failure>,
    /// Failures before a redrive.
    pub earlier_failures: Vec<Failure>,
    /// The state that was entered last.
    pub state: Option<String>,
    /// How often a task was done.
    pub tasks: u32,
    #[serde(skip)]
    attempts: u32,
}

/// The fields of all handlers' answers. Read leniently: a history may be older than this program.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    generation: Option<u32>,
    next: Option<String>,
    until: Option<Timestamp>,
    stalled_since: Option<Timestamp>,
    work: Option<Work>,
    state: Option<String>,
    page_count: Option<u64>,
    row_count: Option<u64>,
    ended: Option<Ended>,
    outcome: Option<String>,
    version: Option<u64>,
    rows: Option<u64>,
    duplicates: Option<u64>,
    unchanged: bool,
    continued_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    window: Window,
    #[serde(default)]
    generation: Option<u32>,
    #[serde(flatten)]
    run: Option<WorkRun>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkRun {
    segment: String,
    run: u32,
    run_id: String,
    triggered_at: Timestamp,
}

impl Story {
    /// Takes in the next event.
    pub fn see(&mut self, event: Event) {
        match event.what {
            What::Entered(state) => {
                self.state = Some(state);
                self.went_on();
            }
            What::Exited { state, output } => {
                self.tasks += u32::from(is_task(&state));
                self.went_on();
                if let Ok(answer) = serde_json::from_str(&output) {
                    self.answered(answer);
                }
            }
            What::AttemptFailed(fault) => {
                self.attempts += 1;
                self.failed(event.at, fault);
            }
            What::Failed(fault) => self.failed(event.at, fault),
            What::Redriven => {
                self.earlier_failures.extend(self.failure.take());
                self.attempts = 0;
            }
        }
    }

    /// Failed attempts are forgotten once one has succeeded.
    fn went_on(&mut self) {
        self.attempts = 0;
        self.failure = None;
    }

    fn failed(&mut self, at: Timestamp, fault: Fault) {
        self.failure = Some(Failure {
            state: self.state.clone().unwrap_or_default(),
            at,
            attempts: self.attempts,
            fault: sentence(fault),
        });
    }

    fn answered(&mut self, answer: Answer) {
        self.generation = answer.generation.or(self.generation);
        if let Some(outcome) = outcome(&answer) {
            self.outcome = Some(outcome);
        }
        if let Some(work) = answer.work {
            self.window = Some(work.window);
            self.generation = work.generation.or(self.generation);
            if let Some(run) = work.run {
                self.looks_after(run);
            }
            return;
        }
        let Some(run) = self.runs.last_mut() else {
            return;
        };
        run.state = answer.state.or(run.state.take());
        run.page_count = answer.page_count.unwrap_or(run.page_count);
        run.row_count = answer.row_count.unwrap_or(run.row_count);
        if let Some(ended) = answer.ended {
            self.has_ended(ended);
        }
    }

    fn looks_after(&mut self, work: WorkRun) {
        let known = self.runs.iter().position(|run| run.run_id == work.run_id);
        let run = known.map(|index| self.runs.remove(index));
        self.runs.push(run.unwrap_or(Run {
            segment: work.segment,
            run: work.run,
            run_id: work.run_id,
            triggered_at: work.triggered_at,
            state: None,
            page_count: 0,
            row_count: 0,
            ended: None,
        }));
    }

    fn has_ended(&mut self, ended: Ended) {
        let mut runs = self.runs.iter_mut().rev();
        if let Some(run) =
            runs.find(|run| run.segment == ended.segment.as_str() && run.run == ended.run)
        {
            run.ended = Some(ended);
        }
    }
}

/// Lambda's errors come as JSON with the sentence in one field.
pub(crate) fn sentence(fault: Fault) -> Fault {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct LambdaError {
        error_message: String,
    }
    match serde_json::from_str::<LambdaError>(&fault.cause) {
        Ok(error) => Fault {
            cause: error.error_message,
            ..fault
        },
        Err(_) => fault,
    }
}

fn outcome(answer: &Answer) -> Option<String> {
    let version = answer.version.unwrap_or_default();
    if let Some(execution) = &answer.continued_by {
        return Some(format!("continued by {execution}"));
    }
    match (answer.outcome.as_deref(), answer.next.as_deref()) {
        (Some("committed" | "delivered"), _) => {
            let rows = answer.rows.unwrap_or_default();
            let mut parts = vec![format!("delivered as version {version}: {rows} rows")];
            if let Some(duplicates @ 1..) = answer.duplicates {
                parts.push(format!("{duplicates} duplicates dropped"));
            }
            if answer.unchanged {
                parts.push("the same as before".to_owned());
            }
            Some(parts.join(", "))
        }
        (None, Some("delivered")) => Some(format!(
            "nothing to do: delivered before as version {version}, {} rows",
            answer.rows.unwrap_or_default()
        )),
        (Some("superseded"), _) | (None, Some("superseded")) => Some(format!(
            "nothing to do: a newer generation was delivered as version {version}"
        )),
        (None, Some("not_before")) => {
            let until = answer.until?;
            Some(match answer.stalled_since {
                Some(since) => {
                    format!("waits until {until}: the tenant asks for pauses since {since}")
                }
                None => format!("waits until {until} for the window to be final"),
            })
        }
        (None, Some("run")) => Some("looks after a run".to_owned()),
        _ => None,
    }
}

fn is_task(state: &str) -> bool {
    matches!(
        state,
        "Trigger" | "PollOnce" | "Cancel" | "FetchPage" | "Finalize" | "Alert" | "Continue"
    )
}

#[cfg(test)]
mod tests;
