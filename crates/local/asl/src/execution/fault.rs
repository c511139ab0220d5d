//! Why a state did not succeed.

use super::Execution;

pub(super) const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub(super) const QUERY: &str = "States.QueryEvaluationError";
pub(super) const RUNTIME: &str = "States.Runtime";

pub(super) enum Fault {
    /// An error that a Retry or Catch may match.
    Error {
        error: String,
        cause: Option<String>,
    },
    /// The history has no room for what happened.
    HistoryFull,
}

pub(super) type Outcome = Result<(), Fault>;

impl Execution {
    /// An error of the state itself, worded as Step Functions words it.
    pub(super) fn state_error(&self, error: &str, what: &str) -> Fault {
        let state = &self.machine.states[self.state].name;
        let event = self.entered.map_or(0, |entered| entered.event_id);
        let cause = format!(
            "An error occurred while executing the state '{state}' \
             (entered at the event id #{event}). {what}"
        );
        Fault::Error {
            error: error.to_owned(),
            cause: Some(cause),
        }
    }
}
