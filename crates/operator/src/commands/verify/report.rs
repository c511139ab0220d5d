//! What `cxr verify` found.

use std::fmt;

use definition::text::group_thousands;
use delivery::documents::{Commit, CommitPart};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::bucket::PartFault;
use crate::commands::NOT_WELL;
use crate::layout::wrap;
use crate::output::{count_of, count_rows, one_line};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Verified {
    versions: usize,
    parts: usize,
    bytes: u64,
    /// Of how many versions every part was read.
    versions_read: usize,
    rows_read: u64,
    pub(super) bad: Vec<BadPart>,
    #[serde(skip)]
    width: Option<usize>,
    /// What is said where nothing was looked at.
    #[serde(skip)]
    empty: String,
}

/// A part that is not what was committed, or a version whose keys are not.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct BadPart {
    pub(super) tenant: String,
    pub(super) report: String,
    pub(super) address: String,
    pub(super) version: u64,
    /// The window as it is typed, in `cxr replay REPORT WINDOW`.
    pub(super) window: String,
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) problem: PartProblem,
    pub(super) command: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct PartProblem {
    kind: ProblemKind,
    #[serde(rename = "problem")]
    text: String,
    /// The version that hides the part, if it was deleted.
    #[serde(skip)]
    marker: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ProblemKind {
    Gone,
    Expired,
    Deleted,
    Size,
    Digest,
    Rows,
    Unreadable,
    Keys,
}

/// Why a part may be gone.
pub(in crate::commands) enum Absence {
    /// The stack's own rule deleted it.
    Expired { days: u32 },
    /// It is old, and nothing says whether rows expire.
    Unknown,
    /// The stack's rule had not come to it, or there is none.
    Untimely,
}

impl Absence {
    /// What is known of the part of a commit, where rows expire after so many days (0: never).
    pub(super) fn of(commit: &Commit, retention_days: Option<u32>, now: Timestamp) -> Self {
        let days_old = now.duration_since(commit.committed_at).as_hours() / 24;
        match retention_days {
            Some(days @ 1..) if days_old >= days.into() => Self::Expired { days },
            None if days_old >= KEPT_AT_LEAST_DAYS => Self::Unknown,
            _ => Self::Untimely,
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { days } => write!(
                f,
                "it expired by the bucket's lifecycle rule \"rows\", {days} days after it was stored (the stack's DataRetentionDays). What CXone has today, perhaps nothing, replaces it"
            ),
            Self::Unknown => f.write_str(
                "it expired, if the bucket has the lifecycle rule \"rows\" (the stack's DataRetentionDays), or somebody deleted it; what CXone has today replaces it",
            ),
            Self::Untimely => f.write_str(
                "somebody deleted it, or a lifecycle rule that is not the stack's; what CXone has today replaces it",
            ),
        }
    }
}

/// No stack lets rows expire earlier.
const KEPT_AT_LEAST_DAYS: i64 = 14;

impl PartProblem {
    fn new(kind: ProblemKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            marker: None,
        }
    }

    pub(super) fn gone(absence: &Absence) -> Self {
        let kind = match absence {
            Absence::Expired { .. } => ProblemKind::Expired,
            _ => ProblemKind::Gone,
        };
        Self::new(kind, format!("it is gone: {absence}"))
    }

    pub(super) fn of_marker(marker: Option<String>, absence: &Absence) -> Self {
        let text = format!("it is gone: {absence}. The bucket keeps it behind a delete marker");
        Self {
            marker,
            ..Self::new(ProblemKind::Deleted, text)
        }
    }

    pub(super) fn of_size(part: &CommitPart, bytes: u64) -> Self {
        let text = format!(
            "it has {} bytes, and {} were committed",
            group_thousands(bytes),
            group_thousands(part.bytes)
        );
        Self::new(ProblemKind::Size, text)
    }

    pub(super) fn of_fault(part: &CommitPart, fault: &PartFault) -> Self {
        let kind = match fault {
            PartFault::Digest => ProblemKind::Digest,
            PartFault::Rows { .. } => ProblemKind::Rows,
            PartFault::Unreadable(_) => ProblemKind::Unreadable,
        };
        Self::new(kind, one_line(&fault.describe(part)))
    }

    pub(super) fn of_keys(reason: &str) -> Self {
        Self::new(ProblemKind::Keys, one_line(reason))
    }

    /// What to type. Behind a delete marker the part is still there. Whatever else is wrong, the window has to be fetched again,
    /// unless a former version of the part is still in the bucket.
    pub(super) fn suggest(&self, bucket: &str, key: &str, window: &str, address: &str) -> String {
        match (self.kind, &self.marker) {
            (ProblemKind::Deleted, Some(marker)) => format!(
                "aws s3api delete-object --bucket {bucket} --key {key} --version-id {marker}"
            ),
            (ProblemKind::Deleted, None) => {
                format!("aws s3api list-object-versions --bucket {bucket} --prefix {key}")
            }
            _ => format!("cxr replay {address} {window} --reason 'what is stored is damaged'"),
        }
    }
}

impl Verified {
    pub(super) fn new(width: Option<usize>, empty: String) -> Self {
        Self {
            versions: 0,
            parts: 0,
            bytes: 0,
            versions_read: 0,
            rows_read: 0,
            bad: Vec::new(),
            width,
            empty,
        }
    }

    pub(super) fn add_looked_at(&mut self, commits: &[&Commit], parts: &[&CommitPart]) {
        self.versions += commits.len();
        self.parts += parts.len();
        self.bytes += parts.iter().map(|part| part.bytes).sum::<u64>();
    }

    pub(super) fn add_read(&mut self, commit: &Commit) {
        self.versions_read += 1;
        self.rows_read += commit.parts.iter().map(|part| part.rows).sum::<u64>();
    }

    /// Where there is nothing at all, a monitor with a wrong prefix must not be told that all is well.
    pub(super) fn exit_code(&self) -> u8 {
        if self.bad.is_empty() && self.versions > 0 {
            0
        } else {
            NOT_WELL
        }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.versions == 0 {
            return writeln!(f, "{}", self.empty);
        }
        let verdict = match self.bad.len() {
            0 => "all is as it was committed".to_owned(),
            bad => format!("{} wrong", count_of(bad, "part")),
        };
        writeln!(
            f,
            "{}, {}, {} bytes: {verdict}",
            count_of(self.versions, "version"),
            count_of(self.parts, "part"),
            group_thousands(self.bytes)
        )?;
        match (self.versions_read, count_rows(self.rows_read)) {
            (0, _) => writeln!(f, "sizes were compared; nothing was read (--deep)")?,
            (read, rows) => writeln!(
                f,
                "{} read, with {rows}: checksums, rows and keys were compared",
                count_of(read, "version")
            )?,
        }
        for bad in &self.bad {
            let what = format!(
                "{}  {}  version {}: {}",
                bad.address, bad.window, bad.version, bad.problem.text
            );
            writeln!(f)?;
            for line in wrap(&what, 4, self.width) {
                writeln!(f, "{line}")?;
            }
            writeln!(f, "    {}", bad.key)?;
            writeln!(f, "    {}", bad.command)?;
        }
        Ok(())
    }
}
