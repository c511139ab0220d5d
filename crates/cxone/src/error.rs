//! What went wrong, grouped by what the caller can do about it.

use std::time::Duration;

/// Why a call did not give what was asked for.
///
/// No text in here holds a URL, a query, a token or a response body, except for the two words that an
/// API puts into its own error answer (`code` and `text`), which are stripped of control characters and of
/// the secrets of the call, and cut to 1 KiB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API asks to be called less often: wait, at least as long as it says, and ask again.
    #[error("{step}: throttled{}", retry_after.map_or_else(String::new, |d| format!(", retry after {} s", d.as_secs())))]
    Throttled {
        /// What was being done.
        step: &'static str,
        /// The `Retry-After` of the answer; `None` where it was missing or made no sense.
        retry_after: Option<Duration>,
    },
    /// Nothing usable came back and nothing was changed: try again with backoff.
    #[error("{step}: unavailable: {reason}")]
    Unavailable {
        /// What was being done.
        step: &'static str,
        /// What happened on the wire.
        reason: String,
    },
    /// The answer to a request that changes something was lost: it may or may not have happened.
    #[error("{step}: the outcome is unknown: {reason}")]
    Ambiguous {
        /// What was being done.
        step: &'static str,
        /// What happened on the wire.
        reason: String,
    },
    /// The access token (or, at the grant, the client's credentials) was not accepted.
    #[error("{step}: unauthorized{}", suffix(code))]
    Unauthorized {
        /// What was being done.
        step: &'static str,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
    },
    /// The credentials are good and the right is missing: a person has to act.
    #[error("{step}: forbidden{}{}", suffix(code), suffix(text))]
    Forbidden {
        /// What was being done.
        step: &'static str,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
        /// The API's explanation, at most 1 KiB, possibly empty.
        text: String,
    },
    /// Forbidden, where an API says so of calls that come too soon as well: wait for some minutes and ask again, and if it
    /// stays so, a permission is missing.
    #[error("{step}: forbidden, or asked too often")]
    MaybeForbidden {
        /// What was being done.
        step: &'static str,
    },
    /// The run, schedule or page token is not, or no longer, known (404 or 410); or the host of a file refuses its
    /// link, which has expired then (400, 401 or 403 as well).
    #[error("{step}: not found (status {status})")]
    NotFound {
        /// What was being done.
        step: &'static str,
        /// 404 or 410; of a link also 400, 401 or 403.
        status: u16,
    },
    /// The API refuses what was sent; sending it again will not help.
    #[error("{step}: rejected (status {status}){}{}", suffix(code), suffix(text))]
    Rejected {
        /// What was being done.
        step: &'static str,
        /// 400, 409, 422 and the like.
        status: u16,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
        /// The API's explanation, at most 1 KiB, possibly empty.
        text: String,
    },
    /// A page was asked for, and the run has failed, or the answer is a success that says that it is none: another run
    /// may do better.
    #[error("{step}: the run failed{}", suffix(message))]
    RunFailed {
        /// What was being done.
        step: &'static str,
        /// The API's explanation, at most 1 KiB, possibly empty.
        message: String,
    },
    /// A page was asked for, and the run is not `completed` (any more): look at it again.
    #[error("{step}: the run is not completed but {state:?}")]
    NotCompleted {
        /// What was being done.
        step: &'static str,
        /// The state's word, sanitised.
        state: String,
    },
    /// The answer breaks the API's contract; the same will come back until somebody looks at it.
    #[error("{step}: the answer breaks the contract: {what}")]
    Contract {
        /// What was being done.
        step: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The client's own configuration can't be used.
    #[error("{step}: {what}")]
    Config {
        /// What was being done.
        step: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    /// What was being done when it happened.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Throttled { step, .. }
            | Self::Unavailable { step, .. }
            | Self::Ambiguous { step, .. }
            | Self::Unauthorized { step, .. }
            | Self::Forbidden { step, .. }
            | Self::MaybeForbidden { step }
            | Self::NotFound { step, .. }
            | Self::Rejected { step, .. }
            | Self::RunFailed { step, .. }
            | Self::NotCompleted { step, .. }
            | Self::Contract { step, .. }
            | Self::Config { step, .. } => step,
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. })
    }

    pub(crate) fn contract(step: &'static str, what: impl Into<String>) -> Self {
        Self::Contract {
            step,
            what: what.into(),
        }
    }

    pub(crate) fn unavailable(step: &'static str, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            step,
            reason: reason.into(),
        }
    }
}

fn suffix(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
