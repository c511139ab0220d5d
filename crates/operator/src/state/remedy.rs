//! What gets a window committed that is not.

use super::{Judged, StoredSoFar, WindowState};
use crate::error_name::STOPPED;

/// What helps a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Nothing has to be done.
    Nothing,
    /// An execution works on it.
    Watch,
    /// Its failed execution goes on where it stopped.
    Redrive,
    /// A new execution, with the definition that is stored.
    Run,
    /// Whatever goes on from what is stored fails again: it has to be fetched anew, with another definition.
    Replay,
    /// The definition that it was asked with is refused, and none of its report is stored: a file has to be named.
    FirstDefinition,
    /// CXone can't be asked for it any more.
    OutOfReach,
}

/// Errors of executions that keep a state machine that no longer fits the handlers, so that a redrive fails again.
const OF_OLD_MACHINE: [&str; 2] = ["States.QueryEvaluationError", "States.Runtime"];

impl Remedy {
    pub(crate) fn of(judged: &Judged) -> Self {
        match &judged.state {
            WindowState::Committed(_) | WindowState::Withdrawn { .. } => Self::Nothing,
            WindowState::Running(_) => Self::Watch,
            // The rows that are in conflict are stored, and need not be asked for.
            WindowState::Failed(attempt) if attempt.failed_with("Cxone.Conflict") => Self::Replay,
            _ if judged.is_out_of_reach => Self::OutOfReach,
            WindowState::Missing | WindowState::Unfinished(_) => Self::Run,
            WindowState::Failed(attempt) => {
                let error = attempt.error.as_ref().map(|error| error.error.as_str());
                Self::after_failure(error, judged.stored, attempt.is_redrivable)
            }
        }
    }

    /// What helps after an execution that failed with an error, by how much is stored of its window.
    pub(crate) fn after_failure(
        error: Option<&str>,
        stored: StoredSoFar,
        is_redrivable: bool,
    ) -> Self {
        match error {
            // Both rows are stored, and stay as they are.
            Some("Cxone.Conflict") => Self::Replay,
            Some("Cxone.Config") => match stored {
                StoredSoFar::Nothing => Self::FirstDefinition,
                // The definition in the event is refused, and another one is stored.
                StoredSoFar::Report => Self::Run,
                // The definition that the window was begun with is refused as well.
                StoredSoFar::Window => Self::Replay,
            },
            Some(error) if OF_OLD_MACHINE.contains(&error) => Self::Run,
            // It would poll the run that was cancelled, where a new execution starts the next one.
            Some(STOPPED) if stored == StoredSoFar::Window => Self::Run,
            _ if is_redrivable => Self::Redrive,
            _ => Self::Run,
        }
    }
}
