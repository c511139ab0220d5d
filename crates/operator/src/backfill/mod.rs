//! A backfill: many windows of one report, which a state machine of its own asks the pipeline for, a few at once.

mod input;
mod pause;
mod plan;
mod runs;

pub(crate) use input::BackfillInput;
pub(crate) use pause::PauseArg;
pub(crate) use plan::{BackfillOptions, BackfillPlan, check_can_fill, describe_seconds};
pub(crate) use runs::{BackfillRun, BackfillStatus, Backfills, MACHINE_TAG};
