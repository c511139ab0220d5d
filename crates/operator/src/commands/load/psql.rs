//! psql as a child, which has everything that reaching a PostgreSQL needs: addresses, passwords, certificates, services.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::CommandError;
use crate::output::one_line;

/// How psql is started.
pub(super) struct Psql<'p> {
    /// What it connects to; without it, its environment says it.
    pub(super) database: Option<&'p str>,
}

/// psql at work: it reads statements, and rows between them.
pub(super) struct Session {
    child: Child,
    statements: ChildStdin,
}

impl Psql<'_> {
    /// Runs statements, and gives what they print.
    pub(super) fn run(&self, statements: &str) -> Result<String, CommandError> {
        let mut session = self.start()?;
        match session.write(statements.as_bytes()) {
            Ok(()) => session.finish(),
            Err(error) => Err(session.fail(error)),
        }
    }

    pub(super) fn start(&self) -> Result<Session, CommandError> {
        let mut command = Command::new("psql");
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        // An error stops it, and does not quote the row in which it is.
        command.args(["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"]);
        command.args(self.database.map(|database| format!("--dbname={database}")));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let unstarted = |error: std::io::Error| CommandError::NoPsql { error };
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

    /// What the statements printed, once psql has ended.
    pub(super) fn finish(self) -> Result<String, CommandError> {
        drop(self.statements);
        let done = self.child.wait_with_output()?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(database_error(said.trim()))
    }

    /// The error with which psql ended, or else this one, after which nothing more is written. Nothing that was begun is kept.
    pub(super) fn fail(self, error: CommandError) -> CommandError {
        self.finish().err().unwrap_or(error)
    }
}

fn database_error(reason: &str) -> CommandError {
    CommandError::Database {
        reason: one_line(reason),
    }
}
