#![doc = include_str!("../README.md")]

mod advice;
pub mod columns;
pub mod documents;
pub mod effects;
mod end_reason;
mod environment;
mod event;
mod failure;
pub mod flow;
pub mod gaps;
pub mod keys;
mod message;
pub mod missing;
mod outcome;
mod publication;
mod run_status;
mod segment;
mod version;

pub use advice::{AWS_ERRORS, Advice, advice};
pub use end_reason::EndReason;
pub use environment::Environment;
pub use event::{Audit, Detail, Event, Expectation, ScheduledEvent, window_of_event};
pub use failure::{Failure, FailureName};
pub use message::{
    CancelOut, Ended, ExecutionRef, FetchIn, FetchOut, FinalizeIn, FinalizeOut, FinalizeWork, Next,
    Pages, PollOut, RunCount, RunIn, Saw, TriggerIn, TriggerOut, Work,
};
pub use missing::Overdue;
pub use outcome::{Committed, Outcome};
pub use publication::{PublishIn, PublishNext, PublishOut, PublishWork};
pub use run_status::{
    classify_cancel_poll, classify_poll, ignore_unless_operator_error, report_abandoned,
    report_completed, report_cut_off,
};
pub use segment::{InvalidSegment, SegmentId};
pub use version::Version;
