//! What has to be true after every effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use definition::Window;
use delivery::documents::{Commit, GenerationRecord};
use delivery::keys::version_of;
use jiff::Timestamp;

use crate::consumer::Holdings;
use crate::content::{Content, content_of};
use crate::store::Store;
use crate::tenant::Tenant;

/// What consumers see of a window once they have read the log up to some version.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The version that they loaded it from.
    pub(crate) version: u64,
    pub(crate) content: Arc<Content>,
}

/// The windows that consumers see. No two of them overlap.
pub(crate) type Visible = BTreeMap<Window, Shown>;

/// The last commit of a window.
#[derive(Clone, Copy, Debug)]
struct Last {
    version: u64,
    generation: u32,
}

/// How an operator's requests are known from those of schedules.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pub(crate) replays: BTreeSet<String>,
    pub(crate) withdrawals: BTreeSet<String>,
}

/// What was committed of one report so far, held against the source.
#[derive(Debug)]
pub(crate) struct Oracle {
    /// The folder of the report.
    pub(crate) root: String,
    /// What consumers see at each version, from 0.
    visible: Vec<Visible>,
    /// The window of each version, from 1, and whether it was withdrawn.
    windows: Vec<(Window, bool)>,
    /// The parts of each version, from 1.
    parts: Vec<Vec<String>>,
    last: BTreeMap<Window, Last>,
    pub(crate) told: Counted,
}

/// The kinds of commits that there were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) restatements: u64,
    pub(crate) unchanged: u64,
    pub(crate) withdrawals: u64,
    pub(crate) coverings: u64,
}

impl Counted {
    pub(crate) fn add(&mut self, other: Self) {
        self.restatements += other.restatements;
        self.unchanged += other.unchanged;
        self.withdrawals += other.withdrawals;
        self.coverings += other.coverings;
    }
}

impl Oracle {
    pub(crate) fn new(root: String) -> Self {
        Self {
            root,
            visible: vec![Visible::new()],
            windows: Vec::new(),
            parts: Vec::new(),
            last: BTreeMap::new(),
            told: Counted::default(),
        }
    }

    pub(crate) fn look(
        &mut self,
        store: &Store,
        tenant: &Tenant,
        requests: &Requests,
    ) -> Result<(), String> {
        if let Some(what) = &tenant.misused {
            return Err(what.clone());
        }
        let log = store.list(&format!("{}/_log/", self.root), None);
        if log.len() == self.windows.len() {
            return Ok(());
        }
        for key in log {
            let version = version_of(&key).ok_or_else(|| format!("{key} has no version"))?;
            if version > self.commits() {
                self.append(store, tenant, requests, &key)?;
            }
        }
        Ok(())
    }

    fn append(
        &mut self,
        store: &Store,
        tenant: &Tenant,
        requests: &Requests,
        key: &str,
    ) -> Result<(), String> {
        let commit: Commit = serde_json::from_slice(&store.read(key).unwrap()).unwrap();
        let (version, window) = (commit.version, commit.window);
        let last = self.commits();
        if version_of(key) != Some(last + 1) || version != last + 1 {
            return Err(format!("{key} follows version {last}"));
        }
        self.check_generation(store, requests, &commit)?;
        let content = content_of(store, tenant, &self.root, &commit)?;
        let before = self.now_visible();
        let mut after = check_windows(before, &commit)?;
        check_unchanged(before, &commit, &content)?;
        if !commit.withdrawn {
            let content = Arc::new(content);
            after.insert(window, Shown { version, content });
        }
        self.visible.push(after);
        self.windows.push((window, commit.withdrawn));
        self.parts
            .push(commit.parts.iter().map(|part| part.key.clone()).collect());
        let generation = commit.generation;
        self.last.insert(
            window,
            Last {
                version,
                generation,
            },
        );
        self.told.unchanged += u64::from(commit.unchanged);
        self.told.withdrawals += u64::from(commit.withdrawn);
        self.told.coverings += u64::from(!commit.replaces.is_empty());
        Ok(())
    }

