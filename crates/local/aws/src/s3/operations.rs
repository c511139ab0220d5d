//! S3's operations, from the protocol's types to the store and back.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{self, ETag};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::body::stream_file;
use super::listing::Listing;
use super::multipart::{NamedPart, add_part, list_parts};
use super::object::{describe, kept_headers, read_condition, receive};
use super::store::{Meta, Store, StoreError};
use crate::http::text;

/// The operations that exist here; `s3s` answers the others with `NotImplemented`.
pub(super) struct Operations(pub(super) Arc<Store>);

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NoSuchBucket => s3s::S3ErrorCode::NoSuchBucket,
            StoreError::NoSuchKey => s3s::S3ErrorCode::NoSuchKey,
            StoreError::InvalidKey | StoreError::InvalidPartNumber => {
                s3s::S3ErrorCode::InvalidArgument
            }
            StoreError::PreconditionFailed => s3s::S3ErrorCode::PreconditionFailed,
            StoreError::NoSuchUpload => s3s::S3ErrorCode::NoSuchUpload,
            StoreError::InvalidPart => s3s::S3ErrorCode::InvalidPart,
            StoreError::InvalidPartOrder => s3s::S3ErrorCode::InvalidPartOrder,
            StoreError::EntityTooSmall => s3s::S3ErrorCode::EntityTooSmall,
            StoreError::Io(_) => s3s::S3ErrorCode::InternalError,
        };
        Self::with_message(code, error.to_string())
    }
}

