//! The object around the rows: `{"state": …, "data": [rows], "nextPageToken": …}`, its fields in any order.
//!
//! A parser without I/O: it takes bytes as they come, wherever they are cut, appends whole rows to a chunk, and keeps the
//! other fields. What it does not take stays with the caller, who comes back with more.

use definition::text::line;

use super::envelope::{Envelope, parse_field};
use super::row_scanner::RowScanner;
use crate::page::chunk::RowChunk;
use crate::page::scan::{self, ScanStop};

/// The longest field beside the rows, in bytes.
const MAX_FIELD: usize = 256 * 1024;
/// The most fields that an envelope may have.
const MAX_FIELDS: usize = 64;
/// A chunk is full from this size on; it ends with the row that got it there.
const CHUNK_BYTES: usize = 256 * 1024;

/// Why the parser stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ParserStep {
    /// At least this many bytes, counted from the first that was not taken, or the end.
    More(usize),
    /// The rows begin here.
    Rows,
    Full,
    /// All was read; only white space may follow.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Mark,
    Start,
    FirstField,
    Field,
    AfterField,
    FirstRow,
    Row,
    AfterRow,
    End,
}

pub(super) struct EnvelopeParser<E> {
    at: Position,
    pub(super) envelope: E,
    pub(super) rows: u64,
    /// Whether there is a list of rows, however short.
    pub(super) has_row_list: bool,
    pub(super) unknown_fields: Vec<String>,
    seen_fields: Vec<String>,
    max_row: usize,
    row_scanner: RowScanner,
}

impl<E: Envelope + 'static> EnvelopeParser<E> {
    /// The same parser, whichever API the page is of.
    pub(super) fn boxed(self) -> EnvelopeParser<Box<dyn Envelope>> {
        EnvelopeParser {
            at: self.at,
            envelope: Box::new(self.envelope),
            rows: self.rows,
            has_row_list: self.has_row_list,
            unknown_fields: self.unknown_fields,
            seen_fields: self.seen_fields,
            max_row: self.max_row,
            row_scanner: self.row_scanner,
        }
    }
}

impl<E: Envelope> EnvelopeParser<E> {
    pub(super) fn new(envelope: E, max_row: usize) -> Self {
        Self {
            at: Position::Mark,
            envelope,
            rows: 0,
            has_row_list: false,
            unknown_fields: Vec::new(),
            seen_fields: Vec::new(),
            max_row,
            row_scanner: RowScanner::default(),
        }
    }

    /// Whether the rows have begun.
    fn is_in_rows(&self) -> bool {
        matches!(
            self.at,
            Position::FirstRow | Position::Row | Position::AfterRow
        )
    }

    /// Parses as much of `bytes` as it can; gives how many bytes that was, and why it stopped.
    pub(super) fn parse(
        &mut self,
        bytes: &[u8],
        chunk: &mut RowChunk,
    ) -> Result<(usize, ParserStep), String> {
        let mut taken = 0;
        loop {
            let step = match self.at {
                Position::FirstRow | Position::Row | Position::AfterRow => {
                    self.parse_rows(bytes, &mut taken, chunk)?
                }
                _ => self.parse_outside(bytes, &mut taken)?,
            };
            // White space is taken too, so that a body of nothing else does not pile up.
            if let Some(step) = step {
                return Ok((taken, step));
            }
        }
    }

    fn parse_outside(
        &mut self,
        bytes: &[u8],
        taken: &mut usize,
    ) -> Result<Option<ParserStep>, String> {
        if self.at == Position::Mark {
            match bytes {
                [] => return Ok(Some(ParserStep::More(1))),
                [0xef, 0xbb, 0xbf, ..] => *taken = 3,
                [0xef, rest @ ..] if rest.len() < 2 => return Ok(Some(ParserStep::More(3))),
                _ => {}
            }
            // A second mark, or one after white space, is an error, wherever the bytes were cut.
            self.at = Position::Start;
        }
        *taken = scan::skip_space(bytes, *taken);
        let Some(byte) = bytes.get(*taken) else {
            return Ok(Some(if self.at == Position::End {
                ParserStep::End
            } else {
                ParserStep::More(1)
            }));
        };
        match (self.at, byte) {
            (Position::Start, b'{') => self.at = Position::FirstField,
            (Position::Start, _) => return Err("not a JSON object".to_owned()),
            (Position::FirstField | Position::AfterField, b'}') => self.at = Position::End,
            (Position::AfterField, b',') => self.at = Position::Field,
            (Position::FirstField | Position::Field, _) => return self.parse_field(bytes, taken),
            (Position::AfterField, _) => {
                return Err("a comma or a closing brace was expected".to_owned());
            }
            (Position::End, _) => return Err("something follows the JSON object".to_owned()),
            (Position::Mark | Position::FirstRow | Position::Row | Position::AfterRow, _) => {
                return Ok(None);
            }
        }
        *taken += 1;
        Ok(None)
    }

    /// A field with its value; of the rows only the opening bracket.
    fn parse_field(
        &mut self,
        bytes: &[u8],
        taken: &mut usize,
    ) -> Result<Option<ParserStep>, String> {
        match self.try_parse_field(&bytes[*taken..]) {
            // Checked here too, so that it does not depend on how the bytes were cut on their way.
            Ok(length) if length > MAX_FIELD => Err("a field is larger than 256 KiB".to_owned()),
            Ok(length) => {
                *taken += length;
                Ok(self.is_in_rows().then_some(ParserStep::Rows))
            }
            Err(FieldFault::More) if bytes.len() - *taken > MAX_FIELD => {
                Err("a field is larger than 256 KiB".to_owned())
            }
            Err(FieldFault::More) => Ok(Some(ParserStep::More(bytes_wanted(bytes.len() - *taken)))),
            Err(FieldFault::Bad(what)) => Err(what),
        }
    }

