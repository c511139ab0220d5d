//! The pipeline from outside: the deployed state machine and the deployed handlers' executables, each
//! scenario in a world of its own with a simulated tenant, on a virtual clock.
//!
//! What is asserted is what landed: the commit log, rows that equal the tenant's byte for byte, manifests,
//! alerts and the states that an execution went through. Requests are only ever counted against a bound.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a scenario stops at the first surprise, and prints its figures"
)]

mod backfill;
mod canaries;
mod cancelled;
mod columns;
mod corrections;
mod cut_off;
mod dead_runs;
mod delivery;
mod dialects;
mod duplicates;
mod expected;
mod gaps;
mod good_day;
mod killed;
mod logs;
mod memory;
mod metrics;
mod no_data;
mod overlaps;
mod rate;
mod refused;
mod replay;
mod scale;
mod settled;
mod stored;
mod table;
mod tenants;
mod tokens;
mod twice;
#[path = "../simulation/writings.rs"]
mod writings;
