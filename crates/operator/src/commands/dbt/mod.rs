//! `cxr dbt`: the tables that rows are loaded into, as a source of dbt.

mod freshness;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use definition::{Catalogue, ColumnNames, CreateTable, Definition, Warehouse};
use schemars::JsonSchema;
use serde::Serialize;

use self::sources::{Source, SourceTable};
use super::ddl::{choose_warehouse, table_error, warehouse_parser};
use crate::definition_file::{self, CatalogueArg};
use crate::error::CommandError;
use crate::output::Output;

/// Print the tables of definitions as a source of dbt: columns, descriptions, freshness and tests (no network).
///
/// The tables are those that `cxr load` and the files of `cxr sql` fill, with `cxone_commits` beside them. For dbt 1.10 or newer.
#[derive(Debug, Args)]
#[command(
    after_help = "cxr dbt --for snowflake --schema REPORTS infra/reports > models/cxone/sources.yml"
)]
pub(super) struct DbtArgs {
    /// The definition files, or folders of them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The warehouse; without it, the one that pipeline.target names.
    #[arg(long = "for", value_name = "WAREHOUSE", value_parser = warehouse_parser(Warehouse::ALL))]
    warehouse: Option<Warehouse>,
    /// What the table of the one definition is called: NAME or SCHEMA.NAME; without it, as the report.
    #[arg(long, value_name = "NAME", conflicts_with = "schema")]
    table: Option<String>,
    /// Where the tables are; without it, in the schema of dbt's target.
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// What models call the source.
    #[arg(long, value_name = "NAME", default_value = "cxone")]
    source: String,
    #[command(flatten)]
    catalogue: CatalogueArg,
}

/// The file.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SourcesFile {
    warehouse: &'static str,
    yaml: String,
}

impl DbtArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let files = definition_file::expand_folders(&self.files)?;
        if self.table.is_some() && files.len() > 1 {
            return Err(CommandError::OneTable { count: files.len() });
        }
        let mut tables = Vec::new();
        for file in &files {
            let definition = definition_file::read_definition(file, &catalogue)?.definition;
            tables.push(self.describe_table(definition, &catalogue, file)?);
        }
        let source = Source {
            name: &self.source,
            tables: &tables,
        };
        output.print(&SourcesFile {
            warehouse: tables.first().map_or("", |it| it.table.warehouse.as_str()),
            yaml: source.to_string(),
        })?;
        Ok(0)
    }

    fn describe_table(
        &self,
        definition: Definition,
        catalogue: &Catalogue,
        file: &Path,
    ) -> Result<SourceTable, CommandError> {
        let warehouse = choose_warehouse(self.warehouse, &definition)?;
        let named = self
            .table
            .clone()
            .or_else(|| self.name_in_schema(&definition));
        let table = definition.create_table(warehouse, catalogue, named.as_deref());
        let table: CreateTable = table.map_err(|error| table_error(error, file.to_owned()))?;
        Ok(SourceTable { definition, table })
    }

    fn name_in_schema(&self, definition: &Definition) -> Option<String> {
        let schema = self.schema.as_ref()?;
        let name = ColumnNames::Snake.rename(definition.name.as_str());
        Some(format!("{schema}.{name}"))
    }
}

impl fmt::Display for SourcesFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.yaml)
    }
}
