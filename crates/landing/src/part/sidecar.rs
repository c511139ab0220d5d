//! Storing the sidecar of a data object, which completes a part.

use bytes::Bytes;
use delivery::documents::{CommitPart, Part, Sidecar};
use delivery::effects::{Answered, Fault};

use super::entry::ENTRY_BYTES;
use super::upload::StoredObject;
use crate::store::{Checksum, DataMark, Lifetime, PartPresence, Store};

/// Stores the sidecar of a finished data object; `keys` are its sorted entries.
pub(super) async fn store_sidecar(
    store: &Store,
    data: StoredObject,
    rows: u64,
    keys: Bytes,
) -> Answered<Part> {
    let key = sidecar_key(&data.key);
    let checksum = Checksum::of(&keys);
    let mark = DataMark {
        checksum: data.checksum,
        sha256: data.sha256.clone(),
    };
    store
        .create_object(
            &key,
            ("application/octet-stream", Lifetime::Limited),
            &keys,
            checksum,
            Some(&mark),
        )
        .await?;
    Ok(Part {
        key: data.key,
        rows,
        bytes: data.bytes,
        sha256: data.sha256,
        keys: Sidecar {
            key,
            bytes: keys.len() as u64,
            sha256: checksum.hex(),
        },
    })
}

/// The part with the sidecar that stands beside it, whose checksum is that of what is stored: a commit names none.
pub(crate) async fn find_sidecar(store: &Store, part: &CommitPart) -> Answered<Part> {
    let key = sidecar_key(&part.key);
    let bytes = part.rows * ENTRY_BYTES as u64;
    let sha256 = match store.hash_object(&key, bytes).await {
        Ok(sha256) => sha256,
        // Without the right to list, S3 denies what is absent.
        Err(denied @ Fault::Config(_)) => {
            return Err(match store.find_part(&key).await? {
                PartPresence::Stored { .. } => denied,
                PartPresence::Deleted { .. } | PartPresence::Gone => {
                    Fault::Contract(format!("{key}, which has the keys of its rows, is gone"))
                }
            });
        }
        Err(other) => return Err(other),
    };
    Ok(Part {
        key: part.key.clone(),
        rows: part.rows,
        bytes: part.bytes,
        sha256: part.sha256.clone(),
        keys: Sidecar { key, bytes, sha256 },
    })
}

/// The sidecar's key for that of a part: `{prefix}{unique}.keys` for `{prefix}{unique}.ndjson.gz`.
fn sidecar_key(data: &str) -> String {
    let (folder, name) = data
        .rsplit_once('/')
        .map_or(("", data), |(folder, _)| data.split_at(folder.len() + 1));
    let stem = name.split('.').next().unwrap_or(name);
    format!("{folder}{stem}.keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_stands_beside_its_data() {
        assert_eq!(sidecar_key("a.b/c-d.ndjson.gz"), "a.b/c-d.keys");
        assert_eq!(sidecar_key("c.csv"), "c.keys");
    }
}
