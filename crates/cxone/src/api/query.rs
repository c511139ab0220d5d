//! What the calls are asked with and answer, whichever API it is.

use definition::{Definition, PageToken, RunId, Window};

/// Which page of which run.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery<'a> {
    /// The definition that the run was started for.
    pub definition: &'a Definition,
    /// The run, as [`start_run`](crate::Client::start_run) named it.
    pub run: &'a RunId,
    /// The window that the run was started over.
    pub window: &'a Window,
    /// Where the page begins; `None` for the first.
    pub at: Option<&'a PageToken>,
}

/// What became of a request to cancel a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// CXone will end the run.
    Accepted,
    /// The run had ended already, completed or failed (409).
    AlreadyEnded,
    /// CXone does not know the run, or no longer (404, 410).
    Unknown,
    /// This API can't cancel runs and was not called, or said so itself (405, 501).
    Unsupported,
}