// The macro, because the trait of s3s is made with it.
#[async_trait::async_trait]
impl s3s::S3 for Operations {
    async fn list_buckets(
        &self,
        _request: S3Request<dto::ListBucketsInput>,
    ) -> S3Result<S3Response<dto::ListBucketsOutput>> {
        let names = self.0.buckets().map_err(StoreError::from)?.into_iter();
        let buckets = names.map(|name| dto::Bucket {
            name: Some(name),
            creation_date: Some(SystemTime::UNIX_EPOCH.into()),
            ..dto::Bucket::default()
        });
        Ok(S3Response::new(dto::ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..dto::ListBucketsOutput::default()
        }))
    }

    async fn create_bucket(
        &self,
        request: S3Request<dto::CreateBucketInput>,
    ) -> S3Result<S3Response<dto::CreateBucketOutput>> {
        let created = self.0.create_bucket(&request.input.bucket);
        created.map_err(StoreError::from)?;
        Ok(S3Response::new(dto::CreateBucketOutput::default()))
    }

    async fn head_bucket(
        &self,
        request: S3Request<dto::HeadBucketInput>,
    ) -> S3Result<S3Response<dto::HeadBucketOutput>> {
        self.0.bucket(&request.input.bucket)?;
        Ok(S3Response::new(dto::HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<dto::GetBucketLocationInput>,
    ) -> S3Result<S3Response<dto::GetBucketLocationOutput>> {
        self.0.bucket(&request.input.bucket)?;
        Ok(S3Response::new(dto::GetBucketLocationOutput::default()))
    }

    async fn list_objects(
        &self,
        request: S3Request<dto::ListObjectsInput>,
    ) -> S3Result<S3Response<dto::ListObjectsOutput>> {
        let input = request.input;
        let listing = Listing {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref().unwrap_or_default(),
            after: input.marker.as_deref().unwrap_or_default(),
            max_keys: input.max_keys,
            is_encoded: is_url(input.encoding_type.as_ref()),
        };
        let page = listing.read_page(&self.0)?;
        Ok(S3Response::new(dto::ListObjectsOutput {
            prefix: input.prefix.as_deref().map(|it| listing.show(it)),
            delimiter: input.delimiter.as_deref().map(|it| listing.show(it)),
            name: Some(input.bucket.clone()),
            encoding_type: input.encoding_type.clone(),
            max_keys: Some(page.limit),
            is_truncated: Some(page.is_truncated),
            next_marker: page.next,
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            ..dto::ListObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        let input = request.input;
        let after = input.continuation_token.as_ref();
        let after = after.or(input.start_after.as_ref());
        let listing = Listing {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref().unwrap_or_default(),
            after: after.map(String::as_str).unwrap_or_default(),
            max_keys: input.max_keys,
            is_encoded: is_url(input.encoding_type.as_ref()),
        };
        let page = listing.read_page(&self.0)?;
        Ok(S3Response::new(dto::ListObjectsV2Output {
            prefix: input.prefix.as_deref().map(|it| listing.show(it)),
            delimiter: input.delimiter.as_deref().map(|it| listing.show(it)),
            name: Some(input.bucket.clone()),
            encoding_type: input.encoding_type.clone(),
            key_count: Some(page.key_count()),
            max_keys: Some(page.limit),
            is_truncated: Some(page.is_truncated),
            next_continuation_token: page.next,
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            ..dto::ListObjectsV2Output::default()
        }))
    }

    async fn put_object(
        &self,
        request: S3Request<dto::PutObjectInput>,
    ) -> S3Result<S3Response<dto::PutObjectOutput>> {
        let (input, headers) = (request.input, request.headers);
        self.0.bucket(&input.bucket)?;
        let received = receive(&self.0, &headers, input.body, request.trailing_headers).await?;
        let meta = Meta {
            etag: received.etag,
            headers: kept_headers(&headers),
            checksum: received.checksum,
            ..Meta::default()
        };
        let (staged, condition) = (&received.staged.0, read_condition(&headers));
        let meta = self
            .0
            .publish(&input.bucket, &input.key, staged, &condition, meta)?;
        Ok(describe_write(&meta, dto::PutObjectOutput::default()))
    }

    async fn get_object(
        &self,
        request: S3Request<dto::GetObjectInput>,
    ) -> S3Result<S3Response<dto::GetObjectOutput>> {
        let input = &request.input;
        let (file, meta) = self.0.get(&input.bucket, &input.key)?;
        check_read(&request.headers, &meta)?;
        let (bytes, content_range) = select(input.range, meta.size)?;
        let output = dto::GetObjectOutput {
            content_length: i64::try_from(bytes.end - bytes.start).ok(),
            body: Some(stream_file(file, bytes).map_err(StoreError::from)?),
            accept_ranges: Some("bytes".to_owned()),
            last_modified: meta.modified.map(Into::into),
            ..dto::GetObjectOutput::default()
        };
        let with_checksum = input.checksum_mode.is_some() && content_range.is_none();
        let output = dto::GetObjectOutput {
            content_range,
            ..output
        };
        Ok(S3Response::with_headers(
            output,
            describe(&meta, with_checksum),
        ))
    }

    async fn head_object(
        &self,
        request: S3Request<dto::HeadObjectInput>,
    ) -> S3Result<S3Response<dto::HeadObjectOutput>> {
        let input = &request.input;
        let (_, meta) = self.0.get(&input.bucket, &input.key)?;
        check_read(&request.headers, &meta)?;
        let (bytes, content_range) = select(input.range, meta.size)?;
        let with_checksum = input.checksum_mode.is_some() && content_range.is_none();
        let output = dto::HeadObjectOutput {
            content_length: i64::try_from(bytes.end - bytes.start).ok(),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            last_modified: meta.modified.map(Into::into),
            ..dto::HeadObjectOutput::default()
        };
        Ok(S3Response::with_headers(
            output,
            describe(&meta, with_checksum),
        ))
    }

    async fn delete_object(
        &self,
        request: S3Request<dto::DeleteObjectInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectOutput>> {
        self.0.delete(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(dto::DeleteObjectOutput::default()))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<dto::CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
        let input = request.input;
        let headers = kept_headers(&request.headers);
        let id = self.0.create_upload(&input.bucket, &input.key, headers)?;
        Ok(S3Response::new(dto::CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..dto::CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<dto::UploadPartInput>,
    ) -> S3Result<S3Response<dto::UploadPartOutput>> {
        let input = request.input;
        let (folder, _) = self
            .0
            .find_upload(&input.bucket, &input.key, &input.upload_id)?;
        let trailers = request.trailing_headers;
        let received = receive(&self.0, &request.headers, input.body, trailers).await?;
        let part = add_part(&folder, input.part_number, received)?;
        let meta = Meta {
            etag: part.etag,
            checksum: part.checksum,
            ..Meta::default()
        };
        Ok(describe_write(&meta, dto::UploadPartOutput::default()))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<dto::CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
        let input = request.input;
        let (folder, upload) = self
            .0
            .find_upload(&input.bucket, &input.key, &input.upload_id)?;
        let parts = input.multipart_upload.and_then(|upload| upload.parts);
        let named: Option<Vec<NamedPart>> =
            parts.unwrap_or_default().into_iter().map(name).collect();
        let named = named.filter(|named| !named.is_empty());
        let named = named
            .ok_or_else(|| s3_error!(MalformedXML, "The XML you provided was not well-formed"))?;
        let condition = read_condition(&request.headers);
        let meta = self
            .0
            .complete_upload((&folder, upload), &named, &condition)?;
        Ok(S3Response::new(dto::CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(meta.etag)),
            ..dto::CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<dto::AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
        let input = request.input;
        let (folder, _) = self
            .0
            .find_upload(&input.bucket, &input.key, &input.upload_id)?;
        std::fs::remove_dir_all(folder).map_err(StoreError::from)?;
        Ok(S3Response::new(dto::AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(
        &self,
        request: S3Request<dto::ListPartsInput>,
    ) -> S3Result<S3Response<dto::ListPartsOutput>> {
        let input = request.input;
        let (folder, _) = self
            .0
            .find_upload(&input.bucket, &input.key, &input.upload_id)?;
        let parts = list_parts(&folder)?.into_iter();
        let parts = parts.map(|(number, part)| dto::Part {
            part_number: Some(number),
            e_tag: Some(ETag::Strong(part.etag)),
            size: i64::try_from(part.size).ok(),
            ..dto::Part::default()
        });
        Ok(S3Response::new(dto::ListPartsOutput {
            parts: Some(parts.collect()),
            ..dto::ListPartsOutput::default()
        }))
    }
}

/// The answer to a write, whose headers say what was written but not what was sent along.
fn describe_write<T>(meta: &Meta, output: T) -> S3Response<T> {
    let written = Meta {
        etag: meta.etag.clone(),
        checksum: meta.checksum.clone(),
        ..Meta::default()
    };
    S3Response::with_headers(output, describe(&written, true))
}

fn is_url(encoding: Option<&dto::EncodingType>) -> bool {
    encoding.is_some_and(|encoding| encoding.as_str() == dto::EncodingType::URL)
}

/// Checks the conditions of a read.
fn check_read(headers: &hyper::HeaderMap, meta: &Meta) -> S3Result<()> {
    let quoted = format!("\"{}\"", meta.etag);
    let asked = text(headers, "if-match");
    if !asked.is_empty() && asked != "*" && asked != quoted {
        return Err(StoreError::PreconditionFailed.into());
    }
    if text(headers, "if-none-match") == quoted {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

/// The bytes that are asked for, and how the answer names them if they are not the whole object.
fn select(range: Option<dto::Range>, size: u64) -> S3Result<(Range<u64>, Option<String>)> {
    let Some(range) = range else {
        return Ok((0..size, None));
    };
    let bytes = range.check(size)?;
    let named = format!(
        "bytes {}-{}/{size}",
        bytes.start,
        bytes.end.saturating_sub(1)
    );
    Ok((bytes, Some(named)))
}

fn name(part: dto::CompletedPart) -> Option<NamedPart> {
    Some(NamedPart {
        number: part.part_number?,
        etag: part.e_tag?.into_value(),
    })
}
