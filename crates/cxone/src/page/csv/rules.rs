//! What a file of one API has to look like. Each API's own module says so.

use definition::{Definition, TotalLabels};

use super::summary::USUAL_LABELS;

/// Which columns a file must have, and what its records mean.
#[derive(Debug, Clone)]
pub(crate) struct FileRules {
    /// Columns that have to be there; others are kept as well.
    pub(crate) required_columns: Vec<String>,
    /// Columns whose cells become JSON numbers where they are numbers, and `null` where they are empty.
    pub(crate) number_columns: Vec<String>,
    pub(crate) column_names: ColumnNames,
    /// What the first cell of a total row at the end says; empty where files have no totals.
    pub(crate) total_labels: Vec<String>,
    /// What a file says in place of its header if there are no rows.
    pub(crate) empty_messages: Vec<String>,
}

impl FileRules {
    /// The rules of a definition: the columns that it lists have to be there, and its metrics are numbers.
    pub(crate) fn of_definition(definition: &Definition, column_names: ColumnNames) -> Self {
        let columns = definition.columns().into_iter();
        let total_labels = match definition.total_labels() {
            TotalLabels::None => Vec::new(),
            TotalLabels::Usual => USUAL_LABELS.iter().map(ToString::to_string).collect(),
            TotalLabels::Named(labels) => labels.to_vec(),
        };
        Self {
            required_columns: columns.map(str::to_owned).collect(),
            number_columns: definition.metrics().to_vec(),
            column_names,
            total_labels,
            empty_messages: definition.empty_messages().to_vec(),
        }
    }
}

/// What becomes of a column whose name is empty or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnNames {
    /// The file is refused.
    AsGiven,
    /// The column gets a name of its own.
    MadeDistinct,
}
