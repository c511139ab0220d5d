//! How finalizing ended, as the state machine is told.

use serde::{Deserialize, Serialize};

use crate::{Ended, PublishWork};

/// How finalizing ended: with a commit, or why without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Committed by this invocation.
    Committed(Committed),
    /// Committed before, by this generation.
    Delivered(Committed),
    /// A newer generation was committed, or a window that covers this one.
    Superseded {
        /// The version of the log that holds it.
        version: u64,
        /// Why it is not committed, for operators.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Pages are missing, or a run can't be trusted: ask Trigger again.
    Again {
        /// The run that can't be trusted, if that is the reason.
        ended: Option<Ended>,
    },
}

impl Outcome {
    /// Its word in messages and in the log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Committed(_) => "committed",
            Self::Delivered(_) => "delivered",
            Self::Superseded { .. } => "superseded",
            Self::Again { .. } => "again",
        }
    }
}

/// The commit, in figures.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of the stored message"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// The version of the log.
    pub version: u64,
    /// Rows that consumers see.
    pub rows: u64,
    /// Duplicates that were dropped.
    pub duplicates: u64,
    /// Rows that another row with the same key replaced.
    #[serde(default)]
    pub replaced: u64,
    /// What an operator should look at, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether one of these is about the rows, and not about time before them that nobody had asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubts_rows: bool,
    /// The line that fills that time, for mails. `REPORT` stands for what the report is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<String>,
    /// Whether the window has no rows at all.
    pub empty: bool,
    /// Whether the content equals that of the generation it supersedes.
    pub unchanged: bool,
    /// Whether the window was taken back.
    #[serde(default)]
    pub withdrawn: bool,
    /// Whether it is the first delivery of its window. One that came only with a restatement does not count.
    #[serde(default)]
    pub first_delivery: bool,
    /// How long it took, from the start of the first run to the commit.
    #[serde(default)]
    pub run_seconds: u64,
    /// What is to be published in the report's table, if the definition asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PublishWork>,
}
