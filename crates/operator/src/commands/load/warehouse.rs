//! The warehouses that rows are loaded into: what each is told, and by which command line.

use definition::{CreateTable, Warehouse};
use delivery::documents::Commit;

use super::client::{Client, Session};
use crate::error::CommandError;
use crate::warehouse_sql::{DuckDbLoad, PostgresLoad, Version};

/// The warehouses that there are loads for.
pub(super) const WAREHOUSES: &[Warehouse] = &[Warehouse::Postgres, Warehouse::DuckDb];

/// The statements of a warehouse.
enum Statements<'l> {
    Postgres(PostgresLoad<'l>),
    DuckDb(DuckDbLoad<'l>),
}

/// A table in a warehouse, and what reaches it.
pub(super) struct LoadedTable<'l> {
    client: Client,
    statements: Statements<'l>,
}

/// A version that is being staged.
pub(super) struct Staging<'s> {
    session: Session,
    statements: &'s Statements<'s>,
}

impl<'l> LoadedTable<'l> {
    /// The table that the rows of a report are loaded into.
    pub(super) fn new(
        table: &'l CreateTable,
        report: &'l str,
        database: Option<&str>,
    ) -> Result<Self, CommandError> {
        if table.warehouse == Warehouse::DuckDb {
            return Ok(Self {
                client: Client::duckdb(database.ok_or(CommandError::NoDatabase)?),
                statements: Statements::DuckDb(DuckDbLoad { table, report }),
            });
        }
        Ok(Self {
            client: Client::psql(database),
            statements: Statements::Postgres(PostgresLoad { table, report }),
        })
    }

    /// The version that the table holds, once there is a table.
    pub(super) fn open(&self) -> Result<u64, CommandError> {
        let said = match &self.statements {
            Statements::DuckDb(load) => self.client.run(&load.open())?,
            Statements::Postgres(load) => {
                let read = load.read_version();
                let said = self.client.run(&read)?;
                if said.trim().is_empty() {
                    self.client.run(&load.set_up())?;
                    self.client.run(&read)?
                } else {
                    said
                }
            }
        };
        parse_numbers(&said).map(|[version]| version)
    }

    /// Takes the version's place without its rows; gives the version that is held then.
    pub(super) fn skip(&self, commit: &Commit) -> Result<u64, CommandError> {
        let sql = match &self.statements {
            Statements::Postgres(load) => load.skip(&Version::of(commit)),
            Statements::DuckDb(load) => load.skip(commit),
        };
        parse_numbers(&self.client.run(&sql)?).map(|[version, _]| version)
    }

    /// Begins to stage a version.
    pub(super) fn stage(&self) -> Result<Staging<'_>, CommandError> {
        let session = self.client.start()?;
        let mut staging = Staging {
            session,
            statements: &self.statements,
        };
        let begin = match &self.statements {
            Statements::Postgres(_) => PostgresLoad::begin_stage(),
            Statements::DuckDb(_) => DuckDbLoad::begin_stage(),
        };
        match staging.session.write(begin.as_bytes()) {
            Ok(()) => Ok(staging),
            Err(error) => Err(staging.fail(error)),
        }
    }
}

impl Staging<'_> {
    /// Stages rows of NDJSON, each of which ends with a line feed.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), CommandError> {
        match self.statements {
            Statements::Postgres(_) => self.session.write(lines),
            Statements::DuckDb(_) => self.session.write(&DuckDbLoad::stage_rows(lines)),
        }
    }

    /// Loads what was staged, in one transaction; gives the version that is held then, and how many of its rows have something in `_extra`.
    pub(super) fn load(mut self, commit: &Commit) -> Result<[u64; 2], CommandError> {
        let sql = match self.statements {
            Statements::Postgres(load) => {
                PostgresLoad::END_OF_LINES.to_owned() + &load.load(&Version::of(commit))
            }
            Statements::DuckDb(load) => load.load(commit),
        };
        match self.session.write(sql.as_bytes()) {
            Ok(()) => parse_numbers(&self.session.finish()?),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Gives the version up, of which nothing is kept.
    pub(super) fn fail(self, error: CommandError) -> CommandError {
        self.session.fail(error)
    }
}

/// The numbers of the one line that the command line prints.
fn parse_numbers<const N: usize>(said: &str) -> Result<[u64; N], CommandError> {
    let numbers: Option<Vec<u64>> = said.trim().split('|').map(|it| it.parse().ok()).collect();
    let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| CommandError::Database {
        reason: "the answer can't be read; does its command line print more than it was asked for?"
            .to_owned(),
    })
}
