//! `cxr sql`: how a definition's rows get into a warehouse, as one file: the table, the load, what to grant and how to schedule it.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::{Compression, CreateTable, Definition, OutputFormat, Warehouse};
use delivery::keys::ReportKeys;
use schemars::JsonSchema;
use serde::Serialize;

use super::ddl::{table_error, warehouse_parser};
use crate::definition_file::{self, CatalogueArg};
use crate::error::CommandError;
use crate::output::Output;
use crate::warehouse_sql::{BigQueryLoad, PostgresLoad, RedshiftLoad, SnowflakeLoad};

/// The warehouses that a file is written for.
const WAREHOUSES: &[Warehouse] = &[
    Warehouse::Postgres,
    Warehouse::Redshift,
    Warehouse::Snowflake,
    Warehouse::BigQuery,
];

/// Print how a definition's rows get into a warehouse, as one file with comments (no network).
#[derive(Debug, Args)]
#[command(
    after_help = "cxr sql postgres infra/reports/daily.json --prefix reports > daily.sql; psql -f daily.sql"
)]
pub(super) struct SqlArgs {
    /// The warehouse.
    #[arg(value_name = "WAREHOUSE", value_parser = warehouse_parser(WAREHOUSES))]
    warehouse: Warehouse,
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
    warehouse: &'static str,
    sql: String,
}

impl SqlArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let definition = definition_file::read_definition(&self.file, &catalogue)?.definition;
        let warehouse = self.warehouse;
        let table = definition.create_table(warehouse, &catalogue, self.table.as_deref());
        let table = table.map_err(|error| table_error(error, self.file.clone()))?;
        let keys = ReportKeys::new(&self.prefix, &definition.pipeline.tenant, &definition.name);
        let sql = write_script(&table, keys.root(), &definition);
        let sql = sql.map_err(|wanted| CommandError::NotLoadable {
            file: self.file,
            warehouse,
            wanted,
        })?;
        output.print(&LoadScript {
            warehouse: warehouse.as_str(),
            sql,
        })?;
        Ok(0)
    }
}

/// The file, or what the rows have to be stored as for it.
fn write_script(
    table: &CreateTable,
    report: &str,
    definition: &Definition,
) -> Result<String, &'static str> {
    const NDJSON: &str = "NDJSON alone; set pipeline.format to ndjson";
    let (format, compression) = (definition.pipeline.format, definition.pipeline.compression);
    let is_ndjson = format == OutputFormat::Ndjson;
    match table.warehouse {
        Warehouse::Redshift => match RedshiftLoad::find_obstacle(table, format) {
            Some(wanted) => Err(wanted),
            None => Ok(RedshiftLoad {
                table,
                report,
                compression,
            }
            .write_script()),
        },
        Warehouse::Snowflake if is_ndjson => Ok(SnowflakeLoad { table, report }.write_script()),
        Warehouse::BigQuery if compression == Compression::Zstd => {
            Err("gzip or no compression; set pipeline.compression to gzip")
        }
        Warehouse::BigQuery if is_ndjson => Ok(BigQueryLoad {
            table,
            report,
            compression,
        }
        .write_script()),
        Warehouse::Postgres => Ok(PostgresLoad { table, report }.write_script()),
        _ => Err(NDJSON),
    }
}

impl fmt::Display for LoadScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}
