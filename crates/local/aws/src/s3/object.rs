//! Putting, getting and deleting objects.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::S3Call;
use super::chunked::Decoder;
use super::list::{http_date, timestamp};
use super::store::{Condition, Meta, Staged, Store};
use super::wire::{percent_decode, xml_elements, xml_escape};
use crate::http::{self, Body, text};
use crate::reply::{self, S3Error};

/// The headers that are kept with an object.
const KEPT: [&str; 5] = [
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
];
/// The checksums that S3 takes. CRC-32 and SHA-256 are verified, the others are taken at their word.
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// A checksum of an object or a part, as it came with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub(super) algorithm: String,
    pub(super) value: String,
}

impl Checksum {
    pub(super) fn sha256(hash: &[u8]) -> Self {
        Self {
            algorithm: "sha256".to_owned(),
            value: BASE64.encode(hash),
        }
    }

    pub(super) fn header(&self) -> String {
        format!("x-amz-checksum-{}", self.algorithm)
    }

    /// The checksum among these headers, or trailers.
    fn find<'a>(mut header: impl FnMut(&str) -> Option<&'a str>) -> Option<Self> {
        ALGORITHMS.iter().find_map(|algorithm| {
            Some(Self {
                algorithm: (*algorithm).to_owned(),
                value: header(&format!("x-amz-checksum-{algorithm}"))?.to_owned(),
            })
        })
    }
}

/// A body that has come in whole.
pub(super) struct Received {
    pub(super) staged: Staged,
    pub(super) etag: String,
    pub(super) checksum: Option<Checksum>,
}

pub(super) async fn put(
    store: &Store,
    call: &S3Call,
    request: Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    store.bucket(&call.bucket)?;
    let (head, body) = request.into_parts();
    let received = receive(store, &head.headers, body).await?;
    let meta = Meta {
        etag: received.etag,
        headers: kept_headers(&head.headers),
        checksum: received.checksum,
        ..Meta::default()
    };
    let condition = condition(&head.headers);
    let meta = store.publish(
        &call.bucket,
        &call.key,
        &received.staged.0,
        &condition,
        meta,
    )?;
    let mut response = http::empty(StatusCode::OK);
    describe(response.headers_mut(), &meta, true);
    Ok(response)
}

pub(super) fn copy(
    store: &Store,
    call: &S3Call,
    request: &Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    let source = percent_decode(text(request.headers(), "x-amz-copy-source"));
    let source = source.trim_start_matches('/');
    let (bucket, key) = source
        .split_once('/')
        .ok_or_else(|| S3Error::invalid("the copy source is no bucket/key"))?;
    let (mut file, meta) = store.get(bucket, key)?;
    let staged = Staged(store.temporary());
    io::copy(&mut file, &mut File::create(&staged.0)?)?;
    let condition = condition(request.headers());
    let meta = store.publish(&call.bucket, &call.key, &staged.0, &condition, meta)?;
    Ok(reply::xml(&format!(
        "<CopyObjectResult><ETag>&quot;{}&quot;</ETag><LastModified>{}</LastModified></CopyObjectResult>",
        meta.etag,
        timestamp(SystemTime::now())
    )))
}

