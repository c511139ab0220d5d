//! The statements that load a version into DuckDB, for its command line.
//!
//! Rows are staged as they are stored, and read with macros that give `null` for what does not fit a column, as in PostgreSQL. DuckDB
//! opens a file for one process alone, so that the same transaction as there meets no other; it is what makes a load that is killed,
//! or comes twice, harmless.

use std::fmt::Write as _;

use definition::{ColumnType, CreateTable, TableColumn, TableType, Warehouse};
use delivery::documents::Commit;
use serde_json::Value;

use super::{describe_commit, find_loaded, list_commit_columns, list_fields, list_own_columns};

/// A table, and the report whose versions are loaded into it.
pub(crate) struct DuckDbLoad<'l> {
    pub(crate) table: &'l CreateTable,
    /// The folder that holds the report's log.
    pub(crate) report: &'l str,
}

/// Makes the table for the lines of one version, which ends with the session.
const MAKE_STAGE: &str = "create temporary table cxone_stage (line varchar not null);\n";

/// Stands between the rows of a statement. JSON has this character nowhere.
const SEPARATOR: u8 = 0x1e;

/// What reads a value, or gives `null` for one that does not fit. A text that is cast to a whole number is rounded, so that patterns come first.
const MACROS: &str = r"create or replace temporary macro cxone_long(value) as case
    when json_type(value) in ('BIGINT', 'UBIGINT') then try_cast(value ->> '$' as bigint)
    when json_type(value) = 'DOUBLE' and abs(try_cast(value ->> '$' as double)) < 9.2e18
            and trunc(try_cast(value ->> '$' as double)) = try_cast(value ->> '$' as double)
        then try_cast(try_cast(value ->> '$' as double) as bigint)
    when json_type(value) = 'VARCHAR' and regexp_full_match(value ->> '$', '[+-]?[0-9]{1,18}([.]0*)?')
        then try_cast(regexp_extract(value ->> '$', '^[+]?(-?[0-9]+)', 1) as bigint)
end;
create or replace temporary macro cxone_double(value) as case
    when json_type(value) in ('BIGINT', 'UBIGINT', 'DOUBLE', 'VARCHAR')
            and regexp_full_match(value ->> '$', '[+-]?([0-9]{1,255}([.][0-9]{0,255})?|[.][0-9]{1,255})([eE][+-]?[0-9]{1,3})?')
        then case
            when try_cast(ltrim(value ->> '$', '+') as double) = 0
                    or abs(try_cast(ltrim(value ->> '$', '+') as double)) between 1e-250 and 1e250
                then try_cast(ltrim(value ->> '$', '+') as double)
        end
end;
create or replace temporary macro cxone_boolean(value) as case
    when lower(value ->> '$') in ('true', 'false') then lower(value ->> '$') = 'true'
end;
create or replace temporary macro cxone_timestamp(value) as case
    when not regexp_full_match(value ->> '$', '[12][0-9]{3}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?') then null
    when length(value ->> '$') = 10 then try_cast((value ->> '$') || ' 00:00:00+00' as timestamptz)
    -- DuckDB takes no time without seconds where an offset follows.
    when regexp_matches(value ->> '$', '(Z|[+-][0-9:]{4,5})$')
        then try_cast(regexp_replace(value ->> '$', '^(.{10}[T ][0-9:]{5})(Z|[+-])', '\1:00\2') as timestamptz)
    else try_cast(regexp_replace(value ->> '$', '^(.{10}[T ][0-9:]{5})$', '\1:00') || '+00' as timestamptz)
end;
";

