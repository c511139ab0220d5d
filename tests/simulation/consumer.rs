//! A warehouse that reads the log as its consumers are told to: in order, and with its own bookkeeping in
//! the transaction that loads. Each notification starts a process, so that several may be at it.

use std::collections::{BTreeMap, BTreeSet};

use definition::Window;
use delivery::documents::Commit;
use delivery::keys::version_of;
use jiff::{SignedDuration, Timestamp};

use crate::habit::Habit;
use crate::oracle::{Oracle, lies_within};
use crate::rng::Rng;
use crate::store::Store;

/// The rows of a window, and the version that they are of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) version: u64,
    pub(crate) rows: Vec<String>,
}

/// What a query of the warehouse sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) version: u64,
    pub(crate) windows: BTreeMap<Window, Held>,
    /// Versions of which it has loaded nothing, because their parts are gone.
    pub(crate) skipped: BTreeSet<u64>,
}

#[derive(Debug)]
struct Transaction {
    /// The version that was there when it began.
    began_at: u64,
    after: Holdings,
    window: Window,
    parts: Vec<String>,
    /// Of [`Habit::BooksApart`]: the rows are there, and the version is not kept yet.
    is_loaded: bool,
}

#[derive(Debug)]
struct Process {
    bell: u64,
    busy_until: Timestamp,
    transaction: Option<Transaction>,
}

/// What a schedule did to its consumer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) loads: u64,
    pub(crate) crashes: u64,
    pub(crate) gaps: u64,
    /// Versions that were skipped, because a later one covers them and their parts are gone.
    pub(crate) skipped: u64,
    /// Versions on which nothing was spent, because they are unchanged.
    pub(crate) spared: u64,
    /// Consumers that began with an empty warehouse.
    pub(crate) anew: u64,
}

impl Told {
    pub(crate) fn add(&mut self, other: Self) {
        self.loads += other.loads;
        self.crashes += other.crashes;
        self.gaps += other.gaps;
        self.skipped += other.skipped;
        self.spared += other.spared;
        self.anew += other.anew;
    }
}

#[derive(Debug)]
pub(crate) struct Consumer {
    habit: Habit,
    /// The folder of the report.
    root: String,
    pub(crate) holdings: Holdings,
    pub(crate) told: Told,
    processes: Vec<Process>,
    /// When they ring, and the version that they name.
    bells: Vec<(Timestamp, u64)>,
    /// A consumer of a copy of the bucket sees a version from then on; objects are copied in any order.
    arrivals: Option<BTreeMap<u64, Arrival>>,
}

/// From when on a copy of the bucket has a version's entry in the log, and its parts.
#[derive(Debug)]
struct Arrival {
    entry: Timestamp,
    parts: Timestamp,
}

impl Consumer {
    pub(crate) fn new(habit: Habit, root: String, rng: &mut Rng) -> Self {
        Self {
            habit,
            root,
            holdings: Holdings::default(),
            told: Told::default(),
            processes: Vec::new(),
            bells: Vec::new(),
            arrivals: rng.chance(300).then(BTreeMap::new),
        }
    }

    /// A version was appended: it is told of it once, twice or never, sooner or later.
    pub(crate) fn hear(&mut self, rng: &mut Rng, now: Timestamp, version: u64) {
        let mut from = now;
        if let Some(arrivals) = &mut self.arrivals {
            let slow = rng.chance(400);
            from += rng.seconds(if slow { 20_000 } else { 600 });
            let parts = now + rng.seconds(if slow { 20_000 } else { 600 });
            arrivals.insert(version, Arrival { entry: from, parts });
        }
        for _ in 0..[0, 1, 1, 1, 2, 3][rng.index(6)] {
            self.bells.push((from + rng.seconds(900), version));
        }
    }

    /// The warehouse is lost: another one begins with the first version.
    pub(crate) fn start_anew(&mut self, now: Timestamp) {
        self.told.anew += 1;
        let bell = self.holdings.version;
        self.holdings = Holdings::default();
        self.processes.clear();
        self.bells.push((now, bell));
    }

