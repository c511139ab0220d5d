//! `cxr cancel`: stops the executions that work on a window.

use std::fmt;

use clap::Args;
use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::arn::name_of;
use crate::bucket::StoredRun;
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::error::CommandError;
use crate::execution_input::ReasonArgs;
use crate::output::{Output, count_of};
use crate::place::PlaceArgs;
use crate::state::{Attempt, Judged, label_window, minute};
use crate::survey::{Found, Survey};

/// Stop what works on a window. The window stays open: cxr retry takes it up again. CXone's own run is not stopped: it is named, and
/// nothing asks for it any more until then.
///
/// cxr cancel daily-agent-performance 2026-06-01 --reason "wrong day typed"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CancelArgs {
    /// The report, by name or the beginning of one.
    report: String,
    /// Its windows: a day, yesterday, 2026-06-01..2026-06-07, what cxr status calls them; or START/END.
    #[arg(value_name = "DAY")]
    window: String,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    confirm: ConfirmArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl CancelArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let audit = self.reason.read()?;
        let executions = survey.executions()?;
        let mut found = self.find(survey, now).await?;
        let windows: Vec<Window> = found.windows.iter().map(|it| it.window).collect();
        let naming = found.surveyed.known.naming();
        let running = survey.find_running(&found.surveyed, &windows).await?;
        if running.len() > 1 {
            let question = format!("{} are stopped", count_of(running.len(), "execution"));
            if !self.confirm.ask(output, answer, &question)? {
                return Ok(0);
            }
        }
        let mut cancelled = Cancelled {
            report: found.surveyed.address.clone(),
            window: match windows[..] {
                [window] => label_window(&window, &naming),
                _ => self.window,
            },
            executions: Vec::new(),
            is_delivered: found.windows.iter().any(Judged::is_settled),
        };
        let cause = format!("cancelled by {}: {}", audit.requested_by, audit.reason);
        for attempt in &running {
            executions.stop(&attempt.execution, &cause).await?;
            output.tell(&format!("stopped {}", name_of(&attempt.execution)))?;
        }
        for attempt in running {
            // They are stopped, whether the bucket can be read or not.
            let run = find_open_run(survey, &mut found, &attempt).await;
            let run = run.unwrap_or_default();
            cancelled.executions.push(Stopped::new(attempt, run));
        }
        output.print(&cancelled)?;
        Ok(0)
    }

    /// Days are the report's own windows; only START/END may be another one.
    async fn find(&self, survey: &Survey, now: Timestamp) -> Result<Found, CommandError> {
        if self.window.contains('/') {
            survey.find_any(&self.report, &self.window, now).await
        } else {
            survey.find(&self.report, &self.window, now).await
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelled {
    report: String,
    window: String,
    /// Those that were stopped.
    executions: Vec<Stopped>,
    /// Whether the window was delivered or taken back before, so that cxr retry leaves it alone.
    #[serde(skip)]
    is_delivered: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    execution: String,
    /// CXone's run that may be under way there.
    run_id: Option<String>,
    run_started_at: Option<Timestamp>,
}

/// The run of a stopped execution's window that has not ended, as far as the claims say.
async fn find_open_run(
    survey: &Survey,
    found: &mut Found,
    attempt: &Attempt,
) -> Result<Option<StoredRun>, CommandError> {
    let keys = &found.surveyed.known.keys;
    let bucket = &survey.bucket;
    let stored = bucket
        .read_generations(keys, &attempt.window, &mut found.cache)
        .await?;
    // Runs of earlier generations ended, also those that delivered, of which nothing else is stored.
    let newest = stored.into_iter().next_back();
    let runs = newest.into_iter().flat_map(|generation| generation.runs);
    let open = runs.filter(|run| run.end.is_none() && run.start.is_some());
    Ok(open.max_by_key(|run| run.start.as_ref().map(|start| start.triggered_at)))
}

impl Stopped {
    fn new(attempt: Attempt, run: Option<StoredRun>) -> Self {
        let start = run.and_then(|run| run.start);
        Self {
            execution: attempt.execution,
            run_id: start.as_ref().map(|start| start.run_id.to_string()),
            run_started_at: start.map(|start| start.triggered_at),
        }
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, window, .. } = self;
        if self.executions.is_empty() {
            return writeln!(f, "nothing to do: no execution works on {report} {window}");
        }
        for stopped in &self.executions {
            if let (Some(run), Some(at)) = (&stopped.run_id, stopped.run_started_at) {
                writeln!(
                    f,
                    "CXone's run {run}, started {}, may go on there until it ends by itself; nothing asks for it now",
                    minute(at)
                )?;
            }
        }
        if self.is_delivered {
            writeln!(
                f,
                "what was delivered before stays; to go on with what was stopped:"
            )?;
            let mut names = self.executions.iter().map(|it| name_of(&it.execution));
            return names.try_for_each(|name| writeln!(f, "    cxr redrive {name}"));
        }
        writeln!(
            f,
            "the window stays open; to take it up again: cxr retry {report} {window}"
        )
    }
}
