//! Creating a data object or sidecar, in one request or in several, and asking for its head.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use delivery::effects::{Answered, Fault};

use super::checksum::Checksum;
use super::client::Store;
use super::error::{ErrorKind, Operation, S3Error};

/// Metadata of a sidecar: what S3 says is the checksum of the data object beside it.
const DATA_CHECKSUM: &str = "data-checksum";

/// Metadata of a sidecar: SHA-256 of the data object beside it, in hex.
const DATA_SHA256: &str = "data-sha256";

/// The tag of data objects and sidecars. The bucket's lifecycle tells them from claims by it, because its
/// prefixes can't have a wildcard in their middle.
const TAG: &str = "cxone-reports=data";

/// Whether the bucket's lifecycle may delete an object that was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Rows and sidecars, as long as the deployment keeps them.
    Limited,
    /// Files that a table names: without one of them no reader can read the table.
    Unlimited,
}

impl Lifetime {
    fn tag(self) -> Option<&'static str> {
        (self == Self::Limited).then_some(TAG)
    }
}

/// What a sidecar's metadata says of the data object beside it.
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
    /// Asks what S3 knows of an object; none if there is no such object.
    pub(super) async fn head_object(&self, key: &str) -> Answered<Option<Head>> {
        let head = || {
            self.client
                .head_object()
                .bucket(self.bucket())
                .key(key)
                .checksum_mode(ChecksumMode::Enabled)
                .send()
        };
        let head = match self.with_retry(Operation::HeadObject, key, head).await {
            Ok(head) => head,
            Err(S3Error {
                kind: ErrorKind::NotFound,
                ..
            }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let metadata = head.metadata.unwrap_or_default();
        let metadata_of = |name: &str| metadata.get(name).cloned();
        Ok(Some(Head {
            bytes: head
                .content_length
                .and_then(|bytes| bytes.try_into().ok())
                .unwrap_or_default(),
            checksum: head.checksum_sha256,
            mark: metadata_of(DATA_CHECKSUM)
                .zip(metadata_of(DATA_SHA256))
                .map(|(checksum, sha256)| DataMark { checksum, sha256 }),
        }))
    }

    /// Creates an object in one request. The name is unique, so an object that exists already is
    /// this one, stored by a request whose answer was lost.
    pub(crate) async fn create_object(
        &self,
        key: &str,
        (content_type, lifetime): (&str, Lifetime),
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
                .set_tagging(lifetime.tag().map(str::to_owned))
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
        match self.with_retry(Operation::PutObject, key, put).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let size = body.len() as u64;
                self.expect_object(key, size, &checksum.base64(), error)
                    .await
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn begin_upload(
        &self,
        key: &str,
        (content_type, lifetime): (&str, Lifetime),
    ) -> Answered<String> {
        let create = || {
            self.client
                .create_multipart_upload()
                .bucket(self.bucket())
                .key(key)
                .content_type(content_type)
                .set_tagging(lifetime.tag().map(str::to_owned))
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .send()
        };
        self.with_retry(Operation::CreateMultipartUpload, key, create)
            .await?
            .upload_id
            .ok_or_else(|| Fault::Contract("S3 began an upload without an id".to_owned()))
    }

    /// Uploads one part, whose bytes S3 compares with the checksum.
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
        let part = self.with_retry(Operation::UploadPart, key, put).await?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag)
            .checksum_sha256(checksum.base64())
            .build())
    }

    /// Makes an object of the parts. Whatever S3 answers, the object itself decides: if an answer was
    /// lost, the repeated request is answered by `NoSuchUpload` or 412.
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
        let operation = Operation::CompleteMultipartUpload;
        match self.with_retry(operation, key, complete).await {
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
            Err(error) => self.expect_object(key, bytes, checksum, error).await,
        }
    }

    /// Aborts an upload, so that its parts cost nothing until the bucket's lifecycle removes them.
    pub(crate) async fn abort_upload(&self, key: &str, upload: &str) -> Answered<()> {
        let abort = || {
            self.client
                .abort_multipart_upload()
                .bucket(self.bucket())
                .key(key)
                .upload_id(upload)
                .send()
        };
        match self
            .with_retry(Operation::AbortMultipartUpload, key, abort)
            .await
        {
            Ok(_)
            | Err(S3Error {
                kind: ErrorKind::NoSuchUpload | ErrorKind::NotFound,
                ..
            }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the object exists with this size and checksum, although S3 answered the request that
    /// makes it with an error.
    async fn expect_object(
        &self,
        key: &str,
        bytes: u64,
        checksum: &str,
        error: S3Error,
    ) -> Answered<()> {
        let Ok(Some(head)) = self.head_object(key).await else {
            return Err(error.into());
        };
        let is_same =
            head.bytes == bytes && head.checksum.as_deref().is_none_or(|it| it == checksum);
        if is_same {
            Ok(())
        } else {
            Err(Fault::Contract(format!(
                "{key} is not what was stored there"
            )))
        }
    }
}
