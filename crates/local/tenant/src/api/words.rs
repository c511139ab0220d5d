//! How a run's state is worded: in its API's words, and as faults want it.

use serde_json::{Value, json};

use crate::apis::Api;
use crate::run::{Phase, Plan, Run};
use crate::spoil;

/// The state as it is said.
pub(super) struct Said {
    /// `None` leaves the field out.
    pub(super) state: Option<Value>,
    /// Whether it says what is the case.
    pub(super) is_true: bool,
}

/// The state of a run, which was looked at as often as `run` says.
pub(super) fn say(run: &Run, plan: &Plan, phase: Phase) -> Said {
    if let Some(said) = misworded(run, plan, phase) {
        return said;
    }
    let own = word(plan.api, phase);
    let failed = plan
        .fault("run-fails")
        .map_or("", |fault| fault.text("word"));
    let state = if phase == Phase::Failed && !failed.is_empty() {
        failed.to_owned()
    } else {
        spoil::state(plan, own)
    };
    Said {
        state: Some(json!(state)),
        is_true: true,
    }
}

/// The words of each API. Those of report jobs are assumed, but for the one for the end.
pub(super) fn word(api: Api, phase: Phase) -> &'static str {
    match (api, phase) {
        (Api::ReportJobs, Phase::Queued) => "Queued",
        (Api::ReportJobs, Phase::Processing) => "Running",
        (Api::ReportJobs, Phase::Completed) => "Finished",
        (Api::ReportJobs, Phase::Failed) => "Failed",
        (Api::DataExtraction, Phase::Queued | Phase::Processing) => "RUNNING",
        (Api::DataExtraction, Phase::Completed) => "SUCCEEDED",
        (Api::DataExtraction, Phase::Failed) => "FAILED",
        _ => phase.name(),
    }
}

/// A state that says something else than the truth.
fn misworded(run: &Run, plan: &Plan, phase: Phase) -> Option<Said> {
    let untrue = |state| Said {
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
    again.then(|| untrue(Some(json!(word(plan.api, Phase::Processing)))))
}
