//! `create table` for a definition, in the language of a warehouse.

use std::fmt;

use super::rules::{Comments, Rules};
use super::{TableColumn, TableType, TypeBasis};
use crate::catalogue::Catalogue;
use crate::definition::Definition;
use crate::enums::{ColumnNames, ColumnType};
use crate::text::{line, quote};
use crate::warehouse::Warehouse;

/// Why no table can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Two columns would be one.
    #[error(
        "{warehouse} takes the columns {} and {} for one; leave one of them out, rename it in CXone, or set pipeline.columnNames to snake",
        quote(one),
        quote(other)
    )]
    Collision {
        /// The warehouse, whose names are compared.
        warehouse: Warehouse,
        /// The first of the two, as it is stored.
        one: String,
        /// The other one, as it is stored.
        other: String,
    },
    /// What was given as the name of the table is none.
    #[error("{} is not the name of a table; write NAME, or SCHEMA.NAME", quote(.0))]
    Name(String),
}

/// A table for a definition's rows in one warehouse. Displayed, it is the statements that make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    /// The warehouse whose dialect the statements have.
    pub warehouse: Warehouse,
    /// Its name in quotes, with the schema if there is one.
    pub table: String,
    /// What stands before names in the same schema, such as `"reports".`; empty where the table is named without one.
    pub schema: String,
    /// The same without quotes: the table, and before it what it is in.
    pub path: Vec<String>,
    /// Its columns in order, each with its name there.
    pub columns: Vec<(String, TableColumn)>,
    /// What it is for: the report and its tenant.
    pub(super) subject: String,
    /// Whether the definition says which columns there are.
    pub(super) names_columns: bool,
    /// The column with the start of the window, by which rows are deleted and found.
    pub(super) window_start: &'static str,
}

impl Definition {
    /// The table for the rows in a warehouse. It is named after the report, unless it is to be called otherwise: `NAME` or `SCHEMA.NAME`.
    pub fn create_table(
        &self,
        warehouse: Warehouse,
        catalogue: &Catalogue,
        name: Option<&str>,
    ) -> Result<CreateTable, TableError> {
        let columns = self.table_columns(catalogue).into_iter();
        let columns: Vec<_> = columns
            .map(|column| (warehouse.name_column(&column.name), column))
            .collect();
        for (nth, (name, column)) in columns.iter().enumerate() {
            let mut others = columns[..nth].iter();
            if let Some((_, one)) = others.find(|(one, _)| warehouse.takes_for_one(one, name)) {
                return Err(TableError::Collision {
                    warehouse,
                    one: one.name.clone(),
                    other: column.name.clone(),
                });
            }
        }
        let report = self.name.as_str();
        let own_name = ColumnNames::Snake.rename(report);
        let path = name_table(warehouse, name.unwrap_or(&own_name))?;
        let (schema, table) = quote_table(warehouse, &path);
        Ok(CreateTable {
            warehouse,
            table,
            schema,
            path,
            columns,
            subject: line(&format!("{report}, tenant {}", self.pipeline.tenant), 256),
            names_columns: !self.columns().is_empty(),
            window_start: "_window_start",
        })
    }
}

/// The parts of a table's name as the warehouse allows them.
fn name_table(warehouse: Warehouse, name: &str) -> Result<Vec<String>, TableError> {
    let parts: Vec<&str> = name.split('.').collect();
    let is_part = |part: &&str| !part.trim().is_empty() && !part.contains(char::is_control);
    if parts.len() > 3 || !parts.iter().all(is_part) {
        return Err(TableError::Name(name.to_owned()));
    }
    // The name of a project at Google may have a `-`, and no table has.
    let is_project = |nth| warehouse == Warehouse::BigQuery && nth + 2 < parts.len();
    let named = parts.iter().enumerate().map(|(nth, part)| {
        if is_project(nth) && !part.contains('`') {
            (*part).to_owned()
        } else {
            warehouse.name_object(part)
        }
    });
    Ok(named.collect())
}

/// What stands before the names of tables beside this one, and its own name with that, in quotes.
pub(super) fn quote_table(warehouse: Warehouse, path: &[String]) -> (String, String) {
    let quoted: Vec<String> = path.iter().map(|part| warehouse.quote_name(part)).collect();
    let table = quoted.join(".");
    let own = quoted.last().map_or(0, String::len);
    (table[..table.len() - own].to_owned(), table)
}

