//! A warehouse's own command line as a child, which has everything that reaching it needs: addresses, passwords, certificates.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::CommandError;
use crate::output::one_line;

/// How a command line is started.
pub(super) struct Client {
    program: &'static str,
    /// Where it comes from, for those who don't have it.
    package: &'static str,
    arguments: Vec<String>,
}

/// A command line at work: it reads statements, and rows among them.
pub(super) struct Session {
    child: Child,
    statements: ChildStdin,
}

impl Client {
    /// psql. What it connects to is said by its environment, unless a connection is named.
    pub(super) fn psql(database: Option<&str>) -> Self {
        let mut arguments = vec!["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"];
        // An error stops it, and does not quote the row in which it is.
        arguments.extend(["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"]);
        let database = database.map(|database| format!("--dbname={database}"));
        let arguments = arguments.into_iter().map(str::to_owned);
        Self {
            program: "psql",
            package: "PostgreSQL's client",
            arguments: arguments.chain(database).collect(),
        }
    }

    /// DuckDB's, on a file that is made if it does not exist.
    pub(super) fn duckdb(file: &str) -> Self {
        let arguments = ["-no-init", "-batch", "-bail", "-noheader", "-list", file];
        Self {
            program: "duckdb",
            package: "DuckDB's command line (from PyPI: pip install duckdb-cli)",
            arguments: arguments.map(str::to_owned).to_vec(),
        }
    }

    /// Runs statements, and gives what they print.
    pub(super) fn run(&self, statements: &str) -> Result<String, CommandError> {
        let mut session = self.start()?;
        match session.write(statements.as_bytes()) {
            Ok(()) => session.finish(),
            Err(error) => Err(session.fail(error)),
        }
    }

    pub(super) fn start(&self) -> Result<Session, CommandError> {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let unstarted = |error: std::io::Error| CommandError::NoClient {
            program: self.program,
            package: self.package,
            error,
        };
        let mut child = command.spawn().map_err(unstarted)?;
        let statements = child.stdin.take();
        let statements =
            statements.ok_or_else(|| unstarted(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Session { child, statements })
    }
}

impl Session {
    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), CommandError> {
        let written = self.statements.write_all(text);
        written.map_err(|error| database_error(&error.to_string()))
    }

    /// What the statements printed, once the child has ended.
    pub(super) fn finish(self) -> Result<String, CommandError> {
        drop(self.statements);
        let done = self.child.wait_with_output()?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(database_error(said.trim()))
    }

    /// The error with which the child ended, or else this one, after which nothing more is written. Nothing that was begun is kept.
    pub(super) fn fail(self, error: CommandError) -> CommandError {
        self.finish().err().unwrap_or(error)
    }
}

fn database_error(reason: &str) -> CommandError {
    CommandError::Database {
        reason: one_line(reason),
    }
}
