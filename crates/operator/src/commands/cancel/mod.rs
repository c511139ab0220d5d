//! `cxr cancel`: stops the executions that work on a window, and its run at CXone.

mod cxone_run;

use std::fmt;

use clap::Args;
use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NOT_WELL;
use crate::arn::name_of;
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::error::CommandError;
use crate::execution_input::ReasonArgs;
use crate::output::{Output, count_of};
use crate::place::PlaceArgs;
use crate::state::{Attempt, Judged, label_window};
use crate::survey::{Found, Survey};
use cxone_run::{CancelledRun, Canceller};

/// Stop what works on a window, and its run at CXone. The window stays open: cxr retry takes it up again.
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
        let running = survey.find_running(&found.surveyed, &windows).await?;
        if running.len() > 1 {
            let question = format!("{} are stopped", count_of(running.len(), "execution"));
            if !self.confirm.ask(output, answer, &question)? {
                return Ok(0);
            }
        }
        let cause = format!("cancelled by {}: {}", audit.requested_by, audit.reason);
        for attempt in &running {
            executions.stop(&attempt.execution, &cause).await?;
            output.tell(&format!("stopped {}", name_of(&attempt.execution)))?;
        }
        let meant = find_open(&found, &running);
        let runs = Canceller::new(survey, executions, audit, now)
            .cancel_runs(&mut found, &meant)
            .await;
        let is_well = runs.iter().all(CancelledRun::is_answered);
        output.print(&self.sum_up(&found, running, runs))?;
        Ok(if is_well { 0 } else { NOT_WELL })
    }

    fn sum_up(self, found: &Found, stopped: Vec<Attempt>, runs: Vec<CancelledRun>) -> Cancelled {
        let surveyed = &found.surveyed;
        Cancelled {
            report: surveyed.address.clone(),
            window: match &found.windows[..] {
                [judged] => label_window(&judged.window, &surveyed.known.naming()),
                _ => self.window,
            },
            executions: stopped.into_iter().map(|it| it.execution).collect(),
            runs,
            is_delivered: found.windows.iter().any(Judged::is_settled),
        }
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

/// The windows of which a run may be under way. What was delivered or taken back has none, unless something worked on it anew.
fn find_open(found: &Found, stopped: &[Attempt]) -> Vec<Window> {
    let is_stopped = |window| stopped.iter().any(|attempt| attempt.window == window);
    let windows = found.windows.iter();
    let open = windows.filter(|judged| !judged.is_settled() || is_stopped(judged.window));
    open.map(|judged| judged.window).collect()
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelled {
    report: String,
    window: String,
    /// Those that were stopped.
    executions: Vec<String>,
    /// What became of CXone's runs.
    runs: Vec<CancelledRun>,
    /// Whether the window was delivered or taken back before, so that cxr retry leaves it alone.
    #[serde(skip)]
    is_delivered: bool,
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, window, .. } = self;
        if self.executions.is_empty() && self.runs.is_empty() {
            return writeln!(
                f,
                "nothing to do: no execution works on {report} {window}, and no run of it is known to be under way at CXone"
            );
        }
        for run in &self.runs {
            if self.runs.len() > 1 {
                write!(f, "{}: ", run.window)?;
            }
            writeln!(f, "{run}")?;
        }
        if self.is_delivered && !self.executions.is_empty() {
            writeln!(
                f,
                "what was delivered before stays; to go on with what was stopped:"
            )?;
            let mut names = self.executions.iter().map(|it| name_of(it));
            return names.try_for_each(|name| writeln!(f, "    cxr redrive {name}"));
        }
        writeln!(
            f,
            "the window stays open; to take it up again: cxr retry {report} {window}"
        )
    }
}
