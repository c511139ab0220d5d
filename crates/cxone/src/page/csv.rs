//! A result that is downloaded as CSV: one page, whose records become rows of JSON.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::input::Input;
use super::scan;
use super::{RowChunk, Said};
use crate::client::Body;
use crate::error::Error;

/// A chunk is full from this size on.
const CHUNK_BYTES: usize = 256 * 1024;
/// The most columns that a file may have.
const MAX_COLUMNS: usize = 1024;
/// The longest name of a column, in bytes. It is in every row, so that a small file with long names would become any
/// amount of rows.
const MAX_NAME: usize = 256;
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
    /// Columns whose values are numbers.
    metrics: Vec<String>,
    columns: Vec<String>,
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

/// The first record, and what it makes of the others.
struct Header {
    record: Vec<u8>,
    ends: Vec<usize>,
    columns: Vec<Column>,
}

struct Column {
    /// `"name":`, with a comma or the brace before it.
    prefix: Vec<u8>,
    is_metric: bool,
}

impl std::fmt::Debug for CsvPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvPage")
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// What the answer that named the file said about it.
pub(crate) struct Announced {
    pub(crate) total: Option<u64>,
    /// Rows that the answer had inline as well.
    pub(crate) inline_rows: u64,
    pub(crate) unknown_fields: Vec<String>,
}

impl CsvPage {
    pub(crate) fn new(
        step: &'static str,
        body: Body,
        definition: &crate::Definition,
        max_row: usize,
        announced: Announced,
    ) -> Self {
        Self {
            step,
            input: Input::new(body),
            reader: ReaderBuilder::new().build(),
            record: vec![0; 4 * 1024],
            ends: vec![0; 64],
            header: None,
            metrics: definition.metrics().to_vec(),
            columns: definition
                .columns()
                .into_iter()
                .map(str::to_owned)
                .collect(),
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
            self.header = Some(self.read_header(length, fields)?);
            return Ok(());
        };
        if record == header.record && ends == header.ends {
            return Ok(());
        }
        if fields != header.columns.len() {
            let expected = header.columns.len();
            return Err(self.fault(format!(
                "record {} has {fields} fields, the header has {expected}",
                self.records
            )));
        }
        let mut start = 0;
        for (column, end) in header.columns.iter().zip(ends) {
            chunk.bytes.extend_from_slice(&column.prefix);
            cell(&record[start..*end], column.is_metric, &mut chunk.bytes);
            start = *end;
        }
        chunk.bytes.push(b'}');
        chunk.end_row();
        Ok(())
    }

    fn read_header(&self, length: usize, fields: usize) -> Result<Header, Error> {
        let (record, ends) = (&self.record[..length], &self.ends[..fields]);
        let mut names: Vec<&str> = Vec::with_capacity(fields);
        let mut columns = Vec::with_capacity(fields);
        let mut start = 0;
        for end in ends {
            let name = std::str::from_utf8(&record[start..*end])
                .map_err(|_| self.fault("the header is not UTF-8"))?;
            if name.is_empty() || names.contains(&name) {
                return Err(self.fault(format!(
                    "column {} of the header has no name of its own",
                    names.len() + 1
                )));
            }
            if name.len() > MAX_NAME {
                return Err(self.fault(format!(
                    "column {} of the header has a name of more than {MAX_NAME} bytes",
                    names.len() + 1
                )));
            }
            let mut prefix = vec![if names.is_empty() { b'{' } else { b',' }];
            text(name.as_bytes(), &mut prefix);
            prefix.push(b':');
            columns.push(Column {
                prefix,
                is_metric: self.metrics.iter().any(|metric| metric == name),
            });
            names.push(name);
            start = *end;
        }
        if let Some(missing) = self
            .columns
            .iter()
            .find(|column| !names.contains(&column.as_str()))
        {
            return Err(self.fault(format!("the header has no column {missing:?}")));
        }
        Ok(Header {
            record: record.to_vec(),
            ends: ends.to_vec(),
            columns,
        })
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
            summary_rows: 0,
            unknown_fields: self.unknown_fields,
        })
    }
}

/// A cell as JSON: a metric that is a number stays the number that it is, to the last digit.
fn cell(bytes: &[u8], is_metric: bool, out: &mut Vec<u8>) {
    if is_metric && bytes.is_empty() {
        out.extend_from_slice(b"null");
    } else if is_metric && is_number(bytes, out) {
        out.extend_from_slice(bytes);
    } else {
        text(bytes, out);
    }
}

fn is_number(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    if !matches!(bytes[0], b'-' | b'0'..=b'9') {
        return false;
    }
    // The scanner wants a byte after a number, so it is shown the number where it will stand.
    let from = out.len();
    out.extend_from_slice(bytes);
    out.push(b',');
    let fits = scan::value(out, from).is_ok_and(|extent| extent.end == out.len() - 1);
    out.truncate(from);
    fits
}

/// A JSON string. UTF-8 goes through as it is; whether it is UTF-8 is checked for the whole chunk.
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = bytes;
    while let Some(at) = rest
        .iter()
        .position(|b| *b < b' ' || matches!(b, b'"' | b'\\'))
    {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            quoted @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', quoted]),
            control => {
                let hex =
                    |digit: u8| char::from_digit(u32::from(digit), 16).map_or(b'0', |c| c as u8);
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex(control >> 4), hex(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
