//! What was read of the bucket, kept on disk.
//!
//! Commits and claims never change, so that a copy of one is right for as long as the object is there. The tag of the object
//! tells whether it is: a bucket that was made anew has other objects under the same keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::hex_digest;

/// The form of the file. One of another form is ignored and made again.
const FORM: u32 = 1;

/// Objects that were read below one folder.
#[derive(Debug, Default)]
pub(crate) struct ObjectCache {
    /// Nothing is kept where there is none.
    file: Option<PathBuf>,
    place: String,
    objects: BTreeMap<String, CachedObject>,
    is_changed: bool,
}

/// The first line of a file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heading {
    cxr: u32,
    /// The folder that the objects are below.
    place: String,
    /// Of all other lines, so that a file is known that is torn or was changed.
    digest: String,
}

/// Every other line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct CachedObject {
    key: String,
    /// Empty where it was looked up by its key alone.
    etag: String,
    body: Box<RawValue>,
}

impl CachedObject {
    /// Whether it is the one that has this tag. What has none was read of the same bucket.
    fn is_tagged(&self, etag: &str) -> bool {
        self.etag.is_empty() || self.etag == etag
    }
}

impl ObjectCache {
    /// Reads what was kept for a place; nothing, if the file is torn, was changed, or is of another place or form.
    pub(crate) fn open(folder: Option<&Path>, place: &str) -> Self {
        let file = folder.map(|folder| folder.join(format!("{}.ndjson", hex_digest(place))));
        let objects = file
            .as_deref()
            .and_then(|file| fs::read_to_string(file).ok())
            .and_then(|text| read_objects(&text, place));
        Self {
            file,
            place: place.to_owned(),
            objects: objects.unwrap_or_default(),
            is_changed: false,
        }
    }

    /// The object under a key, if it has this tag, or whatever its tag where none is given.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, etag: Option<&str>) -> Option<T> {
        let object = self.objects.get(key)?;
        let is_same = etag.is_none_or(|etag| object.is_tagged(etag));
        is_same
            .then(|| serde_json::from_str(object.body.get()).ok())
            .flatten()
    }

    /// Whether the object under a key is kept that has this tag.
    pub(crate) fn holds(&self, key: &str, etag: &str) -> bool {
        self.objects.get(key).is_some_and(|it| it.is_tagged(etag))
    }

    /// The tag of the object under a key.
    pub(crate) fn etag_of(&self, key: &str) -> Option<&str> {
        self.objects.get(key).map(|object| object.etag.as_str())
    }

    /// Keeps an object; what is not JSON is not kept.
    pub(crate) fn insert(&mut self, key: &str, etag: &str, body: &[u8]) {
        let Some(body) = on_one_line(body) else {
            return;
        };
        let object = CachedObject {
            key: key.to_owned(),
            etag: etag.to_owned(),
            body,
        };
        self.objects.insert(key.to_owned(), object);
        self.is_changed = true;
    }

    pub(crate) fn clear(&mut self) {
        self.is_changed |= !self.objects.is_empty();
        self.objects.clear();
    }

    /// Writes what is new. The next command reads again what can't be written, so that a full disk is no error.
    pub(crate) fn save(&mut self) {
        if !self.is_changed {
            return;
        }
        if let Some(file) = &self.file {
            let _ = self.write(file);
        }
        self.is_changed = false;
    }

    /// Writes a file of its own first, because another `cxr` may read this one now.
    fn write(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let objects: Result<Vec<String>, _> =
            self.objects.values().map(serde_json::to_string).collect();
        let objects = objects?.join("\n");
        let heading = serde_json::to_string(&Heading::new(&self.place, &objects))?;
        let draft = file.with_extension(format!("{}.draft", std::process::id()));
        let written = fs::write(&draft, format!("{heading}\n{objects}"));
        let done = written.and_then(|()| fs::rename(&draft, file));
        if done.is_err() {
            let _ = fs::remove_file(&draft);
        }
        done
    }
}

impl Heading {
    fn new(place: &str, objects: &str) -> Self {
        Self {
            cxr: FORM,
            place: place.to_owned(),
            digest: hex_digest(objects),
        }
    }
}

fn read_objects(text: &str, place: &str) -> Option<BTreeMap<String, CachedObject>> {
    let (heading, objects) = text.split_once('\n')?;
    let heading: Heading = serde_json::from_str(heading).ok()?;
    if heading != Heading::new(place, objects) {
        return None;
    }
    let objects = objects.lines().map(|line| {
        let object: CachedObject = serde_json::from_str(line).ok()?;
        Some((object.key.clone(), object))
    });
    objects.collect()
}

fn on_one_line(body: &[u8]) -> Option<Box<RawValue>> {
    let body: Box<RawValue> = serde_json::from_slice(body).ok()?;
    if !body.get().contains('\n') {
        return Some(body);
    }
    let value: serde_json::Value = serde_json::from_str(body.get()).ok()?;
    RawValue::from_string(value.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "s3://landing/reports/acme/Daily";

    fn filled(folder: &Path) -> PathBuf {
        let mut cache = ObjectCache::open(Some(folder), PLACE);
        cache.insert("a", "1", b"{\"v\": 1}");
        cache.insert("b", "2", b"[\n2\n]");
        cache.insert("c", "3", b"no JSON");
        cache.save();
        cache.file.unwrap()
    }

    fn count(folder: &Path, place: &str) -> usize {
        ObjectCache::open(Some(folder), place).objects.len()
    }

    #[test]
    fn what_was_kept_is_found_by_key_and_tag() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let cache = ObjectCache::open(Some(folder.path()), PLACE);
        let found = |key, etag| cache.get::<serde_json::Value>(key, etag);
        assert_eq!(found("a", Some("1")), Some(serde_json::json!({"v": 1})));
        assert_eq!(found("b", None), Some(serde_json::json!([2])));
        assert_eq!(found("a", Some("2")), None, "another object");
        assert_eq!(found("c", None), None);
        assert_eq!(cache.etag_of("b"), Some("2"));
        assert!(cache.holds("a", "1") && !cache.holds("a", "2") && !cache.holds("c", "3"));
    }

    #[test]
    fn what_was_looked_up_by_its_key_is_not_read_again_when_it_is_listed() {
        let mut cache = ObjectCache::open(None, PLACE);
        cache.insert("a", "", b"1");
        assert!(cache.holds("a", "1"));
        assert_eq!(cache.get::<u32>("a", Some("1")), Some(1));
    }

    #[test]
    fn a_file_that_is_torn_changed_or_of_another_place_is_ignored_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = filled(folder.path());
        let whole = fs::read_to_string(&file).unwrap();
        assert_eq!(count(folder.path(), PLACE), 2);
        let of_another = whole.replace("acme", "globex");
        let of_another_form = whole.replace(r#""cxr":1"#, r#""cxr":2"#);
        let changed = whole.replace("[2]", "[3]");
        let torn = (0..whole.len()).map(|end| whole[..end].to_owned());
        for text in torn.chain([of_another, of_another_form, changed]) {
            assert_ne!(text, whole);
            fs::write(&file, &text).unwrap();
            assert_eq!(count(folder.path(), PLACE), 0, "{text}");
        }
        filled(folder.path());
        assert_eq!(count(folder.path(), PLACE), 2);
    }

    #[test]
    fn without_a_folder_nothing_is_kept_and_nothing_fails() {
        let mut cache = ObjectCache::open(None, PLACE);
        cache.insert("a", "1", b"1");
        cache.save();
        assert_eq!(cache.get::<u32>("a", Some("1")), Some(1));
    }
}
