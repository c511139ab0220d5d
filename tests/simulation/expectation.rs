//! Whether a window was delivered: each answer is held against what consumers were told.

use std::collections::BTreeSet;

use definition::Window;
use delivery::documents::GenerationRecord;
use delivery::effects::{StoreEffect, TriggerEffect};
use delivery::{Failure, FailureName};
use jiff::SignedDuration;
use serde_json::Value;

use crate::invocation::Invocation;
use crate::oracle::Oracle;
use crate::store::Store;
use crate::story::EXPECTATION;
use crate::world::{Running, World};

/// An invocation that was asked whether this window was delivered, and what was true since it began: it may have looked at
/// any moment.
#[derive(Debug)]
pub(crate) struct Asked {
    window: Window,
    /// Whether earlier windows of the report are looked at too.
    looks_back: bool,
    /// The parts that consumers held since it began. One that is superseded meanwhile may be gone when it is looked for.
    held: BTreeSet<String>,
    was_there: bool,
    was_missing: bool,
}

impl Asked {
    pub(crate) fn new(window: Window, looks_back: bool, oracle: &Oracle, store: &Store) -> Self {
        let mut asked = Self {
            window,
            looks_back,
            held: BTreeSet::new(),
            was_there: false,
            was_missing: false,
        };
        asked.look(oracle, store);
        asked
    }

    pub(crate) fn look(&mut self, oracle: &Oracle, store: &Store) {
        self.held.extend(oracle.visible_parts().cloned());
        let is_gone = |part: &String| store.find_rows(part).is_none();
        let earlier = self.looks_back && has_hole(&self.window, oracle);
        if self.looks_back && self.held.iter().any(is_gone) {
            self.was_missing = true;
        }
        if is_there(&self.window, oracle, store) && !earlier {
            self.was_there = true;
        } else {
            self.was_missing = true;
        }
    }

    /// Whether the answer is one that could be given; [`None`] if the invocation came to none.
    pub(crate) fn judge(&self, answer: &Result<Value, Failure>) -> Result<Option<bool>, String> {
        let (window, is_right, there) = match answer {
            Ok(next) if next["next"] == "delivered" => (self.window, self.was_there, true),
            // The operators are told, before the same is asked again.
            Ok(next) if next["next"] == "overdue" => (self.window, self.was_missing, false),
            Err(failure) if failure.name == FailureName::Overdue => {
                (self.window, self.was_missing, false)
            }
            Err(failure) if failure.name.is_transient() => return Ok(None),
            other => return Err(format!("whether {} is there: {other:?}", self.window)),
        };
        if is_right {
            return Ok(Some(there));
        }
        Err(format!("{window} is not as was answered: {answer:?}"))
    }
}

impl Running {
    /// Whether it asks if a window was delivered.
    pub(crate) fn expects(&self) -> bool {
        self.id == EXPECTATION
    }
}

impl World<'_> {
    pub(crate) fn asked_by(&self, execution: usize) -> Option<Asked> {
        let running = &self.executions[execution];
        let oracle = &self.customers[running.customer].oracle;
        let asked = || Asked::new(running.window, !running.names_window, oracle, &self.store);
        running.expects().then(asked)
    }

    /// What an expectation may answer depends on what happens while it is under way, whoever does it.
    pub(crate) fn look_whether_there(&mut self) {
        for invocation in &mut self.invocations {
            if let Some(asked) = &mut invocation.expects {
                let customer = self.executions[invocation.execution].customer;
                asked.look(&self.customers[customer].oracle, &self.store);
            }
        }
    }

    pub(crate) fn judge_expectation(
        &mut self,
        invocation: &Invocation,
        answer: &Result<Value, Failure>,
    ) -> Result<(), String> {
        let Some(asked) = &invocation.expects else {
            return Ok(());
        };
        match asked.judge(answer)? {
            Some(true) => self.figures.there += 1,
            Some(false) => self.figures.overdue += 1,
            None => {}
        }
        Ok(())
    }
}

/// Whether an effect only looks at what is stored, or counts.
pub(crate) fn only_looks(effect: &TriggerEffect) -> bool {
    match effect {
        TriggerEffect::Elapsed(_) | TriggerEffect::RecordFreshness(..) => true,
        TriggerEffect::Store(effect) => !matches!(
            effect,
            StoreEffect::Claim(..) | StoreEffect::CompareAndSwap { .. }
        ),
        TriggerEffect::Register(..)
        | TriggerEffect::StartRun(..)
        | TriggerEffect::CancelRun(..) => false,
    }
}

/// Whether an effect stores how a run ended.
pub(crate) fn is_end(effect: &TriggerEffect) -> bool {
    let TriggerEffect::Store(StoreEffect::Claim(key, ..)) = effect else {
        return false;
    };
    key.ends_with("/end.json")
}

/// Whether of every moment the last commit about it delivered it, or took it back and nobody has asked for the window since.
fn is_there(window: &Window, oracle: &Oracle, store: &Store) -> bool {
    let newest = newest_generation(window, oracle, store);
    if newest.as_ref().is_some_and(|(_, record)| record.withdrawn) {
        return true;
    }
    let is_wanted_since = |version: u64, of: &Window| match &newest {
        None => false,
        Some((number, _)) if of == window => *number > oracle.generation(window),
        Some((_, record)) => record.base_version >= version,
    };
    let half_day = SignedDuration::from_hours(12);
    let mut start = window.start();
    while start < window.end() {
        let half = Window::new(start, start + half_day).unwrap();
        match oracle.last_over(&half) {
            None => return false,
            Some((version, of, true)) if is_wanted_since(version, &of) => return false,
            Some(_) => start = half.end(),
        }
    }
    true
}

/// Whether the log says nothing of a day between the first one that was committed and this one.
fn has_hole(window: &Window, oracle: &Oracle) -> bool {
    let (day, half_day) = (
        SignedDuration::from_hours(24),
        SignedDuration::from_hours(12),
    );
    let Some(first) = oracle.first_moment() else {
        return false;
    };
    let mut start = window.start() - day;
    while start >= first {
        for begins in [start, start + half_day] {
            let half = Window::new(begins, begins + half_day).unwrap();
            if oracle.last_over(&half).is_none() {
                return true;
            }
        }
        start -= day;
    }
    false
}

fn newest_generation(
    window: &Window,
    oracle: &Oracle,
    store: &Store,
) -> Option<(u32, GenerationRecord)> {
    let folder = format!("{}/win/{}/g", oracle.root, window.key());
    let keys = store.list(&folder, None).into_iter().rev();
    let newest = keys.into_iter().find(|key| key.ends_with("/open.json"))?;
    let number = newest[folder.len()..].split('/').next()?.parse().unwrap();
    let record = serde_json::from_slice(&store.read(&newest).unwrap()).unwrap();
    Some((number, record))
}
