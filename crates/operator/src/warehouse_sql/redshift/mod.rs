//! How a version is loaded into Amazon Redshift: `COPY` by its manifest, then the same transaction as in PostgreSQL. Each statement is
//! written once: for the file for psql, which names variables, and for the state machine of infra/redshift, which fills in the values.
//!
//! Values are staged as texts, because `COPY` into typed columns refuses a whole window for one value that does not fit, and the
//! names are compared in any case, because without that every field with an upper-case letter is null.

mod machine;
mod script;
mod version;

use std::fmt::Write as _;

use definition::{
    ColumnType, Compression, CreateTable, OutputFormat, TableColumn, TableType, TypeBasis,
};

use self::version::VersionValues;
use super::{list_commit_columns, list_fields, list_own_columns};

pub(crate) use machine::LoadInput;

/// A table, and the report whose versions are loaded into it.
pub(crate) struct RedshiftLoad<'l> {
    pub(crate) table: &'l CreateTable,
    /// The report's folder; for the state machine, which is told of the prefix, without that.
    pub(crate) report: &'l str,
    pub(crate) compression: Compression,
}

/// The bookkeeping of all tables.
const CREATE_LOADED: &str = "create table if not exists cxone_loaded (report varchar(1024), target varchar(512), version bigint not null);\n";

/// The patterns of texts that are values of a type.
const LONG: &str = "'^[+-]?[0-9]{1,18}([.]0*)?$'";
const DOUBLE: &str = "'^[+-]?[0-9]{1,100}([.][0-9]{0,100})?([eE][+-]?[0-9]{1,2})?$'";
const TIMESTAMP: &str = "'^([12][0-9]{3}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)|([12][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)-02-29)([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?(Z|[+-][01][0-9]:?[0-5][0-9])?)?$'";

impl RedshiftLoad<'_> {
    fn quote(&self, text: &str) -> String {
        self.table.warehouse.quote_text(text)
    }

    /// What the rows have to be stored as, if they are stored in another way. `COPY` reads CSV by position, and would put values into
    /// wrong columns once a definition's columns have changed; and fields of JSON by name, and would leave out one that the table
    /// calls differently.
    pub(crate) fn find_obstacle(table: &CreateTable, format: OutputFormat) -> Option<&'static str> {
        if format != OutputFormat::Ndjson {
            return Some("NDJSON alone; set pipeline.format to ndjson");
        }
        let names = table.columns.iter();
        let mut names = names.filter(|(_, column)| column.basis != TypeBasis::Own);
        let is_other = |(name, column): &(String, TableColumn)| {
            name.to_lowercase() != column.name.to_lowercase()
        };
        names.any(is_other).then_some(
            "columns that Redshift calls as they are stored; set pipeline.columnNames to snake",
        )
    }

    /// What `COPY` has to know of the files.
    fn describe_files(&self) -> String {
        let format = "format json 'auto ignorecase'";
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

    /// The condition that finds the report and the table in the bookkeeping.
    fn find_loaded(&self, of: &VersionValues) -> String {
        let target = self.quote(&self.table.table);
        format!("report = {} and target = {target}", of.report)
    }

    /// The condition that holds once the version has taken its place in the bookkeeping.
    fn is_turn(&self, of: &VersionValues) -> String {
        format!(
            "exists (select 1 from cxone_loaded where {} and version = {})",
            self.find_loaded(of),
            of.number
        )
    }

    /// Enters the report and the table, of which nothing was loaded yet.
    fn register(&self, of: &VersionValues) -> String {
        format!(
            "insert into cxone_loaded select {}, {}, 0\n    where not exists (select 1 from cxone_loaded where {});\n",
            of.report,
            self.quote(&self.table.table),
            self.find_loaded(of)
        )
    }

    /// The version that the table holds.
    fn read_version(&self, of: &VersionValues) -> String {
        format!(
            "select version from cxone_loaded where {};\n",
            self.find_loaded(of)
        )
    }

    fn make_stage(&self) -> String {
        let stage: Vec<String> = list_fields(self.table)
            .map(|(name, _)| format!("{name} varchar(65535)"))
            .collect();
        format!(
            "create temporary table cxone_stage ({});\n",
            stage.join(", ")
        )
    }

    fn copy(&self, of: &VersionValues) -> String {
        format!(
            "copy cxone_stage from {} iam_role default manifest {};\n",
            of.manifest,
            self.describe_files()
        )
    }

    /// The statements that make a version visible, if it is the next one or was the last one.
    fn replace_window(&self, of: &VersionValues) -> [String; 4] {
        let (table, is_turn, of_this) = (&self.table.table, self.is_turn(of), self.find_loaded(of));
        let VersionValues {
            number: version,
            unique,
            start,
            end,
            committed_at,
            ..
        } = of;
        let (names, values) = self.read_fields();
        let own = list_own_columns(self.table);
        let window_start = self.table.quote_column("_window_start");
        let window_end = self.table.quote_column("_window_end");
        [
            format!(
                "update cxone_loaded set version = case when version = {version} - 1 then {version} else version end where {of_this};\n"
            ),
            format!(
                "select 1 / (case when (select count(*) from cxone_stage) = {unique} then 1 else 0 end) as counted;\n"
            ),
            format!(
                "delete from {table} where {window_start} >= {start} and {window_end} <= {end}\n    and {is_turn};\n"
            ),
            format!(
                "insert into {table} ({names}{own})\n\
                 select {values},\n    {start}::timestamptz, {end}::timestamptz, {version}, {committed_at}::timestamptz\n\
                 from cxone_stage where {is_turn};\n"
            ),
        ]
    }

    /// Keeps what the log says of the version.
    fn write_commit(&self, of: &VersionValues) -> [String; 2] {
        let (commits, is_turn) = (self.table.commits_table(), self.is_turn(of));
        let (table, of_this) = (&commits.table, self.find_loaded(of));
        let VersionValues {
            number: version,
            start,
            end,
            committed_at,
            ..
        } = of;
        [
            format!("delete from {table} where {of_this} and version = {version} and {is_turn};\n"),
            format!(
                "insert into {table} ({columns})\n\
                 select {report}, {target}, {version}, {start}::timestamptz, {end}::timestamptz,\n    \
                 {}, {}, {}, {},\n    {}, {}, {},\n    {},\n    {}, {committed_at}::timestamptz\n\
                 where {is_turn};\n",
                of.generation,
                of.run_count,
                of.rows,
                of.unique,
                of.duplicates,
                of.replaced,
                of.verification,
                of.unchanged,
                of.withdrawn,
                columns = list_commit_columns(&commits),
                report = of.report,
                target = self.quote(&self.table.table),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use regex::Regex;

    use super::*;

    #[test]
    fn every_day_and_time_that_there_is_is_read_and_no_other() {
        let pattern = Regex::new(TIMESTAMP.trim_matches('\'')).unwrap();
        for year in [1000, 1900, 1999, 2000, 2024, 2026, 2100, 2400] {
            for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
                let text = format!("{year}-{month:02}-{day:02}");
                let exists = Date::new(year, month, day).is_ok();
                assert_eq!(pattern.is_match(&text), exists, "{text}");
            }
        }
        for (text, is_read) in [
            ("2026-10-31T23:59:59.123+0200", true),
            ("2028-02-29 05:30Z", true),
            ("2026-11-30Tx", false),
            ("2026-11-30T25:00Z", false),
            ("2026-11-30T05:30Z, later", false),
        ] {
            assert_eq!(pattern.is_match(text), is_read, "{text}");
        }
    }
}