pub(super) fn get(
    store: &Store,
    call: &S3Call,
    request: &Request<Incoming>,
    with_body: bool,
) -> Result<Response<Body>, S3Error> {
    let (file, meta) = store.get(&call.bucket, &call.key)?;
    let headers = request.headers();
    let quoted = format!("\"{}\"", meta.etag);
    let asked = text(headers, "if-match");
    if !asked.is_empty() && asked != "*" && asked != quoted {
        return Err(S3Error::precondition_failed());
    }
    if text(headers, "if-none-match") == quoted {
        return Ok(http::empty(StatusCode::NOT_MODIFIED));
    }
    let range = range(text(headers, "range"), meta.size)?;
    let (start, end) = range.unwrap_or((0, meta.size));
    let body = if with_body {
        body(file, start, end - start)?
    } else {
        http::full(Bytes::new())
    };
    let mut response = Response::new(body);
    let modified = meta.modified.unwrap_or_else(SystemTime::now);
    let answer = response.headers_mut();
    let with_checksum = range.is_none() && text(headers, "x-amz-checksum-mode") == "ENABLED";
    describe(answer, &meta, with_checksum);
    set(answer, "content-length", &(end - start).to_string());
    set(answer, "accept-ranges", "bytes");
    set(answer, "last-modified", &http_date(modified));
    for (name, value) in &meta.headers {
        set(answer, name, value);
    }
    if range.is_some() {
        set(
            answer,
            "content-range",
            &format!("bytes {start}-{}/{}", end - 1, meta.size),
        );
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

pub(super) fn delete(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    store.delete(&call.bucket, &call.key)?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn delete_many(
    store: &Store,
    call: &S3Call,
    request: Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    let document = document(request).await?;
    let mut result = String::new();
    for key in xml_elements(&document, "Key") {
        store.delete(&call.bucket, &key)?;
        let _ = write!(result, "<Deleted><Key>{}</Key></Deleted>", xml_escape(&key));
    }
    Ok(reply::xml(&format!(
        "<DeleteResult>{result}</DeleteResult>"
    )))
}

/// Takes a body in, decoded, into a file; refuses it when it is not what its checksums say.
pub(super) async fn receive(
    store: &Store,
    headers: &HeaderMap,
    mut body: Incoming,
) -> Result<Received, S3Error> {
    let staged = Staged(store.temporary());
    let mut file =
        tokio::io::BufWriter::with_capacity(1 << 18, tokio::fs::File::create(&staged.0).await?);
    let chunked = text(headers, "x-amz-content-sha256").starts_with("STREAMING-")
        || text(headers, "content-encoding").contains("aws-chunked");
    let mut decoder = chunked.then(Decoder::default);
    let (mut sha256, mut crc32) = (Sha256::new(), flate2::Crc::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| incomplete())?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let pieces = match &mut decoder {
            Some(decoder) => decoder.push(&data).map_err(|_| incomplete())?,
            None => vec![data],
        };
        for piece in pieces {
            sha256.update(&piece);
            crc32.update(&piece);
            file.write_all(&piece).await?;
        }
    }
    file.flush().await?;
    let trailers = match decoder {
        Some(decoder) => decoder.finish().map_err(|_| incomplete())?,
        None => Vec::new(),
    };
    let hash = sha256.finalize();
    let checksum = Checksum::find(|name| {
        let trailer = trailers.iter().find(|(found, _)| found == name);
        let trailer = trailer.map(|(_, value)| value.as_str());
        trailer.or_else(|| headers.get(name)?.to_str().ok())
    });
    if let Some(checksum) = &checksum {
        verify(checksum, &hash, crc32.sum())?;
    }
    let signed = text(headers, "x-amz-content-sha256");
    if signed.len() == 64 && signed != hex(&hash) {
        return Err(S3Error::new(
            StatusCode::BAD_REQUEST,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    Ok(Received {
        staged,
        etag: hex(&hash[..16]),
        checksum,
    })
}

fn verify(checksum: &Checksum, sha256: &[u8], crc32: u32) -> Result<(), S3Error> {
    let computed = match checksum.algorithm.as_str() {
        "sha256" => BASE64.encode(sha256),
        "crc32" => BASE64.encode(crc32.to_be_bytes()),
        _ => return Ok(()),
    };
    if computed == checksum.value {
        return Ok(());
    }
    Err(S3Error::new(
        StatusCode::BAD_REQUEST,
        "BadDigest",
        format!(
            "The {} you specified did not match the calculated checksum.",
            checksum.algorithm.to_uppercase()
        ),
    ))
}

fn incomplete() -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// A small XML body.
pub(super) async fn document(request: Request<Incoming>) -> Result<String, S3Error> {
    let body = http::read(request.into_body(), 1 << 20).await;
    let body = body.ok_or_else(incomplete)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
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

pub(super) fn condition(headers: &HeaderMap) -> Condition {
    let etag = text(headers, "if-match");
    Condition {
        absent: text(headers, "if-none-match") == "*",
        etag: (!etag.is_empty()).then(|| etag.trim_matches('"').to_owned()),
    }
}

/// Says in the headers which object it is.
pub(super) fn describe(headers: &mut HeaderMap, meta: &Meta, with_checksum: bool) {
    set(headers, "etag", &format!("\"{}\"", meta.etag));
    if let Some(checksum) = meta.checksum.as_ref().filter(|_| with_checksum) {
        set(headers, &checksum.header(), &checksum.value);
        let composite = checksum.value.contains('-');
        let kind = if composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        };
        set(headers, "x-amz-checksum-type", kind);
    }
}

pub(super) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// The bytes that a Range header asks for, half-open; none when there is no such header that S3 heeds.
fn range(header: &str, size: u64) -> Result<Option<(u64, u64)>, S3Error> {
    let Some(range) = header.strip_prefix("bytes=") else {
        return Ok(None);
    };
    let bounds = match range.split_once('-') {
        Some(("", last)) => last
            .parse()
            .ok()
            .map(|last: u64| (size.saturating_sub(last), size)),
        Some((first, "")) => first.parse().ok().map(|first| (first, size)),
        Some((first, last)) => match (first.parse(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => Some((first, last.saturating_add(1).min(size))),
            _ => None,
        },
        None => None,
    };
    match bounds {
        Some((first, end)) if first < end => Ok(Some((first, end))),
        Some(_) => Err(S3Error::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The requested range is not satisfiable",
        )),
        None => Ok(None),
    }
}

/// Reads a file as it is sent, so that memory does not grow with it.
fn body(mut file: File, start: u64, length: u64) -> io::Result<Body> {
    file.seek(SeekFrom::Start(start))?;
    let reader = tokio::fs::File::from_std(file);
    let pieces = stream::try_unfold((reader, length), |(mut reader, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let size = usize::try_from(left.min(1 << 18)).unwrap_or(1 << 18);
        let mut piece = vec![0; size];
        tokio::io::AsyncReadExt::read_exact(&mut reader, &mut piece).await?;
        let left = left - size as u64;
        Ok(Some((Frame::data(Bytes::from(piece)), (reader, left))))
    });
    Ok(StreamBody::new(pieces).boxed_unsync())
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_s3_reads_them() {
        let check = |header, expected| assert_eq!(range(header, 10).ok().flatten(), expected);
        check("bytes=0-3", Some((0, 4)));
        check("bytes=8-", Some((8, 10)));
        check("bytes=-3", Some((7, 10)));
        check("bytes=5-99", Some((5, 10)));
        check("bytes=10-11", None);
        check("lines=1-2", None);
        assert!(range("bytes=10-11", 10).is_err());
    }
}
