//! Loading what the log names into a warehouse: the statements for one version, which change nothing unless it is the next one.

mod bigquery;
mod duckdb;
mod postgres;
mod redshift;
mod script;
mod snowflake;

use definition::{CreateTable, TableColumn, TypeBasis};
use delivery::documents::Commit;

pub(crate) use bigquery::BigQueryLoad;
pub(crate) use duckdb::DuckDbLoad;
pub(crate) use postgres::{PostgresLoad, Version};
pub(crate) use redshift::{LoadInput, RedshiftLoad};
pub(crate) use snowflake::SnowflakeLoad;

/// The columns that a loader fills, in the order in which the statements name them.
const OWN_COLUMNS: [&str; 5] = [
    "_extra",
    "_window_start",
    "_window_end",
    "_version",
    "_loaded_at",
];

/// The fields of an entry of the log that no table of commits has, and that may be long.
const LONG_FIELDS: [&str; 5] = ["parts", "columns", "columnReport", "warnings", "abandoned"];

/// The condition that finds the report and the table in the bookkeeping.
fn find_loaded(table: &CreateTable, report: &str) -> String {
    let warehouse = table.warehouse;
    format!(
        "report = {} and target = {}",
        warehouse.quote_text(report),
        warehouse.quote_text(&table.table)
    )
}

/// The columns that the fields of the rows go into, each with its name in quotes.
fn list_fields(table: &CreateTable) -> impl Iterator<Item = (String, &TableColumn)> {
    let of_rows = table.columns.iter();
    let of_rows = of_rows.filter(|(_, column)| column.basis != TypeBasis::Own);
    of_rows.map(|(name, column)| (table.warehouse.quote_name(name), column))
}

/// The names of the columns that a loader fills, in quotes.
fn list_own_columns(table: &CreateTable) -> String {
    OWN_COLUMNS.map(|name| table.quote_column(name)).join(", ")
}

/// The columns of the table of commits, in quotes and in order.
fn list_commit_columns(commits: &CreateTable) -> String {
    let names = commits.columns.iter();
    let names: Vec<String> = names
        .map(|(name, _)| commits.warehouse.quote_name(name))
        .collect();
    names.join(", ")
}

/// The entry of the log without its lists of parts and columns, which may be long.
fn describe_commit(commit: &Commit) -> String {
    let mut entry = serde_json::to_value(commit).unwrap_or_default();
    if let Some(fields) = entry.as_object_mut() {
        fields.retain(|name, _| !LONG_FIELDS.contains(&name.as_str()));
    }
    entry.to_string()
}
