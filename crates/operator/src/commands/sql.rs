//! `cxr sql`: how a definition's rows get into a warehouse, as one file: the table, the load, what to grant and how to schedule it.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::{CreateTable, Definition, OutputFormat, Warehouse};
use delivery::keys::ReportKeys;
use schemars::JsonSchema;
use serde::Serialize;

use super::ddl::table_error;
use crate::definition_file::{self, CatalogueArg};
use crate::error::CommandError;
use crate::output::Output;
use crate::warehouse_sql::{PostgresLoad, RedshiftLoad, SnowflakeLoad};

/// Print how a definition's rows get into a warehouse, as one file with comments (no network).
#[derive(Debug, Args)]
#[command(
    after_help = "cxr sql postgres infra/reports/daily.json --prefix reports > daily.sql; psql -f daily.sql"
)]
pub(super) struct SqlArgs {
    /// The warehouse.
    #[arg(value_name = "WAREHOUSE", value_parser = ["postgres", "redshift", "snowflake"])]
    warehouse: String,
    /// The definition file; - is the standard input.
    file: PathBuf,
    /// What the table is called: NAME or SCHEMA.NAME; without it, as the report.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// What every key in the bucket begins with.
    #[arg(
        long,
        env = "LANDING_PREFIX",
        value_name = "PREFIX",
        default_value = ""
    )]
    prefix: String,
    #[command(flatten)]
    catalogue: CatalogueArg,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LoadScript {
    warehouse: String,
    sql: String,
}

impl SqlArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let definition = definition_file::read_definition(&self.file, &catalogue)?.definition;
        let warehouse = match self.warehouse.as_str() {
            "redshift" => Warehouse::Redshift,
            "snowflake" => Warehouse::Snowflake,
            _ => Warehouse::Postgres,
        };
        let table = definition.create_table(warehouse, &catalogue, self.table.as_deref());
        let table = table.map_err(|error| table_error(error, self.file.clone()))?;
        let keys = ReportKeys::new(&self.prefix, &definition.pipeline.tenant, &definition.name);
        let sql = write_script(&table, keys.root(), &definition);
        let sql = sql.ok_or(CommandError::NotLoadable {
            file: self.file,
            warehouse,
        })?;
        output.print(&LoadScript {
            warehouse: self.warehouse,
            sql,
        })?;
        Ok(0)
    }
}

/// The file; nothing where it is not written for the format of the rows.
fn write_script(table: &CreateTable, report: &str, definition: &Definition) -> Option<String> {
    let (format, compression) = (definition.pipeline.format, definition.pipeline.compression);
    Some(match (table.warehouse, format) {
        (Warehouse::Redshift, _) => RedshiftLoad {
            table,
            report,
            format,
            compression,
        }
        .write_script(),
        (Warehouse::Snowflake, OutputFormat::Ndjson) => {
            SnowflakeLoad { table, report }.write_script()
        }
        (Warehouse::Postgres, _) => PostgresLoad { table, report }.write_script(),
        _ => return None,
    })
}

impl fmt::Display for LoadScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}
