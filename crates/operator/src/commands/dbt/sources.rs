//! The file with the source. Every text in it is written as JSON, which YAML reads as it is meant.

use std::fmt::{self, Formatter, Result};

use definition::text::line;
use definition::{CreateTable, Definition, TableColumn, TypeBasis, Warehouse};
use serde_json::Value;

use super::freshness::Freshness;

/// The tables of several reports, and the one of their versions.
pub(super) struct Source<'s> {
    pub(super) name: &'s str,
    pub(super) tables: &'s [SourceTable],
}

/// A report and its table.
pub(super) struct SourceTable {
    pub(super) definition: Definition,
    pub(super) table: CreateTable,
}

/// A text as YAML reads it. dbt fills in what stands between such braces, which nobody means here.
fn quote(text: &str) -> String {
    let text = line(text, usize::MAX);
    let text = text
        .replace("{{", "{ {")
        .replace("{%", "{ %")
        .replace("{#", "{ #");
    Value::from(text).to_string()
}

/// Whether quotes around a name make it exact. Elsewhere dbt quotes in its own way.
fn needs_quoting(warehouse: Warehouse) -> bool {
    match warehouse {
        Warehouse::Snowflake | Warehouse::Redshift | Warehouse::Postgres | Warehouse::DuckDb => {
            true
        }
        Warehouse::BigQuery | Warehouse::Athena | Warehouse::Spark => false,
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Some(first) = self.tables.first() else {
            return Ok(());
        };
        writeln!(
            f,
            "# Made by cxr dbt for {}. Make it anew when a definition changes.",
            first.table.warehouse
        )?;
        writeln!(f, "version: 2\n\nsources:\n  - name: {}", quote(self.name))?;
        writeln!(
            f,
            "    description: {}",
            quote("Reports of NICE CXone, as the pipeline delivered them.")
        )?;
        write_place(f, &first.table)?;
        writeln!(f, "    tables:")?;
        for table in self.tables {
            table.write(f)?;
        }
        self.write_commits(f, &first.table.commits_table())
    }
}

/// Where the tables are. A table that is named without a schema is in that of dbt's target.
fn write_place(f: &mut Formatter<'_>, table: &CreateTable) -> Result {
    let mut levels = table.path.iter().rev().skip(1);
    match levels.next() {
        Some(schema) => writeln!(f, "    schema: {}", quote(schema))?,
        None => writeln!(f, "    schema: \"{{{{ target.schema }}}}\"")?,
    }
    if let Some(database) = levels.next() {
        writeln!(f, "    database: {}", quote(database))?;
    }
    if needs_quoting(table.warehouse) {
        writeln!(
            f,
            "    quoting:\n      schema: true\n      identifier: true"
        )?;
    }
    Ok(())
}

fn write_table(f: &mut Formatter<'_>, table: &CreateTable, description: &str) -> Result {
    let name = table.path.last().map_or("", String::as_str);
    writeln!(f, "      - name: {}", quote(&name.to_lowercase()))?;
    writeln!(f, "        identifier: {}", quote(name))?;
    writeln!(f, "        description: {}", quote(description))
}

fn write_freshness(f: &mut Formatter<'_>, loaded_at: &str, freshness: Option<Freshness>) -> Result {
    let Some(Freshness {
        warn_after,
        error_after,
    }) = freshness
    else {
        return Ok(());
    };
    writeln!(
        f,
        "        config:\n          loaded_at_field: {}\n          freshness:",
        quote(loaded_at)
    )?;
    writeln!(
        f,
        "            warn_after: {{count: {warn_after}, period: hour}}"
    )?;
    writeln!(
        f,
        "            error_after: {{count: {error_after}, period: hour}}"
    )
}

