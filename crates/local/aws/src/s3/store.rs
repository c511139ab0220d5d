//! The folder that holds the objects.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::checksum::Checksum;
use super::file_name::{keys_in, path_of};

/// Why the store refuses; the texts are S3's.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    #[error("The specified key does not exist.")]
    NoSuchKey,
    #[error("this key can't be a file's name here")]
    InvalidKey,
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    #[error(
        "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload,
    #[error("a part's number is 1 to 10000")]
    InvalidPartNumber,
    #[error("One or more of the specified parts could not be found.")]
    InvalidPart,
    #[error("The list of parts was not in ascending order.")]
    InvalidPartOrder,
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    #[error("the folder can't be used: {0}")]
    Io(#[from] io::Error),
}

#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Held while an object appears, changes or goes, never while a body travels.
    lock: Mutex<()>,
    /// Where bodies are until they are whole; on the same file system as the buckets.
    staging: tempfile::TempDir,
    staged: AtomicU64,
}

/// What is known of an object beside its bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) etag: String,
    pub(super) size: u64,
    /// When the file was last changed; one that was changed behind our back is looked at anew.
    pub(super) modified: Option<SystemTime>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) checksum: Option<Checksum>,
}

/// When an object may be put.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    /// Only if nothing has the key yet (`If-None-Match: *`).
    pub(super) absent: bool,
    /// Only over an object with this tag (`If-Match`).
    pub(super) etag: Option<String>,
}