impl CreateTable {
    /// The warehouse's word for the type of a column.
    #[must_use]
    pub fn type_name(&self, column: &TableColumn) -> &'static str {
        self.warehouse.rules().type_name(column.column_type)
    }

    /// The warehouse's word for the type of texts.
    #[must_use]
    pub fn type_of_texts(&self) -> &'static str {
        let text = TableType::Value(ColumnType::String);
        self.warehouse.rules().type_name(text)
    }

    /// What the description of a column says, with its unit, and with the name of the field that it is from if that is another.
    #[must_use]
    pub fn describe_column(&self, name: &str, column: &TableColumn) -> Option<String> {
        describe(name, column)
    }

    /// What one of the columns that each table has, or any field, is called there, in quotes.
    #[must_use]
    pub fn quote_column(&self, name: &str) -> String {
        self.warehouse.quote_name(&self.warehouse.name_column(name))
    }

    /// The line of a column between the parentheses of `create table`.
    fn define(&self, name: &str, column: &TableColumn, rules: &Rules) -> String {
        let mut text = format!(
            "{} {}",
            self.warehouse.quote_name(name),
            self.type_name(column)
        );
        // Athena has no constraints.
        if column.is_required && self.warehouse != Warehouse::Athena {
            text += " not null";
        }
        let comment = describe(name, column).map(|it| self.warehouse.quote_text(&it));
        match (rules.comments, comment) {
            (Comments::Behind, Some(comment)) => text + " comment " + &comment,
            (Comments::Options, Some(comment)) => {
                format!("{text} options (description = {comment})")
            }
            _ => text,
        }
    }

    /// What follows the columns. Whatever loads a version deletes a range of windows first, so that they are what it looks for.
    fn write_end(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let start = self.quote_column(self.window_start);
        match self.warehouse {
            Warehouse::Snowflake | Warehouse::DuckDb => writeln!(f, ");"),
            Warehouse::Redshift => writeln!(f, ") sortkey ({start});"),
            Warehouse::BigQuery => writeln!(f, ") partition by timestamp_trunc({start}, day);"),
            Warehouse::Spark => writeln!(f, ") using delta;"),
            Warehouse::Athena => writeln!(
                f,
                ")\nlocation 's3://BUCKET/FOLDER/'\ntblproperties ('table_type' = 'ICEBERG');"
            ),
            Warehouse::Postgres => {
                let index = self.warehouse.name_object(&format!(
                    "{}_by_window",
                    self.table
                        .rsplit('.')
                        .next()
                        .unwrap_or_default()
                        .replace('"', "")
                ));
                let index = self.warehouse.quote_name(&index);
                writeln!(
                    f,
                    ");\ncreate index if not exists {index} on {} ({start});",
                    self.table
                )
            }
        }
    }

    /// The `create table` alone, without what is said of the table and its columns.
    #[must_use]
    pub fn create_statement(&self) -> String {
        let mut statement = String::new();
        // Writing to a text does not fail.
        let _ = self.write_create(&mut statement);
        statement
    }

    fn write_create(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let rules = self.warehouse.rules();
        writeln!(f, "create table if not exists {} (", self.table)?;
        for (nth, (name, column)) in self.columns.iter().enumerate() {
            let comma = if nth + 1 < self.columns.len() {
                ","
            } else {
                ""
            };
            writeln!(f, "    {}{comma}", self.define(name, column, rules))?;
        }
        self.write_end(f)
    }

    fn write_header(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "-- {}: a table for {}", self.subject, self.warehouse)?;
        for (basis, words) in [
            (TypeBasis::Declared, "The definition says the type of"),
            (
                TypeBasis::Assumed,
                "CXone does not document the type, which is assumed, of",
            ),
            (
                TypeBasis::Unknown,
                "Nothing is known of the type, so that it is a text, of",
            ),
        ] {
            let names = self
                .columns
                .iter()
                .filter(|(_, column)| column.basis == basis);
            let names: Vec<_> = names.map(|(_, column)| line(&column.name, 256)).collect();
            if !names.is_empty() {
                writeln!(f, "-- {words}: {}", names.join(", "))?;
            }
        }
        if !self.names_columns {
            writeln!(
                f,
                "-- The definition names no columns (report.columns); what has no column here is in _extra."
            )?;
        }
        if self.warehouse == Warehouse::Athena {
            writeln!(
                f,
                "-- Replace s3://BUCKET/FOLDER/ by a folder of your own, outside of the pipeline's."
            )?;
        }
        Ok(())
    }
}

/// The description of a column, with its unit, and with the name of the field that it is from if that is another.
fn describe(name: &str, column: &TableColumn) -> Option<String> {
    let unit = column.unit.as_ref().map(|unit| format!("Unit: {unit}."));
    let field = (column.basis != TypeBasis::Own && name != column.name)
        .then(|| format!("Field: {}.", line(&column.name, 256)));
    let parts: Vec<String> = [column.description.clone(), unit, field]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

impl fmt::Display for CreateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.warehouse.rules();
        self.write_header(f)?;
        self.write_create(f)?;
        if rules.comments != Comments::Statements {
            return Ok(());
        }
        for (name, column) in &self.columns {
            if let Some(comment) = describe(name, column) {
                let (name, comment) = (
                    self.warehouse.quote_name(name),
                    self.warehouse.quote_text(&comment),
                );
                writeln!(f, "comment on column {}.{name} is {comment};", self.table)?;
            }
        }
        Ok(())
    }
}
