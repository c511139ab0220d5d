//! The table with the log as rows: which versions a table holds, and what the log says of each.

use super::create_table::quote_table;
use super::{CreateTable, TableColumn, TableType, TypeBasis};
use crate::enums::ColumnType;

const TEXT: TableType = TableType::Value(ColumnType::String);
const NUMBER: TableType = TableType::Value(ColumnType::Long);
const TIME: TableType = TableType::Value(ColumnType::Timestamp);
const FLAG: TableType = TableType::Value(ColumnType::Boolean);

/// Its columns. `rows` and `unique` alone are words of many of the languages.
const COLUMNS: [(&str, TableType, &str); 15] = [
    ("report", TEXT, "Folder of the report in the bucket."),
    ("target", TEXT, "Table that the version was loaded into."),
    ("version", NUMBER, "Version of the report's log."),
    (
        "window_start",
        TIME,
        "Start of the window that the version is about.",
    ),
    (
        "window_end",
        TIME,
        "End of that window, which is not part of it.",
    ),
    ("generation", NUMBER, "Deliveries of the window until then."),
    (
        "run_count",
        NUMBER,
        "Runs at CXone that the rows come from.",
    ),
    ("row_count", NUMBER, "Rows that CXone gave."),
    (
        "unique_count",
        NUMBER,
        "Rows that were delivered: those given without the duplicates.",
    ),
    ("duplicate_count", NUMBER, "Rows dropped as duplicates."),
    (
        "replaced_count",
        NUMBER,
        "Rows that another row with the same key replaced.",
    ),
    (
        "verification",
        TEXT,
        "How far completeness could be checked: total, consistent, second-run or none.",
    ),
    (
        "is_unchanged",
        FLAG,
        "Whether the rows are those of the version that this one replaces.",
    ),
    ("is_withdrawn", FLAG, "Whether the window was taken back."),
    (
        "committed_at",
        TIME,
        "When the version was committed to the log.",
    ),
];

impl CreateTable {
    /// The table of the versions that were loaded, in the schema of this one.
    #[must_use]
    pub fn commits_table(&self) -> Self {
        let warehouse = self.warehouse;
        let mut path = self.path.clone();
        path.pop();
        path.push(warehouse.name_object("cxone_commits"));
        let (schema, table) = quote_table(warehouse, &path);
        let columns = COLUMNS.iter();
        Self {
            warehouse,
            table,
            schema,
            path,
            columns: columns
                .map(|(name, column_type, description)| {
                    let column = TableColumn {
                        name: (*name).to_owned(),
                        column_type: *column_type,
                        unit: None,
                        description: Some((*description).to_owned()),
                        is_required: true,
                        basis: TypeBasis::Own,
                    };
                    (warehouse.name_column(name), column)
                })
                .collect(),
            subject: "the versions that were loaded".to_owned(),
            names_columns: true,
            window_start: "window_start",
        }
    }
}
