//! What a consumer that looks at the bucket all the time gets to see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use delivery::documents::{Commit, CommitPart};
use local::World;
use local::world::BUCKET;
use local_aws::S3;

/// Remembers every claim that it has seen, and notes what must not happen to one.
#[derive(Clone)]
pub(crate) struct Witness {
    s3: S3,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    claims: BTreeMap<String, Vec<u8>>,
    versions: u64,
    looks: u64,
    violations: Vec<String>,
}

impl Witness {
    pub(crate) fn of(world: &World) -> Self {
        Self {
            s3: world.services().s3.clone(),
            seen: Arc::default(),
        }
    }

    /// Claims stay as they are, versions come one after the other, and their parts before them.
    pub(crate) fn look(&self) {
        let store = self.s3.store();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.looks += 1;
        let claims = seen.claims.iter();
        let changed =
            claims.filter(|(key, bytes)| store.read(BUCKET, key).ok().as_ref() != Some(bytes));
        let changed: Vec<_> = changed.map(|(key, _)| format!("{key} changed")).collect();
        seen.violations.extend(changed);
        for key in store.keys(BUCKET, "") {
            let is_version = key.contains("/_log/");
            if seen.claims.contains_key(&key) || !(is_version || key.contains("/win/")) {
                continue;
            }
            let bytes = store.read(BUCKET, &key).unwrap_or_default();
            if is_version {
                let wrong = self.first_look(&bytes, seen.versions + 1);
                seen.violations
                    .extend(wrong.map(|it| format!("{key}: {it}")));
                seen.versions += 1;
            }
            seen.claims.insert(key, bytes);
        }
    }

    /// What is wrong with a commit in the moment in which it becomes visible.
    fn first_look(&self, bytes: &[u8], version: u64) -> Option<String> {
        let commit: Commit = match serde_json::from_slice(bytes) {
            Ok(commit) => commit,
            Err(error) => return Some(error.to_string()),
        };
        if commit.version != version {
            return Some(format!("version {} came before {version}", commit.version));
        }
        let is_there = |part: &&CommitPart| {
            let stored = self.s3.store().read(BUCKET, &part.key);
            stored.is_ok_and(|stored| stored.len() as u64 == part.bytes)
        };
        let part = commit.parts.iter().find(|part| !is_there(part))?;
        Some(format!("{} is not there", part.key))
    }

    /// How often it looked.
    pub(crate) fn looks(&self) -> u64 {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .looks
    }

    /// Nothing happened that must not.
    pub(crate) fn check(&self) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.violations.is_empty(), "{:#?}", seen.violations);
    }
}
