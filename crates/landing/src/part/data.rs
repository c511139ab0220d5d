//! The data object of a part: compressed and uploaded.

use std::io;

use definition::Compression;
use delivery::effects::{Answered, Fault};

use super::compress::Encoder;
use super::upload::{BUFFER_BYTES, StoredObject, Upload};
use crate::store::{Lifetime, Store};

/// A data object that is being written.
#[derive(Debug)]
pub(super) struct DataWriter {
    encoder: Encoder,
    upload: Upload,
}

impl DataWriter {
    pub(super) fn create(
        store: &Store,
        key: String,
        content_type: &'static str,
        compression: Compression,
    ) -> Answered<Self> {
        Ok(Self {
            encoder: Encoder::new(compression, Upload::new_buffer()).map_err(compression_failed)?,
            upload: Upload::new(store, key, content_type, Lifetime::Limited),
        })
    }

    /// Bytes that have come out of the compressor.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.upload.bytes() + self.encoder.output().len() as u64
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Answered<()> {
        self.encoder.write(bytes).map_err(compression_failed)
    }

    /// Sends the compressor's output if there is enough of it.
    pub(super) async fn send_full_buffer(&mut self) -> Answered<()> {
        if self.encoder.output().len() >= BUFFER_BYTES {
            let full = self.encoder.exchange(bytes::BytesMut::new());
            let empty = self.upload.send(full).await?;
            self.encoder.exchange(empty);
        }
        Ok(())
    }

    pub(super) async fn finish(self) -> Answered<StoredObject> {
        let last = self.encoder.finish().map_err(compression_failed)?;
        self.upload.finish(last).await
    }

    pub(super) async fn discard(self) {
        self.upload.discard().await;
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "map_err hands the error over by value"
)]
pub(super) fn compression_failed(error: io::Error) -> Fault {
    Fault::Contract(format!("the compressor gave up: {error}"))
}
