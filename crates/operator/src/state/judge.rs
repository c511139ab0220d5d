//! Decides what state each window of a report is in.

use std::collections::BTreeSet;

use definition::Window;
use delivery::documents::Commit;
use delivery::flow::find_whole;
use jiff::Timestamp;

use super::{Attempt, KnownReport};
use crate::bucket::StoredGeneration;

/// Which windows are looked at, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Windows that begin earlier are left out.
    pub(crate) since: Timestamp,
    pub(crate) now: Timestamp,
}

/// A window and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) window: Window,
    /// Whether it is expected to have been delivered by now, by the same rule as `pipeline.expectedBy`.
    pub(crate) is_due: bool,
    pub(crate) stored: StoredSoFar,
    /// Whether no run can be started for it any more: the API takes no dates, and the range of its template means other days by now.
    pub(crate) is_out_of_reach: bool,
    pub(crate) state: WindowState,
}

/// How much is stored of a window beside commits, if it is not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredSoFar {
    /// Not even another window of its report.
    Nothing,
    /// Nothing of the window, and something of its report.
    Report,
    /// Who asked for it, and perhaps more.
    Window,
}

impl Judged {
    /// Whether anything is stored of it beside commits.
    pub(crate) fn is_begun(&self) -> bool {
        self.stored == StoredSoFar::Window
    }

    /// What consumers hold of it.
    pub(crate) fn held(&self) -> Option<&Held> {
        match &self.state {
            WindowState::Committed(held) => Some(held),
            _ => None,
        }
    }

    /// Whether nothing has to be done: it was delivered, or taken back on purpose.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(
            self.state,
            WindowState::Committed(_) | WindowState::Withdrawn { .. }
        )
    }

    /// Whether nothing has to be done, and what consumers hold of it is there.
    pub(crate) fn is_there(&self) -> bool {
        self.is_settled() && !self.held().is_some_and(|held| held.is_lost)
    }

    /// Whether it should be there, and no execution is known to have failed with it.
    pub(crate) fn is_missing(&self) -> bool {
        let is_absent = matches!(
            self.state,
            WindowState::Missing | WindowState::Unfinished(_)
        );
        is_absent && self.is_due
    }

    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.state, WindowState::Failed(_))
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, WindowState::Running(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WindowState {
    /// Consumers hold its rows.
    Committed(Held),
    /// It was taken back on purpose.
    Withdrawn { version: u64 },
    /// An execution works on it or waits for it.
    Running(Attempt),
    /// Its last execution failed.
    Failed(Attempt),
    /// It was begun, and no execution of it is known, as after 90 days.
    Unfinished(Unfinished),
    /// Nobody asked for it.
    Missing,
}

impl WindowState {
    /// The word for a document.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Committed(_) => "committed",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Running(_) => "running",
            Self::Failed(_) => "failed",
            Self::Unfinished(_) => "unfinished",
            Self::Missing => "missing",
        }
    }
}

/// What consumers hold of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) version: u64,
    pub(crate) rows: u64,
    /// The median of earlier windows of the same weekday.
    pub(crate) usual_rows: Option<u64>,
    /// More than 1 for a window that was stated anew.
    pub(crate) generation: u32,
    pub(crate) committed_at: Timestamp,
    /// What an operator should look at.
    pub(crate) warnings: Vec<String>,
    /// Whether a part of it is gone, so that whoever has not loaded it can't.
    pub(crate) is_lost: bool,
}

/// How far a window came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) opened_at: Option<Timestamp>,
    /// The execution that worked on it last.
    pub(crate) execution: Option<String>,
    /// Why its last run ended without its data.
    pub(crate) last_end: Option<String>,
}

/// The windows of a report in order: those that are due, and any that somebody asked for.
pub(crate) fn judge_windows(report: &KnownReport, attempts: &[Attempt], span: Span) -> Vec<Judged> {
    let begins = report.expected_from(span);
    let definition = report.definition.as_ref();
    let due = definition.map(|it| it.windows_due(begins, span.now));
    let due: BTreeSet<Window> = due.into_iter().flatten().collect();
    let tried = attempts.iter().map(|attempt| attempt.window);
    let asked = report.asked.iter().copied().chain(tried);
    let asked = asked.filter(|window| window.start() >= span.since);
    let all: BTreeSet<Window> = asked.chain(due.iter().copied()).collect();
    let commits = report.commits_since(span.since);
    let judged = all.into_iter().filter_map(|window| {
        let is_due = due.contains(&window);
        let whole = find_whole(&window, commits.iter().copied());
        let is_own = |whole: &Vec<&Commit>| whole.iter().any(|commit| commit.window == window);
        if !is_due && whole.as_ref().is_some_and(|whole| !is_own(whole)) {
            // Other windows hold its rows, which are told themselves.
            return None;
        }
        let state = judge_window(report, attempts, window, whole.as_deref(), &due);
        Some(Judged {
            window,
            is_due,
            stored: report.stored_of(&window),
            is_out_of_reach: report.is_out_of_reach(&window, span.now),
            state,
        })
    });
    judged.collect()
}