impl DuckDbLoad<'_> {
    fn find_loaded(&self) -> String {
        find_loaded(self.table, self.report)
    }

    /// The condition that holds once the transaction took the version's place, or did before.
    fn is_turn(&self, version: u64) -> String {
        let (schema, of_this) = (&self.table.schema, self.find_loaded());
        format!(
            "exists (select 1 from {schema}cxone_loaded where {of_this} and version = {version})"
        )
    }

    /// Makes all that a load needs, or adds what is missing, and prints the version that was loaded last.
    pub(crate) fn open(&self) -> String {
        let CreateTable { schema, table, .. } = self.table;
        let mut sql = String::new();
        if let Some(schema) = schema.strip_suffix('.') {
            let _ = writeln!(sql, "create schema if not exists {schema};");
        }
        let _ = write!(sql, "{}{}", self.table, self.table.commits_table());
        sql += "-- Columns that came since. A column never changes its type.\n";
        let columns = self.table.columns.iter();
        for (name, column) in columns.filter(|(_, column)| !column.is_required) {
            let (name, type_name) = (
                self.table.warehouse.quote_name(name),
                self.table.type_name(column),
            );
            let _ = writeln!(
                sql,
                "alter table {table} add column if not exists {name} {type_name};"
            );
        }
        let _ = write!(
            sql,
            "create table if not exists {schema}cxone_loaded (report varchar, target varchar, version bigint not null, primary key (report, target));\n\
             insert into {schema}cxone_loaded values ({}, {}, 0) on conflict do nothing;\n\
             select version from {schema}cxone_loaded where {};\n",
            quote(self.report),
            quote(table),
            self.find_loaded(),
        );
        sql
    }

    /// Begins a version: what comes before its rows.
    pub(crate) fn begin_stage() -> String {
        MAKE_STAGE.to_owned()
    }

    /// The statement that stages rows, each of which ends with a line feed.
    pub(crate) fn stage_rows(lines: &[u8]) -> Vec<u8> {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        if lines.is_empty() {
            return Vec::new();
        }
        let mut sql = b"insert into cxone_stage select unnest(string_split('".to_vec();
        for byte in lines {
            match byte {
                // One line, because the command line looks at the end of each whether the statement is over.
                b'\n' => sql.push(SEPARATOR),
                b'\'' => sql.extend(b"''"),
                other => sql.push(*other),
            }
        }
        sql.extend(b"', chr(30)));\n");
        sql
    }

    /// Loads the version that was staged, in one transaction, if it is the next one or was the last one.
    pub(crate) fn load(&self, commit: &Commit) -> String {
        let CreateTable { schema, table, .. } = self.table;
        let (version, unique) = (commit.version, commit.unique);
        let start = quote(&commit.window.start().to_string());
        let end = quote(&commit.window.end().to_string());
        let committed_at = quote(&commit.committed_at.to_string());
        let (of_this, is_turn) = (self.find_loaded(), self.is_turn(version));
        let column = |name: &str| self.table.quote_column(name);
        let (window_start, window_end) = (column("_window_start"), column("_window_end"));
        let (fields, paths, values) = self.read_fields();
        let (own, extra) = (list_own_columns(self.table), column("_extra"));
        let commits = self.write_commit(commit);
        format!(
            "{MACROS}begin transaction;\n\
             update {schema}cxone_loaded set version = case when version = {version} - 1 then {version} else version end where {of_this};\n\
             set variable cxone_checked = (select case\n    \
             when (select count(*) from cxone_stage) <> {unique} then error('rows are missing')\n    \
             when (select count(*) from cxone_stage where not json_valid(line)) > 0 then error('a row has a text that DuckDB does not take for Unicode')\n\
             end);\n\
             delete from {table} where {window_start} >= {start} and {window_end} <= {end}\n    \
             and {is_turn};\n\
             insert into {table} ({fields}{own})\n\
             select {values},\n    {start}, {end}, {version}, {committed_at}\n\
             from (select line, json_extract(line, {paths}) as fields from cxone_stage)\n\
             where {is_turn};\n\
             {commits}\
             commit;\n\
             select version || '|' || (select count(*) from {table} where {window_start} = {start} and {window_end} = {end} and {extra} is not null) from {schema}cxone_loaded where {of_this};\n"
        )
    }

    /// Takes the version's place without its rows, which are gone.
    pub(crate) fn skip(&self, commit: &Commit) -> String {
        let (schema, version) = (&self.table.schema, commit.version);
        let of_this = self.find_loaded();
        format!(
            "begin transaction;\n\
             update {schema}cxone_loaded set version = {version} where {of_this} and version = {version} - 1;\n\
             {}commit;\n\
             select version || '|0' from {schema}cxone_loaded where {of_this};\n",
            self.write_commit(commit)
        )
    }

    /// Keeps what the log says of the version.
    fn write_commit(&self, commit: &Commit) -> String {
        let (commits, version) = (self.table.commits_table(), commit.version);
        let (of_this, is_turn) = (self.find_loaded(), self.is_turn(version));
        let entry = quote(&describe_commit(commit));
        let columns = list_commit_columns(&commits);
        format!(
            "delete from {table} where {of_this} and version = {version} and {is_turn};\n\
             insert into {table} ({columns})\n\
             select {report}, {target}, {version}, (entry ->> '$.window.start')::timestamptz, (entry ->> '$.window.end')::timestamptz,\n    \
             (entry ->> '$.generation')::bigint, json_array_length(entry, '$.runs'), (entry ->> '$.rows')::bigint,\n    \
             (entry ->> '$.unique')::bigint, (entry ->> '$.duplicates')::bigint, (entry ->> '$.replaced')::bigint, entry ->> '$.verification',\n    \
             (entry ->> '$.unchanged')::boolean, coalesce(entry ->> '$.withdrawn', 'false')::boolean, (entry ->> '$.committedAt')::timestamptz\n\
             from (select {entry}::json as entry)\n\
             where {is_turn};\n",
            table = commits.table,
            report = quote(self.report),
            target = quote(&self.table.table),
        )
    }

    /// The columns that a row's fields go into, where the fields are in it, and how each is read.
    fn read_fields(&self) -> (String, String, String) {
        let (mut names, mut values) = (String::new(), String::new());
        let (mut paths, mut fitting) = (Vec::new(), Vec::new());
        for (name, column) in list_fields(self.table) {
            let pointer = column.name.replace('~', "~0").replace('/', "~1");
            paths.push(quote(&format!("/{pointer}")));
            let value = format!("fields[{}]", paths.len());
            let read = read_value(column, &value);
            let _ = write!(names, "{name}, ");
            let _ = write!(values, "{read},\n    ");
            // A patch with null takes the field out of what is left.
            let patch = quote(&format!("{}:null", Value::from(column.name.as_str())));
            fitting.push(if is_text(column) {
                patch
            } else {
                format!("case when {read} is not null or coalesce({value} ->> '$', '') = '' then {patch} end")
            });
        }
        if fitting.is_empty() {
            fitting.push("''".to_owned());
        }
        let paths = format!("[{}]::varchar[]", paths.join(", "));
        let rest = format!(
            "json_merge_patch(line, '{{' || concat_ws(',', {}) || '}}')",
            fitting.join(",\n        ")
        );
        (
            names,
            paths,
            format!("{values}nullif({rest}::varchar, '{{}}')::json"),
        )
    }
}

fn is_text(column: &TableColumn) -> bool {
    column.column_type == TableType::Value(ColumnType::String)
}

fn read_value(column: &TableColumn, value: &str) -> String {
    match column.column_type {
        TableType::Value(ColumnType::String) => format!("{value} ->> '$'"),
        TableType::Value(other) => format!("cxone_{other}({value})"),
        TableType::Json => value.to_owned(),
    }
}

fn quote(text: &str) -> String {
    Warehouse::DuckDb.quote_text(text)
}
