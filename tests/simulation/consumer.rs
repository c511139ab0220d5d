//! A warehouse that reads the log as its consumers are told to: in order, and with its own bookkeeping in
//! the transaction that loads. Each notification starts a process, so that several may be at it.

use std::collections::BTreeMap;

use delivery::documents::Commit;
use delivery::keys::version_of;
use jiff::{SignedDuration, Timestamp};

use crate::oracle::Oracle;
use crate::rng::Rng;
use crate::store::Store;

/// How a consumer works: properly, or with a mistake that consumers make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Proper,
    /// Loads in one transaction and keeps the version in another one.
    BooksApart,
    /// Empties the window in a transaction of its own.
    DeletesApart,
    /// Never deletes what it loads anew.
    Appends,
    /// Loads the version that the notification names.
    FollowsTheBell,
    /// Goes on behind a version that it can't see.
    SkipsGaps,
    /// Does not look whether another process was faster.
    NeverCompares,
    /// Loads whatever lies in the folder of the window.
    ReadsTheFolder,
}

impl Habit {
    pub(crate) const MISTAKES: [Self; 7] = [
        Self::BooksApart,
        Self::DeletesApart,
        Self::Appends,
        Self::FollowsTheBell,
        Self::SkipsGaps,
        Self::NeverCompares,
        Self::ReadsTheFolder,
    ];
}

/// What a query of the warehouse sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) version: u64,
    pub(crate) windows: BTreeMap<String, Vec<String>>,
}

#[derive(Debug)]
struct Transaction {
    /// The version that was there when it began.
    began_at: u64,
    after: Holdings,
    window: String,
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
}

#[derive(Debug)]
pub(crate) struct Consumer {
    habit: Habit,
    pub(crate) holdings: Holdings,
    pub(crate) told: Told,
    processes: Vec<Process>,
    /// When they ring, and the version that they name.
    bells: Vec<(Timestamp, u64)>,
    /// A consumer of a copy of the bucket sees a version from then on; objects are copied in any order.
    arrivals: Option<BTreeMap<u64, Timestamp>>,
}

impl Consumer {
    pub(crate) fn new(habit: Habit, rng: &mut Rng) -> Self {
        Self {
            habit,
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
            from += seconds(rng, if slow { 20_000 } else { 600 });
            arrivals.insert(version, from);
        }
        for _ in 0..[0, 1, 1, 1, 2, 3][rng.index(6)] {
            self.bells.push((from + seconds(rng, 900), version));
        }
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
            self.bells.push((now + seconds(rng, 300), bell));
            return;
        }
        process.busy_until = now + seconds(rng, 20);
        let bell = process.bell;
        match process.transaction.take() {
            Some(mut transaction) if !transaction.parts.is_empty() => {
                let rows = store.rows(&transaction.parts.remove(0));
                let window = transaction.after.windows.entry(transaction.window.clone());
                window.or_default().extend(rows.iter().cloned());
                self.processes[index].transaction = Some(transaction);
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
        let commit = read(store, version);
        let window = commit.window.key();
        let mut after = self.holdings.clone();
        after.version = version;
        if self.habit != Habit::Appends {
            after.windows.remove(&window);
        }
        if self.habit == Habit::DeletesApart {
            self.holdings.windows.remove(&window);
        }
        let parts = match self.habit {
            Habit::ReadsTheFolder => store.parts_with(&format!("/data/{window}/")),
            _ => commit.parts.into_iter().map(|part| part.key).collect(),
        };
        Some(Transaction {
            began_at: self.holdings.version,
            after,
            window,
            parts,
            is_loaded: false,
        })
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
        let log = store.keys_with("/_log/");
        let versions = log.iter().filter_map(|key| version_of(key));
        let arrived = |version: &u64| match &self.arrivals {
            Some(arrivals) => arrivals.get(version).is_some_and(|at| *at <= now),
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
        Ok(())
    }
}

fn read(store: &Store, version: u64) -> Commit {
    let name = format!("/_log/{version:020}.json");
    let key = store.keys_with(&name).remove(0);
    serde_json::from_slice(&store.read(&key).unwrap()).unwrap()
}

fn seconds(rng: &mut Rng, below: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(rng.below(below)).unwrap())
}
