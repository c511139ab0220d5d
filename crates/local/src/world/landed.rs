//! Reads what the pipeline has delivered, as a consumer does.

use std::io::{self, Read};

use delivery::documents::{Commit, CommitPart};

use super::{BUCKET, World};

/// Delivered data that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("CXL301: {key} can't be read: {source}")]
pub struct LandedError {
    pub key: String,
    pub source: io::Error,
}

impl World {
    /// The commits of all reports, those of one report in the order of its log.
    ///
    /// # Errors
    /// When an entry is not a commit.
    pub fn log(&self) -> Result<Vec<Commit>, LandedError> {
        let keys = self.store().keys(BUCKET, "");
        let entries = keys.iter().filter(|key| key.contains("/_log/"));
        let read = |key: &String| {
            let bytes = self.store().read(BUCKET, key)?;
            serde_json::from_slice(&bytes).map_err(io::Error::from)
        };
        let read = |key| {
            read(key).map_err(|source| LandedError {
                key: key.clone(),
                source,
            })
        };
        entries.map(read).collect()
    }

    /// The bytes of a part, decompressed.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn part(&self, part: &CommitPart) -> Result<Vec<u8>, LandedError> {
        let stored = self.store().read(BUCKET, &part.key);
        let plain = stored.and_then(|stored| decompress(&part.key, &stored));
        plain.map_err(|source| LandedError {
            key: part.key.clone(),
            source,
        })
    }

    /// The lines of all parts of a commit, in order; for NDJSON these are its rows.
    ///
    /// # Errors
    /// When a part is absent, damaged or not UTF-8.
    pub fn rows(&self, commit: &Commit) -> Result<Vec<String>, LandedError> {
        let mut rows = Vec::new();
        for part in &commit.parts {
            let text = String::from_utf8(self.part(part)?).map_err(|error| LandedError {
                key: part.key.clone(),
                source: io::Error::other(error),
            })?;
            rows.extend(text.lines().map(str::to_owned));
        }
        Ok(rows)
    }
}

fn decompress(key: &str, stored: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match key.rsplit('.').next() {
        Some("gz") => {
            flate2::read::MultiGzDecoder::new(stored).read_to_end(&mut plain)?;
        }
        Some("zst") => zstd::stream::copy_decode(stored, &mut plain)?,
        _ => plain.extend_from_slice(stored),
    }
    Ok(plain)
}
