//! Checksums of objects and parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::HeaderMap;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

    /// The checksum in the trailing headers, or else in these.
    pub(super) fn find(headers: &HeaderMap, trailers: &HeaderMap) -> Option<Self> {
        ALGORITHMS.iter().find_map(|algorithm| {
            let name = format!("x-amz-checksum-{algorithm}");
            let value = trailers.get(&name).or_else(|| headers.get(&name))?;
            Some(Self {
                algorithm: (*algorithm).to_owned(),
                value: value.to_str().ok()?.to_owned(),
            })
        })
    }

    pub(super) fn verify(&self, sha256: &[u8], crc32: u32) -> S3Result<()> {
        let computed = match self.algorithm.as_str() {
            "sha256" => BASE64.encode(sha256),
            "crc32" => BASE64.encode(crc32.to_be_bytes()),
            _ => return Ok(()),
        };
        if computed == self.value {
            return Ok(());
        }
        Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            self.algorithm.to_uppercase()
        ))
    }

    /// The checksum of checksums that S3 keeps for an upload whose parts all came with one.
    pub(super) fn composite<'a>(parts: impl Iterator<Item = Option<&'a Self>>) -> Option<Self> {
        let parts: Vec<&Self> = parts.collect::<Option<_>>()?;
        let algorithm = &parts.first()?.algorithm;
        if parts.iter().any(|part| part.algorithm != *algorithm) {
            return None;
        }
        let raw = parts.iter().map(|part| BASE64.decode(&part.value).ok());
        let raw = raw.collect::<Option<Vec<_>>>()?.concat();
        let whole = match algorithm.as_str() {
            "sha256" => BASE64.encode(Sha256::digest(raw)),
            "crc32" => {
                let mut crc = flate2::Crc::new();
                crc.update(&raw);
                BASE64.encode(crc.sum().to_be_bytes())
            }
            _ => return None,
        };
        Some(Self {
            algorithm: algorithm.clone(),
            value: format!("{whole}-{}", parts.len()),
        })
    }
}
