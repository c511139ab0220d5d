//! `cxr load`: a report's rows into a table, version by version as the log has them.

mod client;
mod warehouse;

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::text::group_thousands;
use definition::{Catalogue, Definition, OutputFormat, Warehouse, Window};
use delivery::documents::{Commit, CommitPart};
use schemars::JsonSchema;
use serde::Serialize;

use self::warehouse::{LoadedTable, WAREHOUSES};
use super::ddl::{table_error, warehouse_parser};
use crate::bucket::{PartPresence, RowExport};
use crate::definition_file;
use crate::error::CommandError;
use crate::output::{Output, count_rows};
use crate::place::PlaceArgs;
use crate::survey::{LoggedReport, Survey};

/// Load a report into a table of PostgreSQL or DuckDB: every version that is new, one after the other, each once (runs psql or duckdb).
///
/// It makes the table, and adds columns that the definition has since. It may be stopped anywhere, run again at any time and
/// twice at once: who queries the table sees a window as one version has it, or as another has it. Beside the table it keeps
/// what the log says of each version, in `cxone_commits`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  PGSERVICE=warehouse cxr load postgres daily-agent-performance --table reports.daily
  cxr load postgres daily --database postgres://loader@db.example.com/warehouse
  cxr load duckdb daily --database warehouse.duckdb

One process at a time opens a file of DuckDB: while another one does, this ends with CXO154.
A password is better in the file .pgpass or in PGPASSWORD than on the command line, where others see it.
Reading rows needs the stack's ConsumerPolicy beside its OperatorPolicy.")]
pub(super) struct LoadArgs {
    /// The warehouse.
    #[arg(value_name = "WAREHOUSE", value_parser = warehouse_parser(WAREHOUSES))]
    warehouse: Warehouse,
    /// The report, by name or the beginning of one.
    report: String,
    /// What the table is called: NAME or SCHEMA.NAME; without it, as the report.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The definition that says what the columns are; without it, the one that the report was asked for with last.
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// The file of DuckDB, or what psql connects to, such as `postgres://USER@HOST/DATABASE`; without it, PGHOST, PGSERVICE and the like say that.
    #[arg(long, value_name = "FILE|CONNECTION")]
    database: Option<String>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// What was loaded.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Loading {
    /// What to type for the report.
    report: String,
    /// The table, in quotes.
    table: String,
    /// The version that the table holds now.
    version: u64,
    /// The versions that were loaded now, the oldest first.
    loaded: Vec<LoadedVersion>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LoadedVersion {
    version: u64,
    window: Window,
    rows: u64,
    /// Rows with something in `_extra`: a field without a column, or a value that does not fit its column's type.
    rows_with_extra: u64,
    /// Whether its rows are gone, and a later version brings others.
    skipped: bool,
}

impl LoadArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
    ) -> Result<u8, CommandError> {
        let report = survey.find_log(&self.report).await?;
        let definition = self.read_definition(&report)?;
        let name = self.table.as_deref();
        let table = definition.create_table(self.warehouse, Catalogue::builtin(), name);
        let file = self
            .definition
            .unwrap_or_else(|| PathBuf::from(&report.address));
        let table = table.map_err(|error| table_error(error, file))?;
        let root = report.known.keys.root();
        let load = Loader {
            survey,
            report: &report,
            table: LoadedTable::new(&table, root, self.database.as_deref())?,
        };
        let (version, loaded) = load.load_all(output).await?;
        output.print(&Loading {
            report: report.address.clone(),
            table: table.table.clone(),
            version,
            loaded,
        })?;
        Ok(0)
    }

    fn read_definition(&self, report: &LoggedReport) -> Result<Definition, CommandError> {
        match &self.definition {
            Some(file) => {
                let file = definition_file::read_definition(file, Catalogue::builtin())?;
                Ok(file.definition)
            }
            None => report.definition().cloned(),
        }
    }
}

