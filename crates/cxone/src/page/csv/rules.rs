//! What a file of one API has to look like. Each API's own module says so.

/// Which columns a file must have, and what its records mean.
#[derive(Debug, Clone)]
pub(crate) struct FileRules {
    /// Columns that have to be there; others are kept as well.
    pub(crate) required_columns: Vec<String>,
    /// Columns whose cells become JSON numbers where they are numbers, and `null` where they are empty.
    pub(crate) number_columns: Vec<String>,
    pub(crate) column_names: ColumnNames,
    /// What the first cell of a total row at the end says, empty for the usual words; `None` where files have no totals.
    pub(crate) total_labels: Option<Vec<String>>,
}

/// What becomes of a column whose name is empty or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnNames {
    /// The file is refused.
    AsGiven,
    /// The column gets a name of its own.
    MadeDistinct,
}
