//! `cxr watch`: follows a window until it is committed.

use std::fmt;
use std::time::Duration;

use clap::Args;
use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NOT_WELL;
use crate::error::CommandError;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::state::label_window;
use crate::survey::{Found, Survey};
use crate::time;
use crate::work::{Action, Conclusion, Job, SeenChange, WorkRules, Worker, conclude};

/// Follow a window until it is committed: a line for each change. Ends with 0 if it is committed, with 5 if it is not delivered,
/// and with 4 after --timeout. Ctrl-C stops following, not the work.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// The report, by name or the beginning of one.
    report: String,
    /// Its window: a day, yesterday, or what cxr status calls it; or several, such as 2026-06-01..2026-06-07.
    #[arg(value_name = "DAY")]
    windows: String,
    /// Give up after this time, such as 45m or 2h.
    #[arg(long, value_name = "SPAN")]
    timeout: Option<String>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl WatchArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let rules = WorkRules {
            at_once: usize::MAX,
            follow: true,
            timeout: self.timeout()?,
        };
        let found = survey.find(&self.report, &self.windows, now).await?;
        let windows: Vec<Window> = found.windows.iter().map(|it| it.window).collect();
        let mut worker = Worker::new(survey, survey.executions()?, rules, now);
        let is_well = follow(output, survey, &mut worker, &found, &windows).await?;
        let read = async || conclude(survey, &found.surveyed.address, windows.clone(), now).await;
        let watched = Watched {
            windows: worker.insist(output, read).await?,
            changes: worker.seen,
        };
        output.print(&watched)?;
        let is_well = is_well && watched.windows.iter().all(Conclusion::is_committed);
        Ok(if is_well { 0 } else { NOT_WELL })
    }

    /// How long it may take, and what was typed.
    fn timeout(&self) -> Result<Option<(Duration, String)>, CommandError> {
        let Some(text) = &self.timeout else {
            return Ok(None);
        };
        let span = time::parse_span("--timeout", text)?;
        Ok(Some((span, text.clone())))
    }
}

/// Follows what works on the windows until nothing does, and says whether the last of it succeeded.
async fn follow(
    output: &mut Output<'_>,
    survey: &Survey,
    worker: &mut Worker<'_>,
    found: &Found,
    windows: &[Window],
) -> Result<bool, CommandError> {
    let surveyed = &found.surveyed;
    let mut is_well = true;
    loop {
        // One that was redriven meanwhile goes on.
        let find = async || survey.find_running(surveyed, windows).await;
        let running = worker.insist(output, find).await?;
        if running.is_empty() {
            return Ok(is_well);
        }
        let jobs = running.into_iter().map(|attempt| Job {
            report: surveyed.address.clone(),
            label: label_window(&attempt.window, &surveyed.known.naming()),
            window: attempt.window,
            action: Action::Follow(attempt.execution),
        });
        let done = worker.work(output, jobs.collect()).await?;
        is_well = done.iter().all(|it| it.problem.is_none());
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Watched {
    windows: Vec<Conclusion>,
    /// Each change, in the order in which it was seen.
    changes: Vec<SeenChange>,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.windows
            .iter()
            .try_for_each(|window| write!(f, "{window}"))
    }
}
