//! The statements that load a version into PostgreSQL.
//!
//! Rows are staged as they are stored, a line each, and read with functions that give `null` for what does not fit a column.
//! Then one transaction takes the version's place in the bookkeeping, deletes what lies within its window and inserts its rows. The
//! `update` writes in any case, also where the version is not the next one: that is the lock, and whoever comes second sees
//! what the first one did. An `update` that only finds the version before takes no lock where it finds none, and loses rows.

use std::fmt::Write as _;

use definition::{ColumnType, CreateTable, TableColumn, TableType, Warehouse};
use delivery::documents::Commit;

use super::{describe_commit, find_loaded, list_commit_columns, list_fields, list_own_columns};

/// A table, and the report whose versions are loaded into it.
pub(crate) struct PostgresLoad<'l> {
    pub(crate) table: &'l CreateTable,
    /// The folder that holds the report's log.
    pub(crate) report: &'l str,
}

/// What the statements have to know of a version, as constants or as variables of psql.
pub(crate) struct Version {
    number: String,
    /// How many rows its parts have.
    unique: String,
    start: String,
    end: String,
    committed_at: String,
    /// The entry of the log as JSON.
    entry: String,
    /// Whether the entry may be left out.
    is_entry_optional: bool,
}

impl Version {
    /// That of a commit.
    pub(crate) fn of(commit: &Commit) -> Self {
        Self {
            number: commit.version.to_string(),
            unique: commit.unique.to_string(),
            start: quote(&commit.window.start().to_string()),
            end: quote(&commit.window.end().to_string()),
            committed_at: quote(&commit.committed_at.to_string()),
            entry: quote(&describe_commit(commit)),
            is_entry_optional: false,
        }
    }

    /// That which `psql -v` names.
    pub(crate) fn of_variables() -> Self {
        let variable = |name: &str| format!(":'{name}'");
        Self {
            number: ":version".to_owned(),
            unique: ":unique".to_owned(),
            start: variable("window_start"),
            end: variable("window_end"),
            committed_at: variable("committed_at"),
            entry: variable("entry"),
            is_entry_optional: true,
        }
    }
}

/// How a line is staged as it is: no row of JSON has these two characters.
pub(super) const STAGED_AS: &str = "with (format csv, delimiter e'\\x02', quote e'\\x01')";

/// Makes the table for the lines of one version, which only this session sees.
pub(super) const MAKE_STAGE: &str = "create temporary table cxone_stage (line text not null);\n";

