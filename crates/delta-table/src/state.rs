//! What the table holds: the versions of its log, replayed.

use std::collections::BTreeMap;

use definition::{ReportName, TenantId, Window};
use delivery::{Failure, FailureName};
use serde_json::Error as JsonError;

use crate::action::{Add, LogAction, MetaData, Protocol, Remove, Txn, read_actions, table_id};
use crate::schema::Schema;

/// Why a table can't be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Somebody else wrote to the table.
    #[error(
        "version {version} of the table was not written by this pipeline ({found}); nothing was overwritten and the commit log is \
         untouched: take the other writer's rights away, delete the folder table/ and publish again"
    )]
    Foreign { version: u64, found: &'static str },
    /// A version of ours that can't be read.
    #[error(
        "version {version} of the table can't be read; it may be of a newer version of the pipeline"
    )]
    Unreadable {
        version: u64,
        #[source]
        source: JsonError,
    },
    /// A checkpoint that can't be read. The versions before it can be read instead.
    #[error("the checkpoint of version {version} can't be read")]
    Checkpoint {
        version: u64,
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// What was asked for does not follow the version that the table has.
    #[error("version {asked} does not follow version {held} of the table")]
    Order { asked: u64, held: u64 },
    /// The files don't hold what the commit says.
    #[error("version {version} of the log has {committed} rows, and its parts have {written}")]
    Rows {
        version: u64,
        committed: u64,
        written: u64,
    },
    /// An action can't be written.
    #[error("a version of the table can't be written")]
    Unwritable(#[source] JsonError),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        let name = match error {
            LogError::Foreign { .. } => FailureName::Conflict,
            LogError::Unreadable { .. }
            | LogError::Checkpoint { .. }
            | LogError::Order { .. }
            | LogError::Rows { .. }
            | LogError::Unwritable(_) => FailureName::Contract,
        };
        Self::new(name, error.to_string())
    }
}

/// What the table holds at a version.
#[derive(Clone, Debug, PartialEq)]
pub struct TableState {
    pub(crate) version: u64,
    pub(crate) protocol: Protocol,
    pub(crate) meta_data: MetaData,
    pub(crate) schema: Schema,
    pub(crate) files: BTreeMap<String, Add>,
    /// Files that were removed, which checkpoints name for a week.
    pub(crate) removed: BTreeMap<String, Remove>,
    pub(crate) txn: Option<Txn>,
}

impl TableState {
    /// Reads version 0 of a report's table, as it is stored.
    ///
    /// # Errors
    /// If it is not ours, or is another report's.
    pub fn read_first(
        stored: &[u8],
        tenant: &TenantId,
        report: &ReportName,
    ) -> Result<Self, LogError> {
        let actions = read_own(0, stored)?;
        Self::of_actions(0, actions, tenant, report)
    }

    /// A table that these actions make, at a version that is all of them or a checkpoint.
    pub(crate) fn of_actions(
        version: u64,
        actions: Vec<LogAction>,
        tenant: &TenantId,
        report: &ReportName,
    ) -> Result<Self, LogError> {
        let foreign = |found| LogError::Foreign { version, found };
        let find_meta_data = |action: &LogAction| match action {
            LogAction::MetaData(meta_data) => Some(meta_data.clone()),
            _ => None,
        };
        let meta_data = actions.iter().find_map(find_meta_data);
        let meta_data = meta_data.ok_or_else(|| foreign("it has no metaData"))?;
        if meta_data.id != table_id(tenant, report) {
            return Err(foreign("its metaData has another table's id"));
        }
        let mut state = Self {
            version,
            protocol: Protocol::OURS,
            schema: check_actions(version, &actions)?.unwrap_or_else(|| Schema::new(&[])),
            meta_data,
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            txn: None,
        };
        state.apply(actions);
        Ok(state)
    }

    /// Reads the version behind the last one, as it is stored. Whoever claimed a version reads it back through this, whether
    /// the claim was won or lost.
    ///
    /// # Errors
    /// If it is not ours: then nothing may be written to this table any more.
    pub fn read_next(&mut self, stored: &[u8]) -> Result<(), LogError> {
        let version = self.version + 1;
        let actions = read_own(version, stored)?;
        if let Some(schema) = check_actions(version, &actions)? {
            self.schema = schema;
        }
        self.apply(actions);
        self.version = version;
        Ok(())
    }

    /// Makes the table what actions say that were checked.
    fn apply(&mut self, actions: Vec<LogAction>) {
        for action in actions {
            match action {
                LogAction::CommitInfo(_) | LogAction::Protocol(_) => {}
                LogAction::MetaData(meta_data) => self.meta_data = meta_data,
                LogAction::Txn(txn) => self.txn = Some(txn),
                LogAction::Add(add) => {
                    self.removed.remove(&add.path);
                    self.files.insert(add.path.clone(), add);
                }
                LogAction::Remove(remove) => {
                    self.files.remove(&remove.path);
                    self.removed.insert(remove.path.clone(), remove);
                }
            }
        }
    }

    /// The last version that was read.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The files whose rows the table has, by their paths.
    pub fn files(&self) -> impl Iterator<Item = &Add> {
        self.files.values()
    }

    /// The files with rows of windows that lie within this one.
    pub(crate) fn files_within(&self, window: &Window) -> impl Iterator<Item = &Add> {
        let lies_within =
            |add: &&Add| window_of(&add.path).is_some_and(|held| window.contains(&held));
        self.files().filter(lies_within)
    }
}

/// Checks that actions are such as we write; gives the columns, if they say which the table has.
fn check_actions(version: u64, actions: &[LogAction]) -> Result<Option<Schema>, LogError> {
    let foreign = |found| Err(LogError::Foreign { version, found });
    let mut schema = None;
    for action in actions {
        match action {
            LogAction::Protocol(protocol) if *protocol != Protocol::OURS => {
                return foreign("it asks for another protocol");
            }
            LogAction::Add(add) if window_of(&add.path).is_none() => {
                return foreign("it adds a file whose name is none of ours");
            }
            LogAction::MetaData(meta_data) => schema = Some(read_schema(version, meta_data)?),
            _ => {}
        }
    }
    Ok(schema)
}

fn read_schema(version: u64, meta_data: &MetaData) -> Result<Schema, LogError> {
    let schema = meta_data.schema();
    schema.map_err(|source| LogError::Unreadable { version, source })
}

/// The actions of a version that is ours.
fn read_own(version: u64, stored: &[u8]) -> Result<Vec<LogAction>, LogError> {
    let foreign = |found| LogError::Foreign { version, found };
    let actions =
        read_actions(stored).map_err(|source| LogError::Unreadable { version, source })?;
    let actions = actions.ok_or_else(|| foreign("its commitInfo is another writer's"))?;
    let is_this = |action: &LogAction| match action {
        LogAction::CommitInfo(info) => {
            (info.cxone.as_ref()).is_some_and(|it| it.version == version)
        }
        _ => false,
    };
    if actions.iter().any(is_this) {
        Ok(actions)
    } else {
        Err(foreign("its commitInfo is of another version of the log"))
    }
}

/// The window whose rows a file has; `None` for a file that is none of ours.
fn window_of(path: &str) -> Option<Window> {
    let (window, _) = path.split_once('/')?;
    window.parse().ok()
}
