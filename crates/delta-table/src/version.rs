//! From a commit to a version of the table.

use std::collections::BTreeMap;

use definition::{ReportName, TenantId};
use delivery::documents::Commit;
use jiff::Timestamp;
use serde::Serialize;

use crate::action::{
    Add, CommitInfo, ENGINE, LogAction, MetaData, Origin, OriginCommit, Protocol, Remove, Txn,
    write_actions,
};
use crate::rows::{Tally, WrittenFile};
use crate::schema::{Column, GrownSchema, Schema};
use crate::state::{LogError, TableState};

/// How many of the report's columns have their nulls counted in the log, as Delta's own writers have it.
const COUNTED_COLUMNS: usize = 32;

/// A file of a commit's rows that was written and stored.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its path from the table's folder, as [`file_path`] makes it.
    pub path: String,
    pub written: WrittenFile,
}

/// What became of the rows of a commit.
#[derive(Clone, Debug)]
pub enum CommitRows {
    /// They stand in these files. There are none where the commit has no rows, or says that nothing changed.
    Written(Vec<NewFile>),
    /// They are gone from the bucket, and are not missed: a later commit replaces them, or the deployment keeps rows no longer.
    Gone,
}

impl CommitRows {
    pub(crate) fn files(&self) -> &[NewFile] {
        match self {
            Self::Written(files) => files,
            Self::Gone => &[],
        }
    }
}

/// Where a file is stored, from the table's folder: one of a commit's, from 0. `unique` is used by nobody else, so that of two
/// publishers of one version neither overwrites what the other's claim names.
#[must_use]
pub fn file_path(commit: &Commit, nth: usize, unique: &str) -> String {
    let (window, version) = (commit.window.key(), commit.version);
    format!("{window}/{version:020}-{nth:06}-{unique}.parquet")
}

/// Version 0, which has no rows: what the table is. The columns are those of the log's first commit.
///
/// # Errors
/// Never, as far as is known.
pub fn write_first(
    tenant: &TenantId,
    report: &ReportName,
    columns: &[Column],
    published_at: Timestamp,
) -> Result<Vec<u8>, LogError> {
    let schema = Schema::new(columns);
    let meta_data = MetaData::new(tenant, report, &schema, published_at);
    let origin = Origin {
        version: 0,
        commit: None,
    };
    let actions = [
        LogAction::CommitInfo(CommitInfo::new(origin, "CREATE TABLE", published_at)),
        LogAction::Protocol(Protocol::OURS),
        LogAction::MetaData(meta_data.map_err(LogError::Unwritable)?),
    ];
    write_actions(&actions).map_err(LogError::Unwritable)
}

impl TableState {
    /// Whether the rows of this commit have to be written. They are there already if the commit says that nothing changed.
    #[must_use]
    pub fn needs_rows(&self, commit: &Commit) -> bool {
        !self.stays_as_it_is(commit) && !commit.parts.is_empty()
    }

    fn stays_as_it_is(&self, commit: &Commit) -> bool {
        // The log says so of rows that consumers hold. If they should not be here, they are loaded.
        let has_files = || self.files_within(&commit.window).next().is_some();
        commit.unchanged && (commit.unique == 0 || has_files())
    }

    /// The columns of the table once this commit's are there: those that its files are written with.
    #[must_use]
    pub fn grow(&self, columns: &[Column]) -> GrownSchema {
        self.schema.grow(columns)
    }

