//! A page whose rows are inline in a JSON object.

mod envelope;
mod parser;
mod row_scanner;
#[cfg(test)]
mod tests;

use crate::error::Error;
use crate::http::Body;

use self::parser::{EnvelopeParser, ParserStep};
use super::chunk::RowChunk;
use super::ending::PageEnding;
use super::input_buffer::InputBuffer;
use super::scan;

pub(crate) use envelope::{Envelope, parse_count, parse_field, parse_text_or_number};

/// A page that is being read, with what stands around its rows.
pub(crate) struct JsonPage<E> {
    step: &'static str,
    input: InputBuffer,
    parser: EnvelopeParser<E>,
}

/// How far an answer was read before its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenedAt {
    /// The first row comes next.
    FirstRow,
    /// The answer ended without a row.
    End,
}

impl<E> std::fmt::Debug for JsonPage<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nothing of the envelope: it may hold a page token and a URL.
        f.debug_struct("JsonPage")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl<E: Envelope + 'static> JsonPage<E> {
    /// The same page, whichever API it is of.
    pub(super) fn boxed(self) -> JsonPage<Box<dyn Envelope>> {
        JsonPage {
            step: self.step,
            input: self.input,
            parser: self.parser.boxed(),
        }
    }
}

impl<E: Envelope> JsonPage<E> {
    pub(crate) fn new(step: &'static str, envelope: E, body: Body, max_row: usize) -> Self {
        Self {
            step,
            input: InputBuffer::new(body),
            parser: EnvelopeParser::new(envelope, max_row),
        }
    }

    pub(super) fn step(&self) -> &'static str {
        self.step
    }

    pub(crate) fn envelope(&self) -> &E {
        &self.parser.envelope
    }

    /// How many rows were read.
    pub(crate) fn row_count(&self) -> u64 {
        self.parser.rows
    }

    /// Whether the answer has a list of rows, however short.
    pub(crate) fn has_row_list(&self) -> bool {
        self.parser.has_row_list
    }

    /// Names of the fields that the API is not known to send, sanitised.
    pub(crate) fn unknown_fields(&self) -> &[String] {
        &self.parser.unknown_fields
    }

    /// Reads up to the first row, or to the end where there is none.
    pub(crate) async fn read_to_rows(&mut self) -> Result<OpenedAt, Error> {
        let mut none = RowChunk::new();
        loop {
            match self.parse_some(&mut none).await? {
                // An empty list is no reason to stop: what follows it may say where the rows are instead.
                ParserStep::Rows if self.row_follows().await? => return Ok(OpenedAt::FirstRow),
                ParserStep::End => return Ok(OpenedAt::End),
                _ => {}
            }
        }
    }

    /// Whether a row comes next in the list that has just begun.
    async fn row_follows(&mut self) -> Result<bool, Error> {
        loop {
            let bytes = self.input.unread_bytes();
            let space = scan::skip_space(bytes, 0);
            if let Some(byte) = bytes.get(space) {
                return Ok(*byte != b']');
            }
            self.input.consume_bytes(space);
            if !self.input.read_more(1).await? {
                return Err(self.cut_off_error());
            }
        }
    }

    /// Reads to the end and drops the rows.
    pub(crate) async fn skip_rows(&mut self) -> Result<(), Error> {
        let mut chunk = RowChunk::new();
        loop {
            chunk.clear();
            self.fill_chunk(&mut chunk).await?;
            if chunk.is_empty() {
                return Ok(());
            }
        }
    }

    /// Appends rows until the chunk is full or the answer has ended.
    pub(super) async fn fill_chunk(&mut self, chunk: &mut RowChunk) -> Result<(), Error> {
        loop {
            match self.parse_some(chunk).await? {
                ParserStep::Full | ParserStep::End => break,
                ParserStep::Rows | ParserStep::More(_) => {}
            }
        }
        if chunk.is_utf8() {
            Ok(())
        } else {
            Err(Error::contract(self.step, "a row is not UTF-8"))
        }
    }

    /// Parses the bytes at hand, reads more where the parser needs them, and says where it stopped.
    async fn parse_some(&mut self, chunk: &mut RowChunk) -> Result<ParserStep, Error> {
        let (taken, step) = self
            .parser
            .parse(self.input.unread_bytes(), chunk)
            .map_err(|what| Error::contract(self.step, what))?;
        self.input.consume_bytes(taken);
        match step {
            ParserStep::More(wanted) if !self.input.read_more(wanted).await? => {
                Err(self.cut_off_error())
            }
            // The end of the object is not the end of the body: what follows has to be read and checked too.
            ParserStep::End if self.input.read_more(1).await? => Ok(ParserStep::More(0)),
            step => Ok(step),
        }
    }

    fn cut_off_error(&self) -> Error {
        let body = self.input.body();
        if body.decoded_bytes() == 0 {
            return Error::contract(self.step, "the answer is empty");
        }
        let what = "the JSON ends in the middle";
        if body.is_framed() {
            Error::contract(self.step, what)
        } else {
            Error::unavailable(self.step, what)
        }
    }

    /// What the answer says beside its rows, once all of it has been read and if it is the page that was asked for.
    pub(super) fn conclude(self) -> Result<PageEnding, Error> {
        let EnvelopeParser {
            envelope,
            rows,
            has_row_list,
            unknown_fields,
            ..
        } = self.parser;
        let (next, total) = envelope.conclude(rows, has_row_list)?;
        Ok(PageEnding {
            next,
            total,
            summary_rows: 0,
            suspect_records: Vec::new(),
            unknown_fields,
        })
    }
}