fn write_column(
    f: &mut Formatter<'_>,
    table: &CreateTable,
    (name, column): (&str, &TableColumn),
    tests: &str,
) -> Result {
    writeln!(f, "          - name: {}", quote(name))?;
    if needs_quoting(table.warehouse) {
        writeln!(f, "            quote: true")?;
    }
    writeln!(
        f,
        "            data_type: {}",
        quote(table.type_name(column))
    )?;
    if let Some(description) = table.describe_column(name, column) {
        writeln!(f, "            description: {}", quote(&description))?;
    }
    if tests.is_empty() {
        return Ok(());
    }
    writeln!(f, "            data_tests:\n{tests}")
}

/// A test that no two rows have the same values in these columns.
fn write_unique(
    f: &mut Formatter<'_>,
    table: &CreateTable,
    columns: &[&str],
    severity: &str,
) -> Result {
    let text = table.type_of_texts();
    let values: Vec<String> = columns
        .iter()
        .map(|name| format!("coalesce(cast({name} as {text}), '-')"))
        .collect();
    let values = values.join(" || chr(31) || ");
    writeln!(
        f,
        "        data_tests:\n          - unique:\n              arguments:"
    )?;
    writeln!(f, "                column_name: {}", quote(&values))?;
    writeln!(
        f,
        "              config:\n                severity: {severity}"
    )
}

impl SourceTable {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let (table, report) = (&self.table, &self.definition.name);
        let description = format!(
            "{report}, tenant {}. A row is what CXone sent; _window_start and _window_end say which time it is about. A window without rows leaves no trace here, and one in cxone_commits.",
            self.definition.pipeline.tenant
        );
        write_table(f, table, &description)?;
        let loaded_at = table.quote_column("_loaded_at");
        write_freshness(f, &loaded_at, Freshness::of(&self.definition))?;
        self.write_key(f)?;
        writeln!(f, "        columns:")?;
        for (name, column) in &table.columns {
            let tests = if column.is_required {
                "              - not_null"
            } else {
                ""
            };
            write_column(f, table, (name, column), tests)?;
        }
        Ok(())
    }

    /// The test of the report's key: within a window, it identifies a row.
    fn write_key(&self, f: &mut Formatter<'_>) -> Result {
        let definition = &self.definition;
        let stored = |name: &str| definition.pipeline.column_names.rename(name).into_owned();
        let key: Vec<String> = definition.key_columns().into_iter().map(stored).collect();
        let fields = self.table.columns.iter();
        let fields: Vec<&str> = fields
            .filter(|(_, column)| column.basis != TypeBasis::Own)
            .map(|(_, column)| column.name.as_str())
            .collect();
        if key.is_empty() || !key.iter().all(|name| fields.contains(&name.as_str())) {
            return Ok(());
        }
        let key = key.iter().map(String::as_str);
        let columns = key.chain(["_window_start", "_window_end"]);
        let columns: Vec<String> = columns.map(|name| self.table.quote_column(name)).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        // Where a window was fetched in halves, a report with a grouping has a row of each.
        let severity = if definition.is_aggregated() {
            "warn"
        } else {
            "error"
        };
        write_unique(f, &self.table, &columns, severity)
    }
}

impl Source<'_> {
    fn write_commits(&self, f: &mut Formatter<'_>, commits: &CreateTable) -> Result {
        let description = "The versions that were loaded, and what the log of each report says of them. Written in the transaction that loads the rows.";
        write_table(f, commits, description)?;
        let shortest = self
            .tables
            .iter()
            .filter_map(|it| Freshness::of(&it.definition))
            .min();
        write_freshness(f, &commits.quote_column("committed_at"), shortest)?;
        let key = ["report", "target", "version"].map(|name| commits.quote_column(name));
        write_unique(f, commits, &key.each_ref().map(String::as_str), "error")?;
        writeln!(f, "        columns:")?;
        for (name, column) in &commits.columns {
            let tests = if column.name == "verification" {
                "              - not_null\n              - accepted_values:\n                  arguments:\n                    \
                 values: [total, consistent, second-run]\n                  config:\n                    severity: warn"
            } else {
                "              - not_null"
            };
            write_column(f, commits, (name, column), tests)?;
        }
        Ok(())
    }
}
