//! What was read of a report.

use std::collections::{BTreeMap, BTreeSet};

use definition::{Definition, Recurrence, SourceRange, Window};
use delivery::documents::Commit;
use delivery::flow::find_whole;
use delivery::gaps::{Gap, find_gaps, is_gap_warning};
use delivery::keys::ReportKeys;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Span, StoredSoFar, WindowNaming};
use crate::bucket::StoredGeneration;

/// A report, as far as the bucket knows it.
#[derive(Debug, Clone)]
pub(crate) struct KnownReport {
    pub(crate) keys: ReportKeys,
    /// The definition that was asked with last; `None` where nothing was ever asked for.
    pub(crate) definition: Option<Definition>,
    /// What its executions call it, where nothing of it is stored: then it is known from those that failed.
    pub(crate) unstored_name: Option<String>,
    /// All commits of the log, the oldest first.
    pub(crate) commits: Vec<Commit>,
    /// The windows that somebody asked for, as far back as was looked.
    pub(crate) asked: Vec<Window>,
    /// What is stored of those that are not committed.
    pub(crate) pending: BTreeMap<Window, PendingWindow>,
    /// The versions that consumers hold and of which a part is gone, as far as was looked.
    pub(crate) lost: BTreeSet<u64>,
}

/// What is stored of a window beside commits: its generations, from the first on.
pub(crate) type PendingWindow = Vec<StoredGeneration>;

impl KnownReport {
    /// A report of which nothing is stored, with the definition of its executions, if that is accepted.
    pub(crate) fn unstored(keys: ReportKeys, name: String, definition: Option<Definition>) -> Self {
        Self {
            keys,
            definition,
            unstored_name: Some(name),
            commits: Vec::new(),
            asked: Vec::new(),
            pending: BTreeMap::new(),
            lost: BTreeSet::new(),
        }
    }

    /// Whether a window is one of the report's own before the first that is stored, or nothing is stored at all.
    pub(crate) fn is_before_first(&self, window: &Window) -> bool {
        let Some(first) = self.begins_at() else {
            return true;
        };
        let is_own = |definition: &Definition| definition.is_on_grid(window);
        window.start() < first
            && self.definition.as_ref().is_some_and(is_own)
            && find_whole(window, &self.commits).is_none()
    }