/// The functions that read a value, or give `null` for one that does not fit. Their names are those of the types.
const FUNCTIONS: &str = r#"create or replace function {schema}cxone_long(value jsonb) returns bigint language sql immutable as $$
    select case
        when jsonb_typeof(value) = 'number' and abs((value #>> '{}')::numeric) < 9223372036854775807
                and (value #>> '{}')::numeric = trunc((value #>> '{}')::numeric)
            then (value #>> '{}')::numeric::bigint
        when jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^[+-]?[0-9]{1,18}(\.0*)?$'
            then (value #>> '{}')::numeric::bigint
    end
$$;
create or replace function {schema}cxone_double(value jsonb) returns double precision language sql immutable as $$
    select case
        when jsonb_typeof(value) in ('number', 'string')
                and value #>> '{}' ~ '^[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255})([eE][+-]?[0-9]{1,3})?$'
            then case
                when (value #>> '{}')::numeric = 0 then 0
                when abs((value #>> '{}')::numeric) between 1e-250 and 1e250 then (value #>> '{}')::numeric::double precision
            end
    end
$$;
create or replace function {schema}cxone_boolean(value jsonb) returns boolean language sql immutable as $$
    select case when lower(value #>> '{}') in ('true', 'false') then (value #>> '{}')::boolean end
$$;
create or replace function {schema}cxone_timestamp(value jsonb) returns timestamptz language sql stable as $$
    select case
        when value #>> '{}' ~ '^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?$'
            then case
                when substr(value #>> '{}', 9, 2)::int <= extract(day from make_date(substr(value #>> '{}', 1, 4)::int,
                        substr(value #>> '{}', 6, 2)::int, 1) + interval '1 month' - interval '1 day')
                    then case
                        when value #>> '{}' ~ '(Z|[T ].*[+-][0-9:]{4,5})$' then (value #>> '{}')::timestamptz
                        else (value #>> '{}')::timestamp at time zone 'UTC'
                    end
            end
    end
$$;
create or replace function {schema}cxone_misfit(field text, value jsonb, fits boolean) returns jsonb language sql immutable as $$
    select case when fits or coalesce(value, 'null') in ('null', '""') then '{}' else jsonb_build_object(field, value) end
$$;
"#;

impl PostgresLoad<'_> {
    /// The schema of the table, with its dot; empty where the table is named without one.
    pub(super) fn schema(&self) -> &str {
        &self.table.schema
    }

    /// The condition that finds the report and the table in the bookkeeping.
    fn find_loaded(&self) -> String {
        find_loaded(self.table, self.report)
    }

    /// Whether the table has room for the columns, and the version that was loaded last; nothing where it has not.
    pub(crate) fn read_version(&self) -> String {
        let (schema, table) = (self.schema(), quote(&self.table.table));
        let names = self.table.columns.iter();
        let names: Vec<String> = names
            .map(|(name, _)| format!("({})", quote(name)))
            .collect();
        let bookkeeping = quote(&format!("{schema}cxone_loaded"));
        let commits = quote(&self.table.commits_table().table);
        format!(
            "select to_regclass({bookkeeping}) is not null and to_regclass({commits}) is not null and not exists (select from (values {}) wanted (name) \
             where not exists (select from pg_attribute where attrelid = to_regclass({table}) and attname = name and not attisdropped)) \
             as is_ready \\gset\n\
             \\if :is_ready\n\
             select version from {schema}cxone_loaded where {};\n\
             \\endif\n",
            names.join(", "),
            self.find_loaded(),
        )
    }

    /// Makes all that a load needs, or adds what is missing. Two that do it at once do it one after the other.
    pub(crate) fn set_up(&self) -> String {
        let (schema, table) = (self.schema(), &self.table.table);
        let columns = self.table.columns.iter();
        let columns: Vec<String> = columns
            .filter(|(_, column)| !column.is_required)
            .map(|(name, column)| {
                format!("({}, {})", quote(name), quote(self.table.type_name(column)))
            })
            .collect();
        format!(
            "set client_min_messages = warning;\n\
             begin;\n\
             select pg_advisory_xact_lock(7065656) \\g /dev/null\n\
             {}\
             -- Columns that came since. A column never changes its type.\n\
             select format('alter table {} add column %I %s', name, type) from (values {}) wanted (name, type)\n\
             where not exists (select from pg_attribute where attrelid = {}::regclass and attname = name and not attisdropped) \\gexec\n\
             create table if not exists {schema}cxone_loaded (report text, target text, version bigint not null, primary key (report, target));\n\
             insert into {schema}cxone_loaded values ({}, {}, 0) on conflict do nothing;\n\
             {}commit;\n",
            format_args!("{}{}", self.table, self.table.commits_table()),
            table.replace('\'', "''").replace('%', "%%"),
            columns.join(", "),
            quote(table),
            quote(self.report),
            quote(table),
            FUNCTIONS.replace("{schema}", schema),
        )
    }

    /// Loads the version that was staged, in one transaction, if it is the next one or was the last one.
    pub(crate) fn load(&self, of: &Version) -> String {
        let (schema, table) = (self.schema(), &self.table.table);
        let Version {
            number: version,
            unique,
            start,
            end,
            committed_at,
            ..
        } = of;
        let loaded = format!("{schema}cxone_loaded where {}", self.find_loaded());
        let is_turn = format!("exists (select from {loaded} and version = {version})");
        let column = |name: &str| self.table.quote_column(name);
        let (fields, values) = self.read_fields();
        let own = list_own_columns(self.table);
        let commits = self.write_commit(of);
        format!(
            "begin isolation level read committed;\n\
             update {schema}cxone_loaded set version = case when version = {version} - 1 then {version} else version end where {};\n\
             select 1 / (case when (select count(*) from cxone_stage) = {unique} then 1 else 0 end) \\g /dev/null\n\
             delete from {table} where {} >= {start} and {} <= {end}\n    and {is_turn};\n\
             insert into {table} ({fields}{own})\n\
             select {values},\n    {start}, {end}, {version}, {committed_at}\n\
             from (select case when position('\\u0000' in line) = 0 then line\n    \
             else regexp_replace(line, '(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', '\\1\\\\ufffd', 'g') end::jsonb as fields from cxone_stage) staged\n\
             where {is_turn};\n\
             {commits}\
             commit;\n\
             select version, (select count(*) from {table} where {} = {start} and {} = {end} and {} is not null) from {loaded};\n",
            self.find_loaded(),
            column("_window_start"),
            column("_window_end"),
            column("_window_start"),
            column("_window_end"),
            column("_extra"),
        )
    }

    /// Takes the version's place without its rows, which are gone.
    pub(crate) fn skip(&self, of: &Version) -> String {
        let (schema, of_this, version) = (self.schema(), self.find_loaded(), &of.number);
        format!(
            "begin isolation level read committed;\n\
             update {schema}cxone_loaded set version = case when version = {version} - 1 then {version} else version end where {of_this};\n\
             {}commit;\n\
             select version, 0 from {schema}cxone_loaded where {of_this};\n",
            self.write_commit(of)
        )
    }

    /// Keeps what the log says of the version.
    fn write_commit(&self, of: &Version) -> String {
        let (commits, of_this) = (self.table.commits_table(), self.find_loaded());
        let Version {
            number: version,
            entry,
            ..
        } = of;
        let is_turn = format!(
            "exists (select from {}cxone_loaded where {of_this} and version = {version})",
            self.schema()
        );
        let written = format!(
            "delete from {table} where {of_this} and version = {version} and {is_turn};\n\
             insert into {table} ({columns})\n\
             select {report}, {target}, {version}, (entry #>> '{{window,start}}')::timestamptz, (entry #>> '{{window,end}}')::timestamptz,\n    \
             (entry ->> 'generation')::bigint, jsonb_array_length(entry -> 'runs'), (entry ->> 'rows')::bigint, (entry ->> 'unique')::bigint,\n    \
             (entry ->> 'duplicates')::bigint, (entry ->> 'replaced')::bigint, entry ->> 'verification', (entry ->> 'unchanged')::boolean,\n    \
             coalesce(entry ->> 'withdrawn', 'false')::boolean, (entry ->> 'committedAt')::timestamptz\n\
             from (select {entry}::jsonb as entry) logged\n\
             where {is_turn};\n",
            table = commits.table,
            columns = list_commit_columns(&commits),
            report = quote(self.report),
            target = quote(&self.table.table),
        );
        if of.is_entry_optional {
            return format!("\\if :{{?entry}}\n{written}\\endif\n");
        }
        written
    }

    /// The statements before the lines of a version.
    pub(crate) fn begin_stage() -> String {
        format!("{MAKE_STAGE}copy cxone_stage from stdin {STAGED_AS};\n")
    }

    /// The line behind the last one of a version.
    pub(crate) const END_OF_LINES: &'static str = "\\.\n";

    /// The columns that a row's fields go into, and how each is read.
    fn read_fields(&self) -> (String, String) {
        let (mut names, mut values) = (String::new(), String::new());
        let (mut known, mut misfits) = (Vec::new(), String::new());
        for (name, column) in list_fields(self.table) {
            let field = quote(&column.name);
            let value = format!("fields -> {field}");
            let read = self.read_value(column, &value);
            let _ = write!(names, "{name}, ");
            let _ = write!(values, "{read},\n    ");
            if column.column_type != TableType::Value(ColumnType::String) {
                let schema = self.schema();
                let _ = write!(
                    misfits,
                    "\n        || {schema}cxone_misfit({field}, {value}, {read} is not null)"
                );
            }
            known.push(field);
        }
        let known = known.join(", ");
        (
            names,
            format!("{values}nullif((fields - array[{known}]::text[]){misfits}, '{{}}')"),
        )
    }

    fn read_value(&self, column: &TableColumn, value: &str) -> String {
        let schema = self.schema();
        match column.column_type {
            TableType::Value(ColumnType::String) => format!("fields ->> {}", quote(&column.name)),
            TableType::Value(other) => format!("{schema}cxone_{other}({value})"),
            TableType::Json => value.to_owned(),
        }
    }
}

fn quote(text: &str) -> String {
    Warehouse::Postgres.quote_text(text)
}
