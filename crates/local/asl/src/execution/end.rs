//! How an execution ends, and how it goes on after that.

use jiff::{SignedDuration, Timestamp};

use super::{EventDetail, Execution, MAX_EVENTS, Phase, Status};
use crate::definition::Kind;
use crate::time;

/// How long after its end an execution can be redriven.
const REDRIVABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Why an execution can't be redriven. The messages are those of Step Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRedrivable {
    /// It has not ended.
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    /// Only an execution that did not succeed can be redriven.
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    /// It ended more than 14 days ago.
    #[error("Execution redrivable period exceeded")]
    TooOld,
    /// Its history has no room.
    #[error("Execution history event limit exceeded")]
    HistoryFull,
}

impl Execution {
    /// Stops the execution; false if it had ended before.
    pub fn stop(&mut self, now: Timestamp, error: Option<String>, cause: Option<String>) -> bool {
        if self.status != Status::Running {
            return false;
        }
        self.end_with_error(time::to_millisecond(now), Status::Aborted, error, cause);
        true
    }

    /// Goes on from the state that did not succeed, with the input and variables that it had.
    ///
    /// A Task is scheduled again and a Choice evaluated again without a second `StateEntered`
    /// event; a Wait starts again, and ends at once if its timestamp has passed; a Fail state is
    /// entered again, and fails again. Retries and `TimeoutSeconds` start from zero.
    pub fn redrive(&mut self, now: Timestamp) -> Result<(), NotRedrivable> {
        let now = time::to_millisecond(now);
        self.check_redrivable(now)?;
        self.redrive_count += 1;
        self.redriven = Some(now);
        self.status = Status::Running;
        self.stopped = None;
        self.error = None;
        self.cause = None;
        self.retries.clear();
        self.set_deadline(now);
        let fails = matches!(self.machine.states[self.state].kind, Kind::Fail(_));
        self.phase = if fails || self.entered.is_none() {
            Phase::Enter
        } else {
            Phase::Run
        };
        let redrive_count = self.redrive_count;
        self.push_event(now, EventDetail::ExecutionRedriven { redrive_count });
        Ok(())
    }

    /// Whether it can be redriven.
    pub fn check_redrivable(&self, now: Timestamp) -> Result<(), NotRedrivable> {
        match self.status {
            Status::Running => Err(NotRedrivable::Running),
            Status::Succeeded => Err(NotRedrivable::Succeeded),
            Status::Failed | Status::TimedOut | Status::Aborted => {
                let since = self
                    .stopped
                    .map_or(SignedDuration::ZERO, |end| now.duration_since(end));
                if since > REDRIVABLE {
                    Err(NotRedrivable::TooOld)
                } else if self.history.len() >= MAX_EVENTS - 1 {
                    Err(NotRedrivable::HistoryFull)
                } else {
                    Ok(())
                }
            }
        }
    }

    pub(super) fn set_deadline(&mut self, now: Timestamp) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the definition's limit is far below 2^52"
        )]
        let deadline = |seconds: u64| time::add_seconds(now, seconds as f64);
        self.deadline = self.machine.timeout_seconds.map(deadline);
    }

    pub(super) fn end_if_overdue(&mut self, now: Timestamp) {
        let overdue = self.deadline.is_some_and(|deadline| now >= deadline);
        if overdue && self.status == Status::Running {
            self.end_with_error(now, Status::TimedOut, None, None);
        }
    }

    pub(super) fn end_with_error(
        &mut self,
        now: Timestamp,
        status: Status,
        error: Option<String>,
        cause: Option<String>,
    ) {
        self.error.clone_from(&error);
        self.cause.clone_from(&cause);
        let detail = match status {
            Status::TimedOut => EventDetail::ExecutionTimedOut { error, cause },
            Status::Aborted => EventDetail::ExecutionAborted { error, cause },
            _ => EventDetail::ExecutionFailed { error, cause },
        };
        self.finish_with(now, status, detail);
    }

    pub(super) fn finish_with(&mut self, now: Timestamp, status: Status, detail: EventDetail) {
        self.status = status;
        self.stopped = Some(now);
        self.phase = Phase::Ended;
        self.push_event(now, detail);
    }
}
