//! A page of rows, read as a stream.

use std::fmt;

use crate::error::Error;
use crate::ids::PageToken;

/// Some rows of a page: about 256 KiB of them, in a buffer that is used again.
///
/// Each row is the JSON object exactly as it was sent, but for raw line breaks between its tokens, followed by `\n`.
#[derive(Debug, Default)]
pub struct RowChunk {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowChunk {
    /// An empty chunk, which allocates nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows, without their line ends.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let row = &self.bytes[start..end - 1];
            start = *end;
            row
        })
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All rows as they are: newline-delimited JSON, each row followed by `\n`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A hash of a page's rows in their order, to tell whether a page that was read again is the same.
/// Not a defence against somebody who makes collisions on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowDigest(u128);

impl fmt::Display for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowDigest({self})")
    }
}

/// What a page said beside its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageToken>,
    /// How many rows the whole result has, where the API says so.
    pub total: Option<u64>,
    /// How many rows this page had.
    pub rows: u64,
    /// A hash of the rows, each followed by `\n`, in their order.
    pub digest: RowDigest,
    /// Names of the envelope's fields that this crate does not know, sanitised, at most 16.
    pub unknown_fields: Vec<String>,
}

/// A page that is being read.
#[derive(Debug)]
pub struct Page {}

impl Page {
    /// Replaces the chunk's rows by the next ones; `false` when there are no more (and the chunk is empty).
    pub async fn fill(&mut self, _chunk: &mut RowChunk) -> Result<bool, Error> {
        unimplemented!()
    }

    /// Checks that the page was read to its end and was whole, and says what it said beside its rows.
    pub async fn finish(self) -> Result<PageEnd, Error> {
        unimplemented!()
    }
}
