//! The bytes of a page that were read and not yet consumed.

use super::byte_source::ByteSource;
use crate::error::Error;
use crate::http::Body;

/// How much is read beyond what is wanted, in bytes.
const READ_AHEAD: usize = 128 * 1024;

/// A window over a body that moves forward.
pub(super) struct InputBuffer {
    source: ByteSource,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl InputBuffer {
    pub(super) fn new(source: impl Into<ByteSource>) -> Self {
        Self {
            source: source.into(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
        }
    }

    pub(super) fn unread_bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume_bytes(&mut self, length: usize) {
        self.start += length;
    }

    pub(super) fn body(&self) -> &Body {
        self.source.body()
    }

    /// Reads until `wanted` bytes are there or the body has ended; says whether there are any more than before.
    pub(super) async fn read_more(&mut self, wanted: usize) -> Result<bool, Error> {
        let before = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, before);
        let capacity = wanted.max(before) + READ_AHEAD;
        if self.buffer.len() < capacity {
            self.buffer.resize(capacity, 0);
        }
        while !self.ended && (self.end < wanted || self.end == before) {
            let read = self.source.read_bytes(&mut self.buffer[self.end..]).await?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.end > before)
    }
}
