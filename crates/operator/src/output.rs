//! How commands write their results: as text for people or as JSON for programs.

use std::fmt::Display;
use std::io::Write;

use clap::ValueEnum;
use definition::text::group_thousands;
use serde::Serialize;

use crate::error::CommandError;

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
        self.print_line(line)?;
        Ok(self.out.flush()?)
    }

    /// Writes a result in the format that `--format` names.
    pub(crate) fn print(
        &mut self,
        result: &(impl Display + Serialize),
    ) -> Result<(), CommandError> {
        match self.format {
            Format::Json => self.print_document(result),
            Format::Text | Format::Ndjson | Format::Csv => Ok(write!(self.out, "{result}")?),
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
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `1 row`, `2,000 rows`.
pub(crate) fn count_rows(rows: u64) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{} {noun}", group_thousands(rows))
}

/// A text on one line without control characters: causes quote CXone, and a terminal would obey
/// some of its characters.
pub(crate) fn one_line(text: &str) -> String {
    definition::text::line(text, usize::MAX)
}