    /// Whether nothing of it is stored: then it is no report, but a folder as far below a wrong prefix as reports are.
    pub(crate) fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.asked.is_empty()
    }

    /// Whether anything is stored of a window that is not committed.
    pub(crate) fn is_begun(&self, window: &Window) -> bool {
        self.pending.get(window).is_some_and(|it| !it.is_empty())
    }

    /// How much is stored of a window that is not committed.
    pub(crate) fn stored_of(&self, window: &Window) -> StoredSoFar {
        if self.is_begun(window) {
            StoredSoFar::Window
        } else if self.unstored_name.is_some() {
            StoredSoFar::Nothing
        } else {
            StoredSoFar::Report
        }
    }

    /// The warnings of a commit that still hold. What nobody had asked for may have been asked for since, and a window that is
    /// due is told as missing.
    pub(super) fn warnings_of(&self, commit: &Commit, due: &BTreeSet<Window>) -> Vec<String> {
        let told = || {
            let committed = self.commits.iter().map(|commit| &commit.window);
            committed.chain(&self.asked).chain(due).copied().collect()
        };
        let is_told = |gap: &Gap| find_gaps(*gap, told()).is_empty();
        let warnings = commit.warnings.iter();
        let holds = warnings.filter(|it| !is_gap_warning(it) || !commit.gaps.iter().all(is_told));
        holds.cloned().collect()
    }

    /// Whether a commit of the log is of exactly this window.
    pub(crate) fn has_commit_of(&self, window: Window) -> bool {
        self.commits.iter().any(|commit| commit.window == window)
    }

    /// The definition that a window was begun with last, or else that of the report.
    pub(crate) fn definition_for(&self, window: &Window) -> Option<&Definition> {
        let pending = self.pending.get(window).into_iter().flatten();
        let mut openings = pending.filter_map(|generation| generation.opening.as_ref());
        let own = openings.next_back().map(|opening| &opening.definition);
        own.or(self.definition.as_ref())
    }

    /// Whether a run for a window would be about other days, because the range is that of a template and has moved on. A run that was
    /// started in time and has not ended still has the window's file.
    pub(super) fn is_out_of_reach(&self, window: &Window, now: Timestamp) -> bool {
        let runs = self.pending.get(window).into_iter().flatten();
        let mut runs = runs.flat_map(|generation| &generation.runs);
        let definition = self.definition_for(window);
        let is_over = definition.is_some_and(|it| {
            it.source().range == SourceRange::Template
                && it.settled_at(window) <= now
                && it.window_for(now).as_ref() != Ok(window)
        });
        is_over && !runs.any(|run| run.start.is_some() && run.end.is_none())
    }

    /// The folder's own name for the tenant.
    pub(crate) fn tenant(&self) -> &str {
        let mut levels = self.keys.root().rsplit('/');
        levels.nth(1).unwrap_or_default()
    }

    /// The report's name, or that of its folder where nothing stored says it.
    pub(crate) fn report(&self) -> &str {
        let folder = || self.keys.root().rsplit('/').next().unwrap_or_default();
        let by_definition = self.definition.as_ref().map(|it| it.name.as_str());
        let by_commit = || self.commits.last().map(|it| it.report.as_str());
        let by_execution = || self.unstored_name.as_deref();
        let named = by_definition.or_else(by_commit).or_else(by_execution);
        named.unwrap_or_else(folder)
    }

    /// When it is run, such as `daily 05:30`.
    pub(crate) fn describe_schedule(&self) -> Option<String> {
        let schedule = &self.definition.as_ref()?.schedule;
        let (recurrence, time) = (schedule.recurrence, schedule.time);
        Some(match (recurrence, schedule.every_hours) {
            (Recurrence::Hourly, Some(every)) => format!("every {} h from {time}", every.get()),
            (Recurrence::Weekly, _) => format!("weekly Mon {time}"),
            (Recurrence::Monthly, _) => format!("monthly 1st {time}"),
            _ => format!("{recurrence} {time}"),
        })
    }

    /// Where its days begin and end.
    pub(crate) fn zone(&self) -> TimeZone {
        let definition = self.definition.as_ref();
        definition.map_or(TimeZone::UTC, |it| it.pipeline.window_zone.rules().clone())
    }

    /// How its windows are called.
    pub(crate) fn naming(&self) -> WindowNaming {
        WindowNaming::new(self.definition.as_ref())
    }

    /// The first window that was ever asked for or committed.
    pub(crate) fn begins_at(&self) -> Option<Timestamp> {
        let committed = self.commits.iter().map(|commit| commit.window.start());
        committed.chain(self.asked.iter().map(Window::start)).min()
    }

    /// From when on windows are expected: nothing is of the time before the first one, nor before what is looked at.
    pub(crate) fn expected_from(&self, span: Span) -> Timestamp {
        self.begins_at().unwrap_or(span.now).max(span.since)
    }

    /// The windows that the schedule asked for by now and that the log says nothing of.
    pub(crate) fn windows_scheduled(&self, span: Span) -> BTreeSet<Window> {
        let begins = self.expected_from(span);
        let definition = self.definition.as_ref();
        let scheduled = definition.map(|it| it.windows_scheduled(begins, span.now));
        let commits = self.commits_since(span.since);
        let mut scheduled: BTreeSet<Window> = scheduled.into_iter().flatten().collect();
        scheduled.retain(|window| find_whole(window, commits.iter().copied()).is_none());
        scheduled
    }

    /// The commits of windows that end after a time, in the order of the log.
    pub(crate) fn commits_since(&self, since: Timestamp) -> Vec<&Commit> {
        let commits = self.commits.iter();
        commits
            .filter(|commit| commit.window.end() > since)
            .collect()
    }

    /// The windows from a time on of which the log does not say everything, or says that they were taken back: what is
    /// stored of them beside it has to be read. Where nothing was committed, the last one says the definition, however old.
    pub(crate) fn windows_to_look_at(&self, since: Timestamp) -> Vec<Window> {
        let last = self.asked.last().filter(|_| self.commits.is_empty());
        let since = last.map_or(since, |last| last.start().min(since));
        let commits = self.commits_since(since);
        let recent = self.asked.iter().filter(|window| window.start() >= since);
        let open = recent.filter(|window| match find_whole(window, commits.iter().copied()) {
            Some(whole) => whole.iter().any(|commit| commit.withdrawn),
            None => true,
        });
        open.copied().collect()
    }
}
