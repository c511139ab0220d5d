//! Compare and set: replaces an object only if it is still the one that was found.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{Action, Checksum, OBJECT_CAP, Refusal, Store, range, unique_id};
use delivery::effects::{Answered, CasOutcome, Versioned};

/// Metadata by which a writer knows what it wrote itself: two writers may well write the same bytes.
const MARK: &str = "swap-mark";

impl Store {
    /// The object under a key with its `ETag`.
    pub(super) async fn find(&self, key: &str) -> Answered<Option<Versioned>> {
        let get = || async {
            let object = self
                .client
                .get_object()
                .bucket(self.bucket())
                .key(key)
                .send()
                .await?;
            let tag = object.e_tag.unwrap_or_default();
            let bytes = range::collect(object.body, OBJECT_CAP).await?;
            Ok::<_, Refusal>(Versioned { bytes, etag: tag })
        };
        match self.attempt(Action::GetObject, key, get).await {
            Ok(found) => Ok(Some(found)),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(self.fault(Action::GetObject, key, refusal)),
        }
    }

    /// Replaces what was found. As with a claim a 412 is never believed: it may be the SDK's own
    /// second try that met what the first one stored.
    pub(super) async fn swap(
        &self,
        key: &str,
        body: Vec<u8>,
        found: Option<String>,
    ) -> Answered<CasOutcome> {
        let body = Bytes::from(body);
        let checksum = Checksum::of(&body);
        let mark = unique_id();
        let put = || {
            let put = self
                .client
                .put_object()
                .bucket(self.bucket())
                .key(key)
                .content_type("application/json")
                .metadata(MARK, &mark)
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()));
            match &found {
                Some(tag) => put.if_match(tag),
                None => put.if_none_match("*"),
            }
            .send()
        };
        match self.attempt(Action::PutObject, key, put).await {
            Ok(_) => Ok(CasOutcome::Stored),
            // S3 says of what is to be replaced and is gone that it is absent.
            Err(Refusal::Exists | Refusal::Absent) => self.judge(key, &mark).await,
            Err(refusal) => Err(self.fault(Action::PutObject, key, refusal)),
        }
    }

    /// Whether what is stored is what this writer stored.
    async fn judge(&self, key: &str, mark: &str) -> Answered<CasOutcome> {
        let head = || {
            self.client
                .head_object()
                .bucket(self.bucket())
                .key(key)
                .send()
        };
        match self.attempt(Action::HeadObject, key, head).await {
            Ok(head) => {
                let metadata = head.metadata.unwrap_or_default();
                let ours = metadata.get(MARK).is_some_and(|stored| stored == mark);
                Ok(if ours {
                    CasOutcome::Stored
                } else {
                    CasOutcome::Lost
                })
            }
            Err(Refusal::Absent) => Ok(CasOutcome::Lost),
            Err(refusal) => Err(self.fault(Action::HeadObject, key, refusal)),
        }
    }
}
