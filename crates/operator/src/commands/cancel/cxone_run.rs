//! Has CXone's run of a window cancelled. That is done by an execution of the pipeline, which may sign in at CXone.

use std::fmt;

use definition::Window;
use delivery::Audit;
use delivery::documents::RunRecord;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::arn::name_of;
use crate::commands::replay::stored;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput};
use crate::follow::{Followed, Pacer};
use crate::history::{CxoneRun, History};
use crate::output::one_line;
use crate::state::{label_window, minute};
use crate::step_functions::Executions;
use crate::survey::{Found, Survey};

/// So often an execution is looked at, which takes a minute.
const LOOKS: u32 = 30;

/// Starts an execution for each run that has to be cancelled.
pub(super) struct Canceller<'a> {
    survey: &'a Survey,
    executions: &'a Executions,
    audit: Audit,
    now: Timestamp,
}

/// What became of a run at CXone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelledRun {
    pub(super) window: String,
    run_id: String,
    started_at: Timestamp,
    /// The execution that was to cancel it.
    execution: Option<String>,
    outcome: RunOutcome,
    /// The state that CXone showed before.
    state: Option<String>,
    /// What there is to know about it.
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum RunOutcome {
    /// It is over, and nothing of it is used.
    Cancelled,
    /// It had completed before.
    Completed,
    /// It was not cancelled, because this API or CXone does not do it.
    GoesOn,
    /// There was no need.
    NotNeeded,
    /// It was not found out in time.
    Unknown,
}

impl<'a> Canceller<'a> {
    pub(super) fn new(
        survey: &'a Survey,
        executions: &'a Executions,
        audit: Audit,
        now: Timestamp,
    ) -> Self {
        Self {
            survey,
            executions,
            audit,
            now,
        }
    }

    /// Has the open runs of some windows cancelled, and waits a minute for that. What works on the windows is stopped before,
    /// whatever goes wrong here.
    pub(super) async fn cancel_runs(
        &self,
        found: &mut Found,
        windows: &[Window],
    ) -> Vec<CancelledRun> {
        let mut asked = Vec::new();
        for window in windows {
            let Ok(Some(run)) = self.find_open_run(found, window).await else {
                continue;
            };
            let label = label_window(window, &found.surveyed.known.naming());
            let mut cancelled = CancelledRun::unknown(label, &run);
            match self.start(found, *window).await {
                Ok(execution) => {
                    cancelled.execution = Some(execution.clone());
                    asked.push((cancelled, Some(Followed::new(execution))));
                }
                Err(error) => {
                    cancelled.note = Some(one_line(&error.to_string()));
                    asked.push((cancelled, None));
                }
            }
        }
        self.wait_for_ends(&mut asked).await;
        let runs = asked.into_iter();
        runs.map(|(run, followed)| match followed {
            Some(followed) => run.concluded(&followed),
            None => run,
        })
        .collect()
    }

    /// The run of a window's newest generation that has not ended, as far as the claims say. Those of earlier ones ended, also
    /// where they delivered, of which nothing else is stored.
    async fn find_open_run(
        &self,
        found: &mut Found,
        window: &Window,
    ) -> Result<Option<RunRecord>, CommandError> {
        let keys = &found.surveyed.known.keys;
        let bucket = &self.survey.bucket;
        let stored = bucket
            .read_generations(keys, window, &mut found.cache)
            .await?;
        let newest = stored.into_iter().next_back();
        let runs = newest.into_iter().flat_map(|generation| generation.runs);
        let open = runs.filter(|run| run.end.is_none());
        let open = open.filter_map(|run| run.start);
        Ok(open.max_by_key(|start| start.triggered_at))
    }

    async fn start(&self, found: &mut Found, window: Window) -> Result<String, CommandError> {
        let definition = self
            .survey
            .read_definition_of(&mut found.cache, &found.surveyed, window)
            .await?;
        let cancellation = Correction::Cancellation(self.audit.clone());
        let machine = Some(self.executions.machine());
        let file = stored(definition);
        let input = ExecutionInput::for_correction(file, window, cancellation, self.now, machine);
        let name = input.execution_name();
        self.executions.start(&name, input.to_json()?).await
    }

    /// AWS that does not answer is no reason to give up before the time is over.
    async fn wait_for_ends(&self, asked: &mut [(CancelledRun, Option<Followed>)]) {
        let mut pacer = Pacer::new(self.executions.pause_between_looks());
        for _ in 0..LOOKS {
            let followed = asked.iter_mut().filter_map(|(_, it)| it.as_mut());
            let running: Vec<&mut Followed> = followed.filter(|it| !it.has_ended).collect();
            if running.is_empty() {
                return;
            }
            for followed in running {
                pacer.wait().await;
                // It is told at the end that nothing is known.
                let _ = followed.look(self.executions).await;
            }
        }
    }
}

impl CancelledRun {
    fn unknown(window: String, run: &RunRecord) -> Self {
        Self {
            window,
            run_id: run.run_id.to_string(),
            started_at: run.triggered_at,
            execution: None,
            outcome: RunOutcome::Unknown,
            state: None,
            note: None,
        }
    }

    /// Whether CXone or the definition's API said what becomes of it.
    pub(super) fn is_answered(&self) -> bool {
        self.outcome != RunOutcome::Unknown
    }

    /// What the history of the execution says that was to cancel it.
    fn concluded(mut self, followed: &Followed) -> Self {
        if let Some(failure) = followed.failure() {
            let failure = format!("{}: {}", failure.error, failure.cause);
            self.note = Some(one_line(&failure));
        } else if followed.has_ended {
            let history = followed.history();
            self.outcome = judge(history);
            self.note.clone_from(&history.note);
            if let Some(run) = history.runs.last() {
                self.run_id.clone_from(&run.run_id);
                self.state.clone_from(&run.state);
            }
        }
        self
    }
}

fn judge(history: &History) -> RunOutcome {
    match history.runs.last() {
        Some(CxoneRun {
            cancelled: true, ..
        }) => RunOutcome::Cancelled,
        Some(CxoneRun { ended: Some(_), .. }) => RunOutcome::GoesOn,
        Some(_) => RunOutcome::Completed,
        None => RunOutcome::NotNeeded,
    }
}

impl fmt::Display for CancelledRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (run, note) = (&self.run_id, self.note.as_deref().unwrap_or_default());
        let state = self.state.as_deref().unwrap_or("unknown");
        match self.outcome {
            RunOutcome::Cancelled => write!(f, "CXone's run {run} cancelled (was {state})"),
            RunOutcome::Completed => write!(
                f,
                "CXone's run {run} had completed: nothing asks for its rows until cxr retry does"
            ),
            RunOutcome::GoesOn => write!(
                f,
                "CXone did not cancel its run {run} ({state}): it goes on there, and nothing asks for it until cxr retry does"
            ),
            RunOutcome::NotNeeded => write!(f, "{note}"),
            RunOutcome::Unknown => {
                let started = minute(self.started_at);
                write!(f, "CXone's run {run}, started {started}, may go on there: ")?;
                match self.execution.as_deref().map(name_of) {
                    Some(name) if note.is_empty() => write!(
                        f,
                        "what cancels it has not answered within a minute; see cxr show {name}"
                    ),
                    Some(name) => write!(f, "{note}; see cxr show {name}"),
                    None => write!(f, "{note}"),
                }
            }
        }
    }
}
