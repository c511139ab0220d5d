//! `cxr ddl`: the table for a definition's rows, in the language of a warehouse.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use definition::{CreateTable, Definition, TableColumn, TableError, TypeBasis, Warehouse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::definition_file::{self, CatalogueArg};
use crate::error::CommandError;
use crate::output::Output;

/// Print the create table statement for a definition's rows (no network).
#[derive(Debug, Args)]
#[command(
    after_help = "cxr ddl --for snowflake --table ANALYTICS.DAILY_AGENTS infra/reports/daily.json"
)]
pub(super) struct DdlArgs {
    /// The definition file; - is the standard input.
    file: PathBuf,
    /// The warehouse; without it, the one that pipeline.target names.
    #[arg(long = "for", value_name = "WAREHOUSE", value_parser = warehouse_parser(Warehouse::ALL))]
    warehouse: Option<Warehouse>,
    /// What the table is called: NAME or SCHEMA.NAME; without it, as the report.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    catalogue: CatalogueArg,
}

impl DdlArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let definition = definition_file::read_definition(&self.file, &catalogue)?.definition;
        let warehouse = choose_warehouse(self.warehouse, &definition)?;
        let table = definition
            .create_table(warehouse, &catalogue, self.table.as_deref())
            .map_err(|error| table_error(error, self.file))?;
        output.print(&Ddl::new(&table))?;
        Ok(0)
    }
}

/// Reads the name of one of these warehouses.
pub(super) fn warehouse_parser(
    known: &'static [Warehouse],
) -> impl TypedValueParser<Value = Warehouse> {
    let words = known.iter().map(|warehouse| warehouse.as_str());
    PossibleValuesParser::new(words).try_map(|word| {
        let mut known = known.iter().copied();
        known
            .find(|warehouse| warehouse.as_str() == word)
            .ok_or(word)
    })
}

pub(super) fn choose_warehouse(
    named: Option<Warehouse>,
    definition: &Definition,
) -> Result<Warehouse, CommandError> {
    named
        .or(definition.pipeline.target)
        .ok_or(CommandError::NoWarehouse)
}

pub(super) fn table_error(error: TableError, file: PathBuf) -> CommandError {
    match error {
        TableError::Collision { .. } => CommandError::NoTable { file, error },
        TableError::Name(_) => CommandError::TableName { error },
    }
}

/// The table, and what it is made of.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ddl {
    warehouse: &'static str,
    /// Its name as the statements have it, in quotes.
    table: String,
    sql: String,
    columns: Vec<DdlColumn>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DdlColumn {
    /// The name in the table, without quotes.
    name: String,
    /// The field of the stored rows; none for the columns that a loader fills.
    field: Option<String>,
    sql_type: &'static str,
    nullable: bool,
    unit: Option<String>,
    description: Option<String>,
    /// How the type is known: `declared`, `assumed`, `unknown` (so that it is a text), or `own`.
    basis: &'static str,
}

impl Ddl {
    fn new(table: &CreateTable) -> Self {
        let columns = table.columns.iter();
        Self {
            warehouse: table.warehouse.as_str(),
            table: table.table.clone(),
            sql: table.to_string(),
            columns: columns
                .map(|(name, column)| describe_column(name, column, table.type_name(column)))
                .collect(),
        }
    }
}

fn describe_column(name: &str, column: &TableColumn, sql_type: &'static str) -> DdlColumn {
    DdlColumn {
        name: name.to_owned(),
        field: (column.basis != TypeBasis::Own).then(|| column.name.clone()),
        sql_type,
        nullable: !column.is_required,
        unit: column.unit.clone(),
        description: column.description.clone(),
        basis: match column.basis {
            TypeBasis::Declared => "declared",
            TypeBasis::Assumed => "assumed",
            TypeBasis::Unknown => "unknown",
            TypeBasis::Own => "own",
        },
    }
}

impl fmt::Display for Ddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}
