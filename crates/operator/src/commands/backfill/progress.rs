//! How far a backfill came. The bucket says it, whatever became of the executions.

use std::collections::BTreeSet;
use std::fmt;

use definition::Window;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{BackfillPlace, NOT_WELL};
use crate::backfill::{BackfillRun, BackfillStatus, describe_seconds};
use crate::error::CommandError;
use crate::output::{count_of, one_line};
use crate::state::{Judged, WindowNaming, WindowState, label_range, label_window, minute};
use crate::survey::Found;

/// At most so many failed windows are told.
const TOLD_MAX: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct BackfillProgress {
    id: String,
    tenant: String,
    report: String,
    pub(super) status: BackfillStatus,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    pub(super) windows: usize,
    /// How many are committed, or were taken back on purpose.
    pub(super) committed: usize,
    pub(super) running: Vec<String>,
    failed: Vec<FailedWindow>,
    /// How many were not asked for yet, or have come to nothing.
    pub(super) left: usize,
    /// When it begins windows again, where it waits until the daily runs have had their turn.
    pub(super) waits_until: Option<Timestamp>,
    /// About how long it takes, the pauses counted.
    seconds_left: Option<i64>,
    /// Why it could not go on.
    problem: Option<String>,
    /// The lines to type, the most likely first.
    commands: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct FailedWindow {
    window: String,
    error: Option<String>,
    cause: Option<String>,
}

/// Reads how far a backfill came.
pub(super) async fn read_progress(
    place: &BackfillPlace<'_>,
    id: &str,
    now: Timestamp,
) -> Result<BackfillProgress, CommandError> {
    let run = place.backfills.describe(id).await?;
    let windows: BTreeSet<Window> = run.input.windows().into_iter().collect();
    let report = format!("{}/{}", run.input.tenant, run.input.report);
    let own: Vec<Window> = windows.iter().copied().collect();
    let found = match place.survey.find_exactly(&report, own, now).await {
        Ok(found) => Some(found),
        // Nothing was stored yet.
        Err(CommandError::UnknownReport { .. } | CommandError::NoDefinition { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(BackfillProgress::new(&run, &windows, found.as_ref(), now))
}

impl BackfillProgress {
    fn new(
        run: &BackfillRun,
        windows: &BTreeSet<Window>,
        found: Option<&Found>,
        now: Timestamp,
    ) -> Self {
        let definition = found.and_then(|found| found.surveyed.known.definition.as_ref());
        let naming = WindowNaming::new(definition);
        let judged = found.map_or(&[][..], |found| &found.windows);
        let tally = WindowTally::count(judged, &naming);
        let left = windows.len() - tally.committed - tally.running.len() - tally.failed.len();
        let to_come = left + tally.running.len();
        let is_running = run.status == BackfillStatus::Running;
        let seconds_left = estimate(run, tally.committed, to_come, now);
        let is_whole = is_running || left + tally.failed.len() == 0;
        let commands = found.map(|found| {
            let address = &found.surveyed.address;
            suggest(address, &tally.failed, windows, &naming, is_whole)
        });
        Self {
            id: run.input.id.clone(),
            tenant: run.input.tenant.clone(),
            report: run.input.report.clone(),
            status: run.status,
            started_at: run.started_at,
            stopped_at: run.stopped_at.filter(|_| !is_running),
            windows: windows.len(),
            committed: tally.committed,
            waits_until: run
                .input
                .pause
                .end_at(now)
                .filter(|_| is_running && left > 0),
            seconds_left: seconds_left.filter(|_| is_running),
            running: tally.running,
            failed: tally.failed,
            left,
            problem: run.problem.clone().filter(|it| !it.is_empty()),
            commands: commands.unwrap_or_default(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.status == BackfillStatus::Running
    }

    /// 5 where it has ended and not everything is there.
    pub(super) fn exit_code(&self) -> u8 {
        if self.is_running() || self.committed == self.windows {
            0
        } else {
            NOT_WELL
        }
    }

    /// How far the backfill came, in one line.
    pub(super) fn summarize(&self) -> String {
        let mut parts = vec![format!("{}/{} committed", self.committed, self.windows)];
        let counts = [
            (self.running.len(), "running"),
            (self.failed.len(), "failed"),
            (self.left, "to go"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        parts.extend(counts.map(|(count, what)| format!("{count} {what}")));
        if let Some(until) = self.waits_until {
            parts.push(format!("waits until {} UTC", until.strftime("%H:%M")));
        }
        if let Some(seconds) = self.seconds_left {
            parts.push(format!("about {}", describe_seconds(seconds)));
        }
        if !self.is_running() {
            parts.push(self.status.as_str().to_owned());
        }
        parts.join(", ")
    }
}

/// What to type: a look at each of the first that failed, and the same again where something is missing.
fn suggest(
    address: &str,
    failed: &[FailedWindow],
    windows: &BTreeSet<Window>,
    naming: &WindowNaming,
    is_whole: bool,
) -> Vec<String> {
    let shown = failed.iter().take(TOLD_MAX);
    let mut commands: Vec<String> = shown
        .map(|it| format!("cxr show {address} {}", it.window))
        .collect();
    if let (false, Some(first), Some(last)) = (is_whole, windows.first(), windows.last()) {
        let range = label_range(first, last, naming);
        commands.push(format!("cxr backfill {address} {range}"));
    }
    commands
}

/// What became of windows so far.
#[derive(Default)]
struct WindowTally {
    committed: usize,
    running: Vec<String>,
    failed: Vec<FailedWindow>,
}

impl WindowTally {
    fn count(judged: &[Judged], naming: &WindowNaming) -> Self {
        let mut tally = Self::default();
        for judged in judged {
            let label = label_window(&judged.window, naming);
            match &judged.state {
                _ if judged.is_settled() => tally.committed += 1,
                WindowState::Running(_) => tally.running.push(label),
                WindowState::Failed(_) => tally.failed.push(FailedWindow::new(label, judged)),
                _ => {}
            }
        }
        tally
    }
}

/// What is left takes as long for each window as what is committed did, and rests in the same pauses.
fn estimate(run: &BackfillRun, committed: usize, left: usize, now: Timestamp) -> Option<i64> {
    let (committed, left) = (i64::try_from(committed).ok()?, i64::try_from(left).ok()?);
    let pause = &run.input.pause;
    let took = pause.working_time(run.started_at, now).as_secs();
    let work = took.checked_mul(left)?.checked_div(committed)?;
    let done_at = pause.finish(now, SignedDuration::from_secs(work));
    Some(done_at.duration_since(now).as_secs())
}

impl FailedWindow {
    fn new(window: String, judged: &Judged) -> Self {
        let error = match &judged.state {
            WindowState::Failed(attempt) => attempt.error.as_ref(),
            _ => None,
        };
        Self {
            window,
            error: error.map(|error| error.error.clone()),
            cause: error.map(|error| one_line(&error.cause)),
        }
    }
}

impl fmt::Display for FailedWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.error.as_deref().unwrap_or("it failed");
        let cause = self.cause.as_deref().unwrap_or_default();
        write!(f, "failed     {}  {error}: {cause}", self.window)
    }
}

impl fmt::Display for BackfillProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = minute(self.started_at);
        writeln!(
            f,
            "{}  {} / {}, since {started}",
            self.id, self.tenant, self.report
        )?;
        writeln!(f, "{}", self.summarize())?;
        if !self.running.is_empty() {
            writeln!(f, "running    {}", self.running.join(", "))?;
        }
        for failed in self.failed.iter().take(TOLD_MAX) {
            writeln!(f, "{failed}")?;
        }
        let more = self.failed.len().saturating_sub(TOLD_MAX);
        if more > 0 {
            writeln!(f, "           and {} more", count_of(more, "window"))?;
        }
        if let Some(problem) = &self.problem {
            writeln!(f, "ended      {}", one_line(problem))?;
        }
        for command in &self.commands {
            writeln!(f, "    {command}")?;
        }
        Ok(())
    }
}
