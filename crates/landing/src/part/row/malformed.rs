use definition::ColumnNames;
use delivery::columns::MAX_COLUMNS;
use delivery::effects::Fault;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::part) enum Malformed {
    /// A key column is missing.
    Missing(String),
    /// A column is there twice, and only one value could be kept.
    Twice(String),
    NotAnObject,
    /// A string that is not valid text.
    Text(String),
    /// Two columns get the same name where they are renamed.
    SameName(String, String),
    /// There are too many columns to rename.
    TooManyNames,
}

impl Malformed {
    /// Says where the row is, but never what is in it.
    pub(in crate::part) fn in_row(self, row: u64) -> Fault {
        Fault::Contract(match self {
            Self::Missing(column) => format!("row {row} of the batch has no key column {column}"),
            Self::Twice(column) => format!("row {row} of the batch has column {column} twice"),
            Self::NotAnObject => format!("row {row} of the batch is no JSON object"),
            Self::SameName(one, other) => ColumnNames::describe_collision(&one, &other),
            Self::TooManyNames => format!(
                "row {row} of the batch brings the number of columns above {MAX_COLUMNS}, which are too many for pipeline.columnNames; set it to as-is and replay the window"
            ),
            Self::Text(column) => {
                format!("row {row} of the batch has no valid text in column {column}")
            }
        })
    }
}
