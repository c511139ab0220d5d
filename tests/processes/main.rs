//! The deployed executables as processes that get killed, over an AWS that refuses, forgets to answer and
//! runs out of patience. What is asserted is what landed, and how the execution ended.
//!
//! A failing schedule of kills is played again with `PROCESSES_SEED=…`; `PROCESSES_SEEDS=…` plays more of
//! them. A schedule's chance follows from its seed; how the processes interleave is up to the machine.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod busy;
mod capacity;
mod clean_day;
mod crowd;
mod denied;
mod listings;
mod lost;
#[path = "../simulation/rng.rs"]
mod rng;
mod rot;
mod rotation;
mod schedules;
mod small_day;
mod table;
mod uploads;
mod witness;
