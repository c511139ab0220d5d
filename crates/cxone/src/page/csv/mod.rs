//! A result that is downloaded as CSV: one page, whose records become rows of JSON.

mod cell;
mod header;
mod summary;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use self::header::{Header, Naming};
use self::summary::{Held, Labels};
use super::feed::Feed;
use super::input::Input;
use super::{RowChunk, Said};
use crate::error::Error;
use definition::{Definition, Report};

/// A chunk is full from this size on.
const CHUNK_BYTES: usize = 256 * 1024;
/// The most columns that a file may have.
const MAX_COLUMNS: usize = 1024;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A CSV file that is being read.
pub(crate) struct CsvPage {
    step: &'static str,
    input: Input,
    reader: Reader,
    record: Vec<u8>,
    ends: Vec<usize>,
    header: Option<Header>,
    naming: Naming,
    /// Rows at the end that may sum the others up; `None` where files have no such rows.
    held: Option<Held>,
    /// Records read, the header included.
    records: u64,
    started: bool,
    done: bool,
    max_row: usize,
    /// What the envelope said that named the file.
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
        feed: impl Into<Feed>,
        definition: &Definition,
        max_row: usize,
        announced: Announced,
    ) -> Self {
        Self {
            step,
            input: Input::new(feed),
            reader: ReaderBuilder::new().build(),
            record: vec![0; 4 * 1024],
            ends: vec![0; 64],
            header: None,
            naming: Naming::of(definition),
            held: labels(definition).map(Held::new),
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

    pub(super) async fn fill(&mut self, chunk: &mut RowChunk) -> Result<(), Error> {
        if !self.started {
            self.start().await?;
        }
        while !self.done && chunk.bytes.len() < CHUNK_BYTES {
            let Some((length, fields)) = self.read_record().await? else {
                self.done = true;
                break;
            };
            self.records += 1;
            self.row(length, fields, chunk)?;
        }
        if self.done && self.header.is_none() {
            return Err(self.fault("the file is empty: not even a header"));
        }
        if chunk.is_utf8() {
            Ok(())
        } else {
            Err(self.fault("a record is not UTF-8"))
        }
    }

    /// Strips a byte order mark. The reader would strip a second one, or not, as the bytes happen to come.
    async fn start(&mut self) -> Result<(), Error> {
        self.started = true;
        self.input.read(3).await?;
        if self.input.bytes().starts_with(MARK) {
            self.input.take(3);
            self.input.read(3).await?;
        }
        if self.input.bytes().starts_with(MARK) {
            return Err(self.fault("the file begins with two byte order marks"));
        }
        Ok(())
    }

    /// The next record's length and number of fields, in `record` and `ends`.
    async fn read_record(&mut self) -> Result<Option<(usize, usize)>, Error> {
        let (mut written, mut fields) = (0, 0);
        loop {
            // To the reader no input means no more input, so that it must not be shown a gap between two reads.
            if self.input.bytes().is_empty() && !self.input.read(1).await? {
                return self.last_record(written, fields);
            }
            let (result, taken, wrote, ended) = self.reader.read_record(
                self.input.bytes(),
                &mut self.record[written..],
                &mut self.ends[fields..],
            );
            self.input.take(taken);
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.record.len() >= self.max_row => {
                    return Err(self.fault(format!(
                        "record {} is larger than {} bytes",
                        self.records + 1,
                        self.max_row
                    )));
                }
                ReadRecordResult::OutputFull => self.record.resize(self.record.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_COLUMNS => {
                    return Err(self.fault(format!(
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
    fn last_record(
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
                _ => return Err(self.fault("the file ends in the middle of a quoted field")),
            }
        }
    }

    fn row(&mut self, length: usize, fields: usize, chunk: &mut RowChunk) -> Result<(), Error> {
        let (record, ends) = (&self.record[..length], &self.ends[..fields]);
        let Some(header) = &self.header else {
            let header = Header::read(record, ends, &self.naming);
            self.header = Some(header.map_err(|what| self.fault(what))?);
            return Ok(());
        };
        if header.is_repeated(record, ends) {
            return Ok(());
        }
        let number = self.records;
        let taken = match &mut self.held {
            Some(held) if held.may_be(record, ends) => {
                let mut row = Vec::new();
                let row = header.row(record, ends, &mut row).map(|()| row);
                held.hold(row.map_err(|what| (number, what)), chunk)
            }
            held => {
                let released = held.as_mut().map_or(Ok(()), |held| held.release(chunk));
                released.and_then(|()| {
                    header
                        .row(record, ends, &mut chunk.bytes)
                        .map_err(|what| format!("record {number} {what}"))?;
                    chunk.end_row();
                    Ok(())
                })
            }
        };
        taken.map_err(|what| Error::contract(self.step, what))
    }

    fn fault(&self, what: impl Into<String>) -> Error {
        Error::contract(self.step, what)
    }

    pub(super) fn conclude(self, rows: u64) -> Result<Said, Error> {
        if self.inline_rows > 0 && self.inline_rows != rows {
            let inline = self.inline_rows;
            return Err(self.fault(format!(
                "the answer has {inline} rows, and the file that it names has {rows}"
            )));
        }
        Ok(Said {
            next: None,
            total: self.total,
            summary_rows: self.held.map_or(0, |held| held.count()),
            unknown_fields: self.unknown_fields,
        })
    }
}

/// The words of a total at the end of a file. The guide's API has no such rows.
fn labels(definition: &Definition) -> Option<Labels> {
    match &definition.report {
        Report::Analytics(_) => None,
        Report::ReportJobs(report) => Some(Labels::new(&report.total_labels)),
        Report::DataExtraction(_) | Report::DataDownload(_) | Report::Contacts(_) => {
            Some(Labels::new(&[]))
        }
    }
}
