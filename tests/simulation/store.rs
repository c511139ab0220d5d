//! A model of the bucket. Nothing is ever overwritten, and it says so if somebody tries.

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};

use delivery::documents::{Part, Sidecar, sha256_hex};
use delivery::effects::{CasOutcome, Claimed, Merged, Versioned};

#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<String, Vec<String>>,
    unique: u64,
    /// A key whose object was changed.
    pub(crate) overwritten: Option<String>,
    /// A planted bug: a claim overwrites.
    pub(crate) claims_overwrite: bool,
    /// A planted bug: a swap does not compare.
    pub(crate) swaps_overwrite: bool,
}

impl Store {
    pub(crate) fn claim(&mut self, key: String, body: Vec<u8>) -> Claimed {
        match self.objects.get(&key) {
            Some(stored) if *stored != body && !self.claims_overwrite => {
                Claimed::Theirs(stored.clone())
            }
            stored => {
                if stored.is_some_and(|stored| *stored != body) {
                    self.overwritten = Some(key.clone());
                }
                self.objects.insert(key, body);
                Claimed::Ours
            }
        }
    }

    /// As S3 does, the tag is a hash of what is stored.
    pub(crate) fn find(&self, key: &str) -> Option<Versioned> {
        let bytes = self.objects.get(key)?.clone();
        let tag = sha256_hex(&bytes);
        Some(Versioned { bytes, etag: tag })
    }

    pub(crate) fn swap(&mut self, key: String, body: Vec<u8>, found: Option<&str>) -> CasOutcome {
        if self.find(&key).map(|there| there.etag).as_deref() != found && !self.swaps_overwrite {
            return CasOutcome::Lost;
        }
        assert!(key.contains("/_pace/"), "{key} is not to be replaced");
        self.objects.insert(key, body);
        CasOutcome::Stored
    }

    pub(crate) fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.objects.get(key).cloned()
    }

    pub(crate) fn list(&self, prefix: &str, after: Option<&str>) -> Vec<String> {
        if prefix.ends_with("/data/") {
            let mut parts = self.parts_with(prefix);
            parts.retain(|part| after.is_none_or(|after| part.as_str() > after));
            return parts;
        }
        // It is asked after every effect: only the keys that it gives are looked at.
        let from = after.map_or(prefix, |after| after.max(prefix));
        let behind = self.objects.range::<str, _>((Included(from), Unbounded));
        behind
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix))
            .filter(|key| after != Some(key.as_str()))
            .cloned()
            .collect()
    }

    pub(crate) fn list_folders(&self, prefix: &str, after: &str, before: &str) -> Vec<String> {
        let below = self.list(prefix, Some(after)).into_iter();
        let folder = |key: String| {
            let end = prefix.len() + key[prefix.len()..].find('/')? + 1;
            Some(key[..end].to_owned())
        };
        let mut folders: Vec<String> = below.filter_map(folder).collect();
        folders.retain(|folder| folder.as_str() > after && folder.as_str() < before);
        folders.dedup();
        folders
    }

    /// A part of a name that nobody else uses.
    pub(crate) fn next_unique(&mut self) -> String {
        self.unique += 1;
        self.unique.to_string()
    }

    /// A file of a table.
    pub(crate) fn put_file(&mut self, key: String, rows: Vec<String>) {
        if self.parts.insert(key.clone(), rows).is_some() {
            self.overwritten = Some(key);
        }
    }

    pub(crate) fn put_part(&mut self, prefix: &str, rows: Vec<String>) -> Part {
        let key = format!("{prefix}{}.ndjson", self.next_unique());
        let text = rows.join("\n");
        let part = Part {
            key: key.clone(),
            rows: rows.len() as u64,
            bytes: text.len() as u64,
            sha256: sha256_hex(text.as_bytes()),
            keys: Sidecar {
                key: format!("{key}.keys"),
                bytes: 0,
                sha256: String::new(),
            },
        };
        self.parts.insert(key, rows);
        part
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        self.objects.iter()
    }

    /// The parts below a folder, whether a commit names them or not.
    pub(crate) fn parts_with(&self, prefix: &str) -> Vec<String> {
        let keys = self.parts.keys().filter(|key| key.starts_with(prefix));
        keys.cloned().collect()
    }

    pub(crate) fn rows(&self, part: &str) -> &[String] {
        &self.parts[part]
    }

    /// The rows of a part, unless it is gone.
    pub(crate) fn find_rows(&self, part: &str) -> Option<&Vec<String>> {
        self.parts.get(part)
    }

    /// A lifecycle rule or a person deletes a part.
    pub(crate) fn delete_part(&mut self, part: &str) {
        self.parts.remove(part);
    }

    pub(crate) fn check(&self, part: &Part) -> bool {
        self.parts.get(&part.key).is_some_and(|rows| {
            let text = rows.join("\n");
            part.bytes == text.len() as u64 && part.sha256 == sha256_hex(text.as_bytes())
        })
    }

    /// The plainest way to say what [`Merged`] promises.
    pub(crate) fn merge(&self, parts: &[Part]) -> Merged {
        let mut by_key: BTreeMap<&str, Vec<(usize, u32, &str)>> = BTreeMap::new();
        let mut merged = Merged {
            without: vec![Vec::new(); parts.len()],
            ..Merged::default()
        };
        for (index, part) in parts.iter().enumerate() {
            for (number, row) in (0..).zip(self.rows(&part.key)) {
                let key = row.split(',').next().unwrap();
                by_key.entry(key).or_default().push((index, number, row));
                merged.rows += 1;
            }
        }
        let mut content = String::new();
        for rows in by_key.values() {
            let last = rows.last().unwrap().2;
            let stays = rows.iter().position(|row| row.2 == last).unwrap();
            content.push_str(last);
            for (position, (part, number, row)) in rows.iter().enumerate() {
                if position == stays {
                    continue;
                }
                let repeats = rows[..position].iter().any(|earlier| earlier.2 == *row);
                if repeats {
                    merged.duplicates += 1;
                } else {
                    merged.replaced += 1;
                }
                merged.without[*part].push(*number);
            }
        }
        for without in &mut merged.without {
            without.sort_unstable();
        }
        merged.content = sha256_hex(content.as_bytes());
        merged
    }
}
