//! Checkpoints: all that the table is at a version, in one Parquet file, so that readers need not replay every version.

use std::sync::Arc;

use bytes::Bytes;
use definition::{ReportName, TenantId};
use jiff::{SignedDuration, Timestamp};
use parquet::basic::{Compression, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::record::{Field, Row};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnDescriptor;
use serde_json::{Map, Value};

use crate::action::{LogAction, Remove};
use crate::state::{LogError, TableState};

/// There is a checkpoint of each version that this divides.
pub const CHECKPOINT_INTERVAL: u64 = 100;

/// How long a checkpoint names files that were removed. Delta's `VACUUM` spares files for as long, unless it is told otherwise.
const REMOVED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The classic form, which every reader knows. Each row has one action.
const FORM: &str = "message checkpoint {
  optional group txn { optional binary appId (STRING); optional int64 version; optional int64 lastUpdated; }
  optional group add {
    optional binary path (STRING);
    optional group partitionValues (MAP) { repeated group key_value { required binary key (STRING); optional binary value (STRING); } }
    optional int64 size; optional int64 modificationTime; optional boolean dataChange; optional binary stats (STRING);
  }
  optional group remove {
    optional binary path (STRING); optional int64 deletionTimestamp; optional boolean dataChange; optional boolean extendedFileMetadata;
    optional group partitionValues (MAP) { repeated group key_value { required binary key (STRING); optional binary value (STRING); } }
    optional int64 size;
  }
  optional group metaData {
    optional binary id (STRING); optional binary name (STRING); optional binary description (STRING);
    optional group format {
      optional binary provider (STRING);
      optional group options (MAP) { repeated group key_value { required binary key (STRING); optional binary value (STRING); } }
    }
    optional binary schemaString (STRING);
    optional group partitionColumns (LIST) { repeated group list { optional binary element (STRING); } }
    optional group configuration (MAP) { repeated group key_value { required binary key (STRING); optional binary value (STRING); } }
    optional int64 createdTime;
  }
  optional group protocol { optional int32 minReaderVersion; optional int32 minWriterVersion; }
}";

/// The versions whose checkpoints may be there, the newest first, for whoever is about to publish a version. Behind them is version 0.
pub fn checkpoints_before(version: u64) -> impl Iterator<Item = u64> {
    let newest = version.saturating_sub(1) / CHECKPOINT_INTERVAL;
    (1..=newest).rev().map(|nth| nth * CHECKPOINT_INTERVAL)
}

impl TableState {
    /// Whether the version that was read last has a checkpoint. Whoever finds that it is not stored yet stores it.
    #[must_use]
    pub fn has_checkpoint(&self) -> bool {
        self.version > 0 && self.version.is_multiple_of(CHECKPOINT_INTERVAL)
    }

    /// The checkpoint of the version that was read last, to be stored unless there is one already.
    ///
    /// # Errors
    /// If the Parquet writer refuses.
    pub fn write_checkpoint(&self, published_at: Timestamp) -> Result<Vec<u8>, LogError> {
        let actions = self.list_actions(published_at);
        let actions = actions.iter().map(serde_json::to_value);
        let actions: Vec<Value> = actions
            .collect::<Result<_, _>>()
            .map_err(LogError::Unwritable)?;
        let error = |source| LogError::Checkpoint {
            version: self.version,
            source,
        };
        write_form(&actions).map_err(error)
    }

    fn list_actions(&self, published_at: Timestamp) -> Vec<LogAction> {
        let since = (published_at - REMOVED_FOR).as_millisecond();
        let is_recent = |remove: &&Remove| remove.deletion_timestamp.is_some_and(|at| at >= since);
        let mut actions = vec![
            LogAction::Protocol(self.protocol),
            LogAction::MetaData(self.meta_data.clone()),
        ];
        actions.extend(self.txn.clone().map(LogAction::Txn));
        let removed = self.removed.values().filter(is_recent).cloned();
        actions.extend(removed.map(LogAction::Remove));
        actions.extend(self.files.values().cloned().map(LogAction::Add));
        actions
    }

