//! What a poll of a run means.

use definition::RunStatus;
use definition::text::clean_state;

use crate::effects::Fault;
use crate::{CancelOut, EndReason, Failure, FailureName, PollOut, RunIn, Saw, Version};

/// A run that CXone does not know this soon after its start may not have arrived everywhere yet.
const ARRIVAL_SECONDS: i64 = 60;

/// What PollOnce answers, given what CXone said about the run.
///
/// # Errors
/// The failure of the poll, unless it says something about the run.
pub fn classify_poll(message: &RunIn, look: Result<RunStatus, Fault>) -> Result<PollOut, Failure> {
    match look {
        Ok(RunStatus::Completed) => Ok(seen(Saw::Completed, "completed")),
        // It may be how this API says that there is no data. If it is not, FetchPage says that the run is not done.
        Ok(RunStatus::Pending {
            state,
            known: false,
        }) if message.work.may_be_empty && !state.is_empty() => Ok(seen(Saw::Completed, &state)),
        Ok(RunStatus::Pending { state, .. }) => Ok(seen(Saw::Pending, &state)),
        Ok(RunStatus::Failed { .. }) if message.work.may_be_empty => {
            Ok(seen(Saw::Completed, "failed"))
        }
        Ok(RunStatus::Failed { message: said }) => Ok(PollOut {
            ended: Some(message.work.ended(EndReason::Failed, &said)),
            ..seen(Saw::Ended, "failed")
        }),
        Err(Fault::Gone) if is_young(message) => Ok(seen(Saw::Pending, "not found yet")),
        Err(Fault::Gone) => Ok(PollOut {
            ended: Some(message.work.ended(EndReason::Vanished, "")),
            ..seen(Saw::Ended, "not found")
        }),
        Err(Fault::Throttled(retry_after)) => Ok(PollOut {
            wait_seconds: retry_after.map_or(0, |wait| wait.as_secs()),
            ..seen(Saw::Pending, "throttled")
        }),
        Err(fault) => Err(fault.into()),
    }
}

/// What a poll before or after a cancellation says: a state for operators, or `None` if the run is
/// completed.
///
/// # Errors
/// `Cxone.Auth` and `Cxone.Config` only. No other failure may hide that the run was cut off.
pub fn classify_cancel_poll(look: Result<RunStatus, Failure>) -> Result<Option<String>, Failure> {
    match look {
        Ok(RunStatus::Completed) => Ok(None),
        Ok(RunStatus::Pending { state, .. }) => Ok(Some(clean_state(&state))),
        Ok(RunStatus::Failed { .. }) => Ok(Some("failed".to_owned())),
        Err(failure) => ignore_unless_operator_error(failure).map(|()| Some("unknown".to_owned())),
    }
}

/// Ignores a failure around a cancellation, unless an operator has to correct something. A run that could
/// not be cancelled is left behind.
///
/// # Errors
/// The failure itself, if it is `Cxone.Auth` or `Cxone.Config`.
pub fn ignore_unless_operator_error(failure: Failure) -> Result<(), Failure> {
    match failure.name {
        FailureName::Auth | FailureName::Config => Err(failure),
        FailureName::Throttled
        | FailureName::Unavailable
        | FailureName::Contract
        | FailureName::RunsExhausted
        | FailureName::Conflict
        | FailureName::Overdue => Ok(()),
    }
}

/// What Cancel answers about a run that was completed before it could be cancelled.
#[must_use]
pub fn report_completed() -> CancelOut {
    seen(Saw::Completed, "completed")
}

/// What Cancel answers about a run that was in this state, and is over at CXone now.
#[must_use]
pub fn report_cut_off(message: &RunIn, state: &str) -> CancelOut {
    let detail = format!("its last state was {state}");
    CancelOut {
        ended: Some(message.work.ended(EndReason::TimedOut, &detail)),
        cancelled: true,
        ..seen(Saw::Ended, state)
    }
}

/// What Cancel answers about a run that took too long and could not be cancelled. `state` is that of the
/// last poll, if there was one.
#[must_use]
pub fn report_abandoned(message: &RunIn, state: Option<&str>) -> CancelOut {
    let last = state.map_or_else(String::new, |state| format!("its last state was {state}; "));
    let why = if message.work.dialect.can_cancel() {
        "CXone did not cancel it"
    } else {
        "the API can't cancel"
    };
    let detail = format!("{last}{why}, so the run is abandoned and may still be under way there");
    CancelOut {
        ended: Some(message.work.ended(EndReason::TimedOut, &detail)),
        ..seen(Saw::Ended, state.unwrap_or("abandoned"))
    }
}

fn is_young(message: &RunIn) -> bool {
    message
        .now
        .duration_since(message.work.triggered_at)
        .as_secs()
        < ARRIVAL_SECONDS
}

fn seen(saw: Saw, state: &str) -> PollOut {
    PollOut {
        v: Version,
        saw,
        state: clean_state(state),
        wait_seconds: 0,
        ended: None,
        cancelled: false,
    }
}