    fn try_parse_field(&mut self, bytes: &[u8]) -> Result<usize, FieldFault> {
        let name_end = scan::scan_string(bytes, 0)?;
        let colon = scan::skip_space(bytes, name_end);
        match bytes.get(colon) {
            None => return Err(FieldFault::More),
            Some(b':') => {}
            Some(_) => return Err(FieldFault::Bad("a colon was expected".to_owned())),
        }
        let start = scan::skip_space(bytes, colon + 1);
        let name: String = parse_field(&bytes[..name_end], "a field's name")?;
        let is_rows = name == self.envelope.rows_field();
        if is_rows && bytes.get(start) == Some(&b'[') {
            self.note_field(&name)?;
            self.has_row_list = true;
            self.at = Position::FirstRow;
            return Ok(start + 1);
        }
        let end = scan::scan_value(bytes, start)?;
        self.note_field(&name)?;
        let raw = &bytes[start..end];
        if !is_rows {
            self.keep_field(&name, raw)?;
        } else if raw != b"null" {
            return Err(FieldFault::Bad(format!("{name:?} is not a list")));
        }
        self.at = Position::AfterField;
        Ok(end)
    }

    /// Remembers a field's name, which may not come again.
    fn note_field(&mut self, name: &str) -> Result<(), String> {
        if self.seen_fields.iter().any(|seen| seen == name) {
            return Err(format!("the field {:?} is there twice", line(name, 64)));
        }
        if self.seen_fields.len() == MAX_FIELDS {
            return Err(format!("more than {MAX_FIELDS} fields beside the rows"));
        }
        self.seen_fields.push(name.to_owned());
        Ok(())
    }

    fn keep_field(&mut self, name: &str, raw: &[u8]) -> Result<(), String> {
        let is_known = self.envelope.keep_field(name, raw)?;
        std::str::from_utf8(raw).map_err(|_| "a field is not UTF-8".to_owned())?;
        if !is_known {
            self.unknown_fields.push(line(name, 64));
        }
        Ok(())
    }

    /// The hot loop: whole rows, one after the other, for as long as there are any.
    fn parse_rows(
        &mut self,
        bytes: &[u8],
        taken: &mut usize,
        chunk: &mut RowChunk,
    ) -> Result<Option<ParserStep>, String> {
        loop {
            let at = scan::skip_space(bytes, *taken);
            let Some(byte) = bytes.get(at) else {
                *taken = at;
                return Ok(Some(ParserStep::More(1)));
            };
            match (self.at, byte) {
                (Position::AfterRow, b',') => {
                    self.at = Position::Row;
                    *taken = at + 1;
                }
                (Position::FirstRow | Position::AfterRow, b']') => {
                    self.at = Position::AfterField;
                    *taken = at + 1;
                    return Ok(None);
                }
                (Position::FirstRow | Position::Row, b'{') => {
                    if chunk.bytes.len() >= CHUNK_BYTES {
                        *taken = at;
                        return Ok(Some(ParserStep::Full));
                    }
                    let Some(end) = self.take_row(bytes, at, chunk)? else {
                        *taken = at;
                        return Ok(Some(ParserStep::More(bytes_wanted(bytes.len() - at))));
                    };
                    *taken = end;
                }
                (Position::AfterRow, _) => {
                    return Err(
                        self.describe_bad_row("a comma or a closing bracket was expected after it")
                    );
                }
                _ => return Err(self.describe_bad_row("an object was expected")),
            }
        }
    }

    /// Takes the row at `at` if all of it is there, and says where it ends.
    #[inline]
    fn take_row(
        &mut self,
        bytes: &[u8],
        at: usize,
        chunk: &mut RowChunk,
    ) -> Result<Option<usize>, String> {
        let extent = match self.row_scanner.scan_row(bytes, at, chunk.values_mut()) {
            Ok(extent) => extent,
            Err(ScanStop::Incomplete) if bytes.len() - at <= self.max_row => return Ok(None),
            Err(ScanStop::Incomplete) => return Err(self.describe_large_row()),
            Err(ScanStop::Bad(what)) => return Err(self.describe_bad_row(what)),
        };
        if extent.end - at > self.max_row {
            return Err(self.describe_large_row());
        }
        chunk.push_row(&bytes[at..extent.end], extent.breaks);
        self.rows += 1;
        self.at = Position::AfterRow;
        Ok(Some(extent.end))
    }

    fn describe_large_row(&self) -> String {
        format!(
            "row {} is larger than {} bytes",
            self.rows + 1,
            self.max_row
        )
    }

    fn describe_bad_row(&self, what: &str) -> String {
        format!(
            "row {}: {what}",
            self.rows + u64::from(self.at != Position::AfterRow)
        )
    }
}

/// Why a field can't be parsed.
enum FieldFault {
    More,
    Bad(String),
}

impl From<ScanStop> for FieldFault {
    fn from(stop: ScanStop) -> Self {
        match stop {
            ScanStop::Incomplete => Self::More,
            ScanStop::Bad(what) => Self::Bad(what.to_owned()),
        }
    }
}

impl From<String> for FieldFault {
    fn from(what: String) -> Self {
        Self::Bad(what)
    }
}

/// How many bytes to wait for before an incomplete row or field is scanned again from its beginning. The larger it is, the
/// more, so that a row that trickles in is not scanned a thousand times.
fn bytes_wanted(have: usize) -> usize {
    if have < 16 * 1024 { have + 1 } else { have * 2 }
}
