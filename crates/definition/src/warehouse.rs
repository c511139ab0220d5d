//! The warehouses that tables are made for.

use crate::text_enum::text_enum;

text_enum!(
    /// A warehouse that the rows are loaded into.
    Warehouse {
        /// Snowflake.
        Snowflake = "snowflake",
        /// Amazon Redshift.
        Redshift = "redshift",
        /// Google BigQuery.
        BigQuery = "bigquery",
        /// Amazon Athena, as an Iceberg table.
        Athena = "athena",
        /// PostgreSQL.
        Postgres = "postgres",
        /// DuckDB.
        DuckDb = "duckdb",
        /// Spark and Databricks, as a Delta table.
        Spark = "spark",
    }
);
