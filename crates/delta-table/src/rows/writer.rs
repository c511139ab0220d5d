//! One Parquet file of a commit's rows.

use std::collections::HashMap;
use std::sync::Arc;

use definition::{ColumnType, Window};
use delivery::documents::Commit;
use jiff::Timestamp;
use parquet::basic::{
    Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType, ZstdLevel,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::buffer::{ColumnBuffer, write_constant};
use super::csv::read_cells;
use super::json::Members;
use super::misfits::{Extra, Reason, Tally};
use super::value::{Cell, Fitted, Given, fit};
use crate::schema::{EXTRA, LOADED_AT, Schema, TableField, VERSION, WINDOW_END, WINDOW_START};

/// A row group is written once its cells take so many bytes. Memory is a small multiple of it.
const ROW_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A file ends once it has so many bytes, so that readers can share a large commit.
const FILE_BYTES: u64 = 256 * 1024 * 1024;

/// A file ends once it has so many columns of row groups, whose places and statistics stay in memory until its end.
const FILE_CHUNKS: usize = 8 * 1024;

/// Why rows can't be written.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A row is not what a part of this format has.
    #[error("row {0} of the part can't be read")]
    Row(u64),
    /// The Parquet writer refused.
    #[error("the rows can't be written as Parquet")]
    Parquet(#[from] ParquetError),
}

/// What every row of a commit has in our columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowStamp {
    pub window: Window,
    pub version: u64,
    pub loaded_at: Timestamp,
}

impl From<&Commit> for RowStamp {
    fn from(commit: &Commit) -> Self {
        Self {
            window: commit.window,
            version: commit.version,
            loaded_at: commit.committed_at,
        }
    }
}

impl RowStamp {
    /// What one of our columns has; `None` for one that differs from row to row.
    fn value(&self, field: &TableField) -> Option<i64> {
        if field.source.is_some() {
            return None;
        }
        match field.name.as_str() {
            WINDOW_START => Some(self.window.start().as_microsecond()),
            WINDOW_END => Some(self.window.end().as_microsecond()),
            // The log has no more versions than this type has numbers.
            VERSION => Some(self.version.cast_signed()),
            LOADED_AT => Some(self.loaded_at.as_microsecond()),
            _ => None,
        }
    }
}

/// A file that was written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    pub rows: u64,
    pub bytes: u64,
    /// Nulls in each column of the table, in order.
    pub nulls: Vec<u64>,
    pub tally: Tally,
}

/// Writes one Parquet file. What is encoded is taken out of it row group by row group, so that memory depends neither on the file nor
/// on the commit.
pub struct FileWriter {
    schema: Schema,
    stamp: RowStamp,
    /// The place of each column by its name in the stored rows.
    places: HashMap<String, usize>,
    /// The names of the row before with their places: the next row has the same ones, as a rule.
    layout: Vec<(String, Option<usize>)>,
    extra: Extra,
    extra_place: usize,
    columns: Vec<ColumnBuffer>,
    /// Bytes and rows of the row group that is being filled.
    group_bytes: usize,
    group_rows: usize,
    groups: usize,
    rows: u64,
    file: SerializedFileWriter<Vec<u8>>,
}

