//! What comes in with an object: its bytes, its checksum, the headers that are kept, the condition.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use s3s::dto::StreamingBlob;
use s3s::{S3Result, StdError, TrailingHeaders};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::checksum::Checksum;
use super::store::{Condition, Meta, Staged, Store, StoreError};
use crate::http::text;

/// The headers that are kept with an object.
const KEPT: [&str; 5] = [
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
];

/// A body that has come in whole.
pub(super) struct Received {
    pub(super) staged: Staged,
    pub(super) etag: String,
    pub(super) checksum: Option<Checksum>,
}

/// Writes a body into a file; refuses it if its checksum is another one.
pub(super) async fn receive(
    store: &Store,
    headers: &HeaderMap,
    body: Option<StreamingBlob>,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Received> {
    let staged = Staged(store.temporary());
    let file = tokio::fs::File::create(&staged.0).await;
    let mut file = tokio::io::BufWriter::with_capacity(1 << 18, file.map_err(StoreError::from)?);
    let (mut sha256, mut crc32) = (Sha256::new(), flate2::Crc::new());
    if let Some(mut body) = body {
        while let Some(piece) = body.try_next().await.map_err(explain_broken_body)? {
            sha256.update(&piece);
            crc32.update(&piece);
            file.write_all(&piece).await.map_err(StoreError::from)?;
        }
    }
    file.flush().await.map_err(StoreError::from)?;
    let hash = sha256.finalize();
    let trailers = trailers.and_then(|trailers| trailers.take());
    let checksum = Checksum::find(headers, &trailers.unwrap_or_default());
    if let Some(checksum) = &checksum {
        checksum.verify(&hash, crc32.sum())?;
    }
    Ok(Received {
        staged,
        etag: hex::encode(&hash[..16]),
        checksum,
    })
}

fn explain_broken_body(error: StdError) -> s3s::S3Error {
    // The type of this error is private to s3s.
    let code = match error.to_string() {
        text if text.contains("Sha256Mismatch") => {
            s3s::S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into())
        }
        _ => s3s::S3ErrorCode::IncompleteBody,
    };
    let mut broken = s3s::S3Error::with_source(code, error);
    broken.set_status_code(hyper::StatusCode::BAD_REQUEST);
    broken
}

/// The headers that S3 keeps with the object.
pub(super) fn kept_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in headers {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else {
            continue;
        };
        // The transfer's own encoding is not the object's.
        let value = if name == "content-encoding" {
            value
                .trim_start_matches("aws-chunked")
                .trim_start_matches(',')
        } else {
            value
        };
        let keep = KEPT.contains(&name) || name.starts_with("x-amz-meta-");
        if keep && !value.is_empty() {
            kept.insert(name.to_owned(), value.to_owned());
        }
    }
    kept
}

/// The condition that these headers set for a write.
pub(super) fn read_condition(headers: &HeaderMap) -> Condition {
    let etag = text(headers, "if-match");
    Condition {
        absent: text(headers, "if-none-match") == "*",
        etag: (!etag.is_empty()).then(|| etag.trim_matches('"').to_owned()),
    }
}

/// The headers that say which object it is, and with it what was kept.
pub(super) fn describe(meta: &Meta, with_checksum: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    };
    set("etag", &format!("\"{}\"", meta.etag));
    if let Some(checksum) = meta.checksum.as_ref().filter(|_| with_checksum) {
        let name = format!("x-amz-checksum-{}", checksum.algorithm);
        set(&name, &checksum.value);
        let is_composite = checksum.value.contains('-');
        let kind = if is_composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        };
        set("x-amz-checksum-type", kind);
    }
    for (name, value) in &meta.headers {
        set(name, value);
    }
    headers
}