    /// An older generation is never committed over a newer one, and nothing but a replay brings back what was withdrawn.
    fn check_generation(
        &mut self,
        store: &Store,
        requests: &Requests,
        commit: &Commit,
    ) -> Result<(), String> {
        let window = commit.window;
        let last = self.last.get(&window);
        if let Some(last) = last.filter(|last| commit.generation <= last.generation) {
            return Err(format!(
                "generation {} was committed after {}",
                commit.generation, last.generation
            ));
        }
        if commit.supersedes != last.map(|last| last.version) {
            return Err(format!(
                "version {} supersedes {:?}, and the one before is {last:?}",
                commit.version, commit.supersedes
            ));
        }
        let record = |generation| {
            let key = format!(
                "{}/win/{}/g{generation:04}/open.json",
                self.root,
                window.key()
            );
            serde_json::from_slice::<GenerationRecord>(&store.read(&key).unwrap()).unwrap()
        };
        let own = record(commit.generation);
        if own.withdrawn != requests.withdrawals.contains(&own.request_key)
            || own.withdrawn != commit.withdrawn
        {
            return Err(format!(
                "version {} is wrong about a withdrawal",
                commit.version
            ));
        }
        let by_operator =
            |key: &String| requests.replays.contains(key) || requests.withdrawals.contains(key);
        let before = (1..commit.generation).rev().map(record);
        let mut by_operators = before.filter(|record| by_operator(&record.request_key));
        let was_withdrawn = by_operators.next().is_some_and(|record| record.withdrawn);
        if was_withdrawn && !by_operator(&own.request_key) {
            return Err(format!(
                "version {} brings back {window}, which was withdrawn, for {}",
                commit.version, own.request_key
            ));
        }
        let scheduled = own.request_key == "schedule";
        self.told.restatements += u64::from(!scheduled && !by_operator(&own.request_key));
        Ok(())
    }

