//! What has to be true after every effect.

use std::collections::{BTreeMap, BTreeSet};

use delivery::EndReason;
use delivery::documents::{Commit, EndRecord, GenerationRecord, Verification};
use delivery::keys::version_of;

use crate::consumer::Holdings;
use crate::store::Store;
use crate::tenant::Tenant;

/// What was committed so far, held against the source.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// For each version its window, and the rows that whoever has read it has to hold.
    versions: Vec<(String, Vec<String>)>,
    /// The generation of each window that was committed last.
    generations: BTreeMap<String, u32>,
}

impl Oracle {
    pub(crate) fn look(&mut self, store: &Store, tenant: &Tenant) -> Result<(), String> {
        if let Some(key) = &store.overwritten {
            return Err(format!("{key} was changed"));
        }
        if let Some(what) = &tenant.too_close {
            return Err(what.clone());
        }
        let log = store.keys_with("/_log/");
        if log.len() == self.versions.len() {
            return Ok(());
        }
        for key in log {
            let version = version_of(&key).ok_or_else(|| format!("{key} has no version"))?;
            if version > self.commits() {
                self.append(store, tenant, &key, version)?;
            }
        }
        Ok(())
    }

    fn append(
        &mut self,
        store: &Store,
        tenant: &Tenant,
        key: &str,
        version: u64,
    ) -> Result<(), String> {
        let commit: Commit = serde_json::from_slice(&store.read(key).unwrap()).unwrap();
        let last = self.commits();
        if version != last + 1 || commit.version != version {
            return Err(format!("version {version} follows {last}"));
        }
        let window = commit.window.key();
        let generation = self.generations.entry(window.clone()).or_default();
        if commit.generation <= *generation {
            return Err(format!(
                "generation {} was committed after {generation}",
                commit.generation
            ));
        }
        *generation = commit.generation;
        self.versions
            .push((window, rows_are_the_sources(store, tenant, &commit)?));
        Ok(())
    }

    /// Whoever has read up to a version holds, of each window, the rows of its last commit up to there, and no others.
    pub(crate) fn holds(&self, holdings: &Holdings) -> Result<(), String> {
        let version = holdings.version;
        let read = usize::try_from(version).unwrap();
        let Some(read) = self.versions.get(..read) else {
            return Err(format!(
                "a consumer is at version {version}, and there is none"
            ));
        };
        let expected: BTreeMap<&String, &Vec<String>> =
            read.iter().map(|(window, rows)| (window, rows)).collect();
        for window in holdings.windows.keys().chain(expected.keys().copied()) {
            let mut held = holdings.windows.get(window).cloned().unwrap_or_default();
            held.sort_unstable();
            let source = expected.get(window).copied().cloned().unwrap_or_default();
            if held != source {
                return Err(format!(
                    "a consumer at version {version} holds {} rows of {window}, and the source had {}",
                    held.len(),
                    source.len()
                ));
            }
        }
        Ok(())
    }

    /// At the end the newest wish has been committed, and each replay is a wish of its own.
    pub(crate) fn end(&self, store: &Store, replays: &BTreeSet<String>) -> Result<(), String> {
        let opens = store
            .keys_with("/open.json")
            .into_iter()
            .filter_map(|key| store.read(&key));
        let wishes: BTreeSet<String> = opens
            .map(|bytes| {
                serde_json::from_slice::<GenerationRecord>(&bytes)
                    .unwrap()
                    .request_key
            })
            .collect();
        if let Some(replay) = replays.iter().find(|replay| !wishes.contains(*replay)) {
            return Err(format!("{replay} was wished for and never opened"));
        }
        let mut newest: BTreeMap<String, u32> = BTreeMap::new();
        for key in store.keys_with("/open.json") {
            let (window, generation) = key.split_once("/win/").unwrap().1.split_once("/g").unwrap();
            let newest = newest.entry(window.to_owned()).or_default();
            *newest = (*newest).max(generation[..4].parse().unwrap());
        }
        if newest.is_empty() || newest != self.generations {
            return Err(format!(
                "wished for were {newest:?}, and committed {:?}",
                self.generations
            ));
        }
        Ok(())
    }

    pub(crate) fn commits(&self) -> u64 {
        self.versions.len() as u64
    }
}

/// The rows that a consumer loads are those that the source had for the runs' windows, once each.
///
/// Gives them, sorted.
fn rows_are_the_sources(
    store: &Store,
    tenant: &Tenant,
    commit: &Commit,
) -> Result<Vec<String>, String> {
    let parts = commit.parts.iter();
    let mut landed: Vec<&String> = parts.flat_map(|part| store.rows(&part.key)).collect();
    landed.sort_unstable();
    let held = landed.iter().copied().cloned().collect();
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
        return Ok(held);
    }
    if !whole {
        return Err(format!(
            "version {} trusts pages that shifted",
            commit.version
        ));
    }
    let given = source.len() as u64;
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
    let files = commit.runs.len() as u64;
    if commit.summary_rows != if tenant.sums_up() { files } else { 0 } {
        return Err(format!(
            "version {} leaves {} rows out",
            commit.version, commit.summary_rows
        ));
    }
    if commit.abandoned.len() as u64 != left_behind(store, tenant, commit) {
        return Err(format!(
            "version {} tells of {:?}",
            commit.version, commit.abandoned
        ));
    }
    if commit.empty != source.is_empty() {
        return Err(format!(
            "version {} is wrong about being empty",
            commit.version
        ));
    }
    Ok(held)
}

/// How many runs of the generation took too long, and could not be cancelled.
fn left_behind(store: &Store, tenant: &Tenant, commit: &Commit) -> u64 {
    if tenant.dialect.can_cancel() {
        return 0;
    }
    let generation = format!("/win/{}/g{:04}/", commit.window.key(), commit.generation);
    let cut_off = |key: &String| {
        let end: EndRecord = serde_json::from_slice(&store.read(key).unwrap()).unwrap();
        end.reason == EndReason::TimedOut
    };
    let ends = store.keys_with(&generation).into_iter();
    ends.filter(|key| key.ends_with("/end.json"))
        .filter(cut_off)
        .count() as u64
}
