//! The objects that the protocol claims, as JSON. A stored one is never changed.

use definition::{
    Api, Definition, PageToken, ReportName, RunId, ScheduleId, SourceRange, SourceStatement,
    TenantId, Window,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::columns::{ColumnCounts, ColumnReport, is_zero};
use crate::gaps::Gap;
use crate::{Audit, EndReason, SegmentId};

/// `open.json`: the request that opened a generation of a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerationRecord {
    pub v: u8,
    /// What identifies the request: `schedule`, or the id of the event that asked for a replay.
    #[serde(rename = "wish")]
    pub request_key: String,
    /// Why the operator or the restatement asked, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked, if an operator or a restatement did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Whether it takes the window back: nothing is asked of CXone, and its commit has no rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// The generation whose pages it is made of. It starts no run then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_from: Option<u32>,
    /// The execution that opened it.
    pub execution: String,
    /// The state machine's time.
    pub opened_at: Timestamp,
    pub window: Window,
    /// The last version of the log when the generation was opened. Its own commit, and that of any newer
    /// generation, has a higher version.
    pub base_version: u64,
    /// SHA-256 of the definition's canonical JSON, in hex.
    pub definition_hash: String,
    /// The definition that every run of this generation follows.
    pub definition: Definition,
}

/// What the request key of a restatement begins with, before its distance.
pub const RESTATEMENT: &str = "restate ";

impl GenerationRecord {
    /// Whether a restatement's schedule asked for it.
    #[must_use]
    pub fn is_restatement(&self) -> bool {
        self.request_key.starts_with(RESTATEMENT)
    }
}

/// `run.json`: the one CXone run of an attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    pub v: u8,
    /// CXone's id of the run.
    pub run_id: RunId,
    /// CXone's id of the schedule, where the API has schedules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    pub window: Window,
    /// When the run was started, by the state machine's time.
    pub triggered_at: Timestamp,
    /// Whether the window was final then, so that an empty result counts.
    pub settled: bool,
    /// Whether it runs the definition's `fallback`.
    pub simplified: bool,
    /// The execution that started it.
    pub execution: String,
    /// How often that execution had been redriven.
    pub redrive_count: u32,
}

/// `end.json`: why an attempt ended without its data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndRecord {
    pub v: u8,
    pub reason: EndReason,
    /// What CXone said, if it said something.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The state machine's time.
    pub at: Timestamp,
    /// Who cancelled the run at CXone and why, if an operator did. The reason is `failed` then, as for whoever polls such a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Audit>,
}

impl EndRecord {
    /// The reason as a clause, followed by what CXone said.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(audit) = &self.cancelled {
            let Audit {
                reason,
                requested_by,
            } = audit;
            return format!("{requested_by} cancelled the run ({reason})");
        }
        let reason = self.reason.describe();
        if self.detail.is_empty() {
            return reason.to_owned();
        }
        format!("{reason} ({})", self.detail)
    }
}

/// `b……json`: the pages that one invocation took.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    pub v: u8,
    /// The run whose pages these are.
    pub run_id: RunId,
    /// The slot's number, from 0.
    pub batch: u32,
    /// SHA-256 of the slot before, in hex; none for the first.
    pub prev: Option<String>,
    /// Pages taken in this batch.
    pub pages: u64,
    /// Rows taken in this batch.
    pub rows: u64,
    /// Pages taken in this run up to here.
    pub pages_so_far: u64,
    /// Rows taken in this run up to here.
    pub rows_so_far: u64,
    /// Where the rows are.
    pub parts: Vec<Part>,
    /// The token of the next page; none when this batch took the last one.
    pub next: Option<PageToken>,
    /// The number of rows of the whole run, if the API gives one.
    pub total: Option<u64>,
    /// Rows with totals of the other rows, which were left out of this batch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub summary_rows: u64,
    /// The first few records of the run's file that may have swallowed other records, because a quote was not closed.
    /// They are numbered as in the file, its header being 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspect_records: Vec<u64>,
    /// What the rows of this batch have in their columns; missing in slots that were stored before columns were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_counts: Option<ColumnCounts>,
    /// What finds a cycle in the page tokens.
    #[serde(rename = "lap")]
    pub cycle: CycleDetector,
    /// Fields of the page envelope that we do not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_fields: Vec<String>,
}

/// `_pace/….json`: when the next call of a spaced API may be made. The one object that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitRecord {
    pub v: u8,
    /// No call may begin before this time.
    pub free_at: Timestamp,
    /// The report that the permit was given to.
    pub by: ReportName,
}

/// Finds a circle in a sequence of page tokens with constant memory (Brent's algorithm):
/// an anchor is kept, moved to the current token at every power of two, and a token
/// that equals it closes the circle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleDetector {
    /// Hash of the anchored token.
    anchor: Option<String>,
    /// Steps since the anchor was set.
    steps: u64,
    /// Steps after which it moves.
    limit: u64,
}

