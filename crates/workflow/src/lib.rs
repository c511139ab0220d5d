#![doc = include_str!("../README.md")]

mod environment;
mod failure;
mod judge;
mod message;
pub mod metrics;
mod read;

pub use environment::Environment;
pub use failure::{Failure, FailureName};
pub use judge::{abandoned, cut_off, done_after_all, judge_around_cancel, judge_look, tolerate};
pub use message::{
    CancelOut, Committed, Detail, EndReason, Ended, Event, ExecutionRef, FetchIn, FetchOut,
    FinalizeIn, FinalizeOut, FinalizeWork, Next, Outcome, Pages, PollOut, Replay, RunIn, Saw,
    TriggerIn, TriggerOut, Version, Work, clean,
};
pub use read::read;
