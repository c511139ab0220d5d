//! The bytes of a body that were read and not yet taken.

use super::feed::Feed;
use crate::client::Body;
use crate::error::Error;

/// How much is asked for at once.
const READ: usize = 128 * 1024;

/// A window over a body that moves forward.
pub(super) struct Input {
    feed: Feed,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Input {
    pub(super) fn new(feed: impl Into<Feed>) -> Self {
        Self {
            feed: feed.into(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn take(&mut self, length: usize) {
        self.start += length;
    }

    pub(super) fn body(&self) -> &Body {
        self.feed.body()
    }

    /// Reads until `wanted` bytes are there or the body has ended; says whether there are any more than before.
    pub(super) async fn read(&mut self, wanted: usize) -> Result<bool, Error> {
        let before = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, before);
        let capacity = wanted.max(before) + READ;
        if self.buffer.len() < capacity {
            self.buffer.resize(capacity, 0);
        }
        while !self.ended && (self.end < wanted || self.end == before) {
            let read = self.feed.read(&mut self.buffer[self.end..]).await?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.end > before)
    }
}