    /// Whoever has read up to a version holds the rows of the windows that are visible there, and no others.
    pub(crate) fn holds(&self, holdings: &Holdings) -> Result<(), String> {
        let version = holdings.version;
        let Some(visible) = self.visible.get(usize::try_from(version).unwrap()) else {
            return Err(format!(
                "a consumer is at version {version}, and there is none"
            ));
        };
        for window in holdings.windows.keys().chain(visible.keys()) {
            let held = holdings.windows.get(window);
            let mut held = held.map(|held| held.rows.clone()).unwrap_or_default();
            held.sort_unstable();
            let loaded = |shown: &&Shown| !holdings.skipped.contains(&shown.version);
            let shown = visible.get(window).filter(loaded);
            let source = shown.map_or(&[][..], |shown| &shown.content.rows);
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

    /// Whoever has read the whole log has skipped nothing that is visible.
    pub(crate) fn holds_all(&self, holdings: &Holdings) -> Result<(), String> {
        let mut shown = self.now_visible().values();
        match shown.find(|shown| holdings.skipped.contains(&shown.version)) {
            Some(shown) => Err(format!("a consumer skipped version {}", shown.version)),
            None => Ok(()),
        }
    }

    pub(crate) fn commits(&self) -> u64 {
        self.windows.len() as u64
    }

    /// What consumers see that have read up to a version, which is there.
    pub(crate) fn visible_at(&self, version: u64) -> &Visible {
        &self.visible[usize::try_from(version).unwrap()]
    }

    /// What consumers see that have read everything.
    pub(crate) fn now_visible(&self) -> &Visible {
        self.visible.last().unwrap()
    }

    /// Whether at some time since this version consumers held a window beside which this one can't stand. A window is
    /// withdrawn only as the one that it is.
    pub(crate) fn was_refused(&self, window: &Window, withdrawal: bool, since: u64) -> bool {
        let since = usize::try_from(since).unwrap();
        let mut visible = self.visible[since..].iter();
        visible.any(|visible| stands_in_the_way(visible, window, withdrawal))
    }

    /// Whether consumers hold such a window ever since this version.
    pub(crate) fn is_refused_since(&self, window: &Window, since: u64) -> bool {
        let since = usize::try_from(since).unwrap();
        let mut visible = self.visible[since..].iter();
        visible.all(|visible| stands_in_the_way(visible, window, false))
    }

    /// The generation of the window that was committed last; 0 if none was.
    pub(crate) fn generation(&self, window: &Window) -> u32 {
        self.last.get(window).map_or(0, |last| last.generation)
    }

    /// The parts of what consumers see.
    pub(crate) fn visible_parts(&self) -> impl Iterator<Item = &String> {
        let versions = self.now_visible().values().map(|shown| shown.version);
        versions.flat_map(|version| &self.parts[usize::try_from(version).unwrap() - 1])
    }

    /// When the first window begins of those that were committed.
    pub(crate) fn first_moment(&self) -> Option<Timestamp> {
        self.windows.iter().map(|(window, _)| window.start()).min()
    }

    /// The last commit about all of this time: its version, its window, and whether it took that back.
    pub(crate) fn last_over(&self, time: &Window) -> Option<(u64, Window, bool)> {
        let over = |(window, _): &(Window, bool)| lies_within(time, window);
        let index = self.windows.iter().rposition(over)?;
        let (window, withdrawn) = self.windows[index];
        Some((index as u64 + 1, window, withdrawn))
    }

    /// The parts of a version, if a later one up to `last` deletes its rows.
    pub(crate) fn superseded_parts(&self, version: u64, last: u64) -> Option<&[String]> {
        let index = usize::try_from(version).unwrap();
        let (window, _) = self.windows[index - 1];
        let mut later = self.windows[index..usize::try_from(last).unwrap()].iter();
        let is_gone = later.any(|(later, _)| lies_within(&window, later));
        is_gone.then_some(&self.parts[index - 1][..])
    }
}

/// What consumers still see once they have deleted what lies within the commit's window. The rest touches it at most.
fn check_windows(before: &Visible, commit: &Commit) -> Result<Visible, String> {
    let window = commit.window;
    let mut after = before.clone();
    let mut replaced = Vec::new();
    for other in before.keys() {
        if lies_within(other, &window) {
            after.remove(other);
            replaced.extend((*other != window).then_some(*other));
        } else if overlap(other, &window) {
            return Err(format!(
                "version {} of {window} overlaps {other}, which consumers hold",
                commit.version
            ));
        }
    }
    if commit.replaces != replaced {
        return Err(format!(
            "version {} says that it replaces {:?}, and it replaces {replaced:?}",
            commit.version, commit.replaces
        ));
    }
    Ok(after)
}

/// A version is said to be unchanged if consumers hold these very rows.
fn check_unchanged(before: &Visible, commit: &Commit, content: &Content) -> Result<(), String> {
    let held = before.get(&commit.window).map(|shown| &shown.content);
    let is_same = held.is_some_and(|held| held.rows == content.rows);
    if commit.unchanged && !is_same {
        return Err(format!(
            "version {} says that nothing has changed, and it has",
            commit.version
        ));
    }
    // Rows that were fetched in other pieces have another hash.
    let is_same = held.is_some_and(|held| is_same && held.pieces == content.pieces);
    if is_same && !commit.unchanged && !commit.withdrawn {
        return Err(format!(
            "version {} does not say that nothing has changed",
            commit.version
        ));
    }
    Ok(())
}

fn stands_in_the_way(visible: &Visible, window: &Window, withdrawal: bool) -> bool {
    let mut others = visible.keys().filter(|other| overlap(other, window));
    others.any(|other| !lies_within(other, window) || withdrawal && other != window)
}

/// Whether a window lies within the other one, as a window does within itself.
pub(crate) fn lies_within(inner: &Window, outer: &Window) -> bool {
    outer.start() <= inner.start() && inner.end() <= outer.end()
}

fn overlap(a: &Window, b: &Window) -> bool {
    a.start() < b.end() && b.start() < a.end()
}
