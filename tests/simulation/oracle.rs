//! What has to be true after every effect.

use std::collections::{BTreeMap, BTreeSet};

use landing::docs::{Commit, Open, Verification};
use landing::keys::version_of;

use crate::store::Store;
use crate::tenant::Tenant;

/// A consumer that reads the log in order, and what it checks while it does.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    version: u64,
    generation: u32,
    seen: usize,
    open: BTreeMap<String, u32>,
}

impl Oracle {
    pub(crate) fn look(&mut self, store: &Store, tenant: &Tenant) -> Result<(), String> {
        if let Some(key) = &store.overwritten {
            return Err(format!("{key} was changed"));
        }
        let log = store.keys_with("/_log/");
        if log.len() == self.seen {
            return Ok(());
        }
        self.seen = log.len();
        for key in log {
            let version = version_of(&key).ok_or_else(|| format!("{key} has no version"))?;
            if version > self.version {
                self.consume(store, tenant, &key, version)?;
            }
        }
        Ok(())
    }

    fn consume(
        &mut self,
        store: &Store,
        tenant: &Tenant,
        key: &str,
        version: u64,
    ) -> Result<(), String> {
        let commit: Commit = serde_json::from_slice(&store.read(key).unwrap()).unwrap();
        if version != self.version + 1 || commit.version != version {
            return Err(format!("version {version} follows {}", self.version));
        }
        if commit.generation <= self.generation {
            return Err(format!(
                "generation {} was committed after {}",
                commit.generation, self.generation
            ));
        }
        self.version = version;
        self.generation = commit.generation;
        rows_are_the_sources(store, tenant, &commit)
    }

    /// At the end the newest wish has been committed, and each replay is a wish of its own.
    pub(crate) fn end(&mut self, store: &Store, replays: &BTreeSet<String>) -> Result<(), String> {
        let opens = store
            .keys_with("/open.json")
            .into_iter()
            .filter_map(|key| store.read(&key));
        let wishes: BTreeSet<String> = opens
            .map(|bytes| serde_json::from_slice::<Open>(&bytes).unwrap().wish)
            .collect();
        if let Some(replay) = replays.iter().find(|replay| !wishes.contains(*replay)) {
            return Err(format!("{replay} was wished for and never opened"));
        }
        for key in store.keys_with("/open.json") {
            let generation = key.rsplit("/g").next().unwrap()[..4].parse().unwrap();
            self.open.insert(key, generation);
        }
        let newest = self.open.values().max().copied().unwrap_or(0);
        if newest == 0 || newest != self.generation {
            return Err(format!(
                "generation {newest} was wished for, and {} is the last one committed",
                self.generation
            ));
        }
        Ok(())
    }

    pub(crate) fn commits(&self) -> u64 {
        self.version
    }
}

/// The rows that a consumer loads are those that the source had for the runs' windows, once each.
fn rows_are_the_sources(store: &Store, tenant: &Tenant, commit: &Commit) -> Result<(), String> {
    let mut landed: Vec<&String> = commit
        .parts
        .iter()
        .flat_map(|part| store.rows(&part.key))
        .collect();
    let mut source: Vec<&String> = Vec::new();
    let mut whole = true;
    let mut at = commit.window.start();
    for run in &commit.runs {
        if run.window.start() != at {
            return Err(format!(
                "the runs of version {} leave a hole",
                commit.version
            ));
        }
        at = run.window.end();
        source.extend(&tenant.runs[&run.run_id].truth);
        whole &= tenant.runs[&run.run_id].is_whole;
    }
    if at != commit.window.end() {
        return Err(format!(
            "the runs of version {} stop at {at}",
            commit.version
        ));
    }
    // A tenant that pages unstably and says so by nothing but duplicates can't be made safe;
    // the commit then says that it was not verified.
    let unverified = matches!(
        commit.verification,
        Verification::None | Verification::SecondRun
    );
    if !whole && unverified {
        return Ok(());
    }
    if !whole {
        return Err(format!(
            "version {} trusts pages that shifted",
            commit.version
        ));
    }
    let given = source.len() as u64;
    landed.sort_unstable();
    source.sort_unstable();
    source.dedup();
    if landed != source {
        return Err(format!(
            "version {}: a consumer holds {} rows, the source had {}",
            commit.version,
            landed.len(),
            source.len()
        ));
    }
    if commit.rows != given || commit.unique != landed.len() as u64 {
        return Err(format!(
            "version {} counts wrongly: {commit:?}",
            commit.version
        ));
    }
    if commit.empty != source.is_empty() {
        return Err(format!(
            "version {} is wrong about being empty",
            commit.version
        ));
    }
    Ok(())
}
