//! What went wrong, grouped by what the caller can do about it.

use std::error::Error as StdError;
use std::io;
use std::iter;
use std::time::Duration;

/// Why a call did not give what was asked for. Every variant names the step: what was being done.
///
/// No text in here holds a URL, a query, a token or a response body, except for what an API's own error answer says
/// (`code` and `text`), which is stripped of control characters and of the secrets of the call, and cut to 1 KiB. That is
/// why the errors of the HTTP client, of TLS and of JSON are not among the sources: their texts may hold any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API asks to be called less often: wait, at least as long as it says, and call again.
    #[error("{step}: throttled{}", retry_after.map_or_else(String::new, |d| format!(", retry after {} s", d.as_secs())))]
    Throttled {
        step: &'static str,
        /// The `Retry-After` of the answer; `None` where it was missing or could not be read.
        retry_after: Option<Duration>,
    },
    /// Nothing usable came back and nothing was changed: try again with backoff.
    #[error("{step}: unavailable: {reason}")]
    Unavailable {
        step: &'static str,
        /// What happened on the wire.
        reason: String,
        /// What the operating system said, where a connection failed.
        source: Option<IoCause>,
    },
    /// The answer to a request that changes something was lost: it may or may not have happened.
    #[error("{step}: the outcome is unknown: {reason}")]
    Ambiguous {
        step: &'static str,
        /// What happened on the wire.
        reason: String,
        /// What the operating system said, where a connection failed.
        source: Option<IoCause>,
    },
    /// The access token (or, at the grant, the client's credentials) was not accepted.
    #[error("{step}: unauthorized{}", suffix_beyond("unauthorized", code))]
    Unauthorized {
        step: &'static str,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
    },
    /// The credentials are good and the right is missing: a person has to act.
    #[error(
        "{step}: forbidden{}{}",
        suffix_beyond("forbidden", code),
        suffix(text)
    )]
    Forbidden {
        step: &'static str,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
        /// The API's explanation, at most 1 KiB, possibly empty.
        text: String,
    },
    /// A 403 of an API that uses it for calls that come too soon as well as for a missing permission: wait for some minutes
    /// and call again; if the 403 stays, a permission is missing.
    #[error("{step}: forbidden, or asked too often")]
    MaybeForbidden { step: &'static str },
    /// CXone does not know the run, schedule, page token or file, or no longer (404 or 410).
    #[error("{step}: not found (status {status})")]
    NotFound {
        step: &'static str,
        /// The answer's status: 404, or 410 of a result that is gone.
        status: u16,
    },
    /// The host of a file, which gets no access token, refuses the link (400 or 403): ask the run for another link.
    #[error("{step}: {what}")]
    LinkRefused {
        step: &'static str,
        /// Which host, and what the reasons may be.
        what: String,
    },
    /// The API refuses what was sent; sending it again will not help.
    #[error("{step}: rejected (status {status}){}{}", suffix(code), suffix(text))]
    Rejected {
        step: &'static str,
        /// 400, 409, 422 and the like.
        status: u16,
        /// The API's own word for it, at most 64 characters, possibly empty.
        code: String,
        /// The API's explanation, at most 1 KiB, possibly empty.
        text: String,
    },
    /// A page was asked for, and the run has failed, or the answer is a success whose text says that it failed: another run
    /// may do better.
    #[error("{step}: the run failed{}", suffix(message))]
    RunFailed {
        step: &'static str,
        /// The API's explanation, at most 1 KiB, possibly empty.
        message: String,
    },
    /// A page was asked for, and the run is not `completed` (any more): poll it again.
    #[error("{step}: the run is not completed but {state:?}")]
    NotCompleted {
        step: &'static str,
        /// The state's word, sanitised.
        state: String,
        /// The word and what the API says beside it, where the word is not a documented one; else empty. At most 1 KiB.
        said: String,
    },
    /// A page was asked for, and the run is done and has no file: a file may come late, so poll it again some times.
    #[error("{step}: {what}")]
    NoResult {
        step: &'static str,
        /// How the API says so.
        what: String,
    },
    /// The answer breaks the API's contract; the same will come back until somebody looks at it.
    #[error("{step}: the answer breaks the contract: {what}")]
    Contract {
        step: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The client's own configuration can't be used.
    #[error("{step}: {what}")]
    Config {
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
            | Self::LinkRefused { step, .. }
            | Self::Rejected { step, .. }
            | Self::RunFailed { step, .. }
            | Self::NotCompleted { step, .. }
            | Self::NoResult { step, .. }
            | Self::Contract { step, .. }
            | Self::Config { step, .. } => step,
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. })
    }

    /// [`Error::Contract`], of these words.
    pub fn contract(step: &'static str, what: impl Into<String>) -> Self {
        Self::Contract {
            step,
            what: what.into(),
        }
    }

    /// [`Error::Unavailable`] without a source, of these words.
    pub fn unavailable(step: &'static str, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            step,
            reason: reason.into(),
            source: None,
        }
    }
}

/// The operating system's word for why a connection failed, such as `connection refused`. It has no room for a host, a URL
/// or a text of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IoCause(io::ErrorKind);

impl IoCause {
    /// The innermost of an error's sources that comes from the operating system.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let chain = iter::successors(Some(error), |error| (**error).source());
        chain
            .filter_map(|error| error.downcast_ref::<io::Error>())
            .map(io::Error::kind)
            .filter(|kind| *kind != io::ErrorKind::Other)
            .last()
            .map(Self)
    }
}

/// The API's own word, unless it only repeats ours.
fn suffix_beyond(ours: &str, code: &str) -> String {
    let is_same = code.eq_ignore_ascii_case(ours);
    suffix(if is_same { "" } else { code })
}

fn suffix(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_once() {
        let refuse = |code: &str, text: &str| Error::Forbidden {
            step: "find schedule",
            code: code.to_owned(),
            text: text.to_owned(),
        };
        for (code, text, told) in [
            ("", "", "find schedule: forbidden"),
            (
                "forbidden",
                "no access",
                "find schedule: forbidden: no access",
            ),
            ("Forbidden", "", "find schedule: forbidden"),
            (
                "E-403",
                "no access",
                "find schedule: forbidden: E-403: no access",
            ),
        ] {
            assert_eq!(refuse(code, text).to_string(), told);
        }
    }
}
