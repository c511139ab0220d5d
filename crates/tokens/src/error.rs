//! What went wrong, grouped by what the caller can do about it.

use std::time::Duration;

use definition::tenant;
use delivery::effects::Fault;
use delivery::{Failure, FailureName};

pub use crate::secrets::SecretsError;

/// Why there is no token, or why the call that had one failed.
///
/// No variant holds a token, a client secret or an answer's body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody has to look at the tenant's credentials.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The tenant's secret can't be used: somebody has to correct it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The same call may succeed later.
    #[error(transparent)]
    Unavailable(#[from] UnavailableError),
    /// The call that was made with the token failed for a reason of its own; also
    /// a token endpoint whose answer breaks the contract.
    #[error(transparent)]
    Call(cxone::Error),
}

/// CXone does not accept the credentials or what it granted to them.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The token endpoint refused the credentials, and no others are in the secret.
    #[error("the token endpoint refuses the credentials in secret {secret}; {remedy}")]
    Client {
        /// The name of the tenant's secret.
        secret: String,
        /// Which of its fields to look at.
        remedy: &'static str,
        /// What the token endpoint said.
        source: cxone::Error,
    },
    /// The API answers 401 to a token that was granted a moment ago.
    #[error(
        "the API refuses a token that was granted a moment ago ({source}); check that base_url and token_url (or issuer) of secret {secret} belong to the same tenant"
    )]
    Token {
        /// The name of the tenant's secret.
        secret: String,
        /// What the API said.
        source: cxone::Error,
    },
    /// The credentials are good, and CXone does not allow them the call.
    #[error(
        "{source}; grant this in CXone to the client or user of secret {secret}, before anything is asked for again"
    )]
    Permission {
        /// The name of the tenant's secret.
        secret: String,
        /// What the API said.
        source: cxone::Error,
    },
}

/// The tenant's secret can't be used.
#[derive(Debug, thiserror::Error)]
#[error("secret {secret}: {problem}")]
pub struct ConfigError {
    /// The name of the secret.
    pub secret: String,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a tenant's secret. It names a field, and never a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It does not exist, or has no current value.
    #[error(
        "it does not exist or has no current value; create it, with the tenant's base_url, token_url and credentials as JSON"
    )]
    Absent,
    /// AWS refuses to hand it out.
    #[error("AWS answers {}; check the function's rights on it, its key and its state", .0.code)]
    Refused(#[source] SecretsError),
    /// Its value can't be used.
    #[error(transparent)]
    Value(tenant::Problem),
}

/// Something that is needed for a token does not answer.
#[derive(Debug, thiserror::Error)]
pub enum UnavailableError {
    #[error(transparent)]
    Secrets(SecretsError),
    /// The token endpoint; its `Throttled` may say how long to wait.
    #[error(transparent)]
    Grant(cxone::Error),
}

impl Error {
    /// Whether somebody asked for a pause.
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(UnavailableError::Grant(cxone::Error::Throttled { .. }))
                | Self::Call(cxone::Error::Throttled { .. })
        )
    }

    /// How long somebody asked to be left alone, if that is why there is no token.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(UnavailableError::Grant(error)) | Self::Call(error) => {
                retry_after(error)
            }
            _ => None,
        }
    }
}

pub(crate) fn retry_after(error: &cxone::Error) -> Option<Duration> {
    match error {
        cxone::Error::Throttled { retry_after, .. } => *retry_after,
        _ => None,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Auth(error) => Self::new(FailureName::Auth, error.to_string()),
            Error::Config(error) => Self::new(FailureName::Config, error.to_string()),
            // A throttled grant is a throttled call: both say how long to wait.
            Error::Unavailable(UnavailableError::Grant(error)) | Error::Call(error) => {
                failure_of_call(&error)
            }
            Error::Unavailable(error) => Self::new(FailureName::Unavailable, error.to_string()),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Call(error) => fault_of_call(error),
            other => Failure::from(other).into(),
        }
    }
}

/// What a failed call is to the state machine.
#[must_use]
pub fn failure_of_call(error: &cxone::Error) -> Failure {
    use cxone::Error;
    let name = match error {
        Error::Throttled { .. } => FailureName::Throttled,
        Error::Unavailable { .. } | Error::Ambiguous { .. } => FailureName::Unavailable,
        Error::Unauthorized { .. }
        | Error::Forbidden { .. }
        | Error::MaybeForbidden { .. }
        | Error::LinkRefused { .. } => FailureName::Auth,
        Error::Rejected { .. } | Error::Config { .. } => FailureName::Config,
        _ => FailureName::Contract,
    };
    Failure::new(name, error.to_string())
}

/// What a failed call is to a flow.
#[must_use]
pub fn fault_of_call(error: cxone::Error) -> Fault {
    match error {
        cxone::Error::Throttled { retry_after, .. } => Fault::Throttled(retry_after),
        error @ cxone::Error::MaybeForbidden { .. } => Fault::MaybeForbidden(error.to_string()),
        cxone::Error::NotFound { .. } => Fault::Gone,
        cxone::Error::RunFailed { message, .. } => Fault::Failed(message),
        cxone::Error::NotCompleted { .. } => Fault::NotCompleted,
        error @ cxone::Error::NoResult { .. } => Fault::NoResult(error.to_string()),
        error @ cxone::Error::LinkRefused { .. } => Fault::LinkRefused(error.to_string()),
        other => failure_of_call(&other).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_grant_is_throttling_and_a_grant_without_an_answer_is_not() {
        let step = "sign in";
        let throttled = cxone::Error::Throttled {
            step,
            retry_after: Some(Duration::from_secs(40)),
        };
        let ambiguous = cxone::Error::Ambiguous {
            step,
            reason: "lost".to_owned(),
            source: None,
        };
        let unavailable = cxone::Error::unavailable(step, "lost");
        for (source, name) in [
            (throttled, FailureName::Throttled),
            (ambiguous, FailureName::Unavailable),
            (unavailable, FailureName::Unavailable),
        ] {
            let said = source.to_string();
            let failure = Failure::from(Error::from(UnavailableError::Grant(source)));
            assert_eq!(failure, Failure::new(name, said));
        }
    }
}
