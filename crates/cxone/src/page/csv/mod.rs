//! A result that is downloaded as CSV: one page, whose records become rows of JSON.

mod cell;
mod header;
mod mismatch;
mod records;
mod rules;
mod summary;
mod swallowed;

use definition::text::{contains_any, count_of};

use self::header::Header;
use self::records::RecordReader;
use self::summary::TrailingTotals;
use self::swallowed::may_hold_records;
use super::byte_source::ByteSource;
use super::chunk::RowChunk;
use super::ending::PageEnding;
use super::input_buffer::InputBuffer;
use crate::error::Error;

pub(crate) use self::rules::{ColumnNames, FileRules};

/// A chunk is full from this size on.
const CHUNK_BYTES: usize = 256 * 1024;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How much of a file is looked at before its header is read, in bytes.
const BEGINNING: usize = 64;
/// Of the records that may hold others no more than this are named.
const MAX_SUSPECTS: usize = 5;

/// What is said of a record or of the header.
const NOT_UTF8: &str = "is not UTF-8; only UTF-8 is taken, so change the report's encoding";

/// A CSV file that is being read.
pub(crate) struct CsvPage {
    step: &'static str,
    input: InputBuffer,
    reader: RecordReader,
    header: Option<Header>,
    /// The file has words in place of a header that mean that there are no rows.
    says_empty: bool,
    rules: FileRules,
    /// Rows at the end that may sum up the others.
    totals: TrailingTotals,
    /// Records read, the header included.
    records: u64,
    /// Headers that were read again.
    repeated_headers: u64,
    /// Rows of the chunks before.
    rows: u64,
    /// The numbers of the first ones that may hold others.
    suspects: Vec<u64>,
    started: bool,
    done: bool,
    max_row: usize,
    /// What the answer that named the file said about it.
    total: Option<u64>,
    inline_rows: u64,
    unknown_fields: Vec<String>,
}

impl std::fmt::Debug for CsvPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvPage")
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// What the answer that named the file said about it.
#[derive(Default)]
pub(crate) struct Announced {
    pub(crate) total: Option<u64>,
    /// Rows that the answer had inline as well.
    pub(crate) inline_rows: u64,
    pub(crate) unknown_fields: Vec<String>,
}

impl CsvPage {
    pub(crate) fn new(
        step: &'static str,
        source: impl Into<ByteSource>,
        rules: FileRules,
        max_row: usize,
        announced: Announced,
    ) -> Self {
        Self {
            step,
            input: InputBuffer::new(source),
            reader: RecordReader::default(),
            header: None,
            says_empty: false,
            totals: TrailingTotals::new(&rules.total_labels),
            rules,
            records: 0,
            repeated_headers: 0,
            rows: 0,
            suspects: Vec::new(),
            started: false,
            done: false,
            max_row,
            total: announced.total,
            inline_rows: announced.inline_rows,
            unknown_fields: announced.unknown_fields,
        }
    }

