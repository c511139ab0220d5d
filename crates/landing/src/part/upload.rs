//! Uploading bytes of unknown number with constant memory.
//!
//! Up to one buffer is sent by a single `PutObject`. More is a multipart upload, in which one buffer is
//! in flight while the next one fills. 5 MiB is the smallest part that S3 accepts; two buffers of
//! that size need less memory than two of the 8 MiB that are usual.

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use delivery::Failure;
use delivery::effects::{Answered, Fault};
use tokio::task::JoinSet;

use crate::store::{Checksum, Lifetime, Sha256, Store};

/// A buffer of this size is sent.
pub(super) const BUFFER_BYTES: usize = 5 * 1024 * 1024;

/// Room beyond a full buffer for what the compressor gives out at once.
const BUFFER_SLACK: usize = 512 * 1024;

/// A data object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredObject {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// The checksum by which S3 knows the object.
    pub(super) checksum: String,
}

/// An object that is being uploaded.
#[derive(Debug)]
pub(super) struct Upload {
    store: Store,
    key: String,
    content_type: &'static str,
    lifetime: Lifetime,
    bytes: u64,
    sha256: Sha256,
    multipart: Option<Multipart>,
}

#[derive(Debug)]
struct Multipart {
    id: String,
    checksums: Vec<Checksum>,
    completed: Vec<CompletedPart>,
    /// At most one request; dropped with the upload.
    in_flight: JoinSet<(Answered<CompletedPart>, Bytes)>,
}

impl Upload {
    pub(super) fn new(
        store: &Store,
        key: String,
        content_type: &'static str,
        lifetime: Lifetime,
    ) -> Self {
        Self {
            store: store.clone(),
            key,
            content_type,
            lifetime,
            bytes: 0,
            sha256: Sha256::default(),
            multipart: None,
        }
    }

    pub(super) fn new_buffer() -> BytesMut {
        BytesMut::with_capacity(BUFFER_BYTES + BUFFER_SLACK)
    }

    /// Bytes that were sent or are being sent.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends a full buffer and gives an empty one for it.
    pub(super) async fn send(&mut self, buffer: BytesMut) -> Answered<BytesMut> {
        let checksum = self.count(&buffer);
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            none => none.insert(Multipart {
                id: self
                    .store
                    .begin_upload(&self.key, (self.content_type, self.lifetime))
                    .await?,
                checksums: Vec::new(),
                completed: Vec::new(),
                in_flight: JoinSet::new(),
            }),
        };
        let free = multipart.wait_for_part().await?;
        multipart.send_part(&self.store, &self.key, buffer.freeze(), checksum)?;
        Ok(free.unwrap_or_else(Self::new_buffer))
    }

    /// Sends the last bytes and makes the object appear.
    pub(super) async fn finish(mut self, last: BytesMut) -> Answered<StoredObject> {
        let checksum = self.count(&last);
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
                .create_object(
                    &self.key,
                    (self.content_type, self.lifetime),
                    &last,
                    sha256,
                    None,
                )
                .await?;
            sha256.base64()
        };
        Ok(StoredObject {
            key: self.key,
            bytes: self.bytes,
            sha256: sha256.hex(),
            checksum,
        })
    }

    /// Aborts the upload. No object appears.
    pub(super) async fn discard(mut self) {
        if let Some(mut multipart) = self.multipart.take() {
            // A part that arrives after the abort would be stored, and paid for.
            multipart.in_flight.shutdown().await;
            if let Err(fault) = self.store.abort_upload(&self.key, &multipart.id).await {
                let error = Failure::from(fault);
                tracing::warn!(s3.key = self.key, %error, "an upload could not be aborted");
            }
        }
    }

    /// Sends the last part; gives the checksum by which S3 knows the object.
    async fn complete(&mut self, last: Bytes, checksum: Checksum) -> Answered<String> {
        let Some(multipart) = &mut self.multipart else {
            return Err(Fault::Contract("an upload that was not begun".to_owned()));
        };
        multipart.wait_for_part().await?;
        if !last.is_empty() {
            multipart.send_part(&self.store, &self.key, last, checksum)?;
            multipart.wait_for_part().await?;
        }
        let composite = Checksum::composite(&multipart.checksums);
        let parts = std::mem::take(&mut multipart.completed);
        self.store
            .complete_upload(&self.key, &multipart.id, parts, self.bytes, &composite)
            .await?;
        Ok(composite)
    }

    /// Counts and hashes the next bytes of the object; gives the checksum of these bytes alone.
    fn count(&mut self, buffer: &[u8]) -> Checksum {
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
    fn send_part(
        &mut self,
        store: &Store,
        key: &str,
        body: Bytes,
        checksum: Checksum,
    ) -> Answered<()> {
        self.checksums.push(checksum);
        let number = i32::try_from(self.checksums.len())
            .ok()
            .filter(|number| *number <= 10_000)
            .ok_or_else(|| Fault::Contract("an object of more than 10,000 parts".to_owned()))?;
        let (store, key, id) = (store.clone(), key.to_owned(), self.id.clone());
        self.in_flight.spawn(async move {
            let part = store.upload_part(&key, &id, number, &body, checksum).await;
            (part, body)
        });
        Ok(())
    }

    /// Waits for the part that is in flight, if any; gives its buffer back.
    async fn wait_for_part(&mut self) -> Answered<Option<BytesMut>> {
        let Some(joined) = self.in_flight.join_next().await else {
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
