//! Whether parts are still what their slots say, without reading them.
//!
//! S3 compared every uploaded byte with our SHA-256 and keeps that checksum: of the whole object if
//! it was uploaded in one request, otherwise of the list of its parts' checksums ("composite"),
//! which is not what the slot names. So the sidecar's metadata, written after the data object, binds
//! the two: it holds the composite checksum by which S3 knows the data object, and the data object's
//! SHA-256. Then one HEAD of each is enough. An object for which S3 keeps no checksum (a copy, or
//! another store), or whose sidecar has no such metadata, is read and hashed piece by piece.

use delivery::documents::Part;
use delivery::effects::Answered;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::checksum::{Checksum, Sha256};
use super::client::{MAX_REQUESTS, Store};
use super::object::{DataMark, Head};
use super::range::RangeReader;

/// Whether the checksum that S3 keeps is the one that the slot names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    Same,
    Other,
    None,
}

impl Store {
    /// Compares size and checksum of parts and sidecars with what is stored. Names the first object
    /// that differs or is missing.
    pub async fn check_parts(&self, parts: Vec<Part>) -> Answered<Option<String>> {
        let mut findings = futures_util::stream::iter(parts)
            .map(|part| async move { self.check_part(&part).await })
            .buffered(MAX_REQUESTS);
        while let Some(finding) = findings.try_next().await? {
            if finding.is_some() {
                return Ok(finding);
            }
        }
        Ok(None)
    }

    async fn check_part(&self, part: &Part) -> Answered<Option<String>> {
        let Some(sidecar) = self.head_object(&part.keys.key).await? else {
            return Ok(Some(format!("{} is missing", part.keys.key)));
        };
        let Some(data) = self.head_object(&part.key).await? else {
            return Ok(Some(format!("{} is missing", part.key)));
        };
        let objects = [
            (&part.keys.key, part.keys.bytes, &part.keys.sha256, &sidecar),
            (&part.key, part.bytes, &part.sha256, &data),
        ];
        for (key, bytes, sha256, head) in objects {
            if head.bytes != bytes {
                return Ok(Some(format!(
                    "{key} has {} bytes instead of {bytes}",
                    head.bytes
                )));
            }
            let same = match compare_checksum(sha256, head, &sidecar) {
                Evidence::Same => true,
                Evidence::Other => false,
                Evidence::None => self.hash_object(key, bytes).await? == *sha256,
            };
            if !same {
                return Ok(Some(format!(
                    "{key} has another SHA-256 than its slot says"
                )));
            }
        }
        Ok(None)
    }

    /// SHA-256 of the first `bytes` of an object, in hex. It is read piece by piece.
    ///
    /// # Errors
    /// If the object is gone, shorter, or may not be read.
    pub async fn hash_object(&self, key: &str, bytes: u64) -> Answered<String> {
        let mut hasher = Sha256::default();
        let mut reader = RangeReader::new(self, key, bytes);
        while let Some(piece) = reader.next_piece().await? {
            hasher.update(&piece);
        }
        Ok(Checksum::from_hasher(hasher).hex())
    }
}

fn compare_checksum(sha256: &str, head: &Head, sidecar: &Head) -> Evidence {
    let Some(checksum) = &head.checksum else {
        return Evidence::None;
    };
    // Some stores give a composite checksum without the number of parts, as if it were of the whole.
    let without_number =
        |mark: &DataMark| mark.checksum.split_once('-').map(|(it, _)| it.to_owned());
    let unnumbered = sidecar.mark.as_ref().and_then(without_number);
    let same = if checksum.contains('-') {
        let Some(mark) = &sidecar.mark else {
            return Evidence::None;
        };
        mark.checksum == *checksum && mark.sha256 == sha256
    } else if unnumbered.as_ref() == Some(checksum) {
        return Evidence::None;
    } else {
        Checksum::parse_base64(checksum).is_some_and(|it| it.hex() == sha256)
    };
    if same {
        Evidence::Same
    } else {
        Evidence::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(checksum: Option<String>, mark: Option<(&str, &Checksum)>, expected: Evidence) {
        let data = Head {
            bytes: 1,
            checksum,
            mark: None,
        };
        let sidecar = Head {
            bytes: 1,
            checksum: None,
            mark: mark.map(|(checksum, sha256)| DataMark {
                checksum: checksum.to_owned(),
                sha256: sha256.hex(),
            }),
        };
        let sha256 = Checksum::of(b"data").hex();
        assert_eq!(compare_checksum(&sha256, &data, &sidecar), expected);
    }

    #[test]
    fn a_checksum_of_the_whole_object_speaks_for_itself() {
        check(Some(Checksum::of(b"data").base64()), None, Evidence::Same);
        check(Some(Checksum::of(b"rot").base64()), None, Evidence::Other);
    }

    #[test]
    fn a_composite_checksum_needs_the_sidecar() {
        let data = Checksum::of(b"data");
        let composite = Checksum::composite(&[Checksum::of(b"da"), Checksum::of(b"ta")]);
        assert!(composite.ends_with("-2"));
        let stored = || Some(composite.clone());
        check(stored(), Some((&composite, &data)), Evidence::Same);
        check(stored(), Some(("x-2", &data)), Evidence::Other);
        check(
            stored(),
            Some((&composite, &Checksum::of(b"rot"))),
            Evidence::Other,
        );
        check(stored(), None, Evidence::None);
        let unnumbered = composite.strip_suffix("-2").map(str::to_owned);
        check(unnumbered, Some((&composite, &data)), Evidence::None);
    }

    #[test]
    fn without_a_checksum_there_is_no_compare_checksum() {
        check(None, Some(("x-2", &Checksum::of(b"data"))), Evidence::None);
    }
}