impl CycleDetector {
    /// Takes the next token; `true` says that the tokens go in a circle.
    pub fn observe(&mut self, token: &PageToken) -> bool {
        let hash = sha256_hex(token.as_str().as_bytes());
        if self.anchor.as_ref() == Some(&hash) {
            return true;
        }
        self.steps += 1;
        if self.steps > self.limit {
            self.limit = (self.limit * 2).max(1);
            self.steps = 0;
            self.anchor = Some(hash);
        }
        false
    }
}

/// A data object that a slot or a commit names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub key: String,
    /// Rows in it, a CSV header not counted.
    pub rows: u64,
    /// Its size as stored.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
    /// Its sorted key hashes.
    pub keys: Sidecar,
}

/// The sorted key hashes of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sidecar {
    pub key: String,
    /// Its size: a fixed number of bytes for each row of the part.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
}

/// How far the completeness of a commit could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// The rows are as many as the API said.
    Total,
    /// No total, but no sign of unstable paging either.
    Consistent,
    /// No total and duplicates across pages, but a second run had the same content.
    SecondRun,
    /// No total, duplicates across pages, and no second run that agrees.
    None,
}

/// `_log/…json`: the commit. What it names is what consumers see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    pub v: u8,
    /// Its place in the log, from 1, without gaps.
    pub version: u64,
    pub report: ReportName,
    pub tenant: TenantId,
    /// The window that its rows replace.
    pub window: Window,
    /// The generation of the window.
    pub generation: u32,
    /// SHA-256 of the definition's canonical JSON, in hex.
    pub definition_hash: String,
    /// Which API the rows are from, and in which time zone. A commit without this field is of the guide's API.
    #[serde(default = "guides_api")]
    pub source: SourceStatement,
    /// The runs that the rows come from, in the order of their windows.
    pub runs: Vec<CommitRun>,
    /// Runs that took too long and may still be under way at CXone, because the API can't cancel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<AbandonedRun>,
    /// Rows that the API gave.
    pub rows: u64,
    /// Rows that the parts hold: those given without the duplicates.
    pub unique: u64,
    /// Rows dropped as duplicates.
    pub duplicates: u64,
    /// Rows that another row with the same key replaced (`keep-last`).
    pub replaced: u64,
    /// Rows with totals of the other rows, such as a report's last line: they are left out, and not counted in `rows`.
    #[serde(default)]
    pub summary_rows: u64,
    /// Whether the window has no rows. It was final when the run was started.
    pub empty: bool,
    /// How far completeness could be checked.
    pub verification: Verification,
    /// Column names in the order of the definition.
    pub columns: Vec<String>,
    /// What the rows have in their columns; none where there are no rows, or where a batch was stored before columns
    /// were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_report: Option<ColumnReport>,
    /// The median of the rows of the last commits of the same weekday, where there are enough of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_median: Option<u64>,
    /// What an operator should look at, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Time before the window that nobody had asked for when this was committed; a warning says it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Where the rows are, in order.
    pub parts: Vec<CommitPart>,
    /// A hash of the content that does not depend on the order of rows.
    pub content: String,
    /// The version that it replaces: the last commit of the same window.
    pub supersedes: Option<u64>,
    /// The windows within this one whose rows it replaces, in order. Each was visible when this was committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Window>,
    /// Whether the window was taken back: it has no rows until it is replayed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// Whether the content equals that of the superseded version, which was visible until now: whoever loaded
    /// that version need not load this one.
    pub unchanged: bool,
    /// Why the operator or the restatement asked, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked, if an operator or a restatement did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The state machine's time.
    pub committed_at: Timestamp,
}

/// A run that a commit's rows come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRun {
    pub segment: SegmentId,
    pub window: Window,
    pub run_id: RunId,
    /// When it was started.
    pub triggered_at: Timestamp,
    pub pages: u64,
    pub rows: u64,
    /// Whether it ran the definition's `fallback`, without the dropped columns.
    pub simplified: bool,
}

/// A run that took too long, of an API that can't cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbandonedRun {
    pub segment: SegmentId,
    pub run_id: RunId,
    /// When it was started.
    pub triggered_at: Timestamp,
}

/// A part as consumers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommitPart {
    /// Its key in the bucket.
    pub key: String,
    /// Rows in it, a CSV header not counted.
    pub rows: u64,
    /// Its size as stored.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
}

impl From<&Part> for CommitPart {
    fn from(part: &Part) -> Self {
        Self {
            key: part.key.clone(),
            rows: part.rows,
            bytes: part.bytes,
            sha256: part.sha256.clone(),
        }
    }
}

impl Commit {
    /// Whether its rows are those whose keys and bytes have this hash, under whichever names their columns are stored.
    #[must_use]
    pub fn has_content(&self, content: &str) -> bool {
        self.content == content || self.content == content_in_snake_case(content)
    }
}

/// The hash of the content of rows that are stored under other names than CXone's: to whoever loaded them they are other rows.
#[must_use]
pub fn content_in_snake_case(content: &str) -> String {
    sha256_hex(format!("snake {content}").as_bytes())
}

fn guides_api() -> SourceStatement {
    SourceStatement {
        api: Api::Analytics,
        time_zone: "UTC".to_owned(),
        range: SourceRange::Requested,
    }
}

#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