    pub(super) fn step(&self) -> &'static str {
        self.step
    }

    pub(super) async fn fill_chunk(&mut self, chunk: &mut RowChunk) -> Result<(), Error> {
        if !self.started {
            self.begin().await?;
        }
        let (repeated_headers, before) = (self.repeated_headers, chunk.len());
        while !self.done && chunk.bytes.len() < CHUNK_BYTES {
            if !self.read_record().await? {
                self.done = true;
                break;
            }
            self.records += 1;
            self.convert_record(chunk)?;
        }
        if self.done && self.header.is_none() && !self.says_empty {
            return Err(self.contract_error("the file is empty: not even a header"));
        }
        if let Some(row) = chunk.find_not_utf8() {
            // The header is record 1. A header that is repeated among these rows moves the record further back.
            let first = repeated_headers + self.rows + (row - before) as u64 + 2;
            let last = first + self.repeated_headers - repeated_headers;
            let record = if first == last {
                format!("record {first}")
            } else {
                format!("one of the records {first} to {last}")
            };
            return Err(self.contract_error(format!("{record} {NOT_UTF8}")));
        }
        self.rows += (chunk.len() - before) as u64;
        Ok(())
    }

    /// Strips a byte order mark, and refuses what is no CSV by its first bytes.
    async fn begin(&mut self) -> Result<(), Error> {
        self.started = true;
        self.input.read_more(BEGINNING).await?;
        if self.input.unread_bytes().starts_with(MARK) {
            self.input.consume_bytes(MARK.len());
            self.input.read_more(BEGINNING).await?;
        }
        match find_foreign_form(self.input.unread_bytes()) {
            Some(what) => Err(self.contract_error(what)),
            None => Ok(()),
        }
    }

    /// Reads the next record into the reader; `false` at the end of the file.
    async fn read_record(&mut self) -> Result<bool, Error> {
        loop {
            if self.input.unread_bytes().is_empty() && !self.input.read_more(1).await? {
                let finished = self.reader.finish();
                return finished.map_err(|what| self.record_error(&what));
            }
            let bytes = self.input.unread_bytes();
            let (taken, is_complete) = self
                .reader
                .read(bytes, self.max_row)
                .map_err(|what| self.record_error(&what))?;
            self.input.consume_bytes(taken);
            if is_complete {
                return Ok(true);
            }
        }
    }

    /// What is wrong with the record that is being read. Nothing of its content may be told.
    fn record_error(&self, what: &str) -> Error {
        self.contract_error(format!("record {} {what}", self.records + 1))
    }

    fn convert_record(&mut self, chunk: &mut RowChunk) -> Result<(), Error> {
        let (record, ends) = (&self.reader.record[..], &self.reader.ends[..]);
        let Some(header) = &self.header else {
            return self.take_header();
        };
        if header.is_repeated(record, ends) {
            self.repeated_headers += 1;
            return Ok(());
        }
        let number = self.records;
        // Only quoted cells have line breaks.
        if self.reader.has_quoted_cell
            && self.suspects.len() < MAX_SUSPECTS
            && may_hold_records(record, ends)
        {
            self.suspects.push(number);
        }
        let taken = if self.totals.looks_like_total(record, ends) {
            let mut row = Vec::new();
            let row = header.write_row(record, ends, &mut row).map(|()| row);
            let row = row.map_err(|what| (number, what));
            self.totals.hold_back(row, chunk)
        } else {
            self.totals.release_rows(chunk).and_then(|()| {
                header
                    .write_row(record, ends, &mut chunk.bytes)
                    .map_err(|what| format!("record {number} {what}"))?;
                chunk.end_row();
                Ok(())
            })
        };
        taken.map_err(|what| Error::contract(self.step, what))
    }

    /// Takes the first record: the header, or words in its place.
    fn take_header(&mut self) -> Result<(), Error> {
        if self.says_empty {
            let what = format!("record {} follows words that mean no data", self.records);
            return Err(self.contract_error(what));
        }
        let (record, ends) = (&self.reader.record[..], &self.reader.ends[..]);
        match Header::parse(record, ends, &self.rules) {
            Ok(header) => self.header = Some(header),
            Err(_) if self.means_empty() => self.says_empty = true,
            Err(what) => return Err(self.contract_error(what)),
        }
        Ok(())
    }

    /// Whether the record in place of a header is what CXone says where there are no rows, as the definition names it.
    fn means_empty(&self) -> bool {
        let said = String::from_utf8_lossy(&self.reader.record);
        contains_any(&said, &self.rules.empty_messages)
    }

    fn contract_error(&self, what: impl Into<String>) -> Error {
        Error::contract(self.step, what)
    }

    pub(super) fn conclude(self, rows: u64) -> Result<PageEnding, Error> {
        if self.inline_rows > 0 && self.inline_rows != rows {
            let inline = count_of(self.inline_rows, "row");
            return Err(self.contract_error(format!(
                "the answer has {inline}, and the file that it names has {rows}"
            )));
        }
        Ok(PageEnding {
            next: None,
            total: self.total,
            summary_rows: self.totals.count(),
            suspect_records: self.suspects,
            unknown_fields: self.unknown_fields,
        })
    }
}

/// What a file is by its first bytes, if it is something else than CSV in UTF-8.
fn find_foreign_form(bytes: &[u8]) -> Option<&'static str> {
    let markup =
        |bytes: &[u8]| matches!(bytes, [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'?', ..]);
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some("the file begins with two byte order marks"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("the file is UTF-16; only UTF-8 is taken, so change the report's encoding")
        }
        [0x1f, 0x8b, ..] => Some("the file is packed with gzip twice, and is unpacked once"),
        [b'P', b'K', 3, 4, ..] => Some("the file is a ZIP or an Excel workbook and not CSV"),
        _ if markup(bytes.trim_ascii_start()) => {
            Some("the file is HTML or XML, such as a login page, and not CSV")
        }
        _ => None,
    }
}
