//! Reading an object in pieces, so that memory is bounded and each piece can be asked for again.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{Action, Refusal, Store};
use delivery::effects::{Answered, Fault};

/// How much of a large object is in memory at a time.
const PIECE: u64 = 2 * 1024 * 1024;

/// The bytes of a body, unless they are more than the cap.
pub(super) async fn collect(mut body: ByteStream, cap: u64) -> Result<Vec<u8>, Refusal> {
    let (least, _) = body.size_hint();
    if least > cap {
        return Err(Refusal::Other(format!(
            "the object has more than {cap} bytes"
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(least).unwrap_or_default());
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() as u64 > cap {
            return Err(Refusal::Other(format!(
                "the object has more than {cap} bytes"
            )));
        }
    }
    Ok(bytes)
}

impl Store {
    /// The bytes from `start`, exactly `length` (not zero) of them.
    pub(crate) async fn get_range(&self, key: &str, start: u64, length: u64) -> Answered<Bytes> {
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
            collect(object.body, length).await
        };
        let bytes = self
            .attempt(Action::GetObject, key, get)
            .await
            .map_err(|refusal| self.fault(Action::GetObject, key, refusal))?;
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
    pub(crate) async fn next(&mut self) -> Answered<Option<Bytes>> {
        let length = PIECE.min(self.end - self.at);
        if length == 0 {
            return Ok(None);
        }
        let piece = self.store.get_range(self.key, self.at, length).await?;
        self.at += length;
        Ok(Some(piece))
    }
}
