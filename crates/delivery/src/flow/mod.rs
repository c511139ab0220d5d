//! The decisions: what to do next for a window, which slot to trust, what to commit.
//!
//! No I/O, no clock, no randomness. A flow requests everything through [`crate::effects::Effects`].
//! The simulation plants bugs into copies of modules of this folder (`tests/build.rs`), so that a path to
//! another one begins with `crate::flow::` and its name.

mod commit_log;
mod fetch;
mod finalize;
mod overlap;
mod plan;
mod rate_limit;
mod recent;
mod refusal;
mod stored;
mod throttle_window;
mod trigger;
mod whole;

pub use fetch::fetch;
pub use finalize::finalize;
pub use plan::{Plan, RunState, SegmentState};
pub use stored::{StoredError, parse as parse_stored};
pub use trigger::{LONGEST_WAIT, trigger};
pub use whole::{find_held, find_whole};