/// One window, whether it is due or was asked for or not.
pub(crate) fn judge_one(
    report: &KnownReport,
    attempts: &[Attempt],
    window: Window,
    all: &[Judged],
    now: Timestamp,
) -> Judged {
    if let Some(known) = all.iter().find(|judged| judged.window == window) {
        return known.clone();
    }
    let whole = find_whole(&window, &report.commits);
    Judged {
        window,
        is_due: false,
        stored: report.stored_of(&window),
        is_out_of_reach: report.is_out_of_reach(&window, now),
        state: judge_window(report, attempts, window, whole.as_deref(), &BTreeSet::new()),
    }
}

fn judge_window(
    report: &KnownReport,
    attempts: &[Attempt],
    window: Window,
    whole: Option<&[&Commit]>,
    due: &BTreeSet<Window>,
) -> WindowState {
    let generations = report.pending.get(&window).map_or(&[][..], Vec::as_slice);
    if let Some(whole) = whole {
        match whole.iter().rfind(|commit| commit.withdrawn) {
            None => return WindowState::Committed(Held::new(report, whole, due)),
            Some(withdrawn) if !is_asked_again(generations, withdrawn) => {
                return WindowState::Withdrawn {
                    version: withdrawn.version,
                };
            }
            Some(_) => {}
        }
    }
    let of_window = attempts.iter().filter(|attempt| attempt.window == window);
    match Attempt::last(of_window) {
        Some(attempt) if attempt.is_running => WindowState::Running(attempt.clone()),
        Some(attempt) => WindowState::Failed(attempt.clone()),
        None if generations.is_empty() => WindowState::Missing,
        None => WindowState::Unfinished(Unfinished::new(generations)),
    }
}

/// Whether somebody asked for a window again after it was taken back.
fn is_asked_again(generations: &[StoredGeneration], withdrawn: &Commit) -> bool {
    let newest = generations.last();
    newest.is_some_and(|newest| {
        let is_withdrawal = newest.opening.as_ref().is_some_and(|it| it.withdrawn);
        newest.number > withdrawn.generation && !is_withdrawal
    })
}

impl Held {
    fn new(report: &KnownReport, whole: &[&Commit], due: &BTreeSet<Window>) -> Self {
        let newest = whole.iter().max_by_key(|commit| commit.version);
        Self {
            version: newest.map_or(0, |commit| commit.version),
            rows: whole.iter().map(|commit| commit.unique).sum(),
            usual_rows: newest.and_then(|commit| commit.rows_median),
            generation: newest.map_or(1, |commit| commit.generation),
            committed_at: newest.map_or(Timestamp::MIN, |commit| commit.committed_at),
            warnings: whole
                .iter()
                .flat_map(|commit| report.warnings_of(commit, due))
                .collect(),
            is_lost: whole
                .iter()
                .any(|commit| report.lost.contains(&commit.version)),
        }
    }
}

impl Unfinished {
    fn new(generations: &[StoredGeneration]) -> Self {
        let newest = generations.last();
        let opening = newest.and_then(|newest| newest.opening.as_ref());
        let runs = newest.map_or(&[][..], |newest| &newest.runs);
        let last_run = runs
            .iter()
            .filter_map(|run| run.start.as_ref())
            .max_by_key(|run| run.triggered_at);
        let last_end = runs.iter().filter_map(|run| run.end.as_ref());
        Self {
            opened_at: opening.map(|opening| opening.opened_at),
            execution: last_run
                .map(|run| &run.execution)
                .or(opening.map(|opening| &opening.execution))
                .cloned(),
            last_end: last_end
                .max_by_key(|end| end.at)
                .map(delivery::documents::EndRecord::describe),
        }
    }
}
