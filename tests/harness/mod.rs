//! What the tests from outside share.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test stops at the first surprise"
)]

pub mod history;
mod landed;
pub mod memory;
mod pipeline;
mod progress;
mod table;

pub use landed::lines;
pub use pipeline::{
    FIRED_AT, Pipeline, PipelineBuilder, day_before, delivered, message, note, time, weekday_before,
};
pub use progress::while_it_moves;
pub use table::Table;
