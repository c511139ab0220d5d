//! A file of a table: bytes that somebody else encoded, under a name that nobody else uses.

use bytes::BytesMut;
use delivery::effects::Answered;

use super::upload::{BUFFER_BYTES, Upload};
use crate::store::{Lifetime, Store};

/// A file that is being uploaded. Memory holds two buffers of it, however large it becomes.
#[derive(Debug)]
pub struct TableFile {
    buffer: BytesMut,
    upload: Upload,
}

impl TableFile {
    /// Begins a file of Parquet. Nothing is sent yet.
    #[must_use]
    pub fn create(store: &Store, key: String) -> Self {
        let content_type = "application/vnd.apache.parquet";
        Self {
            buffer: Upload::new_buffer(),
            upload: Upload::new(store, key, content_type, Lifetime::Unlimited),
        }
    }

    /// Appends bytes, and sends those that fill a buffer.
    ///
    /// # Errors
    /// If S3 refuses, or does not answer.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Answered<()> {
        while !bytes.is_empty() {
            let room = BUFFER_BYTES.saturating_sub(self.buffer.len());
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = rest;
            if self.buffer.len() >= BUFFER_BYTES {
                let full = std::mem::take(&mut self.buffer);
                self.buffer = self.upload.send(full).await?;
            }
        }
        Ok(())
    }

    /// Sends the last bytes and makes the object appear; gives its size.
    ///
    /// # Errors
    /// If S3 refuses, or does not answer. No object appears then.
    pub async fn finish(self) -> Answered<u64> {
        let stored = self.upload.finish(self.buffer).await?;
        Ok(stored.bytes)
    }

    /// Gives the file up. No object appears.
    pub async fn discard(self) {
        self.upload.discard().await;
    }
}
