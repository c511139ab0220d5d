//! Rows on their way from the wire to a part.

use std::fmt;

use definition::rows::{RowEnd, RowValue, Rows};
use xxhash_rust::xxh3::Xxh3;

/// Some rows of a page: about 256 KiB of them, in a buffer that is used again.
///
/// Each row is the JSON object exactly as it was sent, but for raw line breaks between its tokens, followed by `\n`.
#[derive(Debug, Default)]
pub struct RowChunk {
    pub(super) bytes: Vec<u8>,
    ends: Vec<RowEnd>,
    /// Values of those rows that are like the row before.
    values: Vec<RowValue>,
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
            let row = &self.bytes[start..end.bytes - 1];
            start = end.bytes;
            row
        })
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All rows as they are: newline-delimited JSON, each row followed by `\n`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All rows, with what is known of their values. A row whose values are known has the members of the row before it, in
    /// this chunk or the last one of the page.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(&self.bytes, &self.ends, &self.values)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.values.clear();
    }

    /// Appends a row. Valid JSON has raw line breaks only between tokens, so that they can all go.
    #[inline]
    pub(super) fn push_row(&mut self, row: &[u8], breaks: bool) {
        if breaks {
            self.bytes
                .extend(row.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        } else {
            self.bytes.extend_from_slice(row);
        }
        self.end_row();
    }

    /// Where a scanner puts the values of the row that comes next.
    #[inline]
    pub(super) fn values_mut(&mut self) -> &mut Vec<RowValue> {
        &mut self.values
    }

    /// Ends the row whose bytes were appended.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.bytes.push(b'\n');
        self.ends.push(RowEnd {
            bytes: self.bytes.len(),
            values: self.values.len(),
        });
    }

    /// Whether all rows are UTF-8. Each ends in an ASCII byte, so that together they are if each of them is.
    pub(super) fn is_utf8(&self) -> bool {
        simdutf8::basic::from_utf8(&self.bytes).is_ok()
    }

    /// The first row that is not UTF-8.
    pub(super) fn find_not_utf8(&self) -> Option<usize> {
        if self.is_utf8() {
            return None;
        }
        self.iter()
            .position(|row| std::str::from_utf8(row).is_err())
    }
}

/// A hash of a page's rows in their order, to tell whether a page that was read again is the same.
/// Not a defence against somebody who makes collisions on purpose. Displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowDigest(u128);

impl RowDigest {
    pub(super) fn from_hasher(hasher: &Xxh3) -> Self {
        Self(hasher.digest128())
    }
}

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
