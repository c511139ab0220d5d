//! How commands write their results: as text for people or as JSON for programs.

use std::fmt::Display;
use std::io::Write;

use clap::ValueEnum;
use definition::text;
use serde::Serialize;

use crate::error::CommandError;
use crate::layout::fit_line;

pub(crate) use definition::text::count_rows;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines to be read by people.
    Text,
    /// For programs: one JSON document.
    Json,
    /// For cxr rows: each row as a JSON document on its own line.
    Ndjson,
    /// For cxr rows: a header and a line for each row.
    Csv,
}

/// The version of the documents that commands print as JSON.
pub(crate) const VERSION: u8 = 1;

pub(crate) struct Output<'a> {
    out: &'a mut dyn Write,
    format: Format,
    width: Option<usize>,
    /// What `kind` the document says to be.
    kind: &'static str,
}

/// A result, and what says how to read it.
#[derive(Serialize)]
struct Document<'r, R> {
    /// None where the result has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<u8>,
    kind: &'static str,
    #[serde(flatten)]
    result: &'r R,
}

/// The kind of document that has a version of its own, because it is also a file.
const VERSIONED: &str = "probe";

/// What is JSON, SQL or YAML to people too, so that a line of it can't be divided.
const VERBATIM: [&str; 4] = ["dbt", "ddl", "new", "sql"];

impl<'a> Output<'a> {
    pub(crate) fn new(
        out: &'a mut dyn Write,
        format: Format,
        width: Option<usize>,
        kind: &'static str,
    ) -> Self {
        Self {
            out,
            format,
            width,
            kind,
        }
    }

    /// Says what kind of document follows, where the command alone does not.
    pub(crate) fn set_kind(&mut self, kind: &'static str) {
        self.kind = kind;
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// How many characters a line has, where it is written to a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether people read it.
    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// Writes a line at once where people read it. What programs read is one document, which is written at the end.
    pub(crate) fn tell(&mut self, line: &str) -> Result<(), CommandError> {
        if !self.is_text() {
            return Ok(());
        }
        for line in line.lines() {
            self.print_fitting(line)?;
        }
        Ok(self.out.flush()?)
    }

    /// Writes a line, as several where the terminal is narrower.
    fn print_fitting(&mut self, line: &str) -> Result<(), CommandError> {
        for line in fit_line(line, self.width) {
            self.print_line(&line)?;
        }
        Ok(())
    }

    /// Writes a result in the format that `--format` names.
    pub(crate) fn print(
        &mut self,
        result: &(impl Display + Serialize),
    ) -> Result<(), CommandError> {
        match self.format {
            Format::Json => self.print_document(result),
            Format::Text | Format::Ndjson | Format::Csv => {
                let text = result.to_string();
                if VERBATIM.contains(&self.kind) {
                    return self.print_text(&text);
                }
                text.lines().try_for_each(|line| self.print_fitting(line))
            }
        }
    }

    /// Writes a result for programs.
    pub(crate) fn print_document(&mut self, result: &impl Serialize) -> Result<(), CommandError> {
        let kind = self.kind;
        let v = (kind != VERSIONED).then_some(VERSION);
        self.print_json(&Document { v, kind, result })
    }

    /// Writes what is JSON whatever `--format` says.
    pub(crate) fn print_json(&mut self, result: &impl Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(result).map_err(std::io::Error::from)?;
        self.print_line(&text)
    }

    pub(crate) fn print_text(&mut self, text: &str) -> Result<(), CommandError> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        Ok(self.out.write_all(bytes)?)
    }

    pub(crate) fn print_line(&mut self, line: &str) -> Result<(), CommandError> {
        Ok(writeln!(self.out, "{line}")?)
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn count_of(count: usize, noun: &str) -> String {
    text::count_of(u64::try_from(count).unwrap_or(u64::MAX), noun)
}

/// A text on one line without control characters: causes quote CXone, and a terminal would obey
/// some of its characters.
pub(crate) fn one_line(text: &str) -> String {
    definition::text::line(text, usize::MAX)
}
