//! The file that loads a version into Amazon Redshift, for psql: `COPY` by the manifest of one version, then the same transaction as
//! in PostgreSQL.
//!
//! Values are staged as texts, because `COPY` into typed columns refuses a whole window for one value that does not fit, and the
//! names are compared in any case, because without that every field with an upper-case letter is null.

use std::fmt::Write as _;

use definition::{ColumnType, Compression, CreateTable, OutputFormat, TableType};

use super::{find_loaded, list_commit_columns, list_fields, list_own_columns};

/// A table, and the report whose versions are loaded into it.
pub(crate) struct RedshiftLoad<'l> {
    pub(crate) table: &'l CreateTable,
    pub(crate) report: &'l str,
    pub(crate) format: OutputFormat,
    pub(crate) compression: Compression,
}

/// The patterns of texts that are values of a type.
const LONG: &str = "'^[+-]?[0-9]{1,18}([.]0*)?$'";
const DOUBLE: &str = "'^[+-]?[0-9]{1,100}([.][0-9]{0,100})?([eE][+-]?[0-9]{1,2})?$'";
const TIMESTAMP: &str = "'^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?(Z|[+-][01][0-9]:?[0-5][0-9])?)?$|^[12][0-9]{3}-(0[13-9]|1[0-2])-(29|30)([T ].*)?$'";

