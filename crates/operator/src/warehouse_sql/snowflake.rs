//! The file that sets up a task in Snowflake which follows the log, with nothing but SQL.
//!
//! Each version is copied into a new temporary table, with `force`: Snowflake remembers files by table, and loads a file that it
//! remembers not at all, without an error. Then comes the same transaction as in PostgreSQL.

use std::fmt::Write as _;

use definition::{ColumnType, CreateTable, TableColumn, TableType};

use super::{find_loaded, list_commit_columns, list_fields, list_own_columns};

/// A table, and the report whose versions are loaded into it.
pub(crate) struct SnowflakeLoad<'l> {
    pub(crate) table: &'l CreateTable,
    pub(crate) report: &'l str,
}

impl SnowflakeLoad<'_> {
    fn quote(&self, text: &str) -> String {
        self.table.warehouse.quote_text(text)
    }

    /// A field of the row `v`, as a text.
    fn read_text(&self, column: &TableColumn) -> String {
        format!("get(v, {})::varchar", self.quote(&column.name))
    }

    /// A field of the row `v`, or null if it does not fit the column's type.
    fn read_value(&self, column: &TableColumn) -> String {
        let text = self.read_text(column);
        match column.column_type {
            TableType::Value(ColumnType::Long) => format!(
                "iff(try_to_double({text}) = trunc(try_to_double({text})), try_to_number({text}, 38, 0), null)"
            ),
            TableType::Value(ColumnType::Double) => format!("try_to_double({text})"),
            // A number in a text would be taken for seconds since 1970.
            TableType::Value(ColumnType::Timestamp) => format!(
                "iff(regexp_like({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}.*'), try_to_timestamp_tz({text}), null)"
            ),
            TableType::Value(ColumnType::Boolean) => {
                format!("iff(lower({text}) in ('true', 'false'), try_to_boolean({text}), null)")
            }
            TableType::Value(ColumnType::String) | TableType::Json => text,
        }
    }

    /// The columns that the fields go into, how each is read, and the names of the fields that are not kept in `_extra`.
    fn read_fields(&self) -> (String, String) {
        let (mut names, mut values, mut known) = (String::new(), String::new(), Vec::new());
        for (name, column) in list_fields(self.table) {
            let (read, field) = (self.read_value(column), self.quote(&column.name));
            let _ = write!(names, "{name}, ");
            let _ = write!(values, "{read},\n            ");
            known.push(
                if column.column_type == TableType::Value(ColumnType::String) {
                    field
                } else {
                    let text = self.read_text(column);
                    format!("iff({read} is not null or {text} is null or {text} = '', {field}, '')")
                },
            );
        }
        let rest = format!("object_delete(v::object, {})", known.join(", "));
        (
            names,
            format!("{values}iff(array_size(object_keys({rest})) = 0, null, {rest})"),
        )
    }

    fn load(&self) -> String {
        let table = &self.table.table;
        let of_this = find_loaded(self.table, self.report);
        let is_turn =
            format!("exists (select 1 from cxone_loaded where {of_this} and version = :n)");
        let (names, values) = self.read_fields();
        // Two of these would end the procedure.
        let values = values.replace("$$", "$\\$");
        let start = self.table.quote_column("_window_start");
        let end = self.table.quote_column("_window_end");
        let own = list_own_columns(self.table);
        let commits = self.write_commit(&is_turn);
        format!(
            "        begin transaction;\n        \
             update cxone_loaded set version = iff(version = :n - 1, :n, version) where {of_this};\n        \
             delete from {table} where {start} >= :window_start and {end} <= :window_end\n            and {is_turn};\n        \
             insert into {table} ({names}{own})\n        \
             select {values},\n            :window_start, :window_end, :n, :committed_at\n        \
             from cxone_stage where {is_turn};\n        \
             {commits}\
             commit;\n"
        )
    }

    /// Keeps what the log says of the version.
    fn write_commit(&self, is_turn: &str) -> String {
        let commits = self.table.commits_table();
        let of_this = find_loaded(self.table, self.report);
        format!(
            "delete from {table} where {of_this} and version = :n and {is_turn};\n        \
             insert into {table} ({columns})\n        \
             select {report}, {target}, :n, :window_start, :window_end, get(entry, 'generation')::number, array_size(get(entry, 'runs')),\n            \
             get(entry, 'rows')::number, get(entry, 'unique')::number, get(entry, 'duplicates')::number, get(entry, 'replaced')::number,\n            \
             get(entry, 'verification')::varchar, get(entry, 'unchanged')::boolean, coalesce(get(entry, 'withdrawn')::boolean, false), :committed_at\n        \
             from cxone_entry where {is_turn};\n        ",
            table = commits.table,
            columns = list_commit_columns(&commits),
            report = self.quote(self.report),
            target = self.quote(&self.table.table),
        )
    }

    /// The whole script, as `cxr sql` prints it.
    pub(crate) fn write_script(&self) -> String {
        let (report, table, load) = (self.report, &self.table.table, self.load());
        let (quoted_report, quoted_table) = (self.quote(report), self.quote(table));
        let set_up = format!("{}{}", self.table, self.table.commits_table());
        // Each table has its own.
        let name = table
            .rsplit("\".\"")
            .next()
            .unwrap_or_default()
            .trim_matches('"');
        let (procedure, task) = (
            format!("\"CXONE_LOAD_{name}\""),
            format!("\"CXONE_HOURLY_{name}\""),
        );
        format!(
            "-- NOT RUN ON SNOWFLAKE. fakesnow runs the tables, the copy and the transaction; the procedure, the task and what is kept in _extra ran nowhere. For NDJSON.\n\
             --\n\
             -- Set up: replace BUCKET, ROLE and WAREHOUSE, run it once, and trust the role as `desc integration cxone` says.\n\
             -- Grant. ROLE: s3:GetObject and s3:GetObjectVersion on {report}/_log/* and {report}/data/*, s3:ListBucket and\n\
             --   s3:GetBucketLocation on the bucket, and kms:Decrypt on its key. Whoever owns the procedure: all on the tables and the stage.\n\
             -- Schedule: the task at the end looks once an hour. A load that fails changes nothing; the next one begins with the same version.\n\
             create storage integration if not exists cxone type = external_stage storage_provider = 'S3' enabled = true\n    \
             storage_aws_role_arn = 'ROLE' storage_allowed_locations = ('s3://BUCKET/');\n\
             create file format if not exists cxone_ndjson type = json compression = auto;\n\
             create stage if not exists cxone_landing url = 's3://BUCKET/' storage_integration = cxone file_format = cxone_ndjson;\n\
             {set_up}\
             create table if not exists cxone_loaded (report varchar, target varchar, version number(38, 0) not null);\n\
             insert into cxone_loaded select {quoted_report}, {quoted_table}, 0\n    \
             where not exists (select 1 from cxone_loaded where report = {quoted_report} and target = {quoted_table});\n\
             create or replace procedure {procedure}() returns number language sql execute as owner as $$\n\
             declare\n    n number; entry variant; parts array; part varchar; query varchar; got number; window_start timestamp_tz; window_end timestamp_tz; committed_at timestamp_tz;\n    \
             failed exception (-20001, 'rows are missing');\n\
             begin\n    loop\n        \
             select version + 1 into :n from cxone_loaded where report = {quoted_report} and target = {quoted_table};\n        \
             query := 'create or replace temporary table cxone_entry as select $1 as entry from @cxone_landing/{report}/_log/' || lpad(n, 20, '0') || '.json (file_format => cxone_ndjson)'; execute immediate :query;\n        \
             select any_value(entry) into :entry from cxone_entry;\n        \
             if (entry is null) then return n - 1; end if;\n        \
             create or replace temporary table cxone_stage (v variant);\n        \
             parts := get(entry, 'parts')::array;\n        \
             for i in 0 to array_size(parts) - 1 do\n            \
             part := get(get(parts, i), 'key')::varchar;\n            \
             query := 'copy into cxone_stage from @cxone_landing files = (''' || part || ''') file_format = (format_name = cxone_ndjson) on_error = abort_statement force = true'; execute immediate :query;\n        \
             end for;\n        \
             select count(*) into :got from cxone_stage;\n        \
             if (got <> get(entry, 'unique')::number) then raise failed; end if;\n        \
             window_start := get(get(entry, 'window'), 'start')::timestamp_tz; window_end := get(get(entry, 'window'), 'end')::timestamp_tz;\n        \
             committed_at := get(entry, 'committedAt')::timestamp_tz;\n\
             {load}    \
             end loop;\n\
             exception when other then rollback; raise;\nend;\n$$;\n\
             create or replace task {task} warehouse = WAREHOUSE schedule = '60 minutes' timezone = 'UTC' as call {procedure}();\n\
             alter task {task} resume;\n"
        )
    }
}
