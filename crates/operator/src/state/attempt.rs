//! An execution that worked on a window, or was to.

use definition::Window;
use delivery::keys::ReportKeys;
use jiff::Timestamp;

use crate::history::ExecutionError;

/// An execution and what it was started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The ARN of the execution.
    pub(crate) execution: String,
    pub(crate) report: ReportKeys,
    pub(crate) window: Window,
    pub(crate) is_running: bool,
    pub(crate) started_at: Timestamp,
    pub(crate) stopped_at: Option<Timestamp>,
    /// Why it failed; `None` while it runs, and where nobody asked.
    pub(crate) error: Option<ExecutionError>,
    /// Whether it can be redriven.
    pub(crate) is_redrivable: bool,
}

impl Attempt {
    pub(crate) fn failed_with(&self, error: &str) -> bool {
        self.error.as_ref().is_some_and(|it| it.error == error)
    }

    pub(crate) fn is_about_same(&self, other: &Self) -> bool {
        self.report == other.report && self.window == other.window
    }

    /// The last of several: one that runs, or the one that stopped last.
    pub(crate) fn last<'a>(attempts: impl Iterator<Item = &'a Self>) -> Option<&'a Self> {
        attempts.max_by_key(|attempt| (attempt.is_running, attempt.stopped_at, attempt.started_at))
    }
}
