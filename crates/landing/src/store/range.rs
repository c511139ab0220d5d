//! Reading an object in pieces, so that memory is bounded and each piece can be asked for again.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use delivery::effects::{Answered, Fault};

use super::client::Store;
use super::error::{ErrorKind, Operation};

/// Bytes of a large object that are in memory at a time.
const PIECE_BYTES: u64 = 2 * 1024 * 1024;

/// The bytes of a body, unless they are more than the cap.
pub(super) async fn collect_body(mut body: ByteStream, cap: u64) -> Result<Vec<u8>, ErrorKind> {
    let too_large = || ErrorKind::Other(format!("the object has more than {cap} bytes"));
    let (least, _) = body.size_hint();
    if least > cap {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(least).unwrap_or_default());
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() as u64 > cap {
            return Err(too_large());
        }
    }
    Ok(bytes)
}

impl Store {
    /// The bytes from `start`, exactly `length` (not zero) of them.
    pub(crate) async fn read_range(&self, key: &str, start: u64, length: u64) -> Answered<Bytes> {
        let range = format!("bytes={start}-{}", start + length - 1);
        let get = || async {
            let object = self
                .client
                .get_object()
                .bucket(self.bucket())
                .key(key)
                .range(&range)
                .send()
                .await?;
            collect_body(object.body, length).await
        };
        let bytes = self.with_retry(Operation::GetObject, key, get).await?;
        if bytes.len() as u64 == length {
            Ok(bytes.into())
        } else {
            Err(Fault::Contract(format!(
                "{key} is shorter than its slot says"
            )))
        }
    }
}

/// The pieces of one object, in order.
#[derive(Debug)]
pub(crate) struct RangeReader<'a> {
    store: &'a Store,
    key: &'a str,
    at: u64,
    end: u64,
}

impl<'a> RangeReader<'a> {
    pub(crate) fn new(store: &'a Store, key: &'a str, bytes: u64) -> Self {
        Self {
            store,
            key,
            at: 0,
            end: bytes,
        }
    }

    /// The next piece; none at the end.
    pub(crate) async fn next_piece(&mut self) -> Answered<Option<Bytes>> {
        let length = PIECE_BYTES.min(self.end - self.at);
        if length == 0 {
            return Ok(None);
        }
        let piece = self.store.read_range(self.key, self.at, length).await?;
        self.at += length;
        Ok(Some(piece))
    }
}
