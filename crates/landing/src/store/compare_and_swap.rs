//! Compare and swap: replaces an object only if it is still the one that was found.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use delivery::effects::{Answered, CasOutcome, Versioned};
use uuid::Uuid;

use super::checksum::Checksum;
use super::client::Store;
use super::error::{ErrorKind, Operation, S3Error};
use super::range::collect_body;

/// The largest object that is read whole. No claim is larger; a larger object was not written by us.
const MAX_OBJECT_BYTES: u64 = 16 * 1024 * 1024;

/// Metadata that holds an id of the write, so that a writer recognises its own object: two writers may
/// write the same bytes.
const WRITE_ID: &str = "swap-mark";

impl Store {
    /// The object under a key with its `ETag`.
    pub(super) async fn find_versioned(&self, key: &str) -> Answered<Option<Versioned>> {
        let get = || async {
            let object = self
                .client
                .get_object()
                .bucket(self.bucket())
                .key(key)
                .send()
                .await?;
            let tag = object.e_tag.unwrap_or_default();
            let bytes = collect_body(object.body, MAX_OBJECT_BYTES).await?;
            Ok::<_, ErrorKind>(Versioned { bytes, etag: tag })
        };
        match self.with_retry(Operation::GetObject, key, get).await {
            Ok(found) => Ok(Some(found)),
            Err(S3Error {
                kind: ErrorKind::NotFound,
                ..
            }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces what was found. As with a claim, a 412 alone does not decide: it may be the SDK's
    /// second try, which met what the first one stored.
    pub(super) async fn compare_and_swap(
        &self,
        key: &str,
        body: Vec<u8>,
        found: Option<String>,
    ) -> Answered<CasOutcome> {
        let body = Bytes::from(body);
        let checksum = Checksum::of(&body);
        let write_id = Uuid::new_v4().simple().to_string();
        let put = || {
            let put = self
                .client
                .put_object()
                .bucket(self.bucket())
                .key(key)
                .content_type("application/json")
                .metadata(WRITE_ID, &write_id)
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()));
            match &found {
                Some(tag) => put.if_match(tag),
                None => put.if_none_match("*"),
            }
            .send()
        };
        match self.with_retry(Operation::PutObject, key, put).await {
            Ok(_) => Ok(CasOutcome::Stored),
            // If the object that is to be replaced is gone, S3 answers 404.
            Err(S3Error {
                kind: ErrorKind::AlreadyExists | ErrorKind::NotFound,
                ..
            }) => self.read_back(key, &write_id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what is stored is what this writer stored.
    async fn read_back(&self, key: &str, write_id: &str) -> Answered<CasOutcome> {
        let head = || {
            self.client
                .head_object()
                .bucket(self.bucket())
                .key(key)
                .send()
        };
        match self.with_retry(Operation::HeadObject, key, head).await {
            Ok(head) => {
                let metadata = head.metadata.unwrap_or_default();
                let ours = metadata.get(WRITE_ID).is_some_and(|id| id == write_id);
                Ok(if ours {
                    CasOutcome::Stored
                } else {
                    CasOutcome::Lost
                })
            }
            Err(S3Error {
                kind: ErrorKind::NotFound,
                ..
            }) => Ok(CasOutcome::Lost),
            Err(error) => Err(error.into()),
        }
    }
}
