//! The cells of a row group, column by column, until it is written.

use bytes::Bytes;
use definition::ColumnType;
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use super::value::Fitted;

/// Rows that are handed to the encoder at once.
const ROWS_AT_ONCE: usize = 1024;

/// What a definition level takes in memory.
const LEVEL_BYTES: usize = size_of::<i16>();

/// The values of one column.
#[derive(Debug)]
enum Values {
    Text { bytes: Vec<u8>, ends: Vec<usize> },
    Long(Vec<i64>),
    Double(Vec<f64>),
    Boolean(Vec<bool>),
}

/// One column of a row group.
#[derive(Debug)]
pub(super) struct ColumnBuffer {
    values: Values,
    /// For each row 1, or 0 for null.
    levels: Vec<i16>,
    /// Nulls of the whole file.
    pub(super) nulls: u64,
}

impl ColumnBuffer {
    pub(super) fn new(column_type: ColumnType) -> Self {
        let values = match column_type {
            ColumnType::String => Values::Text {
                bytes: Vec::new(),
                ends: Vec::new(),
            },
            ColumnType::Long | ColumnType::Timestamp => Values::Long(Vec::new()),
            ColumnType::Double => Values::Double(Vec::new()),
            ColumnType::Boolean => Values::Boolean(Vec::new()),
        };
        Self {
            values,
            levels: Vec::new(),
            nulls: 0,
        }
    }

    /// Appends the cell of the next row; gives the bytes that it takes. What is none of the column's values is null.
    pub(super) fn push(&mut self, fitted: &Fitted<'_>) -> usize {
        let taken = match (&mut self.values, fitted) {
            (Values::Text { bytes, ends }, Fitted::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                text.len() + size_of::<usize>()
            }
            (Values::Long(values), Fitted::Long(value)) => {
                values.push(*value);
                size_of::<i64>()
            }
            (Values::Double(values), Fitted::Double(value)) => {
                values.push(*value);
                size_of::<f64>()
            }
            (Values::Boolean(values), Fitted::Boolean(value)) => {
                values.push(*value);
                size_of::<bool>()
            }
            _ => {
                self.push_null();
                return LEVEL_BYTES;
            }
        };
        self.levels.push(1);
        taken + LEVEL_BYTES
    }

    pub(super) fn push_null(&mut self) {
        self.levels.push(0);
        self.nulls += 1;
    }

    /// Writes the column of the row group, and begins the next one's.
    pub(super) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = &self.levels;
        match &mut self.values {
            Values::Text { bytes, ends } => {
                let bytes = Bytes::from(std::mem::take(bytes));
                let text = |nth: usize| {
                    let start = if nth == 0 { 0 } else { ends[nth - 1] };
                    ByteArray::from(bytes.slice(start..ends[nth]))
                };
                write_levels(column.typed::<ByteArrayType>(), levels, |from, to| {
                    (from..to).map(text).collect()
                })?;
                ends.clear();
            }
            Values::Long(values) => {
                write_slices(column.typed::<Int64Type>(), levels, values)?;
            }
            Values::Double(values) => {
                write_slices(column.typed::<DoubleType>(), levels, values)?;
            }
            Values::Boolean(values) => {
                write_slices(column.typed::<BoolType>(), levels, values)?;
            }
        }
        self.levels.clear();
        Ok(())
    }
}

fn write_slices<T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    levels: &[i16],
    values: &mut Vec<T::T>,
) -> Result<()> {
    write_levels(column, levels, |from, to| values[from..to].to_vec())?;
    values.clear();
    Ok(())
}

/// Writes the rows of these levels, some at a time. `values` gives the values from one to another, nulls not counted.
fn write_levels<T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    levels: &[i16],
    values: impl Fn(usize, usize) -> Vec<T::T>,
) -> Result<()> {
    let mut written = 0;
    for levels in levels.chunks(ROWS_AT_ONCE) {
        let present = levels.iter().filter(|level| **level == 1).count();
        let values = values(written, written + present);
        column.write_batch(&values, Some(levels), None)?;
        written += present;
    }
    Ok(())
}

/// Writes a column that has the same value in so many rows.
pub(super) fn write_constant(
    column: &mut SerializedColumnWriter<'_>,
    value: i64,
    rows: usize,
) -> Result<()> {
    let column = column.typed::<Int64Type>();
    let (values, levels) = ([value; ROWS_AT_ONCE], [1; ROWS_AT_ONCE]);
    let mut rest = rows;
    while rest > 0 {
        let now = rest.min(ROWS_AT_ONCE);
        column.write_batch(&values[..now], Some(&levels[..now]), None)?;
        rest -= now;
    }
    Ok(())
}