struct Loader<'l> {
    survey: &'l Survey,
    report: &'l LoggedReport,
    table: LoadedTable<'l>,
}

impl Loader<'_> {
    /// Loads what is new in the log; gives the version that the table holds then, and what was loaded.
    async fn load_all(
        &self,
        output: &mut Output<'_>,
    ) -> Result<(u64, Vec<LoadedVersion>), CommandError> {
        let commits = &self.report.known.commits;
        let mut version = self.table.open()?;
        let head = commits.last().map_or(0, |commit| commit.version);
        if version > head {
            return Err(CommandError::AheadOfLog { version, head });
        }
        let mut loaded = Vec::new();
        while let Some(commit) = commits.iter().find(|commit| commit.version == version + 1) {
            let (now, line) = self.load(commit).await?;
            // Somebody else may load as well, and be further.
            version = now;
            output.tell(&line.to_string())?;
            loaded.push(line);
        }
        Ok((version, loaded))
    }

    /// Loads the version behind the one that is held; gives the version that is held then.
    async fn load(&self, commit: &Commit) -> Result<(u64, LoadedVersion), CommandError> {
        let skipped = match self.find_rows(commit).await {
            Ok(()) => false,
            // Its rows may be gone if a later version brings others. What is held stays until that one is loaded.
            Err(CommandError::BadPart { .. }) if self.is_replaced_later(commit) => true,
            Err(error) => return Err(error),
        };
        let [version, rows_with_extra] = if skipped {
            [self.table.skip(commit)?, 0]
        } else {
            self.stage_and_load(commit).await?
        };
        Ok((
            version,
            LoadedVersion {
                version: commit.version,
                window: commit.window,
                rows: if skipped { 0 } else { commit.unique },
                rows_with_extra,
                skipped,
            },
        ))
    }

    async fn stage_and_load(&self, commit: &Commit) -> Result<[u64; 2], CommandError> {
        let mut staging = self.table.stage()?;
        let lines = RowExport {
            format: OutputFormat::Ndjson,
            columns: Vec::new(),
            only: Vec::new(),
        };
        for part in &commit.parts {
            let write = &mut |text: &[u8]| staging.write(text);
            let copied = self.survey.bucket.copy_rows(part, &lines, u64::MAX, write);
            if let Err(error) = copied.await {
                return Err(staging.fail(error));
            }
        }
        // Whatever is wrong with a part is known before the statements are written that keep its rows.
        staging.load(commit)
    }

    /// Whether all parts are there, so that a load that can't succeed is not begun.
    async fn find_rows(&self, commit: &Commit) -> Result<(), CommandError> {
        let parts: Vec<&CommitPart> = commit.parts.iter().collect();
        let found = self.survey.bucket.find_parts(&parts).await?;
        let bad = parts.iter().zip(found).find(|(part, found)| {
            !matches!(found, PartPresence::Stored { bytes } if *bytes == part.bytes)
        });
        match bad {
            None => Ok(()),
            Some((part, _)) => Err(CommandError::BadPart {
                key: part.key.clone(),
                problem: format!(
                    "it is gone or not what was committed, and no later version replaces version {}",
                    commit.version
                ),
            }),
        }
    }

    fn is_replaced_later(&self, commit: &Commit) -> bool {
        self.report
            .known
            .commits
            .iter()
            .any(|later| later.version > commit.version && later.window.contains(&commit.window))
    }
}

impl fmt::Display for LoadedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}  {}  ", self.version, self.window)?;
        if self.skipped {
            return f.write_str("its rows are gone, and a later version replaces it");
        }
        f.write_str(&count_rows(self.rows))?;
        match self.rows_with_extra {
            0 => Ok(()),
            some => write!(f, ", {} with something in _extra", group_thousands(some)),
        }
    }
}

impl fmt::Display for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            report,
            table,
            version,
            ..
        } = self;
        writeln!(f, "{table} holds {report} up to version {version}")
    }
}
