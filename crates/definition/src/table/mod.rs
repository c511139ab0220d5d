//! The table that a definition's rows are loaded into: its columns in order, with their types, for any warehouse.

mod commits;
mod create_table;
mod name;
mod rules;

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::column_meaning::ColumnMeaning;
use crate::definition::Definition;
use crate::enums::ColumnType;

pub use create_table::{CreateTable, TableError};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// What the column is called in the stored rows, or what we call it.
    pub name: String,
    /// What its values are.
    pub column_type: TableType,
    /// What numbers count, such as `s`; none where nobody said it.
    pub unit: Option<String>,
    /// What it is about; none where nobody said it.
    pub description: Option<String>,
    /// Whether each row has a value. CXone promises that of none of its columns.
    pub is_required: bool,
    /// How the type is known.
    pub basis: TypeBasis,
}

/// What the values of a table's column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableType {
    /// As in a definition.
    Value(ColumnType),
    /// A JSON object, such as `_extra`.
    Json,
}

/// How the type of a column is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeBasis {
    /// The definition says it.
    Declared,
    /// It follows from the column's name, or public clients read the column as that. CXone does not document it.
    Assumed,
    /// Nothing is known about it, so that it is a text.
    Unknown,
    /// The column is ours.
    Own,
}

/// The column with what the others have no room for. It comes behind those of the report.
pub(crate) const EXTRA: &str = "_extra";

impl Definition {
    /// The columns of a table for the rows: those of the report, then ours. Where the definition names no columns, those that are
    /// known of the API or, failing that, those of the key; whatever else a row has is in `_extra`.
    #[must_use]
    pub fn table_columns(&self, catalogue: &Catalogue) -> Vec<TableColumn> {
        let names = self.name_columns();
        let mut columns: Vec<TableColumn> = (names.into_iter())
            .map(|name| self.describe_column(name, catalogue))
            .collect();
        columns.extend(own_columns());
        columns
    }

    fn name_columns(&self) -> Vec<&str> {
        let named = self.columns();
        if !named.is_empty() {
            return named;
        }
        let Some(documented) = self.dialect().api().capabilities().documented_columns else {
            return self.key_columns();
        };
        // Of names that only differ in case a tenant has one, and most warehouses have room for one.
        let known: BTreeMap<String, &str> = (documented.iter())
            .map(|(name, ..)| (name.to_lowercase(), *name))
            .collect();
        known.into_values().collect()
    }

    fn describe_column(&self, name: &str, catalogue: &Catalogue) -> TableColumn {
        let (basis, meaning) = self.find_meaning(name, catalogue);
        TableColumn {
            name: self.pipeline.column_names.rename(name).into_owned(),
            column_type: TableType::Value(meaning.column_type),
            unit: meaning.unit,
            description: meaning.description,
            is_required: false,
            basis,
        }
    }

    fn find_meaning(&self, name: &str, catalogue: &Catalogue) -> (TypeBasis, ColumnMeaning) {
        let declared = self.report.meaning_of(name);
        if let Some(meaning) = declared.or_else(|| self.pipeline.declare.find(name)) {
            return (TypeBasis::Declared, meaning.clone());
        }
        let capabilities = self.dialect().api().capabilities();
        if capabilities.names_every_column {
            let known = catalogue.meaning_of(name).cloned();
            let is_metric = self.metrics().iter().any(|metric| metric == name);
            let number = is_metric.then(|| ColumnMeaning::of_type(ColumnType::Double));
            if let Some(meaning) = known.or(number) {
                return (TypeBasis::Assumed, meaning);
            }
        }
        let documented = capabilities.documented_columns.into_iter().flatten();
        for (known, column_type, unit) in documented {
            if *known == name {
                let unit = (!unit.is_empty()).then(|| (*unit).to_owned());
                let meaning = ColumnMeaning::of_type(*column_type);
                return (TypeBasis::Assumed, ColumnMeaning { unit, ..meaning });
            }
        }
        (
            TypeBasis::Unknown,
            ColumnMeaning::of_type(ColumnType::String),
        )
    }
}

/// The columns that each table has beside those of its report.
fn own_columns() -> impl Iterator<Item = TableColumn> {
    let time = TableType::Value(ColumnType::Timestamp);
    let own = [
        (
            EXTRA,
            TableType::Json,
            "Fields that have no column here, and values that do not fit their column's type.",
        ),
        (
            "_window_start",
            time,
            "Start of the window that the row is about.",
        ),
        (
            "_window_end",
            time,
            "End of that window, which is not part of it.",
        ),
        (
            "_version",
            TableType::Value(ColumnType::Long),
            "Version of the report's log that the row came with.",
        ),
        (
            "_loaded_at",
            time,
            "When that version was committed to the log.",
        ),
    ];
    own.into_iter()
        .map(|(name, column_type, description)| TableColumn {
            name: name.to_owned(),
            column_type,
            unit: None,
            description: Some(description.to_owned()),
            is_required: name != EXTRA,
            basis: TypeBasis::Own,
        })
}
