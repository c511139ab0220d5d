//! When a schedule is at its end, and whether it is a good one.

use std::collections::BTreeMap;

use asl::Status;
use definition::Window;
use delivery::documents::{GenerationRecord, RunRecord};

use crate::canaries;
use crate::customer::Customer;
use crate::setup::Figures;
use crate::story::STORED;
use crate::world::{Running, World};

/// So often what failed is redriven.
const REDRIVES: u32 = 12;

/// So often what was refused is: the window that is in its way may have been taken back. And what was overdue: the window may
/// be there by then.
const REDRIVES_OF_REFUSED: u32 = 2;

impl World<'_> {
    /// An operator redrives what failed, until everything is done.
    pub(crate) fn finished(&mut self) -> bool {
        if self.happenings.is_empty() {
            for customer in &mut self.customers {
                customer.holds_back = false;
            }
        }
        let mut redriven = false;
        for running in &mut self.executions {
            let failed = matches!(
                running.execution.status(),
                Status::Failed | Status::TimedOut | Status::Aborted
            );
            let most = if is_refused(running) || is_overdue(running) {
                REDRIVES_OF_REFUSED
            } else {
                REDRIVES
            };
            let holds_back = self.customers[running.customer].holds_back
                && running.execution.state() == "Publish";
            if !failed || holds_back || running.redrives >= most {
                continue;
            }
            running.redrives += 1;
            if running.execution.redrive(self.now).is_err() {
                continue;
            }
            running.wake = self.now;
            self.figures.redrives += 1;
            redriven = true;
        }
        !redriven && self.happenings.is_empty() && !self.is_waiting()
    }

    fn is_waiting(&self) -> bool {
        let mut readers = self.customers.iter();
        let mut executions = self.executions.iter();
        !self.invocations.is_empty()
            || readers.any(|customer| customer.consumer.wakes().next().is_some())
            || executions.any(|running| running.execution.status() == Status::Running)
    }

    /// At the end every execution has ended well or was refused rightly, and the newest request is what consumers see.
    pub(crate) fn judge(mut self) -> Result<Figures, String> {
        for customer in &mut self.customers {
            customer.look(&mut self.rng, self.now, &self.store)?;
        }
        self.judge_executions()?;
        for index in 0..self.customers.len() {
            self.judge_requests(index)?;
        }
        self.look_for_canaries()?;
        let is_slot = |key: &String| key.contains("/win/") && key.contains("/b");
        let keys = self.store.list("", None).into_iter();
        self.figures.slots = keys.filter(is_slot).count();
        self.figures.executions = self.executions.len();
        let events = self.executions.iter();
        let events = events.map(|running| running.execution.history().len());
        self.figures.events = events.max().unwrap_or(0);
        for customer in &mut self.customers {
            let (rng, store) = (&mut self.rng, &mut self.store);
            customer.judge(rng, self.now, store, &mut self.figures)?;
        }
        Ok(self.figures)
    }

    fn judge_executions(&mut self) -> Result<(), String> {
        let mut endings: BTreeMap<String, u32> = BTreeMap::new();
        for (number, running) in self.executions.iter().enumerate() {
            let execution = &running.execution;
            let state = format!("{:?} in {}", execution.status(), execution.state());
            *endings.entry(state).or_default() += 1;
            if execution.status() == Status::Succeeded || is_overdue(running) {
                continue;
            }
            let Customer {
                oracle, requests, ..
            } = &self.customers[running.customer];
            let withdrawal = requests.withdrawals.contains(&running.id);
            let (window, since) = (&running.window, running.started_at);
            if has_lost_pages(running) || running.id == STORED && has_no_pages(running) {
                continue;
            }
            let may_be_refused = is_refused(running) && !running.expects();
            if may_be_refused && oracle.was_refused(window, withdrawal, since) {
                self.figures.refusals += 1;
                self.judge_refusal(running, number)?;
                continue;
            }
            let error = execution.error().unwrap_or_default();
            let cause = execution.cause().unwrap_or_default();
            return Err(format!(
                "an execution ended badly: {endings:?} {error} {cause}"
            ));
        }
        Ok(())
    }

    /// Nothing is asked of the tenant for a window beside which consumers held another one all the time.
    fn judge_refusal(&self, running: &Running, number: usize) -> Result<(), String> {
        let oracle = &self.customers[running.customer].oracle;
        let Running {
            window, started_at, ..
        } = running;
        if !oracle.is_refused_since(window, *started_at) {
            return Ok(());
        }
        let claims = format!("{}/win/{}/", oracle.root, window.key());
        for key in self.store.list(&claims, None) {
            if !key.ends_with("/run.json") {
                continue;
            }
            let run: RunRecord = serde_json::from_slice(&self.store.read(&key).unwrap()).unwrap();
            if run.execution.ends_with(&format!(":{number}")) {
                return Err(format!("{key} is of an execution that was to be refused"));
            }
        }
        Ok(())
    }

    /// Each request of an operator is a generation of its own, and the newest of each window was committed, unless what
    /// consumers held forbade it.
    fn judge_requests(&self, index: usize) -> Result<(), String> {
        let Customer {
            oracle, requests, ..
        } = &self.customers[index];
        let mut newest: BTreeMap<Window, (u32, GenerationRecord)> = BTreeMap::new();
        let mut keys = Vec::new();
        for key in self.store.list(&format!("{}/win/", oracle.root), None) {
            let Some(generation) = key.strip_suffix("/open.json") else {
                continue;
            };
            let number: u32 = generation[generation.len() - 4..].parse().unwrap();
            let body = self.store.read(&key).unwrap();
            let record: GenerationRecord = serde_json::from_slice(&body).unwrap();
            keys.push(record.request_key.clone());
            let before = newest.get(&record.window).map_or(0, |(number, _)| *number);
            if number > before {
                newest.insert(record.window, (number, record));
            }
        }
        for (window, (number, record)) in &newest {
            let committed = oracle.generation(window);
            let since = record.base_version;
            let may_be_missing = oracle.was_refused(window, record.withdrawn, since)
                || record.stored_from.is_some() && self.has_lost_pages_of(index, window);
            if committed != *number && !may_be_missing {
                return Err(format!(
                    "generation {number} of {window} was asked for, and {committed} was committed"
                ));
            }
        }
        let ended_well = |running: &&Running| {
            running.customer == index && running.execution.status() == Status::Succeeded
        };
        for running in self.executions.iter().filter(ended_well) {
            let id = &running.id;
            if requests.replays.contains(id) && !keys.contains(id) {
                return Err(format!("{id} was asked for and never opened"));
            }
        }
        Ok(())
    }

    fn has_lost_pages_of(&self, index: usize, window: &Window) -> bool {
        let mut executions = self.executions.iter();
        executions.any(|running| {
            running.customer == index && running.window == *window && has_lost_pages(running)
        })
    }

    /// Nothing that people and dashboards get to see has a secret, a page token, a link or a row in it.
    fn look_for_canaries(&mut self) -> Result<(), String> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        for running in &self.executions {
            let execution = &running.execution;
            for event in execution.history() {
                let text = event.to_cli_json().to_string();
                canaries::check("a history", text.as_bytes(), &[])?;
            }
            let ending = format!("{:?} {:?}", execution.error(), execution.cause());
            canaries::check("an ending", ending.as_bytes(), &[])?;
        }
        canaries::check("a log", journal.as_bytes(), &[])?;
        for kind in canaries::check_bucket(&self.store)? {
            self.figures.seen |= 1 << kind as u8;
        }
        Ok(())
    }
}

/// Whether an execution asked if a window was delivered, and was told that it was not.
fn is_overdue(running: &Running) -> bool {
    running.expects()
        && running.execution.status() == Status::Failed
        && running.execution.error() == Some("Cxone.Overdue")
}

/// Whether an execution was told that no generation had all its pages when it asked.
fn has_no_pages(running: &Running) -> bool {
    let cause = running.execution.cause();
    is_refused(running) && cause.is_some_and(|cause| cause.contains("has all its pages stored"))
}

/// Whether an execution ended because the stored pages that its generation is made of can't be used any more: the run that
/// they are of was distrusted meanwhile.
fn has_lost_pages(running: &Running) -> bool {
    let cause = running.execution.cause().unwrap_or_default();
    running.execution.error() == Some("Cxone.Contract")
        && cause.contains("can't be built from the stored pages")
}

/// Whether an execution ended because of the windows that consumers hold.
fn is_refused(running: &Running) -> bool {
    running.execution.status() == Status::Failed
        && running.execution.error() == Some("Cxone.Config")
}
