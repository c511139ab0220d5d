//! What a part is like: its format, compression, columns and size.

use definition::{ColumnNames, Compression, Definition, OutputFormat};

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSpec {
    pub format: OutputFormat,
    pub compression: Compression,
    /// Whether CSV writes a `'` before a text that a spreadsheet would take for a formula.
    pub formula_guard: bool,
    /// What columns are called where they are stored.
    pub column_names: ColumnNames,
    /// The columns as CXone calls them, in the definition's order.
    pub columns: Vec<String>,
    /// The columns that make a row unique.
    pub key: Vec<String>,
    pub limits: Limits,
}

impl From<&Definition> for PartSpec {
    fn from(definition: &Definition) -> Self {
        let to_owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Self {
            format: definition.pipeline.format,
            compression: definition.pipeline.compression,
            formula_guard: definition.pipeline.csv.is_some_and(|csv| csv.formula_guard),
            column_names: definition.pipeline.column_names,
            columns: to_owned(definition.columns()),
            key: to_owned(definition.key_columns()),
            limits: Limits::default(),
        }
    }
}

/// When a part is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A part has at most so many rows.
    pub rows: u32,
    /// A part that has reached so many stored bytes gets no more rows.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The keys of one part and the second upload buffer are all the memory that grows
            // with the rows of a report. The keys of so many rows are 2.6 MiB.
            rows: 98_304,
            bytes: 64 * 1024 * 1024,
        }
    }
}
