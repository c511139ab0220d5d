//! Runs and their states by the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::definition::Definition;
use crate::fault::Fault;
use crate::journal::RunReport;
use crate::rows::Window;

/// What is fixed when a run starts: enough to make its pages.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) schedule: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) window: Window,
    pub(crate) seed: u64,
    /// Not 0: the metrics are other ones.
    pub(crate) revision: u64,
    pub(crate) rows: u64,
    pub(crate) page_size: u64,
    pub(crate) total: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) base_url: String,
    pub(crate) decoy_url: String,
}

/// A run and what has happened to it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) plan: Arc<Plan>,
    pub(crate) started: Timestamp,
    pub(crate) queued: Duration,
    pub(crate) processing: Duration,
    pub(crate) cancelled: bool,
    /// Completed before its time.
    pub(crate) completed_early: bool,
    /// Polls so far, and those of them that found it completed.
    pub(crate) looks: u64,
    pub(crate) completed_looks: u64,
    /// How often each page was read.
    pub(crate) reads: HashMap<u64, u64>,
}

/// The states of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Queued,
    Processing,
    Completed,
    Failed,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

impl Plan {
    pub(crate) fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.name() == name)
    }

    /// The fault, if it acts on this very page.
    pub(crate) fn fault_of_page(&self, name: &str, page: u64) -> Option<&Fault> {
        self.faults
            .iter()
            .find(|fault| fault.name() == name && fault.page() == page)
    }

    /// Whether nothing ever comes of it.
    fn never_ends(&self) -> bool {
        let wide = |fault: &Fault| self.window.seconds() > fault.number("minutes") * 60;
        let column = |fault: &Fault| {
            self.definition
                .shape
                .columns()
                .any(|name| name == fault.text("name"))
        };
        self.fault("processing-forever").is_some()
            || self.fault("slow-if-wide").is_some_and(wide)
            || self.fault("slow-if-column").is_some_and(column)
    }
}

impl Run {
    pub(crate) fn new(
        plan: Plan,
        started: Timestamp,
        queued: Duration,
        processing: Duration,
    ) -> Self {
        Self {
            plan: Arc::new(plan),
            started,
            queued,
            processing,
            cancelled: false,
            completed_early: false,
            looks: 0,
            completed_looks: 0,
            reads: HashMap::new(),
        }
    }

    /// Its state at `now`, without regard to how it is worded.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        let age = now.duration_since(self.started);
        let slow = self
            .plan
            .fault("slow-run")
            .map(|fault| Duration::from_secs(fault.number("seconds")));
        let queued = SignedDuration::try_from(self.queued).unwrap_or(SignedDuration::MAX);
        let processing = SignedDuration::try_from(slow.unwrap_or(self.processing))
            .unwrap_or(SignedDuration::MAX);
        let ended = if self.plan.fault("run-fails").is_some() {
            Phase::Failed
        } else {
            Phase::Completed
        };
        if self.completed_early {
            return ended;
        }
        if self.cancelled {
            return Phase::Failed;
        }
        if self.plan.fault("queued-forever").is_some() || age < queued {
            return Phase::Queued;
        }
        if self.plan.never_ends() || age < queued.saturating_add(processing) {
            return Phase::Processing;
        }
        ended
    }

    pub(crate) fn report(&self, now: Timestamp) -> RunReport {
        let state = if self.cancelled {
            "cancelled"
        } else {
            self.phase(now).name()
        };
        RunReport {
            id: self.plan.id.clone(),
            number: self.plan.number,
            schedule: self.plan.schedule.clone(),
            state: state.to_owned(),
            window: self.plan.window,
            rows: self.plan.rows,
            started: self.started,
        }
    }
}
