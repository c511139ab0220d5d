//! The engine from outside, one module for each thing that it promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "tables hand over JSON literals"
)]

mod definition;
mod engine;
mod expression;
mod history;
mod limits;
mod redrive;
mod retry;
mod runner;
mod substitute;
mod variables;
