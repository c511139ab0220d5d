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
    /// Our own credentials at AWS have expired. An invocation after this one has others.
    Expired(String),
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
        let contract = |message: &str| Self::new(FailureName::Contract, message);
        match fault {
            Fault::Throttled(None) => Self::new(FailureName::Throttled, "CXone asked for a pause"),
            Fault::Throttled(Some(wait)) => {
                let message = format!("CXone asked for a pause of {} s", wait.as_secs());
                Self::new(FailureName::Throttled, message)
            }
            Fault::TooEarly(wait) => {
                let wait = wait.as_secs();
                let message = format!("the next call of this API may be made in {wait} s");
                Self::new(FailureName::Throttled, message)
            }
            Fault::MaybeForbidden(message) | Fault::LinkRefused(message) | Fault::Auth(message) => {
                Self::new(FailureName::Auth, message)
            }
            Fault::Unavailable(message) | Fault::Expired(message) => {
                Self::new(FailureName::Unavailable, message)
            }
            Fault::Torn(why) => Self::from(*why),
            Fault::Gone => contract("CXone does not know what it was asked for"),
            Fault::Failed(said) => contract(&format!("CXone says that the run failed: {said}")),
            Fault::TokenRefused => contract("CXone refused a page token that it had given"),
            Fault::NotCompleted => contract("CXone gave a page of a run that is not completed"),
            Fault::NoResult(message) | Fault::Contract(message) => contract(&message),
            Fault::Config(message) => Self::new(FailureName::Config, message),
        }
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
