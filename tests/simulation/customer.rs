//! A tenant of the deployment, its report, and who reads that.

use std::collections::BTreeMap;

use definition::Window;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::consumer::Consumer;
use crate::oracle::{Oracle, Requests};
use crate::rng::Rng;
use crate::session::Vault;
use crate::setup::{Figures, OutsideBug, Setup, any_dialect};
use crate::store::Store;
use crate::story::{Happening, Plan, Story, definition};
use crate::table::TableOracle;
use crate::tenant::Tenant;

/// The customers of the deployment. One name begins like the other.
pub(crate) const NAMES: [&str; 2] = ["sim", "sim2"];

/// How long after a commit the parts that it supersedes may be gone. Whoever is reading them is done by then.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) name: &'static str,
    pub(crate) tenant: Tenant,
    pub(crate) vault: Vault,
    pub(crate) oracle: Oracle,
    pub(crate) consumer: Consumer,
    /// The table, if there is to be one.
    table: Option<TableOracle>,
    /// Nothing can be published for now, so that several versions are missing when it can be again.
    pub(crate) holds_back: bool,
    pub(crate) requests: Requests,
    restated: Option<(Window, Timestamp)>,
    /// When the rows of a day changed last.
    changed: BTreeMap<Timestamp, Timestamp>,
    /// When each version was seen, from version 1.
    seen: Vec<Timestamp>,
    /// How many versions' parts were deleted.
    deleted: u64,
}

impl Customer {
    /// The customer, and what happens to it.
    pub(crate) fn new(
        name: &'static str,
        setup: &Setup,
        rng: &mut Rng,
    ) -> (Self, Vec<(Timestamp, Happening)>) {
        let dialect = setup.dialect.unwrap_or_else(|| any_dialect(rng));
        let mut tenant = Tenant::new(name, rng, dialect);
        tenant.faulty = setup.kill_at.is_none();
        tenant.says = setup.leak.map(str::to_owned);
        if let Some(pages) = setup.pages {
            tenant.fill(pages);
        }
        let mut definition = definition(rng, name, dialect);
        let story = setup.story.unwrap_or_else(|| Story::any(rng));
        if story.publishes {
            definition["pipeline"]["table"] = json!({"format": "delta"});
        }
        let plan = Plan::new(rng, story, definition, dialect);
        let root = format!("p/{name}/Sim");
        let customer = Self {
            name,
            tenant,
            vault: Vault::new(name, setup.outside == Some(OutsideBug::WritesBlindly)),
            oracle: Oracle::new(root.clone()),
            consumer: Consumer::new(setup.habit, root, rng),
            table: story.publishes.then(TableOracle::default),
            holds_back: story.publishes && setup.kill_at.is_none() && rng.chance(400),
            requests: plan.requests,
            restated: plan.restated,
            changed: BTreeMap::new(),
            seen: Vec::new(),
            deleted: 0,
        };
        (customer, plan.happenings)
    }

    /// Whose report a message is about.
    pub(crate) fn of_message(payload: &Value) -> Option<&str> {
        let asked = payload.pointer("/event/detail/definition/pipeline/tenant");
        asked.or_else(|| payload.pointer("/work/tenant"))?.as_str()
    }

    pub(crate) fn change(&mut self, rng: &mut Rng, now: Timestamp, what: &Happening) {
        let (Happening::Correct(day) | Happening::Restate(day)) = *what else {
            return;
        };
        self.changed.insert(day, now);
        match what {
            Happening::Correct(_) => self.tenant.source.correct(rng, day),
            _ => self.tenant.source.restate(rng, day),
        }
    }

    /// Looks at what was committed, and tells the consumer.
    pub(crate) fn look(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        store: &Store,
    ) -> Result<(), String> {
        let before = self.oracle.commits();
        self.oracle.look(store, &self.tenant, &self.requests)?;
        if let Some(table) = &mut self.table {
            table.look(store, &self.oracle)?;
        }
        for version in before + 1..=self.oracle.commits() {
            self.seen.push(now);
            self.consumer.hear(rng, now, version);
        }
        match &self.vault.foreign {
            Some(what) => Err(what.clone()),
            None => Ok(()),
        }
    }

    /// Whatever its consumer does, a query never sees anything but what was committed, and never goes back.
    pub(crate) fn step_consumer(
        &mut self,
        process: usize,
        rng: &mut Rng,
        now: Timestamp,
        faulty: bool,
        store: &Store,
    ) -> Result<(), String> {
        let consumer = &mut self.consumer;
        if faulty && rng.chance(8) {
            consumer.start_anew(now);
            return Ok(());
        }
        let before = consumer.holdings.version;
        consumer.step(process, rng, now, faulty, store);
        self.oracle.holds(&consumer.holdings)?;
        if consumer.holdings.version < before {
            return Err(format!("a consumer went back from version {before}"));
        }
        Ok(())
    }

    /// A lifecycle rule or a person deletes parts of one version that a later one supersedes.
    pub(crate) fn tidy(&mut self, rng: &mut Rng, now: Timestamp, store: &mut Store) {
        let old = self.seen.iter().filter(|at| **at + KEPT < now).count();
        let old = u64::try_from(old).unwrap();
        let version = 1 + rng.below(old);
        if version < old
            && let Some(parts) = self.oracle.superseded_parts(version, old)
        {
            let there = |part: &&String| store.find_rows(part).is_some();
            let there: Vec<String> = parts.iter().filter(there).cloned().collect();
            let some = rng.index(there.len() + 1);
            self.deleted += u64::from(some > 0);
            there[..some]
                .iter()
                .for_each(|part| store.delete_part(part));
        }
    }

    /// The end: what consumers hold is what was asked for last.
    pub(crate) fn judge(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        store: &mut Store,
        figures: &mut Figures,
    ) -> Result<(), String> {
        self.consumer.last_look(rng, now, store, &self.oracle)?;
        let later = now + KEPT * 2;
        for _ in 0..self.oracle.commits() {
            self.tidy(rng, later, store);
        }
        // Who starts anew now holds the same, although much of what was superseded is gone.
        self.consumer.start_anew(later);
        self.consumer.last_look(rng, later, store, &self.oracle)?;
        self.vault.judge()?;
        if let Some(table) = &self.table {
            table.judge(&self.oracle)?;
            figures.published.add(table.told);
        }
        figures.last_truths += u64::from(self.holds_the_last_truth()?);
        figures.runs += self.tenant.runs.len() as u64;
        figures.commits += self.oracle.commits();
        figures.deleted += self.deleted;
        figures.counted.add(self.oracle.told);
        figures.told.add(self.consumer.told);
        figures.signed.add(self.vault.told);
        Ok(())
    }

    /// Whether there is a window that was stated anew after its last change. Then its rows are what the source has now,
    /// if consumers hold the window at all.
    fn holds_the_last_truth(&self) -> Result<bool, String> {
        let Some((window, asked)) = self.restated else {
            return Ok(false);
        };
        let changed = self.changed.get(&window.start());
        let shown = self.oracle.now_visible().get(&window);
        let Some(shown) = shown.filter(|_| changed.is_none_or(|changed| *changed <= asked)) else {
            return Ok(false);
        };
        let mut truth = self.tenant.source.rows(&window);
        truth.sort_unstable();
        if shown.content.is_exact && shown.content.rows != truth {
            return Err(format!(
                "{window} was stated anew, and version {} does not hold the last truth",
                shown.version
            ));
        }
        Ok(true)
    }
}