    /// The version that the next commit of the log makes. Its files are stored before it is claimed.
    ///
    /// # Errors
    /// If the commit is not the next one, or the files don't have its rows.
    pub fn write_next(
        &self,
        commit: &Commit,
        columns: &[Column],
        rows: &CommitRows,
        published_at: Timestamp,
    ) -> Result<Vec<u8>, LogError> {
        self.check_next(commit, rows)?;
        let files = rows.files();
        let grown = self.grow(columns);
        let mut tally = Tally::default();
        for file in files {
            tally.add(&file.written.tally);
        }
        let origin = Origin {
            version: commit.version,
            commit: Some(OriginCommit {
                rows_gone: matches!(rows, CommitRows::Gone),
                ..OriginCommit::new(commit, tally, grown.kept_types)
            }),
        };
        let mut actions = vec![
            LogAction::CommitInfo(CommitInfo::new(origin, "WRITE", published_at)),
            LogAction::Txn(Txn {
                app_id: ENGINE.to_owned(),
                version: commit.version,
                last_updated: Some(published_at.as_millisecond()),
            }),
        ];
        if !self.stays_as_it_is(commit) {
            if grown.has_grown {
                actions.push(LogAction::MetaData(self.describe(&grown.schema)?));
            }
            let gone = self.files_within(&commit.window);
            actions.extend(gone.map(|add| LogAction::Remove(remove(add, published_at))));
            for file in files {
                let add = add(commit, &grown.schema, file, published_at)?;
                actions.push(LogAction::Add(add));
            }
        }
        write_actions(&actions).map_err(LogError::Unwritable)
    }

    /// What the table is with these columns.
    fn describe(&self, schema: &Schema) -> Result<MetaData, LogError> {
        let schema = serde_json::to_string(&schema.to_delta());
        Ok(MetaData {
            schema_string: schema.map_err(LogError::Unwritable)?,
            ..self.meta_data.clone()
        })
    }

    fn check_next(&self, commit: &Commit, rows: &CommitRows) -> Result<(), LogError> {
        let version = commit.version;
        if version != self.version + 1 {
            return Err(LogError::Order {
                asked: version,
                held: self.version,
            });
        }
        let CommitRows::Written(files) = rows else {
            return Ok(());
        };
        let committed = if self.needs_rows(commit) {
            commit.unique
        } else {
            0
        };
        let written = files.iter().map(|file| file.written.rows).sum();
        if written == committed {
            return Ok(());
        }
        Err(LogError::Rows {
            version,
            committed,
            written,
        })
    }
}

fn remove(add: &Add, published_at: Timestamp) -> Remove {
    Remove {
        path: add.path.clone(),
        deletion_timestamp: Some(published_at.as_millisecond()),
        data_change: true,
        extended_file_metadata: Some(true),
        partition_values: Some(BTreeMap::new()),
        size: Some(add.size),
    }
}

fn add(
    commit: &Commit,
    schema: &Schema,
    file: &NewFile,
    published_at: Timestamp,
) -> Result<Add, LogError> {
    let stats = Stats::new(commit, schema, &file.written);
    Ok(Add {
        path: file.path.clone(),
        partition_values: BTreeMap::new(),
        size: file.written.bytes,
        modification_time: published_at.as_millisecond(),
        data_change: true,
        stats: Some(serde_json::to_string(&stats).map_err(LogError::Unwritable)?),
    })
}

/// What readers may know of a file without opening it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats<'a> {
    num_records: u64,
    min_values: OwnValues,
    max_values: OwnValues,
    null_count: BTreeMap<&'a str, u64>,
}

/// Those of our columns that have one value throughout a file.
#[derive(Clone, Debug, Serialize)]
struct OwnValues {
    #[serde(rename = "_window_start")]
    window_start: String,
    #[serde(rename = "_window_end")]
    window_end: String,
    #[serde(rename = "_version")]
    version: u64,
}

impl<'a> Stats<'a> {
    fn new(commit: &Commit, schema: &'a Schema, written: &WrittenFile) -> Self {
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        // Statistics are in milliseconds, so that `_loaded_at` has none: not every reader allows for what is cut off.
        let values = OwnValues {
            window_start: time(commit.window.start()),
            window_end: time(commit.window.end()),
            version: commit.version,
        };
        let fields = schema.fields().iter().zip(&written.nulls);
        let (of_report, own): (Vec<_>, Vec<_>) =
            fields.partition(|(field, _)| field.source.is_some());
        let counted = of_report.into_iter().take(COUNTED_COLUMNS).chain(own);
        Self {
            num_records: written.rows,
            min_values: values.clone(),
            max_values: values,
            null_count: counted
                .map(|(field, nulls)| (field.name.as_str(), *nulls))
                .collect(),
        }
    }
}
