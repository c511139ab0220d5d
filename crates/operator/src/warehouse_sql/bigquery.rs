//! The file that sets up a procedure in BigQuery which follows the log, with nothing but SQL.
//!
//! Files come from Cloud Storage, after a copy, or from S3 itself by a connection of BigQuery Omni. Each version is loaded into a
//! temporary table, a line of text for each row, because a load into typed columns refuses all rows for one value that does not fit.
//! Then comes the same transaction as in PostgreSQL.

use std::fmt::Write as _;

use definition::{ColumnType, Compression, CreateTable, TableColumn, TableType};
use serde_json::Value;

use super::{find_loaded, list_commit_columns, list_fields, list_own_columns};

/// A table, and the report whose versions are loaded into it.
pub(crate) struct BigQueryLoad<'l> {
    pub(crate) table: &'l CreateTable,
    pub(crate) report: &'l str,
    pub(crate) compression: Compression,
}

/// The fields of the log that are read. What else an entry has is left out.
const ENTRY: &str = "version int64, `window` struct<`start` timestamp, `end` timestamp>, generation int64, runs array<struct<runId string>>, \
                     `rows` int64, `unique` int64, duplicates int64, replaced int64, verification string, unchanged bool, withdrawn bool, \
                     committedAt timestamp, parts array<struct<key string>>";

/// The same without a field inside of another, and under names that are no words of the language.
const LOGGED: &str = "select version, generation, duplicates, replaced, verification, unchanged, committedAt, parts,\n            \
                      `window`.`start` as window_start, `window`.`end` as window_end, array_length(runs) as run_count, `rows` as row_count,\n            \
                      `unique` as unique_count, coalesce(withdrawn, false) as is_withdrawn from cxone_log order by version";

/// The patterns of texts that are values of a type.
const NUMBER: &str = r"r'^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$'";
const TIMESTAMP: &str = r"r'^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$'";

/// A function of a value and further arguments, or the value alone where there are none.
fn call_unless_empty(function: &str, value: &str, arguments: &str) -> String {
    if arguments.is_empty() {
        return value.to_owned();
    }
    format!("{function}({value}{arguments})")
}

