//! Faults that wait for their moment.

use super::{Fault, Layer, On};
use crate::apis::Api;
use crate::journal::Kind;

/// A request as far as faults look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) kind: Kind,
    /// The API it belongs to; none for signing in.
    pub(crate) api: Option<Api>,
    /// The number of the run it concerns, from 1.
    pub(crate) run: Option<u64>,
    /// The page whose rows will be answered.
    pub(crate) page: Option<u64>,
    /// Whether the connection carried a request before.
    pub(crate) reused: bool,
    /// Whether it brings a refresh token to sign in.
    pub(crate) refresh: bool,
}

/// A fault and how far it has come.
#[derive(Debug, Clone)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    pub(crate) seen: u64,
    pub(crate) fired: u64,
}

impl Armed {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            seen: 0,
            fired: 0,
        }
    }

    /// Whether it fires now; counts the moment if it concerns the fault.
    pub(crate) fn fires(&mut self, moment: &Moment) -> bool {
        if !self.concerns(moment) {
            return false;
        }
        self.seen += 1;
        let due = match self.fault.name() {
            // Counts the calls since its own last time, so that every token gets its share.
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

    fn concerns(&self, moment: &Moment) -> bool {
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
        let api = moment
            .api
            .is_none_or(|api| self.fault.entry.apis.contains(&api));
        let refresh = self.fault.name() != "refresh-refused" || moment.refresh;
        refresh && api && kind && run && page && connection
    }
}
