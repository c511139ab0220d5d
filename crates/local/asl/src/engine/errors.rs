//! The errors of the engine, named as Step Functions names them.

use crate::execution::{InputTooLarge, NotRedrivable};

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {}", cause.as_deref().unwrap_or("no cause given"))]
pub struct TaskFailure {
    /// The name that Retry and Catch match.
    pub error: String,
    pub cause: Option<String>,
}

impl TaskFailure {
    /// A failure with a cause.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            cause: Some(cause.into()),
        }
    }
}

/// `InvalidArn`: a machine can't be registered under this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not arn:aws:states:region:account:stateMachine:name")]
pub struct RegisterError(pub String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no execution {0}")]
pub struct UnknownExecution(pub String);

/// An execution that can't be started. The variants are the names of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No machine is registered under this ARN.
    #[error("there is no state machine {0}")]
    StateMachineDoesNotExist(String),
    /// The name breaks the rules for names.
    #[error(
        "{0:?} is not a valid name of an execution: 1 to 80 characters, no white space, no <>{{}}[]?*\"#%\\^|~`$&,;:/ and no control characters"
    )]
    InvalidName(String),
    /// The name was used before, with another input or by an execution that has ended.
    #[error("an execution with the name {0} exists already")]
    ExecutionAlreadyExists(String),
    /// The input is too large.
    #[error(transparent)]
    InvalidExecutionInput(#[from] InputTooLarge),
}

/// An execution that can't be redriven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedriveError {
    #[error(transparent)]
    ExecutionDoesNotExist(#[from] UnknownExecution),
    /// It is not redrivable.
    #[error(transparent)]
    ExecutionNotRedrivable(#[from] NotRedrivable),
}
