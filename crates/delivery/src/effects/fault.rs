//! Why an effect could not be carried out, and what that means for the state machine.

use std::time::Duration;

use crate::{Failure, FailureName};

/// Why an effect could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The tenant wants to be left alone, for this long if it said.
    Throttled(Option<Duration>),
    /// Our own rule says not yet: nothing was asked of the tenant. Come back after so long.
    TooEarly(Duration),
    /// The tenant refused, and it may be that we came too often or that a permission is missing.
    MaybeForbidden(String),
    /// No answer, or none that says anything about the question.
    Unavailable(String),
    /// Credentials or a permission were refused.
    Auth(String),
    /// The tenant does not know the run, or not any more.
    Gone,
    /// The run failed, and this is what the tenant said of it.
    Failed(String),
    /// The tenant refused the page token.
    TokenRefused,
    /// The run is not completed (any more).
    NotCompleted,
    /// The run is done, and there is no file of it, as the tenant said in these words.
    NoResult(String),
    /// The host of a file refuses the link; another look at the run may bring another one.
    LinkRefused(String),
    /// The page broke off or did not add up after rows of it had been taken, for this reason.
    Torn(Box<Fault>),
    /// An answer outside its contract.
    Contract(String),
    /// The definition or the deployment is wrong.
    Config(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let (name, message) = match fault {
            Fault::Throttled(wait) => (
                FailureName::Throttled,
                wait.map_or_else(
                    || "CXone asked for a pause".to_owned(),
                    |wait| format!("CXone asked for a pause of {} s", wait.as_secs()),
                ),
            ),
            Fault::TooEarly(wait) => (
                FailureName::Throttled,
                format!(
                    "the next call of this API may be made in {} s",
                    wait.as_secs()
                ),
            ),
            Fault::MaybeForbidden(message) | Fault::LinkRefused(message) | Fault::Auth(message) => {
                (FailureName::Auth, message)
            }
            Fault::Unavailable(message) => (FailureName::Unavailable, message),
            Fault::Torn(why) => return Self::from(*why),
            Fault::Gone => (
                FailureName::Contract,
                "CXone does not know what it was asked for".to_owned(),
            ),
            Fault::Failed(said) => (
                FailureName::Contract,
                format!("CXone says that the run failed: {said}"),
            ),
            Fault::TokenRefused => (
                FailureName::Contract,
                "CXone refused a page token that it had given".to_owned(),
            ),
            Fault::NotCompleted => (
                FailureName::Contract,
                "CXone gave a page of a run that is not completed".to_owned(),
            ),
            Fault::NoResult(message) | Fault::Contract(message) => (FailureName::Contract, message),
            Fault::Config(message) => (FailureName::Config, message),
        };
        Self::new(name, message)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let message = failure.message;
        match failure.name {
            FailureName::Throttled => Self::Throttled(None),
            FailureName::Unavailable => Self::Unavailable(message),
            FailureName::Auth => Self::Auth(message),
            FailureName::Config => Self::Config(message),
            FailureName::Contract
            | FailureName::RunsExhausted
            | FailureName::Conflict
            | FailureName::Overdue => Self::Contract(message),
        }
    }
}