    /// Reads a checkpoint. If it can't be read, an older one will do, or the versions from 0 on.
    ///
    /// # Errors
    /// If it is of another table, or of a form that we don't read.
    pub fn read_checkpoint(
        version: u64,
        stored: Vec<u8>,
        tenant: &TenantId,
        report: &ReportName,
    ) -> Result<Self, LogError> {
        let rows = read_form(stored).map_err(|source| LogError::Checkpoint { version, source })?;
        let actions = rows.into_iter().map(serde_json::from_value);
        let actions: Vec<LogAction> = actions
            .collect::<Result<_, _>>()
            .map_err(|source| LogError::Unreadable { version, source })?;
        Self::of_actions(version, actions, tenant, report)
    }
}

fn write_form(actions: &[Value]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let form = Arc::new(parse_message_type(FORM)?);
    let mut file = SerializedFileWriter::new(Vec::new(), form, Arc::new(properties))?;
    let leaves = file.schema_descr().columns().to_vec();
    let mut group = file.next_row_group()?;
    for leaf in leaves {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        write_leaf(&leaf, actions, &mut column)?;
        column.close()?;
    }
    group.close()?;
    file.into_inner()
}

/// Writes what the actions have in one leaf.
fn write_leaf(
    leaf: &ColumnDescriptor,
    actions: &[Value],
    column: &mut SerializedColumnWriter<'_>,
) -> Result<usize, ParquetError> {
    let (levels, values) = find_values(leaf, actions);
    let repetitions = (leaf.max_rep_level() > 0).then(|| vec![0; levels.len()]);
    let (levels, repetitions) = (Some(levels.as_slice()), repetitions.as_deref());
    let longs = || {
        values
            .iter()
            .map(|value| value.as_i64().unwrap_or_default())
    };
    match leaf.physical_type() {
        PhysicalType::BOOLEAN => {
            let values = values.iter().map(|value| **value == Value::Bool(true));
            let values: Vec<bool> = values.collect();
            let column = column.typed::<BoolType>();
            column.write_batch(&values, levels, repetitions)
        }
        PhysicalType::INT32 => {
            let values: Vec<i32> = longs().filter_map(|it| it.try_into().ok()).collect();
            let column = column.typed::<Int32Type>();
            column.write_batch(&values, levels, repetitions)
        }
        PhysicalType::INT64 => {
            let values: Vec<i64> = longs().collect();
            let column = column.typed::<Int64Type>();
            column.write_batch(&values, levels, repetitions)
        }
        _ => {
            let texts = values
                .iter()
                .map(|value| value.as_str().unwrap_or_default());
            let values: Vec<ByteArray> = texts.map(ByteArray::from).collect();
            let column = column.typed::<ByteArrayType>();
            column.write_batch(&values, levels, repetitions)
        }
    }
}

/// The level of definition that each action has in a leaf, and the values of those that reach it. Everything above a leaf is optional,
/// so that the level is how far its path leads. Maps and lists are empty: our tables have no partitions and no configuration.
fn find_values<'a>(leaf: &ColumnDescriptor, actions: &'a [Value]) -> (Vec<i16>, Vec<&'a Value>) {
    let path = leaf.path().parts();
    let mut levels = Vec::with_capacity(actions.len());
    let mut values = Vec::new();
    for action in actions {
        let mut at = action;
        let mut level: i16 = 0;
        for name in path {
            match at.get(name) {
                Some(inner) if !inner.is_null() => (at, level) = (inner, level + 1),
                _ => break,
            }
        }
        if usize::from(level.cast_unsigned()) == path.len() {
            values.push(at);
        }
        levels.push(level);
    }
    (levels, values)
}

fn read_form(stored: Vec<u8>) -> Result<Vec<Value>, ParquetError> {
    let reader = SerializedFileReader::new(Bytes::from(stored))?;
    let rows = reader.get_row_iter(None)?;
    rows.map(|row| Ok(Value::Object(read_row(&row?)))).collect()
}

/// What a row has, without what is null in it.
fn read_row(row: &Row) -> Map<String, Value> {
    let members = row.get_column_iter();
    members
        .filter_map(|(name, field)| Some((name.clone(), read_field(field)?)))
        .collect()
}

fn read_field(field: &Field) -> Option<Value> {
    Some(match field {
        Field::Bool(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => Value::from(*value),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Group(row) => Value::Object(read_row(row)),
        Field::ListInternal(list) => {
            Value::Array(list.elements().iter().filter_map(read_field).collect())
        }
        Field::MapInternal(map) => {
            let entries = map.entries().iter().filter_map(|(key, value)| match key {
                Field::Str(key) => Some((key.clone(), read_field(value)?)),
                _ => None,
            });
            Value::Object(entries.collect())
        }
        _ => return None,
    })
}
