//! Uploads in parts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::S3Call;
use super::object::{self, Checksum, hex};
use super::store::{Meta, Staged, Store};
use super::wire::{xml_elements, xml_escape};
use crate::http::{self, Body};
use crate::reply::{self, S3Error};

/// The least that a part has, unless it is the last.
const SMALLEST_PART: u64 = 5 << 20;

/// An upload under way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    etag: String,
    size: u64,
    checksum: Option<Checksum>,
}

pub(super) fn create(
    store: &Store,
    call: &S3Call,
    request: &Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    store.bucket(&call.bucket)?;
    let seed = format!(
        "{}/{}/{}",
        call.bucket,
        call.key,
        store.temporary().display()
    );
    let id = hex(&Sha256::digest(seed)[..16]);
    let folder = store.internal("uploads").join(&id);
    // Ids of an earlier process may come again; its uploads are then as good as aborted.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let upload = Upload {
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        headers: object::kept_headers(request.headers()),
    };
    fs::write(
        folder.join("upload.json"),
        serde_json::to_vec(&upload).map_err(io::Error::from)?,
    )?;
    Ok(reply::xml(&format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
        xml_escape(&call.bucket),
        xml_escape(&call.key)
    )))
}

pub(super) async fn upload_part(
    store: &Store,
    call: &S3Call,
    request: Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    let (folder, _) = find(store, call)?;
    let number = call.query.get("partNumber").unwrap_or_default();
    let number: u16 = number
        .parse()
        .ok()
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| S3Error::invalid("a part's number is 1 to 10000"))?;
    let (head, body) = request.into_parts();
    let received = object::receive(store, &head.headers, body).await?;
    let part = Part {
        etag: received.etag,
        size: fs::metadata(&received.staged.0)?.len(),
        checksum: received.checksum,
    };
    fs::rename(&received.staged.0, folder.join(number.to_string()))?;
    let described = serde_json::to_vec(&part).map_err(io::Error::from)?;
    fs::write(folder.join(format!("{number}.json")), described)?;
    let mut response = http::empty(StatusCode::OK);
    let meta = Meta {
        etag: part.etag,
        checksum: part.checksum,
        ..Meta::default()
    };
    object::describe(response.headers_mut(), &meta, true);
    Ok(response)
}

pub(super) async fn complete(
    store: &Store,
    call: &S3Call,
    request: Request<Incoming>,
) -> Result<Response<Body>, S3Error> {
    let (folder, upload) = find(store, call)?;
    let condition = object::condition(request.headers());
    let document = object::document(request).await?;
    let parts = parts(&folder, &document)?;
    let staged = Staged(store.temporary());
    let mut whole = File::create(&staged.0)?;
    for (number, _) in &parts {
        io::copy(
            &mut File::open(folder.join(number.to_string()))?,
            &mut whole,
        )?;
    }
    let etags: String = parts.iter().map(|(_, part)| part.etag.as_str()).collect();
    let etag = hex(&Sha256::digest(etags)[..16]);
    let meta = Meta {
        etag: format!("{etag}-{}", parts.len()),
        headers: upload.headers,
        checksum: composite(&parts),
        ..Meta::default()
    };
    let meta = store.publish(&call.bucket, &call.key, &staged.0, &condition, meta)?;
    fs::remove_dir_all(&folder)?;
    Ok(reply::xml(&format!(
        "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
        xml_escape(&call.bucket),
        xml_escape(&call.key),
        meta.etag
    )))
}

pub(super) fn abort(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    let (folder, _) = find(store, call)?;
    fs::remove_dir_all(folder)?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}

pub(super) fn list_parts(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    let (folder, _) = find(store, call)?;
    let mut listed = String::new();
    let mut numbers: Vec<u16> = fs::read_dir(&folder)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    for number in numbers {
        let part = read_part(&folder, number)?;
        let _ = write!(
            listed,
            "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{}&quot;</ETag><Size>{}</Size></Part>",
            part.etag, part.size
        );
    }
    Ok(reply::xml(&format!(
        "<ListPartsResult>{listed}</ListPartsResult>"
    )))
}

/// The parts that the document names, in its order.
fn parts(folder: &Path, document: &str) -> Result<Vec<(u16, Part)>, S3Error> {
    let numbers = xml_elements(document, "PartNumber");
    let etags = xml_elements(document, "ETag");
    if numbers.is_empty() || numbers.len() != etags.len() {
        return Err(S3Error::new(
            StatusCode::BAD_REQUEST,
            "MalformedXML",
            "The XML you provided was not well-formed",
        ));
    }
    let mut parts: Vec<(u16, Part)> = Vec::new();
    for (number, etag) in numbers.iter().zip(&etags) {
        let number = number.parse().map_err(|_| invalid_part())?;
        let part = read_part(folder, number)?;
        if part.etag != etag.trim_matches('"') {
            return Err(invalid_part());
        }
        if let Some((before, earlier)) = parts.last() {
            if *before >= number {
                return Err(S3Error::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidPartOrder",
                    "The list of parts was not in ascending order.",
                ));
            }
            if earlier.size < SMALLEST_PART {
                return Err(S3Error::new(
                    StatusCode::BAD_REQUEST,
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                ));
            }
        }
        parts.push((number, part));
    }
    Ok(parts)
}

fn read_part(folder: &Path, number: u16) -> Result<Part, S3Error> {
    let described = fs::read(folder.join(format!("{number}.json"))).map_err(|_| invalid_part())?;
    serde_json::from_slice(&described).map_err(|_| invalid_part())
}

fn invalid_part() -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "InvalidPart",
        "One or more of the specified parts could not be found.",
    )
}

/// The checksum of checksums that S3 keeps for an upload whose parts all came with one.
fn composite(parts: &[(u16, Part)]) -> Option<Checksum> {
    let mut raw = Vec::new();
    let mut algorithm = None;
    for (_, part) in parts {
        let checksum = part.checksum.as_ref()?;
        if *algorithm.get_or_insert(&checksum.algorithm) != &checksum.algorithm {
            return None;
        }
        raw.extend(BASE64.decode(&checksum.value).ok()?);
    }
    let whole = match algorithm?.as_str() {
        "sha256" => BASE64.encode(Sha256::digest(raw)),
        "crc32" => {
            let mut crc = flate2::Crc::new();
            crc.update(&raw);
            BASE64.encode(crc.sum().to_be_bytes())
        }
        _ => return None,
    };
    Some(Checksum {
        algorithm: algorithm?.clone(),
        value: format!("{whole}-{}", parts.len()),
    })
}

fn find(store: &Store, call: &S3Call) -> Result<(PathBuf, Upload), S3Error> {
    let id = call.query.get("uploadId").unwrap_or_default();
    let known = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let folder = store.internal("uploads").join(id);
    let described = fs::read(folder.join("upload.json")).ok().filter(|_| known);
    let upload = described.and_then(|bytes| serde_json::from_slice::<Upload>(&bytes).ok());
    let upload = upload.filter(|upload| upload.bucket == call.bucket && upload.key == call.key);
    let upload = upload.ok_or_else(|| {
        S3Error::new(
            StatusCode::NOT_FOUND,
            "NoSuchUpload",
            "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        )
    })?;
    Ok((folder, upload))
}
