//! Splits CSV into records (RFC 4180), wherever its bytes are cut.
//!
//! A record ends at any line end, and an empty line is none. A quote inside an unquoted field is a character like any other: it
//! can't hide the end of a record. Behind a closing quote only a comma, a line end or another quote may stand. Anything else means
//! that the opening quote was none or was never closed, and then records may be swallowed by the field, so that it is refused.

use memchr::{memchr, memchr3};

/// The most columns that a file may have.
const MAX_COLUMNS: usize = 1024;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum RecordPosition {
    /// Before the first byte of a record.
    #[default]
    Between,
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote in a quoted field: it closes the field, unless another one follows.
    AfterQuote,
}

/// The record that is being read: its fields one behind the other, and where each of them ends.
#[derive(Debug, Default)]
pub(super) struct RecordReader {
    at: RecordPosition,
    pub(super) record: Vec<u8>,
    pub(super) ends: Vec<usize>,
    /// Whether one of the fields is quoted.
    pub(super) has_quoted_cell: bool,
}

impl RecordReader {
    /// Takes bytes up to the end of a record, or all of them; says how many, and whether a record is complete. It stays until the
    /// next call.
    pub(super) fn read(&mut self, bytes: &[u8], max_row: usize) -> Result<(usize, bool), String> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let (length, is_complete) = self.step(rest)?;
            taken += length;
            if self.record.len() > max_row {
                return Err(format!("is larger than {max_row} bytes"));
            }
            if is_complete {
                return Ok((taken, true));
            }
        }
        Ok((taken, false))
    }

    /// Ends the file; says whether it ends a record.
    pub(super) fn finish(&mut self) -> Result<bool, String> {
        match self.at {
            RecordPosition::Between => Ok(false),
            RecordPosition::Quoted => Err(format!(
                "has a quote in column {} that is never closed: the file ends in the middle of a quoted field",
                self.column()
            )),
            _ => {
                self.end_field(RecordPosition::Between)?;
                Ok(true)
            }
        }
    }

    /// Takes some bytes; says how many, and whether a record is complete. There is at least one byte.
    #[inline]
    fn step(&mut self, bytes: &[u8]) -> Result<(usize, bool), String> {
        match self.at {
            RecordPosition::Between => {
                let breaks = bytes.iter().take_while(|byte| is_line_end(**byte)).count();
                if breaks < bytes.len() {
                    self.record.clear();
                    self.ends.clear();
                    self.has_quoted_cell = false;
                    self.at = RecordPosition::FieldStart;
                }
                Ok((breaks, false))
            }
            RecordPosition::FieldStart if bytes[0] == b'"' => {
                self.at = RecordPosition::Quoted;
                self.has_quoted_cell = true;
                Ok((1, false))
            }
            RecordPosition::FieldStart | RecordPosition::Unquoted => {
                let end = memchr3(b',', b'\n', b'\r', bytes);
                self.record
                    .extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
                if let Some(end) = end {
                    return Ok((end + 1, self.end_at(bytes[end])?));
                }
                self.at = RecordPosition::Unquoted;
                Ok((bytes.len(), false))
            }
            RecordPosition::Quoted => {
                let end = memchr(b'"', bytes);
                self.record
                    .extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
                if end.is_some() {
                    self.at = RecordPosition::AfterQuote;
                }
                Ok((end.map_or(bytes.len(), |end| end + 1), false))
            }
            RecordPosition::AfterQuote => Ok((1, self.end_quoted(bytes[0])?)),
        }
    }

    /// Whether this byte behind a quote in a quoted field completes the record.
    fn end_quoted(&mut self, byte: u8) -> Result<bool, String> {
        match byte {
            b'"' => {
                self.record.push(b'"');
                self.at = RecordPosition::Quoted;
                Ok(false)
            }
            b',' | b'\n' | b'\r' => self.end_at(byte),
            _ => Err(format!(
                "has something behind a closing quote in column {}, so that a quote is missing there or in a record before, or is not doubled",
                self.column()
            )),
        }
    }

    /// Ends a field at a comma or a line end; says whether the record is complete.
    #[inline]
    fn end_at(&mut self, byte: u8) -> Result<bool, String> {
        let is_complete = byte != b',';
        self.end_field(if is_complete {
            RecordPosition::Between
        } else {
            RecordPosition::FieldStart
        })?;
        Ok(is_complete)
    }

    #[inline]
    fn end_field(&mut self, next: RecordPosition) -> Result<(), String> {
        if self.ends.len() == MAX_COLUMNS {
            return Err(format!("has more than {MAX_COLUMNS} fields"));
        }
        self.ends.push(self.record.len());
        self.at = next;
        Ok(())
    }

    /// The column that is being read, from 1.
    fn column(&self) -> usize {
        self.ends.len() + 1
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::RecordReader;

    /// The records of a text in pieces of this size, each as its fields.
    fn split(text: &str, size: usize) -> Result<Vec<Vec<String>>, String> {
        let mut reader = RecordReader::default();
        let mut records = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (taken, is_complete) = reader.read(rest, 64)?;
                rest = &rest[taken..];
                if is_complete {
                    records.push(fields(&reader));
                }
            }
        }
        if reader.finish()? {
            records.push(fields(&reader));
        }
        Ok(records)
    }

    fn fields(reader: &RecordReader) -> Vec<String> {
        let text = String::from_utf8(reader.record.clone()).unwrap();
        let starts = [0].into_iter().chain(reader.ends.iter().copied());
        let fields = starts.zip(&reader.ends);
        fields
            .map(|(from, to)| text[from..*to].to_owned())
            .collect()
    }

    #[test]
    fn quotes_hold_what_they_surround_and_are_characters_elsewhere() {
        for (text, records) in [
            ("a,b\r\nc,d", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("\n\r\na\r\r\n\n,\n", vec![vec!["a"], vec!["", ""]]),
            (
                "\"a\"\"\r\nb\",\"\"\n\"\"\"\"",
                vec![vec!["a\"\r\nb", ""], vec!["\""]],
            ),
            (
                "5\" pipe,6\"\nx\"y\"z, \"q\"",
                vec![vec!["5\" pipe", "6\""], vec!["x\"y\"z", " \"q\""]],
            ),
        ] {
            for size in 1..=text.len() {
                assert_eq!(split(text, size).unwrap(), records, "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn a_quote_that_may_have_swallowed_records_is_refused_and_nothing_is_shown() {
        let behind = "has something behind a closing quote in column 2, ";
        let open = "has a quote in column 2 that is never closed";
        for (text, what) in [
            ("a,\"needs call back\nb,5\" pipe\n", behind),
            ("a,\"urgent\" call\n", behind),
            ("a,\"b\" ,c\n", behind),
            ("a,\"b\"\u{e9}\n", behind),
            ("a,\"b\"c\"\n", behind),
            ("a,\"needs call back\nb,c\n", open),
            ("a,\"b\"\"", open),
            ("a,\"", open),
        ] {
            for size in 1..=text.len() {
                let error = split(text, size).unwrap_err();
                assert!(error.starts_with(what), "{text:?} by {size}: {error}");
            }
        }
        let wide = ",".repeat(1024);
        assert_eq!(split(&wide, 7).unwrap_err(), "has more than 1024 fields");
        let large = format!("\"{}\"", "x".repeat(65));
        assert_eq!(split(&large, 80).unwrap_err(), "is larger than 64 bytes");
    }
}