impl BigQueryLoad<'_> {
    fn quote(&self, text: &str) -> String {
        self.table.warehouse.quote_text(text)
    }

    /// Where a field is in a row.
    fn name_path(&self, column: &TableColumn) -> String {
        let name = Value::from(column.name.as_str());
        self.quote(&format!("$.{name}"))
    }

    /// A field as its column's type, or null if it does not fit.
    fn read_value(&self, column: &TableColumn) -> String {
        let path = self.name_path(column);
        let text = format!("json_value(line, {path})");
        match column.column_type {
            TableType::Value(ColumnType::Long) => format!(
                "if(regexp_contains({text}, {NUMBER}) and trunc(safe_cast({text} as bignumeric)) = safe_cast({text} as bignumeric), \
                 safe_cast(safe_cast({text} as bignumeric) as int64), null)"
            ),
            TableType::Value(ColumnType::Double) => {
                format!("if(regexp_contains({text}, {NUMBER}), safe_cast({text} as float64), null)")
            }
            TableType::Value(ColumnType::Timestamp) => format!(
                "if(regexp_contains({text}, {TIMESTAMP}), safe_cast({text} as timestamp), null)"
            ),
            TableType::Value(ColumnType::Boolean) => {
                format!("if(lower({text}) in ('true', 'false'), lower({text}) = 'true', null)")
            }
            // A list or an object is no value to json_value.
            TableType::Value(ColumnType::String) | TableType::Json => {
                format!("coalesce({text}, nullif(json_query(line, {path}), 'null'))")
            }
        }
    }

    /// The columns that the fields go into, and how each is read. Fields without a column, and values that do not fit, are the last.
    fn read_fields(&self) -> (String, String) {
        let (mut names, mut values) = (String::new(), String::new());
        let (mut texts, mut misfits) = (String::new(), String::new());
        for (name, column) in list_fields(self.table) {
            let (read, path) = (self.read_value(column), self.name_path(column));
            let _ = write!(names, "{name}, ");
            let _ = write!(values, "{read},\n                ");
            if column.column_type == TableType::Value(ColumnType::String) {
                let _ = write!(texts, ", {path}");
            } else {
                let _ = write!(
                    misfits,
                    ", {path}, if({read} is not null or coalesce(json_query(line, {path}), 'null') in ('null', '\"\"'), null, \
                     parse_json(json_query(line, {path}), wide_number_mode => 'round'))"
                );
            }
        }
        let row = "parse_json(line, wide_number_mode => 'round')";
        let rest = call_unless_empty("json_remove", row, &texts);
        let rest = format!(
            "json_strip_nulls({})",
            call_unless_empty("json_set", &rest, &misfits)
        );
        (
            names,
            format!("{values}if(to_json_string({rest}) = '{{}}', null, {rest})"),
        )
    }

    /// The transaction that makes a version visible.
    fn load(&self) -> String {
        let CreateTable { schema, table, .. } = self.table;
        let of_this = find_loaded(self.table, self.report);
        let is_turn = format!(
            "exists (select 1 from {schema}cxone_loaded where {of_this} and version = entry.version)"
        );
        let (names, values) = self.read_fields();
        let own = list_own_columns(self.table);
        let start = self.table.quote_column("_window_start");
        let end = self.table.quote_column("_window_end");
        let commits = self.table.commits_table();
        format!(
            "            begin transaction;\n            \
             update {schema}cxone_loaded set version = case when version = entry.version - 1 then entry.version else version end where {of_this};\n            \
             delete from {table} where {start} >= entry.window_start and {end} <= entry.window_end\n                \
             and {is_turn};\n            \
             insert into {table} ({names}{own})\n            \
             select {values},\n                entry.window_start, entry.window_end, entry.version, entry.committedAt\n            \
             from cxone_stage where {is_turn};\n            \
             delete from {commits} where {of_this} and version = entry.version and {is_turn};\n            \
             insert into {commits} ({commit_columns})\n            \
             select {report}, {target}, entry.version, entry.window_start, entry.window_end, entry.generation, entry.run_count,\n                \
             entry.row_count, entry.unique_count, entry.duplicates, entry.replaced, entry.verification, entry.unchanged, entry.is_withdrawn, entry.committedAt\n            \
             from (select 1) where {is_turn};\n            \
             commit transaction;\n",
            commits = commits.table,
            commit_columns = list_commit_columns(&commits),
            report = self.quote(self.report),
            target = self.quote(table),
        )
    }

    /// The procedure, which loads every version that is new.
    fn write_procedure(&self, procedure: &str) -> String {
        let schema = &self.table.schema;
        let of_this = find_loaded(self.table, self.report);
        let report = self.report.replace('%', "%%");
        let compression = match self.compression {
            Compression::None => "",
            Compression::Gzip | Compression::Zstd => "compression = 'GZIP', ",
        };
        let load = self.load();
        format!(
            "create or replace procedure {procedure}()\nbegin\n    \
             -- What comes before the keys. With BigQuery Omni, which reads S3 itself: 's3://BUCKET/', and below \" with connection `aws-us-east-1.NAME`\".\n    \
             declare source string default 'gs://BUCKET/';\n    \
             declare connection string default '';\n    \
             execute immediate format(\"\"\"load data overwrite temp table cxone_log ({ENTRY})\n        \
             from files (format = 'JSON', ignore_unknown_values = true, uris = ['%s{report}/_log/*.json'])%s\"\"\", source, connection);\n    \
             for entry in ({LOGGED}) do\n        \
             if entry.version = (select version + 1 from {schema}cxone_loaded where {of_this}) then\n            \
             create or replace temp table cxone_stage (line string);\n            \
             if array_length(entry.parts) > 0 then\n                \
             execute immediate format(\"\"\"load data overwrite temp table cxone_stage (line string)\n                    \
             from files (format = 'CSV', field_delimiter = '\\\\x01', quote = '', {compression}uris = [%s])%s\"\"\",\n                    \
             (select string_agg(format(\"'%s%s'\", source, part.key)) from unnest(entry.parts) part), connection);\n            \
             end if;\n            \
             if (select count(*) from cxone_stage) != entry.unique_count then raise using message = 'rows are missing'; end if;\n\
             {load}        \
             end if;\n    \
             end for;\nend;\n"
        )
    }

    /// The whole script, as `cxr sql` prints it.
    pub(crate) fn write_script(&self) -> String {
        let CreateTable { schema, table, .. } = self.table;
        let (report, set_up) = (self.report, self.table);
        let commits = self.table.commits_table();
        let name = self.table.path.last().map_or("", String::as_str);
        let procedure = format!(
            "{schema}{}",
            self.table
                .warehouse
                .quote_name(&format!("cxone_load_{name}"))
        );
        let (quoted_report, quoted_table) = (self.quote(report), self.quote(table));
        format!(
            "-- NOT RUN ON BIGQUERY. bqemulator runs the tables, and the loop with its transaction; LOAD DATA and what is kept in _extra ran nowhere. For NDJSON.\n\
             --\n\
             -- Set up: replace BUCKET, and run it once. Either copy the bucket to Cloud Storage (Storage Transfer Service, hourly; {report}/_log/ and\n\
             --   {report}/data/ are enough), or read S3 itself by BigQuery Omni, if the bucket's region has it: a connection, and two lines below.\n\
             -- Grant. Who runs the procedure: roles/bigquery.dataEditor on the dataset, roles/bigquery.jobUser, and storage.objects.get and list on the copy;\n\
             --   for Omni the connection's role in AWS: s3:GetObject and s3:ListBucket on the same two folders, and kms:Decrypt on the bucket's key.\n\
             -- Schedule: a scheduled query, hourly:  call {procedure}();\n\
             --   What was copied in part stops the load, which changes nothing; the next one begins with the same version.\n\
             {set_up}{commits}\
             create table if not exists {schema}cxone_loaded (report string not null, target string not null, version int64 not null);\n\
             insert into {schema}cxone_loaded (report, target, version) select {quoted_report}, {quoted_table}, 0 from (select 1)\n    \
             where not exists (select 1 from {schema}cxone_loaded where report = {quoted_report} and target = {quoted_table});\n{}",
            self.write_procedure(&procedure),
        )
    }
}
