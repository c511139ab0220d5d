//! What landed, held against what the tenant has.

use cxone_sim::Kind;
use delivery::documents::{Commit, CommitPart, Slot, sha256_hex};
use local::world::BUCKET;
use serde_json::{Value, json};

use super::Pipeline;

impl Pipeline {
    /// The log, whose versions have no gap.
    pub fn log(&self) -> Vec<Commit> {
        let log = self.world.log().unwrap();
        let versions = log.iter().map(|commit| commit.version);
        assert!(versions.eq(1..=log.len() as u64), "the log has a gap");
        log
    }

    /// The only commit, which holds exactly the rows of its runs.
    pub fn commit(&self) -> Commit {
        let mut log = self.log();
        assert_eq!(log.len(), 1, "{log:#?}");
        let commit = log.remove(0);
        self.check_rows(&commit);
        commit
    }

    /// Holds the commit's rows against those of its runs, byte for byte and in order.
    pub fn check_rows(&self, commit: &Commit) {
        self.check_committed_rows(commit);
        self.check_sidecars();
        assert_eq!(commit.empty, commit.unique == 0);
    }

    /// The same, where objects that the commit does not name may be damaged.
    pub fn check_committed_rows(&self, commit: &Commit) {
        let truth = commit.runs.iter().flat_map(|run| {
            let truth = self.tenant().truth(run.run_id.as_str());
            truth.expect("the commit names a run that the tenant knows")
        });
        self.check_committed_parts(commit);
        self.compare_lines(commit, truth);
    }

    /// Holds the commit's lines against others, byte for byte and in order.
    pub fn check_lines(&self, commit: &Commit, truth: impl Iterator<Item = Vec<u8>>) {
        self.check_parts(commit);
        self.compare_lines(commit, truth);
    }

    fn compare_lines(&self, commit: &Commit, mut truth: impl Iterator<Item = Vec<u8>>) {
        let mut count = 0_u64;
        for part in &commit.parts {
            for line in lines(&self.world.part(part).unwrap()) {
                let expected = truth.next();
                if expected.as_deref() != Some(line) {
                    let expected = String::from_utf8_lossy(expected.as_deref().unwrap_or(b"none"));
                    let line = String::from_utf8_lossy(line);
                    panic!("row {count}: landed {line}\nexpected {expected}");
                }
                count += 1;
            }
        }
        assert_eq!(
            truth.next(),
            None,
            "{count} rows landed, and there are more"
        );
        assert_eq!(count, commit.unique);
    }

    /// Every part is what its entry says, has a sidecar, and stands in the manifest.
    pub fn check_parts(&self, commit: &Commit) {
        self.check_committed_parts(commit);
        self.check_sidecars();
    }

    fn check_committed_parts(&self, commit: &Commit) {
        let store = self.world.store();
        for part in &commit.parts {
            let stored = store.read(BUCKET, &part.key).unwrap();
            assert_eq!(stored.len() as u64, part.bytes, "{}", part.key);
            assert_eq!(sha256_hex(&stored), part.sha256, "{}", part.key);
        }
        let rows: u64 = commit.parts.iter().map(|part| part.rows).sum();
        assert_eq!(rows, commit.unique);
        assert_eq!(
            commit.rows,
            commit.unique + commit.duplicates + commit.replaced
        );
        assert_eq!(self.manifest(commit), manifest_of(&commit.parts));
    }

    fn manifest(&self, commit: &Commit) -> Value {
        let keys = self.world.store().keys(BUCKET, "");
        let name = format!("/_manifest/{:020}.json", commit.version);
        let part = commit.parts.first().map(|part| part.key.as_str());
        let root = part.and_then(|key| key.split_once("/data/"));
        let root = root.map_or("", |(root, _)| root);
        let of_report = |key: &&String| key.starts_with(root) && key.ends_with(&name);
        let key = keys.iter().find(of_report).expect("there is a manifest");
        serde_json::from_slice(&self.world.store().read(BUCKET, key).unwrap()).unwrap()
    }

    /// Every part that a slot names has its sidecar.
    fn check_sidecars(&self) {
        for slot in self.slots() {
            for part in slot.parts {
                let stored = self.world.store().read(BUCKET, &part.keys.key).unwrap();
                assert_eq!(stored.len() as u64, part.keys.bytes, "{}", part.keys.key);
                assert_eq!(sha256_hex(&stored), part.keys.sha256, "{}", part.keys.key);
            }
        }
    }

    /// The slots of all runs, in the order of their keys.
    pub fn slots(&self) -> Vec<Slot> {
        let store = self.world.store();
        let mut keys = store.keys(BUCKET, "");
        let is_slot = |key: &str| {
            let name = key.rsplit('/').next().unwrap_or_default();
            key.contains("/win/") && name.starts_with('b')
        };
        keys.retain(|key| is_slot(key));
        let read = |key: &String| {
            let bytes = store.read(BUCKET, key).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        keys.iter().map(read).collect()
    }

    /// The keys of all objects, with a hash of what is in them.
    pub fn listing(&self) -> Vec<(String, String)> {
        let store = self.world.store();
        let hashed = |key: String| {
            let hash = sha256_hex(&store.read(BUCKET, &key).unwrap());
            (key, hash)
        };
        store.keys(BUCKET, "").into_iter().map(hashed).collect()
    }

    /// How many runs were started.
    pub fn started(&self) -> usize {
        self.requests(Kind::StartRun).len()
    }
}

/// Lines without their ends; the last one has an end too.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or_else(|| {
        assert!(text.is_empty(), "the last line has no end");
        text
    });
    let lines = text.split(|byte| *byte == b'\n');
    lines.take(if text.is_empty() { 0 } else { usize::MAX })
}

fn manifest_of(parts: &[CommitPart]) -> Value {
    let entry = |part: &CommitPart| {
        json!({
            "url": format!("s3://{BUCKET}/{}", part.key),
            "mandatory": true,
            "meta": {"content_length": part.bytes},
        })
    };
    json!({"entries": parts.iter().map(entry).collect::<Vec<_>>()})
}

impl Pipeline {
    /// The rows of the commit's runs as one text.
    pub fn truth_of(&self, commit: &Commit) -> String {
        let rows = commit.runs.iter().flat_map(|run| {
            let truth = self.tenant().truth(run.run_id.as_str());
            truth.unwrap()
        });
        String::from_utf8(rows.collect::<Vec<_>>().join(&b'\n')).unwrap()
    }
}
