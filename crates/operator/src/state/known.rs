//! What was read of a report.

use std::collections::{BTreeMap, BTreeSet};

use definition::{Definition, Recurrence, Window};
use delivery::documents::Commit;
use delivery::flow::find_whole;
use delivery::keys::ReportKeys;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Span;
use crate::bucket::StoredGeneration;

/// A report, as far as the bucket knows it.
#[derive(Debug, Clone)]
pub(crate) struct KnownReport {
    pub(crate) keys: ReportKeys,
    /// The definition that was asked with last; `None` where nothing was ever asked for.
    pub(crate) definition: Option<Definition>,
    /// The whole log.
    pub(crate) commits: Vec<Commit>,
    /// The windows that somebody asked for, as far back as was looked.
    pub(crate) asked: Vec<Window>,
    /// What is stored of those that are not committed.
    pub(crate) pending: BTreeMap<Window, PendingWindow>,
}

/// What is stored of a window beside commits: its generations, from the first on.
pub(crate) type PendingWindow = Vec<StoredGeneration>;

impl KnownReport {
    /// The tenant's and the report's name, as far as anything stored says them.
    pub(crate) fn names(&self) -> Option<(&str, &str)> {
        let by_definition = self.definition.as_ref();
        let by_definition = by_definition.map(|it| (&it.pipeline.tenant, &it.name));
        let by_commit = self.commits.last().map(|it| (&it.tenant, &it.report));
        let (tenant, report) = by_definition.or(by_commit)?;
        Some((tenant.as_str(), report.as_str()))
    }

    /// The folder's own name for the tenant.
    pub(crate) fn tenant(&self) -> &str {
        let mut levels = self.keys.root().rsplit('/');
        levels.nth(1).unwrap_or_default()
    }

    /// The report's name, or that of its folder where nothing stored says it.
    pub(crate) fn report(&self) -> &str {
        let folder = || self.keys.root().rsplit('/').next().unwrap_or_default();
        self.names().map_or_else(folder, |(_, report)| report)
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

    /// The first window that was ever asked for or committed.
    pub(crate) fn begins_at(&self) -> Option<Timestamp> {
        let committed = self.commits.iter().map(|commit| commit.window.start());
        committed.chain(self.asked.iter().map(Window::start)).min()
    }

    /// The windows that the schedule asked for by now and that the log says nothing of.
    pub(crate) fn windows_scheduled(&self, span: Span) -> BTreeSet<Window> {
        let begins = self.begins_at().unwrap_or(span.now).max(span.since);
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
    /// stored of them beside it has to be read.
    pub(crate) fn windows_to_look_at(&self, since: Timestamp) -> Vec<Window> {
        let commits = self.commits_since(since);
        let recent = self.asked.iter().filter(|window| window.start() >= since);
        let open = recent.filter(|window| match find_whole(window, commits.iter().copied()) {
            Some(whole) => whole.iter().any(|commit| commit.withdrawn),
            None => true,
        });
        open.copied().collect()
    }
}
