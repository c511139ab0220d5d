//! The table from outside: its log against what consumers hold, and its rows against those that were committed.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test"
)]

mod log;
mod publisher;
mod rows;
mod story;
