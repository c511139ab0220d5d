//! The actions of a Delta log, as far as this table has them.

use std::collections::BTreeMap;

use definition::{ReportName, TenantId, Window};
use delivery::documents::{Commit, Verification};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rows::Tally;
use crate::schema::Schema;

/// Who writes this table: `engineInfo` of each version, and the application of its transactions.
pub const ENGINE: &str = "cxone-report-pipeline";

/// One line of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LogAction {
    CommitInfo(CommitInfo),
    Protocol(Protocol),
    MetaData(MetaData),
    Txn(Txn),
    Add(Add),
    Remove(Remove),
}

/// What a reader and a writer have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub min_reader_version: i32,
    pub min_writer_version: i32,
}

impl Protocol {
    /// What every reader can: no column mapping, no deletion vectors, no features by name.
    pub(crate) const OURS: Self = Self {
        min_reader_version: 1,
        min_writer_version: 2,
    };
}

/// What the table is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaData {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub format: Format,
    /// The schema, as a JSON text.
    pub schema_string: String,
    /// None: the columns of the window stand in the files.
    pub partition_columns: Vec<String>,
    pub configuration: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<i64>,
}

/// How the files are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Format {
    pub provider: String,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl MetaData {
    pub(crate) fn new(
        tenant: &TenantId,
        report: &ReportName,
        schema: &Schema,
        created_at: Timestamp,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: table_id(tenant, report),
            name: Some(report.to_string()),
            format: Format {
                provider: "parquet".to_owned(),
                options: BTreeMap::new(),
            },
            schema_string: serde_json::to_string(&schema.to_delta())?,
            partition_columns: Vec::new(),
            configuration: BTreeMap::new(),
            created_time: Some(created_at.as_millisecond()),
        })
    }

    pub(crate) fn schema(&self) -> Result<Schema, serde_json::Error> {
        serde_json::from_str(&self.schema_string).map(Schema::from_delta)
    }
}

/// The table's id: the same whoever publishes it first.
pub(crate) fn table_id(tenant: &TenantId, report: &ReportName) -> String {
    // A tenant's name has no space, so that no two reports have one text.
    let name = format!("{ENGINE} {tenant} {report}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// Which of an application's transactions the version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub app_id: String,
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<i64>,
}

/// A file whose rows the table has from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// From the table's folder.
    pub path: String,
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: u64,
    /// When it was written, in milliseconds since 1970.
    pub modification_time: i64,
    pub data_change: bool,
    /// What readers may know without opening it, as a JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
}

/// A file whose rows the table no longer has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub path: String,
    /// In milliseconds. The file itself stays; `VACUUM` may delete it a week later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<i64>,
    pub data_change: bool,
    #[serde(default)]
    pub extended_file_metadata: Option<bool>,
    #[serde(default)]
    pub partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    pub size: Option<u64>,
}

/// Where the version comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitInfo {
    /// When it was published, in milliseconds.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default)]
    pub operation: String,
    #[serde(default)]
    pub operation_parameters: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    pub engine_info: String,
    /// What the version is of the commit log; `None` in a version of another writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cxone: Option<Origin>,
}

/// The commit that a version is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    /// The version of the log; 0 for the table's first version, which is of no commit.
    pub version: u64,
    #[serde(flatten)]
    pub commit: Option<OriginCommit>,
}

/// What is worth knowing of that commit in a list of versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OriginCommit {
    pub window: Window,
    pub generation: u32,
    pub committed_at: Timestamp,
    pub rows: u64,
    pub unique: u64,
    pub duplicates: u64,
    pub verification: Verification,
    pub supersedes: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Window>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchanged: bool,
    /// Whether its rows were gone from the bucket, so that the version has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rows_gone: bool,
    /// What did not fit.
    #[serde(flatten)]
    pub tally: Tally,
    /// Columns that have another type in the definition than in the table, which keeps its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_types: Vec<String>,
}

impl OriginCommit {
    pub(crate) fn new(commit: &Commit, tally: Tally, kept_types: Vec<String>) -> Self {
        Self {
            window: commit.window,
            generation: commit.generation,
            committed_at: commit.committed_at,
            rows: commit.rows,
            unique: commit.unique,
            duplicates: commit.duplicates,
            verification: commit.verification,
            supersedes: commit.supersedes,
            replaces: commit.replaces.clone(),
            withdrawn: commit.withdrawn,
            unchanged: commit.unchanged,
            rows_gone: false,
            tally,
            kept_types,
        }
    }
}

impl CommitInfo {
    pub(crate) fn new(origin: Origin, operation: &str, published_at: Timestamp) -> Self {
        Self {
            timestamp: published_at.as_millisecond(),
            operation: operation.to_owned(),
            operation_parameters: serde_json::Map::new(),
            engine_info: ENGINE.to_owned(),
            cxone: Some(origin),
        }
    }
}

/// The lines of a version.
pub(crate) fn write_actions(actions: &[LogAction]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut lines, action)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Reads the lines of a version that is ours; `None` if it is another writer's.
pub(crate) fn read_actions(lines: &[u8]) -> Result<Option<Vec<LogAction>>, serde_json::Error> {
    let lines = lines.split(|byte| *byte == b'\n');
    let lines: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    if !lines.iter().any(|line| is_our_info(line)) {
        return Ok(None);
    }
    let actions = lines.into_iter().map(serde_json::from_slice);
    actions.collect::<Result<_, _>>().map(Some)
}

/// Whether a line says that we made the version. Whatever else another writer's lines are, they are not read.
fn is_our_info(line: &[u8]) -> bool {
    let line: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    line.is_some_and(|line| {
        let info = &line["commitInfo"];
        info["engineInfo"] == ENGINE && info["cxone"]["version"].is_u64()
    })
}
