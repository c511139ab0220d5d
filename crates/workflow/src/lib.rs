#![doc = include_str!("../README.md")]

mod environment;
mod failure;
mod message;

pub use environment::Environment;
pub use failure::{Failure, FailureName};
pub use message::{
    CancelOut, Committed, Detail, EndReason, Ended, Event, ExecutionRef, FetchIn, FetchOut,
    FinalizeIn, FinalizeOut, FinalizeWork, Next, Outcome, Pages, PollOut, Replay, RunIn, Saw,
    TriggerIn, TriggerOut, Version, Work, clean,
};
