//! The name of a run's state: that of its API, or what a fault makes of it.

use serde_json::{Value, json};

use crate::corrupt;
use crate::run::{Phase, Plan, Run};

pub(super) struct ReportedState {
    /// `None` leaves the field out.
    pub(super) state: Option<Value>,
    /// Whether it is the true state.
    pub(super) is_true: bool,
}

/// The state that a poll answers; `run` has the number of polls so far.
pub(super) fn report_state(
    run: &Run,
    plan: &Plan,
    phase: Phase,
    name: fn(Phase) -> &'static str,
) -> ReportedState {
    if let Some(said) = false_state(run, plan, phase, name) {
        return said;
    }
    let own = name(phase);
    let failed = plan
        .fault("run-fails")
        .map_or("", |fault| fault.text("word"));
    let state = if phase == Phase::Failed && !failed.is_empty() {
        failed.to_owned()
    } else {
        corrupt::state_text(plan, own)
    };
    ReportedState {
        state: Some(json!(state)),
        is_true: true,
    }
}

/// A false state that a fault asks for.
fn false_state(
    run: &Run,
    plan: &Plan,
    phase: Phase,
    name: fn(Phase) -> &'static str,
) -> Option<ReportedState> {
    let untrue = |state| ReportedState {
        state,
        is_true: false,
    };
    let lasts = |looks: u64| looks == 0 || run.looks <= looks;
    if let Some(fault) = plan
        .fault("state-unknown")
        .filter(|fault| lasts(fault.number("looks")))
    {
        return Some(untrue(Some(json!(fault.text("state")))));
    }
    if let Some(fault) = plan
        .fault("state-null")
        .filter(|fault| lasts(fault.number("looks")))
    {
        return Some(untrue(match fault.text("as") {
            "missing" => None,
            "number" => Some(json!(3)),
            _ => Some(Value::Null),
        }));
    }
    let back = plan
        .fault("state-back")
        .filter(|_| phase == Phase::Completed)?;
    let again = (2..=back.number("looks") + 1).contains(&run.completed_looks);
    again.then(|| untrue(Some(json!(name(Phase::Processing)))))
}
