//! Why a run ended without its data, which decides what becomes of its window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a run ended without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    Failed,
    /// Still not done 45 minutes after it was started; cancelled.
    TimedOut,
    /// CXone does not know the run any more.
    Vanished,
    /// Its page token was refused: the result is gone.
    Expired,
    /// Two reads of the same result disagreed.
    Unstable,
    /// A page token came back that had been followed already.
    TokenLoop,
    /// It was empty and started before the window was closed for ingestion.
    Unsettled,
    /// It was completed, and several polls found no file of it.
    NoResult,
}

impl EndReason {
    /// Its word in messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Vanished => "vanished",
            Self::Expired => "expired",
            Self::Unstable => "unstable",
            Self::TokenLoop => "token_loop",
            Self::Unsettled => "unsettled",
            Self::NoResult => "no_result",
        }
    }

    /// A phrase for operators.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Failed => "CXone reported the run as failed",
            Self::TimedOut => "the run was not done within 45 minutes and was cut off",
            Self::Vanished => "CXone no longer knows the run",
            Self::Expired => "a page token of the run was refused: its result has expired",
            Self::Unstable => "two looks at the run's result disagreed",
            Self::TokenLoop => "the page tokens of the run go in a circle",
            Self::Unsettled => "the run was empty and had started before the window was final",
            Self::NoResult => {
                "the run was done and three looks, a minute apart, found no file of it; if CXone says so on days without data, add its words to `pipeline.emptyMessages`"
            }
        }
    }
}
