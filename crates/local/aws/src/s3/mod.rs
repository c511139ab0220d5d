//! S3 over a folder: what the pipeline, boto3 and the AWS CLI use of it.
//!
//! The objects of a bucket are plain files in `{root}/{bucket}/{key}`; what a file can't hold (content type, checksum, uploads under
//! way) is in `{root}/.s3`. A claim (`If-None-Match: *`) is a hard link, so that exactly one of many writers wins, in this process and
//! in others that share the folder.

mod chunked;
mod list;
mod multipart;
mod object;
mod store;
mod wire;

use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response};

use super::reply::S3Error;
use crate::http::Body;
pub(crate) use object::hex;
pub use store::Store;
use wire::Query;
pub(crate) use wire::xml_escape;

/// A request of the S3 API, taken apart.
pub(super) struct S3Call {
    pub(super) operation: &'static str,
    pub(super) bucket: String,
    pub(super) key: String,
    query: Query,
}

impl S3Call {
    /// Reads the operation off method, path and query.
    pub(super) fn read(request: &Request<Incoming>) -> Self {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let has_key = !key.is_empty();
        let operation = match (request.method(), has_key) {
            (&Method::GET, _) if bucket.is_empty() => "ListBuckets",
            (&Method::GET, false) if query.has("location") => "GetBucketLocation",
            (&Method::GET, false) if query.get("list-type") == Some("2") => "ListObjectsV2",
            (&Method::GET, false) if !query.has("uploads") => "ListObjects",
            (&Method::HEAD, false) => "HeadBucket",
            (&Method::PUT, false) => "CreateBucket",
            (&Method::POST, false) if query.has("delete") => "DeleteObjects",
            (&Method::PUT, true) if query.has("partNumber") => "UploadPart",
            (&Method::PUT, true) if request.headers().contains_key("x-amz-copy-source") => {
                "CopyObject"
            }
            (&Method::PUT, true) => "PutObject",
            (&Method::POST, true) if query.has("uploads") => "CreateMultipartUpload",
            (&Method::POST, true) if query.has("uploadId") => "CompleteMultipartUpload",
            (&Method::DELETE, true) if query.has("uploadId") => "AbortMultipartUpload",
            (&Method::DELETE, true) => "DeleteObject",
            (&Method::HEAD, true) => "HeadObject",
            (&Method::GET, true) if query.has("uploadId") => "ListParts",
            (&Method::GET, true) => "GetObject",
            _ => "Unknown",
        };
        Self {
            operation,
            bucket: wire::percent_decode(bucket),
            key: wire::percent_decode(key),
            query,
        }
    }
}

/// The service.
#[derive(Debug, Clone)]
pub struct S3(Arc<Store>);

impl S3 {
    /// Serves the folder `root`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Store::open(root)?)))
    }

    /// The folder behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Carries the call out.
    pub(super) async fn answer(
        &self,
        call: S3Call,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, S3Error> {
        let store = &self.0;
        match call.operation {
            "ListBuckets" => list::buckets(store),
            "CreateBucket" => list::create_bucket(store, &call),
            "HeadBucket" | "GetBucketLocation" => list::describe_bucket(store, &call),
            "ListObjects" | "ListObjectsV2" => list::objects(store, &call),
            "PutObject" => object::put(store, &call, request).await,
            "CopyObject" => object::copy(store, &call, &request),
            "GetObject" => object::get(store, &call, &request, true),
            "HeadObject" => object::get(store, &call, &request, false),
            "DeleteObject" => object::delete(store, &call),
            "DeleteObjects" => object::delete_many(store, &call, request).await,
            "CreateMultipartUpload" => multipart::create(store, &call, &request),
            "UploadPart" => multipart::upload_part(store, &call, request).await,
            "CompleteMultipartUpload" => multipart::complete(store, &call, request).await,
            "AbortMultipartUpload" => multipart::abort(store, &call),
            "ListParts" => multipart::list_parts(store, &call),
            _ => Err(S3Error::not_implemented()),
        }
    }
}