impl RedshiftLoad<'_> {
    fn quote(&self, text: &str) -> String {
        self.table.warehouse.quote_text(text)
    }

    /// What `COPY` has to know of the files.
    fn describe_files(&self) -> String {
        let format = match self.format {
            OutputFormat::Ndjson => "format json 'auto ignorecase'",
            OutputFormat::Csv => "format csv ignoreheader 1",
        };
        match self.compression {
            Compression::None => format.to_owned(),
            compression => format!("{format} {compression}"),
        }
    }

    /// The columns that the fields go into, and how each is read from its text.
    fn read_fields(&self) -> (String, String) {
        let (mut names, mut values, mut misfits) = (String::new(), String::new(), String::new());
        for (name, column) in list_fields(self.table) {
            let (pattern, cast) = match column.column_type {
                TableType::Value(ColumnType::Long) => (LONG, "::decimal(38, 0)::bigint"),
                TableType::Value(ColumnType::Double) => (DOUBLE, "::double precision"),
                TableType::Value(ColumnType::Timestamp) => (TIMESTAMP, "::timestamptz"),
                TableType::Value(ColumnType::Boolean) => {
                    ("'^([Tt]rue|[Ff]alse|TRUE|FALSE)$'", "::boolean")
                }
                TableType::Value(ColumnType::String) | TableType::Json => ("", ""),
            };
            let _ = write!(names, "{name}, ");
            if pattern.is_empty() {
                let _ = write!(values, "{name},\n    ");
                continue;
            }
            let _ = write!(
                values,
                "case when {name} ~ {pattern} then {name}{cast} end,\n    "
            );
            let field = self.quote(&format!(
                ",{}:",
                serde_json::Value::from(column.name.as_str())
            ));
            let _ = write!(
                misfits,
                "\n        || case when {name} is null or {name} = '' or {name} ~ {pattern} then ''\n            \
                 else {field} || '\"' || replace(replace(regexp_replace({name}, '[[:cntrl:]]', ' '), chr(92), chr(92) || chr(92)), '\"', chr(92) || '\"') || '\"' end"
            );
        }
        let extra = if misfits.is_empty() {
            "null".to_owned()
        } else {
            format!("json_parse(nullif('{{' || substring(''{misfits}, 2) || '}}', '{{}}'))")
        };
        (names, format!("{values}{extra}"))
    }

    fn load(&self) -> String {
        let table = &self.table.table;
        let of_this = find_loaded(self.table, self.report);
        let is_turn =
            format!("exists (select 1 from cxone_loaded where {of_this} and version = :version)");
        let stage: Vec<String> = list_fields(self.table)
            .map(|(name, _)| format!("{name} varchar(65535)"))
            .collect();
        let files = self.describe_files();
        let (names, values) = self.read_fields();
        let start = self.table.quote_column("_window_start");
        let end = self.table.quote_column("_window_end");
        let own = list_own_columns(self.table);
        let commits = self.write_commit(&is_turn);
        format!(
            "create temporary table cxone_stage ({});\n\
             select :unique > 0 as has_rows \\gset\n\
             \\if :has_rows\n\
             copy cxone_stage from :'manifest' iam_role default manifest {files};\n\
             \\endif\n\
             begin;\n\
             lock table cxone_loaded;\n\
             update cxone_loaded set version = case when version = :version - 1 then :version else version end where {of_this};\n\
             select 1 / (case when (select count(*) from cxone_stage) = :unique then 1 else 0 end) as counted;\n\
             delete from {table} where {start} >= :'window_start' and {end} <= :'window_end'\n    and {is_turn};\n\
             insert into {table} ({names}{own})\n\
             select {values},\n    :'window_start'::timestamptz, :'window_end'::timestamptz, :version, :'committed_at'::timestamptz\n\
             from cxone_stage where {is_turn};\n\
             {commits}\
             commit;\n\
             select version from cxone_loaded where {of_this};\n",
            stage.join(", "),
        )
    }

    /// Keeps what the log says of the version, if it was given.
    fn write_commit(&self, is_turn: &str) -> String {
        let commits = self.table.commits_table();
        let of_this = find_loaded(self.table, self.report);
        let field = |name: &str| format!("json_extract_path_text(:'entry', '{name}')");
        let number = |name: &str| format!("{}::bigint", field(name));
        let flag = |name: &str| {
            format!(
                "case when {} = 'true' then true else false end",
                field(name)
            )
        };
        // Redshift and PostgreSQL have no function in common that counts the elements of a text.
        let runs = format!("regexp_count({}, '\"runId\"')", field("runs"));
        format!(
            "\\if :{{?entry}}\n\
             delete from {table} where {of_this} and version = :version and {is_turn};\n\
             insert into {table} ({columns})\n\
             select {report}, {target}, :version, :'window_start'::timestamptz, :'window_end'::timestamptz,\n    \
             {}, {runs}, {}, {},\n    {}, {}, {},\n    {},\n    {}, :'committed_at'::timestamptz\n\
             where {is_turn};\n\
             \\endif\n",
            number("generation"),
            number("rows"),
            number("unique"),
            number("duplicates"),
            number("replaced"),
            field("verification"),
            flag("unchanged"),
            flag("withdrawn"),
            table = commits.table,
            columns = list_commit_columns(&commits),
            report = self.quote(self.report),
            target = self.quote(&self.table.table),
        )
    }

    /// The file.
    pub(crate) fn write_script(&self) -> String {
        let (report, table, load) = (self.report, &self.table.table, self.load());
        let (quoted_report, quoted_table) = (self.quote(report), self.quote(table));
        let set_up = format!("{}{}", self.table, self.table.commits_table());
        format!(
            "-- NOT RUN ON REDSHIFT. The transaction and the reading of values run in tests on PostgreSQL, COPY nowhere. For psql.\n\
             --\n\
             -- Set up:  psql -f THIS_FILE\n\
             --\n\
             -- Load, for each entry of {report}/_log/ in the order of their versions, with its figures and its manifest:\n\
             --   psql -f THIS_FILE -v version=7 -v unique=25000 -v manifest=s3://BUCKET/{report}/_manifest/00000000000000000007.json \\\n\
             --     -v window_start=2026-11-21T00:00:00Z -v window_end=2026-11-22T00:00:00Z -v committed_at=2026-11-22T05:37:06Z \\\n\
             --     -v entry=\"$(jq -c 'del(.parts, .columns, .columnReport)' ENTRY.json)\"\n\
             -- The last one may be left out. Given, it keeps what the log says of the version in cxone_commits, in the same transaction.\n\
             -- It prints the version that the table holds then. A version that is late or early changes nothing, and one that is loaded\n\
             -- twice is there once. A version without rows has a manifest without entries, which COPY refuses; it is not asked then.\n\
             -- Values that do not fit their column's type are in _extra. Fields without a column are not loaded: COPY leaves them out.\n\
             --\n\
             -- Grant. Who loads:  grant select, insert, delete on {table} to loader; grant select, update on cxone_loaded to loader;\n\
             --   grant select, insert, delete on cxone_commits to loader;\n\
             -- The namespace's default IAM role: s3:GetObject on {report}/_manifest/* and {report}/data/*, and kms:Decrypt on the bucket's key.\n\
             --\n\
             -- Schedule: hourly from cron or a task of yours, from the version that it printed last on, until the next entry is not there.\n\
             \\set ON_ERROR_STOP on\n\
             \\if :{{?version}}\n\
             {load}\
             \\else\n\
             {set_up}\
             create table if not exists cxone_loaded (report varchar(1024), target varchar(512), version bigint not null);\n\
             insert into cxone_loaded select {quoted_report}, {quoted_table}, 0\n    \
             where not exists (select 1 from cxone_loaded where report = {quoted_report} and target = {quoted_table});\n\
             \\endif\n"
        )
    }
}
