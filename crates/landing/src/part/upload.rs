//! Uploading bytes of unknown number with constant memory.
//!
//! Less than one buffer is a single `PutObject`. More is a multipart upload, in which one buffer is on
//! its way while the next one fills. 5 MiB is the smallest part that S3 takes; two of those cost
//! less memory than one of 8 MiB and one that waits for it.

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;

use super::data::Stored;
use crate::store::{Checksum, Sha256, Store};
use delivery::effects::{Answered, Fault};

/// A buffer of this size is sent.
pub(super) const FULL: usize = 5 * 1024 * 1024;

/// Room for what comes out of the compressor at once, beyond a full buffer.
const SLACK: usize = 512 * 1024;

/// An object that is being uploaded.
#[derive(Debug)]
pub(super) struct Upload {
    store: Store,
    key: String,
    content_type: &'static str,
    bytes: u64,
    sha256: Sha256,
    multipart: Option<Multipart>,
}

#[derive(Debug)]
struct Multipart {
    id: String,
    checksums: Vec<Checksum>,
    completed: Vec<CompletedPart>,
    /// At most one; dropped with the upload.
    on_its_way: JoinSet<(Answered<CompletedPart>, Bytes)>,
}

impl Upload {
    pub(super) fn new(store: &Store, key: String, content_type: &'static str) -> Self {
        Self {
            store: store.clone(),
            key,
            content_type,
            bytes: 0,
            sha256: Sha256::default(),
            multipart: None,
        }
    }

    /// An empty buffer.
    pub(super) fn buffer() -> BytesMut {
        BytesMut::with_capacity(FULL + SLACK)
    }

    /// Bytes sent, or on their way.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends a full buffer and gives an empty one for it.
    pub(super) async fn send(&mut self, buffer: BytesMut) -> Answered<BytesMut> {
        let checksum = self.add(&buffer);
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            none => none.insert(Multipart {
                id: self
                    .store
                    .begin_upload(&self.key, self.content_type)
                    .await?,
                checksums: Vec::new(),
                completed: Vec::new(),
                on_its_way: JoinSet::new(),
            }),
        };
        let free = multipart.arrived().await?;
        multipart.start(&self.store, &self.key, buffer.freeze(), checksum)?;
        Ok(free.unwrap_or_else(Self::buffer))
    }

    /// Sends the last bytes and makes the object appear.
    pub(super) async fn finish(mut self, last: BytesMut) -> Answered<Stored> {
        let checksum = self.add(&last);
        let sha256 = Checksum::from_hasher(self.sha256.clone());
        let last = last.freeze();
        let checksum = if self.multipart.is_some() {
            match self.complete(last, checksum).await {
                Ok(composite) => composite,
                Err(fault) => {
                    self.discard().await;
                    return Err(fault);
                }
            }
        } else {
            self.store
                .create(&self.key, self.content_type, &last, sha256, None)
                .await?;
            sha256.base64()
        };
        Ok(Stored {
            key: self.key,
            bytes: self.bytes,
            sha256: sha256.hex(),
            checksum,
        })
    }

    /// Gives up. Nothing appears.
    pub(super) async fn discard(mut self) {
        if let Some(mut multipart) = self.multipart.take() {
            // A part that arrives after the abort would be stored, and paid for.
            multipart.on_its_way.shutdown().await;
            if let Err(fault) = self.store.abort_upload(&self.key, &multipart.id).await {
                tracing::warn!(s3.key = self.key, ?fault, "an upload could not be aborted");
            }
        }
    }

    /// Sends the last part; gives the checksum by which S3 knows the object.
    async fn complete(&mut self, last: Bytes, checksum: Checksum) -> Answered<String> {
        let Some(multipart) = &mut self.multipart else {
            return Err(Fault::Contract("an upload that was not begun".to_owned()));
        };
        multipart.arrived().await?;
        if !last.is_empty() {
            multipart.start(&self.store, &self.key, last, checksum)?;
            multipart.arrived().await?;
        }
        let composite = Checksum::composite(&multipart.checksums);
        let parts = std::mem::take(&mut multipart.completed);
        self.store
            .complete_upload(&self.key, &multipart.id, parts, self.bytes, &composite)
            .await?;
        Ok(composite)
    }

    /// Counts bytes; gives their own checksum.
    fn add(&mut self, buffer: &[u8]) -> Checksum {
        self.sha256.update(buffer);
        let first = self.bytes == 0;
        self.bytes += buffer.len() as u64;
        if first {
            Checksum::from_hasher(self.sha256.clone())
        } else {
            Checksum::of(buffer)
        }
    }
}

impl Multipart {
    fn start(&mut self, store: &Store, key: &str, body: Bytes, checksum: Checksum) -> Answered<()> {
        self.checksums.push(checksum);
        let number = i32::try_from(self.checksums.len())
            .ok()
            .filter(|number| *number <= 10_000)
            .ok_or_else(|| Fault::Contract("an object of more than 10,000 parts".to_owned()))?;
        let (store, key, id) = (store.clone(), key.to_owned(), self.id.clone());
        self.on_its_way.spawn(async move {
            let part = store.upload_part(&key, &id, number, &body, checksum).await;
            (part, body)
        });
        Ok(())
    }

    /// Waits for the part that is on its way; gives its buffer back.
    async fn arrived(&mut self) -> Answered<Option<BytesMut>> {
        let Some(joined) = self.on_its_way.join_next().await else {
            return Ok(None);
        };
        let (part, body) =
            joined.map_err(|_| Fault::Unavailable("an upload was interrupted".to_owned()))?;
        self.completed.push(part?);
        let buffer = body.try_into_mut().ok();
        Ok(buffer.map(|mut buffer| {
            buffer.clear();
            buffer
        }))
    }
}
