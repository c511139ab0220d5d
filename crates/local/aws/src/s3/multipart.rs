//! Uploads in parts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::checksum::Checksum;
use super::object::Received;
use super::store::{Condition, Meta, Staged, Store, StoreError};

/// The least that a part has, unless it is the last.
const SMALLEST_PART: u64 = 5 << 20;

/// Where an upload under way will end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    headers: BTreeMap<String, String>,
}

/// What is known of a part beside its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) checksum: Option<Checksum>,
}

/// A part as the client names it that completes an upload.
pub(super) struct NamedPart {
    pub(super) number: i32,
    pub(super) etag: String,
}

impl Store {
    /// The multipart uploads that were neither completed nor aborted, as `bucket/key`.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<String> {
        let uploads = fs::read_dir(self.internal("uploads")).into_iter().flatten();
        let targets = uploads.flatten().filter_map(|upload| {
            let target: Upload =
                serde_json::from_slice(&fs::read(upload.path().join("upload.json")).ok()?).ok()?;
            Some(format!("{}/{}", target.bucket, target.key))
        });
        targets.collect()
    }

    /// Begins an upload and returns its id.
    pub(super) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<String, StoreError> {
        self.bucket(bucket)?;
        let seed = format!("{bucket}/{key}/{}", self.temporary().display());
        let id = hex::encode(&Sha256::digest(seed)[..16]);
        let folder = self.internal("uploads").join(&id);
        // Ids of an earlier process may come again; its uploads are then as good as aborted.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let upload = Upload {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            headers,
        };
        write_json(&folder.join("upload.json"), &upload)?;
        Ok(id)
    }

    /// Makes the parts one object, if the condition holds.
    pub(super) fn complete_upload(
        &self,
        (folder, upload): (&Path, Upload),
        named: &[NamedPart],
        condition: &Condition,
    ) -> Result<Meta, StoreError> {
        let parts = check_parts(folder, named)?;
        let staged = Staged(self.temporary());
        let mut whole = File::create(&staged.0)?;
        for (number, _) in &parts {
            let mut part = File::open(folder.join(number.to_string()))?;
            io::copy(&mut part, &mut whole)?;
        }
        let etags: String = parts.iter().map(|(_, part)| part.etag.as_str()).collect();
        let etag = hex::encode(&Sha256::digest(etags)[..16]);
        let meta = Meta {
            etag: format!("{etag}-{}", parts.len()),
            headers: upload.headers,
            checksum: Checksum::composite(parts.iter().map(|(_, part)| part.checksum.as_ref())),
            ..Meta::default()
        };
        let meta = self.publish(&upload.bucket, &upload.key, &staged.0, condition, meta)?;
        fs::remove_dir_all(folder)?;
        Ok(meta)
    }

    /// The folder of an upload under way, and what it is for.
    pub(super) fn find_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<(PathBuf, Upload), StoreError> {
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let folder = self.internal("uploads").join(id);
        let described = fs::read(folder.join("upload.json")).ok().filter(|_| is_id);
        let upload = described.and_then(|bytes| serde_json::from_slice::<Upload>(&bytes).ok());
        let upload = upload.filter(|upload| upload.bucket == bucket && upload.key == key);
        Ok((folder, upload.ok_or(StoreError::NoSuchUpload)?))
    }
}

/// Keeps a part, in place of an earlier one of this number.
pub(super) fn add_part(upload: &Path, number: i32, received: Received) -> Result<Part, StoreError> {
    if !(1..=10_000).contains(&number) {
        return Err(StoreError::InvalidPartNumber);
    }
    let part = Part {
        etag: received.etag,
        size: fs::metadata(&received.staged.0)?.len(),
        checksum: received.checksum,
    };
    fs::rename(&received.staged.0, upload.join(number.to_string()))?;
    write_json(&upload.join(format!("{number}.json")), &part)?;
    Ok(part)
}

/// The parts of an upload so far, by number.
pub(super) fn list_parts(upload: &Path) -> Result<BTreeMap<i32, Part>, StoreError> {
    let names = fs::read_dir(upload)?.flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .map(|number| Ok((number, read_part(upload, number)?)))
        .collect()
}

/// The parts that the client names, in its order.
fn check_parts(folder: &Path, named: &[NamedPart]) -> Result<Vec<(i32, Part)>, StoreError> {
    let mut parts: Vec<(i32, Part)> = Vec::new();
    for NamedPart { number, etag } in named {
        let part = read_part(folder, *number)?;
        if part.etag != *etag {
            return Err(StoreError::InvalidPart);
        }
        if let Some((before, earlier)) = parts.last() {
            if before >= number {
                return Err(StoreError::InvalidPartOrder);
            }
            if earlier.size < SMALLEST_PART {
                return Err(StoreError::EntityTooSmall);
            }
        }
        parts.push((*number, part));
    }
    Ok(parts)
}

fn read_part(folder: &Path, number: i32) -> Result<Part, StoreError> {
    let described = fs::read(folder.join(format!("{number}.json")));
    let described = described.map_err(|_| StoreError::InvalidPart)?;
    serde_json::from_slice(&described).map_err(|_| StoreError::InvalidPart)
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    fs::write(path, serde_json::to_vec(value)?)
}
