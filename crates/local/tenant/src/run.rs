//! Runs, whose states follow from the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::apis::Api;
use crate::definition::Format;
use crate::fault::Fault;
use crate::journal::RunReport;
use crate::shape::Shape;
use crate::window::Window;

/// What is fixed when a run starts; its pages are made from this.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) api: Api,
    /// The user who started it, for APIs that serve one user at a time.
    pub(crate) user: String,
    /// The schedule, the report's number or the entity.
    pub(crate) source: String,
    pub(crate) shape: Arc<Shape>,
    pub(crate) format: Format,
    /// The terms of its file, for APIs that make one.
    pub(crate) file: Option<FileTerms>,
    pub(crate) window: Window,
    pub(crate) seed: u64,
    /// Another number gives other metrics.
    pub(crate) revision: u64,
    pub(crate) rows: u64,
    pub(crate) page_size: u64,
    pub(crate) total: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) base_url: String,
    pub(crate) decoy_url: String,
}

/// What a request asks of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileTerms {
    /// The version of the API that was asked.
    pub(crate) version: u16,
    /// The file's name at the tenant.
    pub(crate) name: String,
    pub(crate) headers: bool,
    /// When the tenant deletes it.
    pub(crate) deleted: Timestamp,
}

/// What is asked for when a run starts.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) api: Api,
    pub(crate) user: String,
    pub(crate) source: String,
    pub(crate) shape: Arc<Shape>,
    pub(crate) format: Format,
    pub(crate) window: Window,
    /// Rows of a page.
    pub(crate) page_size: u64,
    pub(crate) file: Option<FileTerms>,
    pub(crate) timing: Timing,
    /// Makes the id of the run, in the form of its API, from random bits and the number of the run.
    pub(crate) make_id: fn(u64, u64) -> String,
}

/// When a run is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// It is complete at once.
    Immediate,
    /// It does not wait for other runs.
    Concurrent,
    /// It waits for all earlier runs of its API.
    Sequential,
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
    /// Its file was replaced by that of a later run.
    pub(crate) replaced: bool,
    /// When a link to its file was first given out.
    pub(crate) linked: Option<Timestamp>,
    /// Polls so far; `completed_looks` counts those that found it completed.
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

    /// The fault, if it acts on this page.
    pub(crate) fn fault_of_page(&self, name: &str, page: u64) -> Option<&Fault> {
        self.faults
            .iter()
            .find(|fault| fault.name() == name && fault.page() == page)
    }

    /// Whether a fault keeps the run from ending.
    fn never_ends(&self) -> bool {
        let wide = |fault: &Fault| self.window.seconds() > fault.number("minutes") * 60;
        let column = |fault: &Fault| self.shape.columns().any(|name| name == fault.text("name"));
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
            replaced: false,
            linked: None,
            looks: 0,
            completed_looks: 0,
            reads: HashMap::new(),
        }
    }

    /// Its true state at `now`.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        let age = now.duration_since(self.started);
        let queued = to_signed(self.queued);
        let processing = self.processing_time();
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

    /// The time of its end, if it ever ends.
    pub(crate) fn end_time(&self) -> Option<Timestamp> {
        let never = self.plan.never_ends() || self.plan.fault("queued-forever").is_some();
        let life = to_signed(self.queued).saturating_add(self.processing_time());
        (!never).then(|| self.started.checked_add(life).unwrap_or(Timestamp::MAX))
    }

    fn processing_time(&self) -> SignedDuration {
        let slow = self
            .plan
            .fault("slow-run")
            .map(|fault| Duration::from_secs(fault.number("seconds")));
        to_signed(slow.unwrap_or(self.processing))
    }

    pub(crate) fn to_report(&self, now: Timestamp) -> RunReport {
        let state = if self.cancelled {
            "cancelled"
        } else {
            self.phase(now).name()
        };
        RunReport {
            id: self.plan.id.clone(),
            number: self.plan.number,
            api: self.plan.api,
            schedule: self.plan.source.clone(),
            state: state.to_owned(),
            window: self.plan.window,
            rows: self.plan.rows,
            started: self.started,
        }
    }
}

fn to_signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