    /// Starts a process for each notification that has come.
    pub(crate) fn answer_bells(&mut self, now: Timestamp) {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.bells)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.bells = later;
        self.processes
            .extend(due.into_iter().map(|(_, bell)| Process {
                bell,
                busy_until: now,
                transaction: None,
            }));
    }

    /// The processes that can do something.
    pub(crate) fn ready(&self, now: Timestamp) -> Vec<usize> {
        (0..self.processes.len())
            .filter(|&index| self.processes[index].busy_until <= now)
            .collect()
    }

    /// When something happens by itself.
    pub(crate) fn wakes(&self) -> impl Iterator<Item = Timestamp> {
        let busy = self.processes.iter().map(|process| process.busy_until);
        busy.chain(self.bells.iter().map(|(at, _)| *at))
    }

    /// Lets a process do one thing, or ends it in the middle of its work.
    pub(crate) fn step(
        &mut self,
        index: usize,
        rng: &mut Rng,
        now: Timestamp,
        faulty: bool,
        store: &Store,
    ) {
        let process = &mut self.processes[index];
        if faulty && rng.chance(60) {
            // Nothing of its transaction stays, and whoever rang it rings again.
            self.told.crashes += 1;
            let bell = process.bell;
            self.processes.swap_remove(index);
            self.bells.push((now + rng.seconds(300), bell));
            return;
        }
        process.busy_until = now + rng.seconds(20);
        let bell = process.bell;
        match process.transaction.take() {
            Some(mut transaction) if !transaction.parts.is_empty() => {
                // A part that is gone by now ends the transaction, and it begins again.
                if let Some(rows) = store.find_rows(&transaction.parts.remove(0)) {
                    let held = transaction.after.windows.entry(transaction.window);
                    held.or_default().rows.extend(rows.iter().cloned());
                    self.processes[index].transaction = Some(transaction);
                }
            }
            Some(transaction) => self.commit(index, transaction),
            None => match self.begin(bell, now, store) {
                Some(transaction) => self.processes[index].transaction = Some(transaction),
                None => drop(self.processes.swap_remove(index)),
            },
        }
    }

    /// Begins to load the version that is next, if it is there.
    fn begin(&mut self, bell: u64, now: Timestamp, store: &Store) -> Option<Transaction> {
        let visible = self.visible(now, store);
        let next = self.holdings.version + 1;
        let newer = visible.iter().find(|version| **version >= next).copied();
        let version = match self.habit {
            Habit::FollowsTheBell if self.holdings.version < bell => bell,
            Habit::SkipsGaps => newer?,
            _ => next,
        };
        if !visible.contains(&version) {
            self.told.gaps += u64::from(newer.is_some());
            return None;
        }
        let commit = self.read(store, version);
        let missing = self.is_missing(&commit, now, store);
        let is_covered = || {
            let mut later = visible.iter().filter(|later| **later > version);
            later.any(|later| lies_within(&commit.window, &self.read(store, *later).window))
        };
        if missing && !is_covered() && self.habit != Habit::SkipsWhatIsMissing {
            return None;
        }
        let mut after = self.holdings.clone();
        after.version = version;
        let spared = !missing && self.is_spared(&commit);
        let mut parts: Vec<String> = commit.parts.iter().map(|part| part.key.clone()).collect();
        if spared {
            self.told.spared += 1;
            parts.clear();
            if let Some(held) = after.windows.get_mut(&commit.window) {
                held.version = version;
            }
        } else {
            self.empty(&mut after, &commit);
            let held = after.windows.entry(commit.window).or_default();
            held.version = version;
        }
        if missing {
            self.told.skipped += 1;
            after.skipped.insert(version);
            parts.clear();
        }
        if self.habit == Habit::ReadsTheFolder {
            parts = store.parts_with(&format!("{}/data/{}/", self.root, commit.window.key()));
        }
        Some(Transaction {
            began_at: self.holdings.version,
            after,
            window: commit.window,
            parts,
            is_loaded: false,
        })
    }

    /// Deletes what lies within the commit's window.
    fn empty(&mut self, after: &mut Holdings, commit: &Commit) {
        let goes = |window: &Window| match self.habit {
            Habit::Appends => false,
            Habit::IgnoresEmptyCommits if commit.parts.is_empty() => false,
            Habit::DeletesEqualWindows => *window == commit.window,
            _ => lies_within(window, &commit.window),
        };
        after.windows.retain(|window, _| !goes(window));
        if self.habit == Habit::DeletesApart {
            self.holdings.windows.retain(|window, _| !goes(window));
        }
    }

    /// Whether one of its parts is not there: gone, or not copied yet.
    fn is_missing(&self, commit: &Commit, now: Timestamp, store: &Store) -> bool {
        let arrival = self
            .arrivals
            .as_ref()
            .and_then(|all| all.get(&commit.version));
        let mut parts = commit.parts.iter();
        parts.any(|part| {
            arrival.is_some_and(|arrival| arrival.parts > now)
                || store.find_rows(&part.key).is_none()
        })
    }

    /// Whether nothing has to be done for it: its rows are those of the version before, and these are held.
    fn is_spared(&self, commit: &Commit) -> bool {
        let held = self.holdings.windows.get(&commit.window);
        let is_held = held.is_some_and(|held| {
            Some(held.version) == commit.supersedes
                && !self.holdings.skipped.contains(&held.version)
        });
        commit.unchanged && (is_held || self.habit == Habit::TrustsUnchanged)
    }

    /// Takes effect as a whole, unless another process was faster: then it begins again.
    fn commit(&mut self, index: usize, mut transaction: Transaction) {
        if self.habit == Habit::BooksApart && !transaction.is_loaded {
            self.holdings.windows.clone_from(&transaction.after.windows);
            transaction.is_loaded = true;
            self.processes[index].transaction = Some(transaction);
            return;
        }
        if transaction.began_at == self.holdings.version || self.habit == Habit::NeverCompares {
            self.told.loads += 1;
            self.holdings = transaction.after;
        }
    }

    /// The versions that it can see, in order.
    fn visible(&self, now: Timestamp, store: &Store) -> Vec<u64> {
        let log = store.list(&format!("{}/_log/", self.root), None);
        let versions = log.iter().filter_map(|key| version_of(key));
        let arrived = |version: &u64| match &self.arrivals {
            Some(arrivals) => arrivals.get(version).is_some_and(|at| at.entry <= now),
            None => true,
        };
        versions.filter(arrived).collect()
    }

    /// What it does every hour, whether it was told of something or not.
    pub(crate) fn last_look(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        store: &Store,
        oracle: &Oracle,
    ) -> Result<(), String> {
        let day = now + SignedDuration::from_hours(24);
        self.bells.push((now, oracle.commits()));
        self.answer_bells(day);
        while !self.processes.is_empty() {
            self.step(0, rng, day, false, store);
            oracle.holds(&self.holdings)?;
        }
        if self.holdings.version != oracle.commits() {
            return Err(format!(
                "a consumer stopped at version {} of {}",
                self.holdings.version,
                oracle.commits()
            ));
        }
        oracle.holds_all(&self.holdings)
    }

    fn read(&self, store: &Store, version: u64) -> Commit {
        let key = format!("{}/_log/{version:020}.json", self.root);
        serde_json::from_slice(&store.read(&key).unwrap()).unwrap()
    }
}
