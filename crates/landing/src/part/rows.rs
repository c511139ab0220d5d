//! Reading the rows of a committed part one after another.

use definition::{Compression, OutputFormat};
use delivery::documents::CommitPart;
use delivery::effects::{Answered, Fault};

use super::format::{self, RecordSplitter};
use super::reader::PartReader;
use crate::store::Store;

/// A part whose rows are being read. Memory depends on the longest row alone.
#[derive(Debug)]
pub struct RowReader<'a> {
    key: &'a str,
    stored: PartReader<'a>,
    record_ends: RecordSplitter,
    /// What is decompressed, and how far it was read.
    text: Vec<u8>,
    at: usize,
    /// The record that was read last.
    record: Vec<u8>,
    columns: Vec<String>,
    rows: u64,
    is_begun: bool,
}

/// What was found in a part that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPart {
    pub rows: u64,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
}

/// The format of a part, by its name.
///
/// # Errors
/// If the name has no ending that this version writes.
pub fn format_of(key: &str) -> Answered<OutputFormat> {
    Ok(parse_name(key)?.0)
}

fn parse_name(key: &str) -> Answered<(OutputFormat, Compression)> {
    format::parse_extension(key).ok_or_else(|| {
        Fault::Contract(format!(
            "{key} has a format that this version can't read; use a newer one"
        ))
    })
}

impl<'a> RowReader<'a> {
    /// A reader at the beginning of a part.
    ///
    /// # Errors
    /// If the part's name does not say how it is written.
    pub fn open(store: &'a Store, part: &'a CommitPart) -> Answered<Self> {
        let (format, compression) = parse_name(&part.key)?;
        Ok(Self {
            key: &part.key,
            stored: PartReader::new(store, &part.key, part.bytes, compression)?,
            record_ends: RecordSplitter::new(format),
            text: Vec::new(),
            at: 0,
            record: Vec::new(),
            columns: Vec::new(),
            rows: 0,
            is_begun: false,
        })
    }

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// If the part can't be read to its end.
    pub async fn read_next(&mut self) -> Answered<bool> {
        if !std::mem::replace(&mut self.is_begun, true)
            && self.record_ends.has_header()
            && self.read_record().await?
        {
            self.columns = format::read_names(&self.record);
        }
        let is_row = self.read_record().await?;
        self.rows += u64::from(is_row);
        Ok(is_row)
    }

    /// The row that was read last, as it is stored, with its line end.
    #[must_use]
    pub fn row(&self) -> &[u8] {
        &self.record
    }

    /// The names of the columns, where the part has a header, once its first row was read.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows were read, and the digest of what is stored.
    #[must_use]
    pub fn finish(self) -> ReadPart {
        ReadPart {
            rows: self.rows,
            sha256: self.stored.into_sha256(),
        }
    }

    /// Reads the next record; false at the end.
    async fn read_record(&mut self) -> Answered<bool> {
        self.record.clear();
        loop {
            let rest = &self.text[self.at..];
            let end = self.record_ends.find_record_end(rest);
            let taken = end.unwrap_or(rest.len());
            self.record.extend_from_slice(&rest[..taken]);
            self.at += taken;
            if end.is_some() {
                return Ok(true);
            }
            self.text.clear();
            self.at = 0;
            match self.stored.next_piece().await? {
                Some(piece) => std::mem::swap(piece, &mut self.text),
                None if self.record.is_empty() => return Ok(false),
                None => {
                    let key = self.key;
                    return Err(Fault::Contract(format!(
                        "{key} ends in the middle of a row"
                    )));
                }
            }
        }
    }
}
