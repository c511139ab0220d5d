//! Faults that are set, and when they fire.

use super::call::{CallContext, On};
use super::{Fault, Layer};
use crate::journal::Kind;

/// A fault with its counts of matching and of faulty calls.
#[derive(Debug, Clone)]
pub(crate) struct ActiveFault {
    pub(crate) fault: Fault,
    pub(crate) seen: u64,
    pub(crate) fired: u64,
}

impl ActiveFault {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            seen: 0,
            fired: 0,
        }
    }

    /// Whether the fault fires at this call; a call that matches is counted.
    pub(crate) fn fire_on(&mut self, moment: &CallContext) -> bool {
        if !self.matches_call(moment) {
            return false;
        }
        self.seen += 1;
        let due = match self.fault.name() {
            // Counts the calls since it fired last, so that every token expires after so many calls.
            "token-expires" => self.seen > self.fault.number("after"),
            _ => self.seen >= self.fault.when.at,
        };
        if !due || self.fired >= self.fault.when.times {
            return false;
        }
        self.fired += 1;
        if self.fault.name() == "token-expires" {
            self.seen = 0;
        }
        true
    }

    fn matches_call(&self, moment: &CallContext) -> bool {
        let when = &self.fault.when;
        let sticky = matches!(self.fault.layer(), Layer::Run | Layer::Page);
        let default = || {
            self.fault
                .entry
                .on
                .iter()
                .any(|on| on.parse::<On>().is_ok_and(|on| on.matches(moment)))
        };
        let kind = match (&when.on, sticky) {
            (_, true) => moment.kind == Kind::StartRun,
            (Some(on), false) => on.iter().any(|on| on.matches(moment)),
            (None, false) => default(),
        };
        let run = when.run.is_none_or(|run| moment.run == Some(run));
        let page = sticky || when.page.is_none_or(|page| moment.page == Some(page));
        let connection = self.fault.name() != "stale-keep-alive" || moment.reused;
        let api = when.api.is_none_or(|api| moment.api == Some(api))
            && moment
                .api
                .is_none_or(|api| self.fault.entry.apis.contains(&api));
        let refresh = self.fault.name() != "refresh-refused" || moment.refresh;
        refresh && api && kind && run && page && connection
    }
}
