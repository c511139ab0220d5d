//! The columns of the table: those of the report, and ours.

use std::collections::HashMap;

use definition::{ColumnType, TableColumn, TableType, TypeBasis};
use serde::{Deserialize, Serialize};

/// Characters that a column's name may not have in a Delta table without column mapping.
const REFUSED: [char; 10] = [' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='];

/// The column with what the others have no room for.
pub(crate) const EXTRA: &str = "_extra";
pub(crate) const WINDOW_START: &str = "_window_start";
pub(crate) const WINDOW_END: &str = "_window_end";
pub(crate) const VERSION: &str = "_version";
pub(crate) const LOADED_AT: &str = "_loaded_at";

/// The columns that each table has beside those of its report.
const OWN: [(&str, ColumnType); 5] = [
    (EXTRA, ColumnType::String),
    (WINDOW_START, ColumnType::Timestamp),
    (WINDOW_END, ColumnType::Timestamp),
    (VERSION, ColumnType::Long),
    (LOADED_AT, ColumnType::Timestamp),
];

/// A column of the report, as the definition knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What it is called in the stored rows.
    pub name: String,
    pub column_type: ColumnType,
}

impl From<&TableColumn> for Column {
    fn from(column: &TableColumn) -> Self {
        Self {
            name: column.name.clone(),
            column_type: match column.column_type {
                TableType::Value(column_type) => column_type,
                TableType::Json => ColumnType::String,
            },
        }
    }
}

impl Column {
    /// Those of a definition's table columns that are the report's. Ours are added by [`Schema::new`].
    #[must_use]
    pub fn list(columns: &[TableColumn]) -> Vec<Self> {
        let of_report = columns.iter().filter(|it| it.basis != TypeBasis::Own);
        of_report.map(Self::from).collect()
    }
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableField {
    /// What it is called in the table.
    pub name: String,
    pub column_type: ColumnType,
    /// What it is called in the stored rows; `None` for our own columns.
    pub source: Option<String>,
}

/// The columns of a table, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: Vec<TableField>,
}

/// A schema after the columns of one more commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrownSchema {
    pub schema: Schema,
    /// Whether it has columns that the one before had not.
    pub has_grown: bool,
    /// Columns that have another type in the definition than in the table, which keeps its own.
    pub kept_types: Vec<String>,
}

impl Schema {
    /// The columns of a table that begins with these of the report.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        let mut schema = Self { fields: Vec::new() };
        for column in columns {
            schema.add(column);
        }
        schema
            .fields
            .extend(OWN.map(|(name, column_type)| TableField {
                name: name.to_owned(),
                column_type,
                source: None,
            }));
        schema
    }

    #[must_use]
    pub fn fields(&self) -> &[TableField] {
        &self.fields
    }

    /// The schema with columns that are new, at its end. No column is removed, and none changes its type: a Delta table can't do
    /// either without features that readers lack.
    #[must_use]
    pub fn grow(&self, columns: &[Column]) -> GrownSchema {
        let mut schema = self.clone();
        let mut kept_types = Vec::new();
        for column in columns {
            match self.find(&column.name) {
                Some(field) if field.column_type != column.column_type => {
                    kept_types.push(column.name.clone());
                }
                Some(_) => {}
                None => schema.add(column),
            }
        }
        GrownSchema {
            has_grown: schema != *self,
            schema,
            kept_types,
        }
    }

    /// Adds a column, unless another has its name: names that differ in case only are one to most readers. The values of a column
    /// that is not added are kept in `_extra`.
    fn add(&mut self, column: &Column) {
        let name: String = column.name.replace(REFUSED, "_");
        let lower_case = name.to_lowercase();
        let is_own = OWN.iter().any(|(own, _)| *own == lower_case);
        let mut names = self.fields.iter().map(|field| field.name.to_lowercase());
        if !name.is_empty() && !is_own && !names.any(|taken| taken == lower_case) {
            self.fields.push(TableField {
                name,
                column_type: column.column_type,
                source: Some(column.name.clone()),
            });
        }
    }

    /// The column with this name in the stored rows.
    fn find(&self, source: &str) -> Option<&TableField> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.source.as_deref() == Some(source))
    }

    /// The place of each column of the report by its name in the stored rows.
    pub(crate) fn places(&self) -> HashMap<String, usize> {
        let fields = self.fields.iter().enumerate();
        fields
            .filter_map(|(nth, field)| Some((field.source.clone()?, nth)))
            .collect()
    }

    /// The schema as Delta writes it.
    pub(crate) fn to_delta(&self) -> DeltaStruct {
        let fields = self.fields.iter().map(|field| DeltaField {
            name: field.name.clone(),
            data_type: field.column_type,
            nullable: true,
            metadata: DeltaFieldMetadata {
                source: field.source.clone().filter(|source| *source != field.name),
            },
        });
        DeltaStruct {
            kind: StructKind::Struct,
            fields: fields.collect(),
        }
    }

    /// Reads a schema that [`Schema::to_delta`] wrote.
    pub(crate) fn from_delta(delta: DeltaStruct) -> Self {
        let fields = delta.fields.into_iter().map(|field| {
            let is_own = OWN.iter().any(|(own, _)| *own == field.name);
            let source = field.metadata.source.unwrap_or_else(|| field.name.clone());
            TableField {
                name: field.name,
                column_type: field.data_type,
                source: (!is_own).then_some(source),
            }
        });
        Self {
            fields: fields.collect(),
        }
    }
}

