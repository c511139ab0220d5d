//! Creating an object, in one request or in several, and looking at one.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::{Action, Checksum, Refusal, Store};
use delivery::effects::{Answered, Fault};

/// Metadata of a sidecar: what S3 says is the checksum of the data object beside it.
const DATA_CHECKSUM: &str = "data-checksum";

/// Metadata of a sidecar: SHA-256 of the data object beside it, in hex.
const DATA_SHA256: &str = "data-sha256";

/// What tells rows and sidecars from claims for the bucket's lifecycle, whose prefixes can't have a
/// wildcard in their middle.
const TAG: &str = "cxone-reports=data";

/// What a sidecar remembers of the data object beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataMark {
    /// The checksum by which S3 knows the data object.
    pub(crate) checksum: String,
    /// SHA-256 of its bytes, in hex.
    pub(crate) sha256: String,
}

/// What S3 knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) bytes: u64,
    /// Base64; with `-` and a number at its end for an object uploaded in parts.
    pub(super) checksum: Option<String>,
    pub(super) mark: Option<DataMark>,
}

impl Store {
    /// Looks at an object; none if there is no such thing.
    pub(super) async fn head(&self, key: &str) -> Answered<Option<Head>> {
        let head = || {
            self.client
                .head_object()
                .bucket(self.bucket())
                .key(key)
                .checksum_mode(ChecksumMode::Enabled)
                .send()
        };
        let head = match self.attempt(Action::HeadObject, key, head).await {
            Ok(head) => head,
            Err(Refusal::Absent) => return Ok(None),
            Err(refusal) => return Err(self.fault(Action::HeadObject, key, refusal)),
        };
        let metadata = head.metadata.unwrap_or_default();
        let noted = |name: &str| metadata.get(name).cloned();
        Ok(Some(Head {
            bytes: head
                .content_length
                .and_then(|bytes| bytes.try_into().ok())
                .unwrap_or_default(),
            checksum: head.checksum_sha256,
            mark: noted(DATA_CHECKSUM)
                .zip(noted(DATA_SHA256))
                .map(|(checksum, sha256)| DataMark { checksum, sha256 }),
        }))
    }

    /// Creates an object in one request. The name is unique, so that an object that is there
    /// already is this one, stored by a request whose answer was lost.
    pub(crate) async fn create_object(
        &self,
        key: &str,
        content_type: &str,
        body: &Bytes,
        checksum: Checksum,
        mark: Option<&DataMark>,
    ) -> Answered<()> {
        let put = || {
            let mut put = self
                .client
                .put_object()
                .bucket(self.bucket())
                .key(key)
                .if_none_match("*")
                .content_type(content_type)
                .tagging(TAG)
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()));
            if let Some(mark) = mark {
                put = put
                    .metadata(DATA_CHECKSUM, &mark.checksum)
                    .metadata(DATA_SHA256, &mark.sha256);
            }
            // The signed checksum header covers the payload.
            put.customize().disable_payload_signing().send()
        };
        match self.attempt(Action::PutObject, key, put).await {
            Ok(_) => Ok(()),
            Err(Refusal::Exists) => {
                let size = body.len() as u64;
                self.expect(
                    Action::PutObject,
                    key,
                    size,
                    &checksum.base64(),
                    Refusal::Exists,
                )
                .await
            }
            Err(refusal) => Err(self.fault(Action::PutObject, key, refusal)),
        }
    }

    /// Begins an upload in parts.
    pub(crate) async fn begin_upload(&self, key: &str, content_type: &str) -> Answered<String> {
        let create = || {
            self.client
                .create_multipart_upload()
                .bucket(self.bucket())
                .key(key)
                .content_type(content_type)
                .tagging(TAG)
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .send()
        };
        self.attempt(Action::CreateMultipartUpload, key, create)
            .await
            .map_err(|refusal| self.fault(Action::CreateMultipartUpload, key, refusal))?
            .upload_id
            .ok_or_else(|| Fault::Contract("S3 began an upload without an id".to_owned()))
    }

    /// Uploads one part. S3 compares its bytes with the checksum.
    pub(crate) async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        body: &Bytes,
        checksum: Checksum,
    ) -> Answered<CompletedPart> {
        let put = || {
            self.client
                .upload_part()
                .bucket(self.bucket())
                .key(key)
                .upload_id(upload)
                .part_number(number)
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()))
                .customize()
                .disable_payload_signing()
                .send()
        };
        let part = self
            .attempt(Action::UploadPart, key, put)
            .await
            .map_err(|refusal| self.fault(Action::UploadPart, key, refusal))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag)
            .checksum_sha256(checksum.base64())
            .build())
    }

    /// Makes an object of the parts. Whatever S3 answers, the object itself decides: a lost
    /// answer turns into `NoSuchUpload` or 412 when the request is repeated.
    pub(crate) async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
        bytes: u64,
        checksum: &str,
    ) -> Answered<()> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let complete = || {
            self.client
                .complete_multipart_upload()
                .bucket(self.bucket())
                .key(key)
                .upload_id(upload)
                .multipart_upload(parts.clone())
                .if_none_match("*")
                .send()
        };
        let action = Action::CompleteMultipartUpload;
        match self.attempt(action, key, complete).await {
            Ok(done)
                if done
                    .checksum_sha256
                    .as_deref()
                    .is_none_or(|it| it == checksum) =>
            {
                Ok(())
            }
            Ok(_) => Err(Fault::Contract(format!(
                "S3 stored {key} with another checksum"
            ))),
            Err(refusal) => self.expect(action, key, bytes, checksum, refusal).await,
        }
    }

    /// Gives an upload up, so that its parts cost nothing until the bucket's lifecycle comes by.
    pub(crate) async fn abort_upload(&self, key: &str, upload: &str) -> Answered<()> {
        let abort = || {
            self.client
                .abort_multipart_upload()
                .bucket(self.bucket())
                .key(key)
                .upload_id(upload)
                .send()
        };
        match self.attempt(Action::AbortMultipartUpload, key, abort).await {
            Ok(_) | Err(Refusal::NoUpload | Refusal::Absent) => Ok(()),
            Err(refusal) => Err(self.fault(Action::AbortMultipartUpload, key, refusal)),
        }
    }

    /// Whether the object is there after all although S3 refused to make it.
    async fn expect(
        &self,
        action: Action,
        key: &str,
        bytes: u64,
        checksum: &str,
        refusal: Refusal,
    ) -> Answered<()> {
        match self.head(key).await {
            Ok(Some(head))
                if head.bytes == bytes
                    && head.checksum.as_deref().is_none_or(|it| it == checksum) =>
            {
                Ok(())
            }
            Ok(Some(_)) => Err(Fault::Contract(format!(
                "{key} is not what was stored there"
            ))),
            Ok(None) | Err(_) => Err(self.fault(action, key, refusal)),
        }
    }
}
