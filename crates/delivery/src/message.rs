//! The messages between the state machine and the handlers.

use definition::text::clean_detail;
use definition::{Dialect, ReportName, RunId, TenantId, Window};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EndReason, Event, Outcome, Overdue, PublishWork, SegmentId, Version};

/// The execution that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecutionRef {
    pub id: String,
    /// How often it was redriven. A redrive allows more runs.
    pub redrive_count: u32,
}

/// The question to Trigger: "what next for this window?"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerIn {
    pub v: Version,
    /// The execution's input, unchanged.
    pub event: Event,
    /// The state machine's time.
    pub now: Timestamp,
    pub execution: ExecutionRef,
    /// The generation that this execution has joined; none when it asks for the first time.
    pub generation: Option<u32>,
    /// How the last run ended, if one has ended since the last question.
    pub ended: Option<Ended>,
    /// Since when the tenant has answered with nothing but requests to pause, if it has.
    pub stalled_since: Option<Timestamp>,
    /// Whether operators were told that a window is overdue. A state machine that could not tell them does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_overdue: Option<bool>,
}

/// A run that ended without its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// The segment that the run covered.
    pub segment: SegmentId,
    /// Its number within the segment.
    pub run: u32,
    pub reason: EndReason,
    /// What CXone said, control characters removed, at most 500 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// One run of one segment of a window. The states poll it and fetch its pages before they ask Trigger again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Work {
    pub tenant: TenantId,
    pub report: ReportName,
    pub window: Window,
    pub generation: u32,
    /// The segment, `0` being the whole window.
    pub segment: SegmentId,
    /// The run's number within the segment.
    pub run: u32,
    /// CXone's id of the run.
    pub run_id: RunId,
    /// When the run was started.
    pub triggered_at: Timestamp,
    /// When it is cut off: 45 minutes later.
    pub deadline_at: Timestamp,
    /// Which API it is a run of. A message without this field was sent before there were several APIs, and means the guide's.
    #[serde(default)]
    pub dialect: Dialect,
    /// Whether its pages are requested without polling it first. This is all that the state machine knows of APIs.
    #[serde(default)]
    pub direct: bool,
    /// Whether the definition names texts with which a failure means an empty result. FetchPage, which has the definition,
    /// is then asked about a run that failed, or whose state is not documented.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_empty: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerOut {
    pub v: Version,
    /// The generation that this execution has joined.
    pub generation: Option<u32>,
    #[serde(flatten)]
    pub next: Next,
}

/// What next for a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// Poll this run and fetch its pages.
    Run {
        work: Work,
        /// Which of the runs that are allowed it is, where the execution itself started it. Only the mails say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<RunCount>,
    },
    /// All segments have their data: finalize.
    Ready { work: FinalizeWork },
    /// An operator asked for it: cancel this run, and ask again.
    Cancel { work: Work },
    /// An operator's cancellation has nothing to do any more.
    Nothing {
        /// Why no run was cancelled, if none was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The window was committed already.
    Delivered {
        /// The version of the log that holds it.
        version: u64,
        rows: u64,
        /// What is worth knowing about it, such as that it was withdrawn since, or that the definition differs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// What is to be published in the report's table, if the definition asks for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        table: Option<PublishWork>,
    },
    /// This generation is not committed: a newer one was, or a window that covers this one.
    Superseded {
        /// The version of the log that holds it.
        version: u64,
        /// Why it is not committed, for operators.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Ask again at `until`: the window is not final yet, the tenant asked for a pause, or our own rate
    /// limit has no permit yet.
    #[serde(rename_all = "camelCase")]
    NotBefore {
        until: Timestamp,
        /// Since when the tenant has answered with nothing but requests to pause, if that is why.
        stalled_since: Option<Timestamp>,
    },
    /// Tell the operators this, then ask again and fail.
    Overdue(Overdue),
}

/// Which of the runs that an execution may start for a segment one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCount {
    /// Which one, counted from 1.
    pub number: u32,
    /// How many the definition allows.
    pub allowed: u32,
    /// Whether the window is divided, with as many runs for each half, if this one is cut off.
    pub halves_if_cut_off: bool,
}

impl Next {
    /// Its word in messages and in the log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Ready { .. } => "ready",
            Self::Cancel { .. } => "cancel",
            Self::Nothing { .. } => "nothing",
            Self::Delivered { .. } => "delivered",
            Self::Superseded { .. } => "superseded",
            Self::NotBefore { .. } => "not_before",
            Self::Overdue(_) => "overdue",
        }
    }
}

impl Work {
    /// The part of a message that says that this run ended without its data.
    #[must_use]
    pub fn ended(&self, reason: EndReason, said: &str) -> Ended {
        Ended {
            segment: self.segment.clone(),
            run: self.run,
            reason,
            detail: clean_detail(said),
        }
    }
}

/// What PollOnce and Cancel are asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunIn {
    pub v: Version,
    /// The id of the execution that asks, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The state machine's time.
    pub now: Timestamp,
    pub work: Work,
}

/// What PollOnce found out about the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saw {
    Pending,
    /// Its pages can be fetched.
    Completed,
    /// It ended without its data.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollOut {
    pub v: Version,
    pub saw: Saw,
    /// CXone's own word for the state, at most 40 characters.
    pub state: String,
    /// How long the tenant asked us to stay away; 0 if it did not.
    pub wait_seconds: u64,
    /// How it ended, if it ended.
    pub ended: Option<Ended>,
    /// Whether Cancel was asked, and the run is over at CXone: it was cancelled, or had ended without its data before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// Cancel answers as PollOnce does, because a run that has completed meanwhile is used.
pub type CancelOut = PollOut;

/// What FetchPage is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FetchIn {
    pub v: Version,
    /// The id of the execution that asks, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The state machine's time.
    pub now: Timestamp,
    pub work: Work,
    /// How many batches the execution knows to be stored. The search for the last slot begins there.
    pub batches: u32,
    /// Since when no page could be fetched, if that is so.
    pub stalled_since: Option<Timestamp>,
    /// How many polls in a row have found the run completed but without a file.
    #[serde(default)]
    pub looks_without_file: u32,
}

/// Whether the run has more pages to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    More,
    /// There are more, but not before `waitSeconds` have passed.
    Throttled,
    /// The run is not completed after all: poll it again.
    Pending,
    Done,
    /// The run ended without its data.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FetchOut {
    pub v: Version,
    /// Whether the run has more pages to fetch.
    pub pages: Pages,
    /// How long the tenant asked us to stay away; 0 if it did not.
    pub wait_seconds: u64,
    /// Since when no page could be fetched, if that is so.
    pub stalled_since: Option<Timestamp>,
    /// How many polls in a row have found the run completed but without a file.
    #[serde(default)]
    pub looks_without_file: u32,
    /// Batches stored so far.
    pub batches: u32,
    /// Pages stored so far.
    pub page_count: u64,
    /// Rows stored so far.
    pub row_count: u64,
    /// How the run ended, if it ended.
    pub ended: Option<Ended>,
}

/// The generation that Finalize is asked to commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinalizeWork {
    pub tenant: TenantId,
    pub report: ReportName,
    pub window: Window,
    pub generation: u32,
}

/// What Finalize is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinalizeIn {
    pub v: Version,
    /// The state machine's time.
    pub now: Timestamp,
    pub work: FinalizeWork,
    /// The id of the execution that asks, for the log.
    #[serde(default)]
    pub execution: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FinalizeOut {
    pub v: Version,
    #[serde(flatten)]
    pub outcome: Outcome,
}
