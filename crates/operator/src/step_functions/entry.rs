//! Reads the history's events as entries.

use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::HistoryEvent;
use jiff::Timestamp;

use crate::history::{EntryKind, ExecutionError, HistoryEntry};

/// Returns `None` for an event that says nothing about the execution's progress.
pub(super) fn from_event(event: HistoryEvent) -> Option<HistoryEntry> {
    let at = to_timestamp(&event.timestamp);
    let kind = if let Some(entered) = event.state_entered_event_details {
        EntryKind::StateEntered(entered.name)
    } else if let Some(exited) = event.state_exited_event_details {
        EntryKind::StateExited {
            state: exited.name,
            output: exited.output.unwrap_or_default(),
        }
    } else if event.execution_redriven_event_details.is_some() {
        EntryKind::Redriven
    } else {
        failure_kind(event)?
    };
    Some(HistoryEntry { at, kind })
}

fn failure_kind(event: HistoryEvent) -> Option<EntryKind> {
    let error = |error: Option<String>, cause: Option<String>, default: &str| ExecutionError {
        error: error.unwrap_or_else(|| default.to_owned()),
        cause: cause.unwrap_or_default(),
    };
    Some(if let Some(it) = event.task_failed_event_details {
        EntryKind::AttemptFailed(error(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.task_timed_out_event_details {
        EntryKind::AttemptFailed(error(it.error, it.cause, "States.Timeout"))
    } else if let Some(it) = event.task_submit_failed_event_details {
        EntryKind::AttemptFailed(error(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.task_start_failed_event_details {
        EntryKind::AttemptFailed(error(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.evaluation_failed_event_details {
        EntryKind::AttemptFailed(error(it.error, it.cause, "States.QueryEvaluationError"))
    } else if let Some(it) = event.execution_failed_event_details {
        EntryKind::ExecutionFailed(error(it.error, it.cause, "States.Runtime"))
    } else if let Some(it) = event.execution_aborted_event_details {
        EntryKind::ExecutionFailed(error(it.error, it.cause, "aborted"))
    } else if let Some(it) = event.execution_timed_out_event_details {
        EntryKind::ExecutionFailed(error(it.error, it.cause, "States.Timeout"))
    } else {
        return None;
    })
}

pub(super) fn to_timestamp(time: &DateTime) -> Timestamp {
    Timestamp::from_second(time.secs()).unwrap_or_default()
}