impl FileWriter {
    /// A writer at the beginning of a file.
    ///
    /// # Errors
    /// If two columns have one name, which no schema of ours has.
    pub fn new(schema: &Schema, stamp: RowStamp) -> Result<Self, RowsError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let fields = schema.fields();
        let file =
            SerializedFileWriter::new(Vec::new(), parquet_schema(fields)?, Arc::new(properties))?;
        let is_extra = |field: &TableField| field.source.is_none() && field.name == EXTRA;
        Ok(Self {
            stamp,
            places: schema.places(),
            layout: Vec::new(),
            extra: Extra::default(),
            extra_place: fields.iter().position(is_extra).unwrap_or(fields.len()),
            columns: fields
                .iter()
                .map(|field| ColumnBuffer::new(field.column_type))
                .collect(),
            group_bytes: 0,
            group_rows: 0,
            groups: 0,
            rows: 0,
            schema: schema.clone(),
            file,
        })
    }

    /// Takes a row of an NDJSON part, with or without its line end. Of a name that the row has twice the last value counts, and
    /// the others are kept in `_extra`.
    ///
    /// # Errors
    /// If it is no JSON object.
    pub fn push_json(&mut self, row: &[u8]) -> Result<(), RowsError> {
        let Members(members) =
            serde_json::from_slice(row).map_err(|_| RowsError::Row(self.rows + 1))?;
        let members = members
            .iter()
            .map(|(name, json)| (&**name, Cell::of_json(json)));
        self.push_cells(members)
    }

    /// Takes a record of a CSV part, whose header has these names.
    ///
    /// # Errors
    /// If it has another number of cells than the header.
    pub fn push_csv(&mut self, names: &[String], record: &[u8]) -> Result<(), RowsError> {
        let malformed = || RowsError::Row(self.rows + 1);
        let record = std::str::from_utf8(record).map_err(|_| malformed())?;
        let given = read_cells(record);
        if given.len() != names.len() {
            return Err(malformed());
        }
        let cells = names.iter().map(String::as_str);
        self.push_cells(cells.zip(given.into_iter().map(Cell::of_csv)))
    }

    /// Puts each cell of a row into its column, or into `_extra`.
    fn push_cells<'a>(
        &mut self,
        named: impl Iterator<Item = (&'a str, Cell<'a>)>,
    ) -> Result<(), RowsError> {
        let mut cells: Vec<Option<Cell<'_>>> = vec![None; self.columns.len()];
        for (nth, (name, cell)) in named.enumerate() {
            let unplaced = match self.find_place(nth, name) {
                Some(place) => cells[place].replace(cell),
                None => Some(cell),
            };
            if let Some(cell) = unplaced {
                self.extra.keep(name, &cell, Reason::NoColumn);
            }
        }
        for (place, cell) in cells.into_iter().enumerate() {
            let Some(name) = &self.schema.fields()[place].source else {
                continue;
            };
            let given = cell.as_ref().map_or(&Given::Null, |cell| &cell.given);
            let fitted = fit(self.schema.fields()[place].column_type, given);
            self.group_bytes += self.columns[place].push(&fitted);
            if let (Fitted::Misfit, Some(cell)) = (fitted, &cell) {
                self.extra.keep(name, cell, Reason::Misfit);
            }
        }
        self.end_row()
    }

    /// The place of the nth column of a row.
    fn find_place(&mut self, nth: usize, name: &str) -> Option<usize> {
        if let Some((known, place)) = self.layout.get(nth)
            && known == name
        {
            return *place;
        }
        let place = self.places.get(name).copied();
        self.layout.truncate(nth);
        if self.layout.len() == nth {
            self.layout.push((name.to_owned(), place));
        }
        place
    }

    fn end_row(&mut self) -> Result<(), RowsError> {
        let column = &mut self.columns[self.extra_place];
        self.group_bytes += self.extra.end_row(|extra| match extra {
            Some(text) => column.push(&Fitted::Text(String::from_utf8_lossy(text))),
            None => column.push(&Fitted::Null),
        });
        self.rows += 1;
        self.group_rows += 1;
        if self.group_bytes >= ROW_GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), RowsError> {
        let mut group = self.file.next_row_group()?;
        for (field, buffer) in self.schema.fields().iter().zip(&mut self.columns) {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            match self.stamp.value(field) {
                Some(value) => write_constant(&mut column, value, self.group_rows)?,
                None => buffer.write(&mut column)?,
            }
            column.close()?;
        }
        group.close()?;
        self.groups += 1;
        self.group_bytes = 0;
        self.group_rows = 0;
        Ok(())
    }

    /// Whether the rows that follow belong into another file.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.file.bytes_written() as u64 >= FILE_BYTES
            || (self.groups + 1) * self.columns.len() > FILE_CHUNKS && self.groups > 0
    }

    /// What has been encoded since this was asked last: the next bytes of the file, often none.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn take_encoded(&mut self) -> Result<Vec<u8>, RowsError> {
        self.file.flush().map_err(ParquetError::from)?;
        Ok(std::mem::take(self.file.inner_mut()))
    }

    /// Ends the file; gives its last bytes.
    ///
    /// # Errors
    /// If the Parquet writer refuses.
    pub fn finish(mut self) -> Result<(Vec<u8>, WrittenFile), RowsError> {
        if self.group_rows > 0 {
            self.write_group()?;
        }
        self.file.finish()?;
        let rest = self.take_encoded()?;
        let written = WrittenFile {
            rows: self.rows,
            bytes: self.file.bytes_written() as u64,
            nulls: self.columns.iter().map(|column| column.nulls).collect(),
            tally: self.extra.into_tally(),
        };
        Ok((rest, written))
    }
}

/// The columns as Parquet has them: each may be null, none has an id.
fn parquet_schema(fields: &[TableField]) -> Result<TypePtr, ParquetError> {
    let column = |field: &TableField| {
        let (physical, logical) = match field.column_type {
            ColumnType::String => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnType::Long => (PhysicalType::INT64, None),
            ColumnType::Double => (PhysicalType::DOUBLE, None),
            ColumnType::Boolean => (PhysicalType::BOOLEAN, None),
            ColumnType::Timestamp => {
                let time = LogicalType::timestamp(true, TimeUnit::MICROS);
                (PhysicalType::INT64, Some(time))
            }
        };
        let column = Type::primitive_type_builder(&field.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        column.build().map(Arc::new)
    };
    let columns = fields.iter().map(column).collect::<Result<_, _>>()?;
    let root = Type::group_type_builder("rows").with_fields(columns);
    root.build().map(Arc::new)
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