/// An object of a listing.
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Store {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let internal = root.join(".s3");
        for folder in ["objects", "uploads"] {
            fs::create_dir_all(internal.join(folder))?;
        }
        Ok(Self {
            root: root.to_owned(),
            staging: tempfile::Builder::new()
                .prefix("tmp-")
                .tempdir_in(internal)?,
            staged: AtomicU64::default(),
            lock: Mutex::default(),
        })
    }

    /// Makes a bucket, unless it is there.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(bucket))
    }

    /// The folder of a bucket.
    #[must_use]
    pub fn bucket_path(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// The file of an object.
    #[must_use]
    pub fn object_path(&self, bucket: &str, key: &str) -> PathBuf {
        let path = path_of(key).unwrap_or_else(|| key.to_owned());
        self.root.join(bucket).join(path)
    }

    /// The keys that begin with `prefix`, in S3's order.
    #[must_use]
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let listed = self.list(bucket, prefix, "").unwrap_or_default();
        listed.into_iter().map(|object| object.key).collect()
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
        fs::read(self.object_path(bucket, key))
    }

    pub(super) fn buckets(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The folder of a bucket that exists.
    pub(super) fn bucket(&self, bucket: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join(bucket);
        let plain = !bucket.is_empty() && !bucket.starts_with('.') && !bucket.contains(['/', '\\']);
        if plain && path.is_dir() {
            return Ok(path);
        }
        Err(StoreError::NoSuchBucket)
    }

    /// The file of an object in a bucket that exists.
    fn object(&self, bucket: &str, key: &str) -> Result<PathBuf, StoreError> {
        let path = path_of(key).ok_or(StoreError::InvalidKey)?;
        Ok(self.bucket(bucket)?.join(path))
    }

    /// An object and what is known of it.
    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<(File, Meta), StoreError> {
        let path = self.object(bucket, key)?;
        let _held = self.hold();
        self.find(bucket, key, &path)?.ok_or(StoreError::NoSuchKey)
    }

    /// Makes a staged file the object, if the condition holds at this very moment.
    pub(super) fn publish(
        &self,
        bucket: &str,
        key: &str,
        staged: &Path,
        condition: &Condition,
        mut meta: Meta,
    ) -> Result<Meta, StoreError> {
        let path = self.object(bucket, key)?;
        let _held = self.hold();
        if let Some(etag) = &condition.etag {
            let (_, found) = self
                .find(bucket, key, &path)?
                .ok_or(StoreError::NoSuchKey)?;
            if found.etag != *etag {
                return Err(StoreError::PreconditionFailed);
            }
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if condition.absent {
            match fs::hard_link(staged, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(StoreError::PreconditionFailed);
                }
                linked => linked?,
            }
        } else {
            fs::rename(staged, &path)?;
        }
        let file = fs::metadata(&path)?;
        meta.size = file.len();
        meta.modified = file.modified().ok();
        self.remember(bucket, key, &meta)?;
        Ok(meta)
    }

    /// Removes an object, and the folders that it leaves empty; one that is not there is no error.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let path = self.object(bucket, key)?;
        let _held = self.hold();
        if !path.is_file() {
            return Ok(());
        }
        fs::remove_file(&path)?;
        let _ = fs::remove_file(self.meta_path(bucket, key));
        let bucket = self.root.join(bucket);
        for folder in path
            .ancestors()
            .skip(1)
            .take_while(|folder| **folder != bucket)
        {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The objects whose keys begin with `prefix` and are greater than `after`, in the order of their bytes.
    pub(super) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: &str,
    ) -> Result<Vec<Listed>, StoreError> {
        let root = self.bucket(bucket)?;
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = Vec::new();
        if folder.is_empty() {
            walk(&root, "", (prefix, after), &mut found)?;
        } else if let Some(path) = path_of(folder) {
            walk(&root.join(path), folder, (prefix, after), &mut found)?;
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    /// A name for a file that is not visible yet.
    pub(super) fn temporary(&self) -> PathBuf {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        self.staging.path().join(number.to_string())
    }

    pub(super) fn internal(&self, name: &str) -> PathBuf {
        self.root.join(".s3").join(name)
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
    ) -> Result<Option<(File, Meta)>, StoreError> {
        let file = match File::open(path) {
            Err(error) if absent(&error) => return Ok(None),
            opened => opened?,
        };
        let on_disk = file.metadata()?;
        if !on_disk.is_file() {
            return Ok(None);
        }
        let stored = fs::read(self.meta_path(bucket, key)).ok();
        let stored: Option<Meta> = stored.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let fresh = stored
            .filter(|meta| meta.size == on_disk.len() && meta.modified == on_disk.modified().ok());
        let meta = match fresh {
            Some(meta) => meta,
            None => derive(path, &on_disk)?,
        };
        Ok(Some((file, meta)))
    }

    fn remember(&self, bucket: &str, key: &str, meta: &Meta) -> io::Result<()> {
        let path = self.meta_path(bucket, key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_vec(meta)?)
    }

    fn meta_path(&self, bucket: &str, key: &str) -> PathBuf {
        // A hash, because a key may be longer than a file's name may be.
        let name = hex::encode(Sha256::digest(format!("{bucket}/{key}")));
        self.internal("objects").join(&name[..2]).join(&name[2..])
    }
}

/// Removes a staged file when it has become an object, or won't.
pub(super) struct Staged(pub(super) PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What can be said of a file that nobody put by way of the API.
fn derive(path: &Path, on_disk: &fs::Metadata) -> io::Result<Meta> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let hash = hash.finalize();
    Ok(Meta {
        etag: hex::encode(&hash[..16]),
        size: on_disk.len(),
        modified: on_disk.modified().ok(),
        headers: BTreeMap::new(),
        checksum: Some(Checksum::sha256(&hash)),
    })
}

/// Looks only at the files that are wanted, as a folder of thousands is listed thousands of times.
fn walk(
    folder: &Path,
    name: &str,
    (prefix, after): (&str, &str),
    found: &mut Vec<Listed>,
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str() else {
            continue;
        };
        let key = format!("{}{file_name}", keys_in(name));
        let begin = keys_in(&key);
        if !key.starts_with(prefix) && !prefix.starts_with(begin.trim_end_matches('/')) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &key, (prefix, after), found)?;
        } else if key.starts_with(prefix) && key.as_str() > after {
            // An object may go away between the look into the folder and the look at it.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            found.push(Listed {
                key,
                size: metadata.len(),
                modified: metadata.modified()?,
            });
        }
    }
    Ok(())
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
