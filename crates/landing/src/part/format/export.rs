//! Writing stored rows in a format that somebody asked for, some of their columns, or some of the rows.

use std::borrow::Cow;
use std::collections::HashMap;

use definition::OutputFormat;
use delivery::effects::{Answered, Fault};
use serde_json::value::RawValue;

use super::csv::{compact_json, push_text, read_cells};

/// What is written of rows, and how.
#[derive(Clone, Debug)]
pub struct RowExport {
    pub format: OutputFormat,
    /// The columns in their order; without any, NDJSON rows stay as they are stored.
    pub columns: Vec<String>,
    /// A row is written only if each of these columns has this value, as a text.
    pub only: Vec<(String, String)>,
}

/// What a column of a row holds.
enum StoredCell<'r> {
    /// As it stands in a JSON row.
    Json(&'r RawValue),
    /// The text of a CSV cell.
    Text(String),
}

/// The columns that a row has; none for an empty cell.
type StoredRow<'r> = HashMap<Cow<'r, str>, StoredCell<'r>>;

impl RowExport {
    /// What stands before the first row.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.format == OutputFormat::Csv {
            for (nth, name) in self.columns.iter().enumerate() {
                push_separator(&mut out, nth);
                push_text(&mut out, name.as_bytes());
            }
            out.push(b'\n');
        }
        out
    }

    /// Appends a stored row, if it is one of those that are wanted; says whether it is. `names` are those of the part's
    /// header.
    ///
    /// # Errors
    /// If the row is none of this format.
    pub fn write_row(
        &self,
        stored: &[u8],
        format: OutputFormat,
        names: &[String],
        out: &mut Vec<u8>,
    ) -> Answered<bool> {
        let is_same = match format {
            OutputFormat::Ndjson => self.columns.is_empty(),
            OutputFormat::Csv => self.columns == names,
        };
        let is_as_stored = is_same && self.format == format;
        if is_as_stored && self.only.is_empty() {
            out.extend_from_slice(stored);
            return Ok(true);
        }
        let row = read_row(stored, format, names)?;
        if !self.is_wanted(&row) {
            return Ok(false);
        }
        match self.format {
            _ if is_as_stored => out.extend_from_slice(stored),
            OutputFormat::Ndjson => self.push_object(&row, names, out),
            OutputFormat::Csv => self.push_record(&row, out),
        }
        Ok(true)
    }

    fn is_wanted(&self, row: &StoredRow<'_>) -> bool {
        let mut only = self.only.iter();
        only.all(|(column, value)| {
            let cell = row.get(column.as_str()).map(StoredCell::text);
            cell.unwrap_or_default() == *value
        })
    }

    fn push_object(&self, row: &StoredRow<'_>, names: &[String], out: &mut Vec<u8>) {
        let all = if self.columns.is_empty() {
            names
        } else {
            &self.columns
        };
        for (nth, name) in all.iter().enumerate() {
            out.push(if nth == 0 { b'{' } else { b',' });
            push_json(out, name);
            out.push(b':');
            match row.get(name.as_str()) {
                Some(StoredCell::Json(json)) => out.extend_from_slice(json.get().as_bytes()),
                Some(StoredCell::Text(text)) => push_json(out, text),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}\n");
    }

    fn push_record(&self, row: &StoredRow<'_>, out: &mut Vec<u8>) {
        for (nth, name) in self.columns.iter().enumerate() {
            push_separator(out, nth);
            match row.get(name.as_str()) {
                Some(StoredCell::Json(json)) if json.get().starts_with(['{', '[']) => {
                    push_text(out, &compact_json(json.get().as_bytes()));
                }
                Some(StoredCell::Json(json)) if !json.get().starts_with('"') => {
                    out.extend_from_slice(json.get().as_bytes());
                }
                Some(cell) => push_text(out, cell.text().as_bytes()),
                // Readers skip an empty line.
                None if self.columns.len() == 1 => out.extend_from_slice(b"\"\""),
                None => {}
            }
        }
        out.push(b'\n');
    }
}

impl StoredCell<'_> {
    /// The text itself, or any other value as it is written.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Json(json) => match serde_json::from_str(json.get()) {
                Ok(text) => Cow::Owned(text),
                Err(_) => Cow::Borrowed(json.get()),
            },
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

fn read_row<'r>(
    stored: &'r [u8],
    format: OutputFormat,
    names: &'r [String],
) -> Answered<StoredRow<'r>> {
    match format {
        OutputFormat::Ndjson => {
            let members: HashMap<Cow<'r, str>, Option<&'r RawValue>> =
                serde_json::from_slice(stored)
                    .map_err(|_| Fault::Contract("a stored row is no JSON object".to_owned()))?;
            let members = members.into_iter();
            Ok(members
                .filter_map(|(name, value)| Some((name, StoredCell::Json(value?))))
                .collect())
        }
        OutputFormat::Csv => {
            let cells = names.iter().zip(read_cells(stored));
            Ok(cells
                .filter_map(|(name, cell)| {
                    Some((Cow::Borrowed(name.as_str()), StoredCell::Text(cell?)))
                })
                .collect())
        }
    }
}

fn push_separator(out: &mut Vec<u8>, nth: usize) {
    if nth > 0 {
        out.push(b',');
    }
}

fn push_json(out: &mut Vec<u8>, text: &str) {
    // A text can always be written.
    let _ = serde_json::to_writer(out, text);
}
