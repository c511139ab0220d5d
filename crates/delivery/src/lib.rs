#![doc = include_str!("../README.md")]

pub mod documents;
pub mod effects;
mod environment;
mod failure;
pub mod flow;
pub mod keys;
mod message;
mod run_status;
mod segment;

pub use environment::Environment;
pub use failure::{Failure, FailureName};
pub use message::{
    CancelOut, Committed, Detail, EndReason, Ended, Event, ExecutionRef, FetchIn, FetchOut,
    FinalizeIn, FinalizeOut, FinalizeWork, Next, Outcome, Pages, PollOut, Replay, RunIn, Saw,
    TriggerIn, TriggerOut, Version, Work, clean,
};
pub use run_status::{
    abandoned, cut_off, done_after_all, judge_around_cancel, judge_look, tolerate,
};
pub use segment::{InvalidSegment, SegmentId};
