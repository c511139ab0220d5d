//! Reading a stored part from its beginning to its end, decompressed.

use bytes::Bytes;
use definition::Compression;
use delivery::effects::{Answered, Fault};

use super::compress::Decoder;
use super::data::compression_failed;
use crate::store::{Checksum, RangeReader, Sha256, Store};

/// Bytes that are decompressed at once: they may grow a thousandfold.
const DECODE_CHUNK: usize = 4 * 1024;

/// A part that is being read. At most 2 MiB of stored bytes and one decompressed chunk of them are
/// in memory.
#[derive(Debug)]
pub(super) struct PartReader<'a> {
    key: &'a str,
    ranges: RangeReader<'a>,
    compressed: Bytes,
    /// None after the end.
    decoder: Option<Decoder>,
    last_piece: Vec<u8>,
    sha256: Sha256,
}

impl<'a> PartReader<'a> {
    /// A reader of an object of this size.
    pub(super) fn new(
        store: &'a Store,
        key: &'a str,
        bytes: u64,
        compression: Compression,
    ) -> Answered<Self> {
        Ok(Self {
            key,
            ranges: RangeReader::new(store, key, bytes),
            compressed: Bytes::new(),
            decoder: Some(Decoder::new(compression).map_err(compression_failed)?),
            last_piece: Vec::new(),
            sha256: Sha256::default(),
        })
    }

    /// The next decompressed bytes, which the caller clears; none at the end.
    pub(super) async fn next_piece(&mut self) -> Answered<Option<&mut Vec<u8>>> {
        let key = self.key;
        let unreadable = |_| Fault::Contract(format!("{key} can't be decompressed"));
        if self.compressed.is_empty()
            && let Some(bytes) = self.ranges.next_piece().await?
        {
            self.sha256.update(&bytes);
            self.compressed = bytes;
        }
        if self.compressed.is_empty() {
            let Some(mut decoder) = self.decoder.take() else {
                return Ok(None);
            };
            self.last_piece = std::mem::take(decoder.finish().map_err(unreadable)?);
            return Ok(Some(&mut self.last_piece));
        }
        let chunk = self
            .compressed
            .split_to(DECODE_CHUNK.min(self.compressed.len()));
        match &mut self.decoder {
            Some(decoder) => decoder.write(&chunk).map(Some).map_err(unreadable),
            None => Ok(None),
        }
    }

    /// SHA-256 of the stored bytes that were read, in hex.
    pub(super) fn into_sha256(self) -> String {
        Checksum::from_hasher(self.sha256).hex()
    }
}
