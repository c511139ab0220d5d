//! What readers of a report's table see, by the rules of Delta's protocol alone, held against what consumers of the log see.

use std::collections::{BTreeMap, BTreeSet};

use definition::Window;
use serde_json::Value;

use crate::oracle::{Oracle, lies_within};
use crate::store::Store;

/// The table, version by version.
#[derive(Debug, Default)]
pub(crate) struct TableOracle {
    /// How many versions were seen, from version 0 on.
    versions: u64,
    /// The files that were added and not removed since.
    files: BTreeSet<String>,
    /// Windows whose rows were gone when they were published.
    gone: BTreeSet<Window>,
    pub(crate) told: Published,
}

/// What was published.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Published {
    pub(crate) versions: u64,
    /// Versions that removed files.
    pub(crate) removals: u64,
    /// Versions whose rows were gone.
    pub(crate) without_rows: u64,
}

impl Published {
    pub(crate) fn add(&mut self, other: Self) {
        self.versions += other.versions;
        self.removals += other.removals;
        self.without_rows += other.without_rows;
    }
}

impl TableOracle {
    /// Looks at the versions that are new. `log` has seen every commit.
    pub(crate) fn look(&mut self, store: &Store, log: &Oracle) -> Result<(), String> {
        let folder = format!("{}/table/", log.root);
        let key_of = |version: u64| format!("{folder}_delta_log/{version:020}.json");
        let seen = self.versions.checked_sub(1).map(key_of);
        for key in &store.list(&format!("{folder}_delta_log/"), seen.as_deref()) {
            let version = self.versions;
            if *key != key_of(version) {
                return Err(format!("{key} is in the place of version {version}"));
            }
            self.append(&store.read(key).unwrap(), version)?;
            self.versions += 1;
            if version == 0 {
                continue;
            }
            self.note_gone(&store.read(key).unwrap(), log, version)?;
            self.compare(store, &folder, log, version)?;
        }
        Ok(())
    }

    /// Applies the actions of a version.
    fn append(&mut self, stored: &[u8], version: u64) -> Result<(), String> {
        let mut removes = false;
        for action in actions(stored) {
            if let Some(path) = action["add"]["path"].as_str()
                && !self.files.insert(path.to_owned())
            {
                return Err(format!("version {version} of the table adds {path} again"));
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                removes = true;
                if !self.files.remove(path) {
                    return Err(format!(
                        "version {version} of the table removes {path}, which it has not"
                    ));
                }
            }
        }
        self.told.versions += 1;
        self.told.removals += u64::from(removes);
        Ok(())
    }

    /// Rows that were gone are not missed, because a later commit replaces them.
    fn note_gone(&mut self, stored: &[u8], log: &Oracle, version: u64) -> Result<(), String> {
        let info = actions(stored).find(|action| action["commitInfo"].is_object());
        let origin = &info.ok_or("a version without commitInfo")?["commitInfo"]["cxone"];
        if origin["version"] != version || version > log.commits() {
            return Err(format!(
                "version {version} of the table is of commit {}, and there are {}",
                origin["version"],
                log.commits()
            ));
        }
        let window: Window = serde_json::from_value(origin["window"].clone()).unwrap();
        self.gone.retain(|gone| !lies_within(gone, &window));
        if origin["rowsGone"] != true {
            return Ok(());
        }
        self.told.without_rows += 1;
        self.gone.insert(window);
        match log.superseded_parts(version, log.commits()) {
            Some(_) => Ok(()),
            None => Err(format!(
                "version {version} of the table has no rows, and nothing replaces it"
            )),
        }
    }

    /// A reader of this version sees the rows that consumers of the log hold at it.
    fn compare(
        &self,
        store: &Store,
        folder: &str,
        log: &Oracle,
        version: u64,
    ) -> Result<(), String> {
        let mut seen: BTreeMap<Window, Vec<&String>> = BTreeMap::new();
        for path in &self.files {
            let rows = store.find_rows(&format!("{folder}{path}"));
            let rows = rows.ok_or_else(|| format!("there is no {path}, which the table names"))?;
            let (window, _) = path.split_once('/').unwrap();
            seen.entry(window.parse().unwrap())
                .or_default()
                .extend(rows);
        }
        let visible = log.visible_at(version);
        for window in seen.keys().chain(visible.keys()) {
            let mut rows = seen.get(window).cloned().unwrap_or_default();
            rows.sort_unstable();
            let shown = visible.get(window).filter(|_| !self.gone.contains(window));
            let expected = shown.map_or(&[][..], |shown| &shown.content.rows);
            if !rows.iter().copied().eq(expected) {
                return Err(format!(
                    "version {version} of the table has {} rows of {window}, and consumers hold {}",
                    rows.len(),
                    expected.len()
                ));
            }
        }
        Ok(())
    }

    /// The end: all that was committed is published, and nothing that consumers hold is missing.
    pub(crate) fn judge(&self, log: &Oracle) -> Result<(), String> {
        let published = self.versions.saturating_sub(1);
        if published != log.commits() {
            return Err(format!(
                "the table has version {published}, and the log {}",
                log.commits()
            ));
        }
        match self
            .gone
            .iter()
            .find(|window| log.now_visible().contains_key(window))
        {
            Some(window) => Err(format!("the table has no rows of {window}")),
            None => Ok(()),
        }
    }
}

fn actions(stored: &[u8]) -> impl Iterator<Item = Value> {
    let lines = stored.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap())
}
