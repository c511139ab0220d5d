//! A result that is downloaded as CSV: one page, whose records become rows of JSON.

mod cell;
mod header;
mod rules;
mod summary;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use self::header::Header;
use self::summary::{TotalLabels, TrailingTotals};
use super::byte_source::ByteSource;
use super::chunk::RowChunk;
use super::ending::PageEnding;
use super::input_buffer::InputBuffer;
use crate::error::Error;

pub(crate) use self::rules::{ColumnNames, FileRules};

/// A chunk is full from this size on.
const CHUNK_BYTES: usize = 256 * 1024;
/// The most columns that a file may have.
const MAX_COLUMNS: usize = 1024;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A CSV file that is being read.
pub(crate) struct CsvPage {
    step: &'static str,
    input: InputBuffer,
    reader: Reader,
    record: Vec<u8>,
    ends: Vec<usize>,
    header: Option<Header>,
    rules: FileRules,
    /// Rows at the end that may sum up the others; `None` where files have no such rows.
    totals: Option<TrailingTotals>,
    /// Records read, the header included.
    records: u64,
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
            reader: ReaderBuilder::new().build(),
            record: vec![0; 4 * 1024],
            ends: vec![0; 64],
            header: None,
            totals: rules
                .total_labels
                .as_deref()
                .map(|own| TrailingTotals::new(TotalLabels::new(own))),
            rules,
            records: 0,
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
            self.skip_byte_order_mark().await?;
        }
        while !self.done && chunk.bytes.len() < CHUNK_BYTES {
            let Some((length, fields)) = self.read_record().await? else {
                self.done = true;
                break;
            };
            self.records += 1;
            self.convert_record(length, fields, chunk)?;
        }
        if self.done && self.header.is_none() {
            return Err(self.contract_error("the file is empty: not even a header"));
        }
        if chunk.is_utf8() {
            Ok(())
        } else {
            Err(self.contract_error("a record is not UTF-8"))
        }
    }

    /// Strips a byte order mark. The reader would strip a second one, or not, as the bytes happen to come.
    async fn skip_byte_order_mark(&mut self) -> Result<(), Error> {
        self.started = true;
        self.input.read_more(3).await?;
        if self.input.unread_bytes().starts_with(MARK) {
            self.input.consume_bytes(3);
            self.input.read_more(3).await?;
        }
        if self.input.unread_bytes().starts_with(MARK) {
            return Err(self.contract_error("the file begins with two byte order marks"));
        }
        Ok(())
    }

    /// The next record's length and number of fields, in `record` and `ends`.
    async fn read_record(&mut self) -> Result<Option<(usize, usize)>, Error> {
        let (mut written, mut fields) = (0, 0);
        loop {
            // To the reader no input means no more input, so that it must not be shown a gap between two reads.
            if self.input.unread_bytes().is_empty() && !self.input.read_more(1).await? {
                return self.finish_last_record(written, fields);
            }
            let (result, taken, wrote, ended) = self.reader.read_record(
                self.input.unread_bytes(),
                &mut self.record[written..],
                &mut self.ends[fields..],
            );
            self.input.consume_bytes(taken);
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.record.len() >= self.max_row => {
                    return Err(self.contract_error(format!(
                        "record {} is larger than {} bytes",
                        self.records + 1,
                        self.max_row
                    )));
                }
                ReadRecordResult::OutputFull => self.record.resize(self.record.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_COLUMNS => {
                    return Err(self.contract_error(format!(
                        "record {} has more than {MAX_COLUMNS} fields",
                        self.records + 1
                    )));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok(Some((written, fields))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// The record that the end of the file ends. The reader is shown a line end instead, because that ends a record
    /// anywhere but inside of quotes, where the file was cut off.
    fn finish_last_record(
        &mut self,
        written: usize,
        fields: usize,
    ) -> Result<Option<(usize, usize)>, Error> {
        let (mut written, mut fields, mut input) = (written, fields, &b"\n"[..]);
        loop {
            let (result, taken, wrote, ended) = self.reader.read_record(
                input,
                &mut self.record[written..],
                &mut self.ends[fields..],
            );
            input = &input[taken..];
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::Record => return Ok(Some((written, fields))),
                ReadRecordResult::OutputFull => self.record.resize(self.record.len() + 1, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() + 1, 0),
                _ if written == 0 && fields == 0 => return Ok(None),
                _ => {
                    return Err(
                        self.contract_error("the file ends in the middle of a quoted field")
                    );
                }
            }
        }
    }

    fn convert_record(
        &mut self,
        length: usize,
        fields: usize,
        chunk: &mut RowChunk,
    ) -> Result<(), Error> {
        let (record, ends) = (&self.record[..length], &self.ends[..fields]);
        let Some(header) = &self.header else {
            let header = Header::parse(record, ends, &self.rules);
            self.header = Some(header.map_err(|what| self.contract_error(what))?);
            return Ok(());
        };
        if header.is_repeated(record, ends) {
            return Ok(());
        }
        let number = self.records;
        let taken = match &mut self.totals {
            Some(totals) if totals.looks_like_total(record, ends) => {
                let mut row = Vec::new();
                let row = header.write_row(record, ends, &mut row).map(|()| row);
                totals.hold_back(row.map_err(|what| (number, what)), chunk)
            }
            totals => {
                let released = totals
                    .as_mut()
                    .map_or(Ok(()), |totals| totals.release_rows(chunk));
                released.and_then(|()| {
                    header
                        .write_row(record, ends, &mut chunk.bytes)
                        .map_err(|what| format!("record {number} {what}"))?;
                    chunk.end_row();
                    Ok(())
                })
            }
        };
        taken.map_err(|what| Error::contract(self.step, what))
    }

    fn contract_error(&self, what: impl Into<String>) -> Error {
        Error::contract(self.step, what)
    }

    pub(super) fn conclude(self, rows: u64) -> Result<PageEnding, Error> {
        if self.inline_rows > 0 && self.inline_rows != rows {
            let inline = self.inline_rows;
            return Err(self.contract_error(format!(
                "the answer has {inline} rows, and the file that it names has {rows}"
            )));
        }
        Ok(PageEnding {
            next: None,
            total: self.total,
            summary_rows: self.totals.map_or(0, |totals| totals.count()),
            unknown_fields: self.unknown_fields,
        })
    }
}
