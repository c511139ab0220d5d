//! Pages of a listing.

use std::collections::BTreeSet;

use s3s::dto::{CommonPrefix, Object, ObjectStorageClass};
use url::form_urlencoded;

use super::store::{Listed, Store, StoreError};

/// The most entries that one answer lists.
const PAGE: i32 = 1000;

/// What a client asks of a listing.
pub(super) struct Listing<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) delimiter: &'a str,
    /// The listing begins after this key.
    pub(super) after: &'a str,
    pub(super) max_keys: Option<i32>,
    /// Whether the keys of the answer are percent-encoded, as XML can't hold every character.
    pub(super) is_encoded: bool,
}

/// A page of a listing.
pub(super) struct Page {
    pub(super) contents: Vec<Object>,
    pub(super) common_prefixes: Vec<CommonPrefix>,
    pub(super) limit: i32,
    /// The last key of the page if more keys follow.
    pub(super) next: Option<String>,
    pub(super) is_truncated: bool,
}

/// An entry of a listing: an object, or a prefix that stands for many.
enum Entry {
    Object(Listed),
    Prefix(String),
}

impl Page {
    pub(super) fn key_count(&self) -> i32 {
        let count = self.contents.len() + self.common_prefixes.len();
        i32::try_from(count).unwrap_or(PAGE)
    }
}

impl Listing<'_> {
    pub(super) fn read_page(&self, store: &Store) -> Result<Page, StoreError> {
        let limit = self.max_keys.unwrap_or(PAGE).clamp(0, PAGE);
        let mut entries = self.group(store.list(self.bucket, self.prefix, self.after)?);
        let size = usize::try_from(limit).unwrap_or_default();
        let is_truncated = entries.len() > size;
        entries.truncate(size);
        let last = entries.last().filter(|_| is_truncated);
        let mut page = Page {
            next: last.map(|entry| match entry {
                Entry::Object(object) => object.key.clone(),
                Entry::Prefix(prefix) => prefix.clone(),
            }),
            contents: Vec::new(),
            common_prefixes: Vec::new(),
            limit,
            is_truncated,
        };
        for entry in entries {
            match entry {
                Entry::Object(listed) => page.contents.push(Object {
                    key: Some(self.show(&listed.key)),
                    size: i64::try_from(listed.size).ok(),
                    last_modified: Some(listed.modified.into()),
                    storage_class: Some(ObjectStorageClass::from_static("STANDARD")),
                    ..Object::default()
                }),
                Entry::Prefix(prefix) => page.common_prefixes.push(CommonPrefix {
                    prefix: Some(self.show(&prefix)),
                }),
            }
        }
        Ok(page)
    }

    /// Keeps what comes after the marker; keys that share a prefix up to the delimiter become one entry.
    fn group(&self, listed: Vec<Listed>) -> Vec<Entry> {
        let mut prefixes = BTreeSet::new();
        let mut entries = Vec::new();
        for object in listed {
            let rest = &object.key[self.prefix.len()..];
            let end = rest
                .find(self.delimiter)
                .filter(|_| !self.delimiter.is_empty());
            if let Some(end) = end {
                let end = self.prefix.len() + end + self.delimiter.len();
                let common = object.key[..end].to_owned();
                if common.as_str() > self.after && prefixes.insert(common.clone()) {
                    entries.push(Entry::Prefix(common));
                }
            } else if object.key.as_str() > self.after {
                entries.push(Entry::Object(object));
            }
        }
        entries
    }

    /// A key as the answer has it.
    pub(super) fn show(&self, key: &str) -> String {
        if !self.is_encoded {
            return key.to_owned();
        }
        let encoded: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
        encoded.replace('+', "%20").replace("%2F", "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_key_keeps_its_slashes_and_has_no_plus_for_a_space() {
        let listing = Listing {
            bucket: "landing",
            prefix: "",
            delimiter: "",
            after: "",
            max_keys: None,
            is_encoded: true,
        };
        assert_eq!(listing.show("a b/ü+%.gz"), "a%20b/%C3%BC%2B%25.gz");
    }
}