/// A struct of a Delta schema. The words of its types are those of definitions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeltaStruct {
    #[serde(rename = "type")]
    kind: StructKind,
    fields: Vec<DeltaField>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum StructKind {
    #[serde(rename = "struct")]
    Struct,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeltaField {
    name: String,
    #[serde(rename = "type")]
    data_type: ColumnType,
    nullable: bool,
    metadata: DeltaFieldMetadata,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeltaFieldMetadata {
    /// The name in the stored rows, where it is another.
    #[serde(
        rename = "cxone.column",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    source: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(columns: &[(&str, ColumnType)]) -> Vec<Column> {
        let columns = columns.iter().map(|(name, column_type)| Column {
            name: (*name).to_owned(),
            column_type: *column_type,
        });
        columns.collect()
    }

    fn names(schema: &Schema) -> Vec<&str> {
        let fields = schema.fields.iter();
        fields.map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn the_reports_columns_are_taken_from_a_definitions_and_ours_are_not() {
        let column = |name: &str, column_type, basis| TableColumn {
            name: name.to_owned(),
            column_type,
            unit: None,
            description: None,
            is_required: false,
            basis,
        };
        let listed = Column::list(&[
            column("a", TableType::Value(ColumnType::Long), TypeBasis::Assumed),
            column("b", TableType::Json, TypeBasis::Declared),
            column(EXTRA, TableType::Json, TypeBasis::Own),
        ]);
        assert_eq!(
            listed,
            columns(&[("a", ColumnType::Long), ("b", ColumnType::String)])
        );
    }

    const OURS: [&str; 5] = [EXTRA, WINDOW_START, WINDOW_END, VERSION, LOADED_AT];

    #[test]
    fn a_name_is_one_that_delta_takes_and_no_two_are_alike() {
        use ColumnType::{Long, String};
        for (given, expected) in [
            (
                vec!["agentId", "handle time (s)"],
                vec!["agentId", "handle_time__s_"],
            ),
            (vec!["a b", "a_b", "A B"], vec!["a_b"]),
            (vec!["", "_EXTRA", "_version", "ok"], vec!["ok"]),
            (vec!["Zoë", "ZOË", "a.b"], vec!["Zoë", "a.b"]),
        ] {
            let given: Vec<_> = given.into_iter().map(|name| (name, Long)).collect();
            let schema = Schema::new(&columns(&given));
            assert_eq!(names(&schema), [&expected[..], &OURS].concat());
            let delta = serde_json::to_value(schema.to_delta()).unwrap();
            assert_eq!(
                Schema::from_delta(serde_json::from_value(delta).unwrap()),
                schema
            );
        }
        let grown = Schema::new(&columns(&[("a b", Long), ("c", Long)])).grow(&columns(&[
            ("c", String),
            ("a b", Long),
            ("d", String),
            ("D", Long),
        ]));
        assert_eq!(
            names(&grown.schema),
            [&["a_b", "c"], &OURS[..], &["d"]].concat()
        );
        assert!(grown.has_grown);
        assert_eq!(grown.kept_types, ["c"]);
        let same = grown
            .schema
            .grow(&columns(&[("d", String), ("_version", Long)]));
        assert!(!same.has_grown && same.schema == grown.schema);
    }
}
