//! The names that the state machine matches in `Retry` and `Catch`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the names, each with its spelling.
macro_rules! failure_names {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// A failure as the state machine sees it. The set is closed: a test holds the
        /// definition in `infra/` against [`FailureName::ALL`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum FailureName {
            $($(#[$doc])+ #[serde(rename = $text)] $name,)+
        }

        impl FailureName {
            /// Every name there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name as the state machine spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

failure_names! {
    /// The tenant asked us to slow down for longer than a handler may wait. Retried.
    Throttled = "Cxone.Throttled",
    /// The tenant, AWS or the network did not answer. Retried.
    Unavailable = "Cxone.Unavailable",
    /// The tenant refused our credentials or a permission. Not retried.
    Auth = "Cxone.Auth",
    /// Something answered outside its contract, or stored data is not what it should be. Not retried.
    Contract = "Cxone.Contract",
    /// The definition, the input or the deployment is wrong. Not retried.
    Config = "Cxone.Config",
    /// Every run that the definition allows has ended without its data. A redrive allows more.
    RunsExhausted = "Cxone.RunsExhausted",
    /// Two rows with the same key differ and the definition says `fail`. Not retried.
    Conflict = "Cxone.Conflict",
    /// A window was not delivered by the time at which it was expected. Not retried.
    Overdue = "Cxone.Overdue",
}

impl FailureName {
    /// Whether the same request may succeed a little later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

impl fmt::Display for FailureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a handler could not go on: a name for the machine, a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the state machine matches.
    pub name: FailureName,
    /// What the operator reads: what happened, where, and what to do. Never a secret, a URL or a row.
    pub message: String,
}

impl Failure {
    /// A failure with its sentence.
    pub fn new(name: FailureName, message: impl Into<String>) -> Self {
        Self {
            name,
            message: message.into(),
        }
    }
}
