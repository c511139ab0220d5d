//! What a run's state means.

/// What one look at a run says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// The run is not done yet.
    Pending {
        /// CXone's word for the state, sanitised; empty if there was none.
        state: String,
        /// Whether the word is a documented one. An unknown one is waited on like `processing`.
        known: bool,
    },
    /// The run's pages may be fetched.
    Completed,
    Failed {
        /// CXone's explanation, at most 1 KiB, possibly empty.
        message: String,
    },
}
