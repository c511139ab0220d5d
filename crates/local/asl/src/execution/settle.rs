//! What follows an error: another try, a catcher or the end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::evaluate::Extra;
use super::fault::{Fault, Outcome, RUNTIME};
use super::payload::Payload;
use super::{Event, EventDetail, Execution, MAX_EVENTS, Phase, Status};
use crate::definition::{Catcher, Jitter, Kind, Retrier, Task, Transition};
use crate::time;

impl Execution {
    /// Retries, catches or ends.
    pub(super) fn settle_outcome(&mut self, now: Timestamp, outcome: Outcome) {
        let mut outcome = outcome;
        if let Err(Fault::Error { error, cause }) = &outcome {
            let machine = Arc::clone(&self.machine);
            if let Kind::Task(task) = &machine.states[self.state].kind {
                if let Some(delay) = self.retry_after(task, error) {
                    self.phase = Phase::Retry(time::add_seconds(now, delay));
                    return;
                }
                let mut catchers = task.catch.iter();
                if let Some(catcher) = catchers.find(|it| it.errors.catches(error)) {
                    outcome = self.catch_error(now, catcher, error, cause.as_deref());
                }
            }
        }
        match outcome {
            Ok(()) => {}
            Err(Fault::Error { error, cause }) => {
                self.end_with_error(now, Status::Failed, Some(error), cause);
            }
            Err(Fault::HistoryFull) => {
                let cause = format!(
                    "The execution reached the maximum number of history events ({MAX_EVENTS})."
                );
                self.end_with_error(now, Status::Failed, Some(RUNTIME.to_owned()), Some(cause));
            }
        }
    }

    fn catch_error(
        &mut self,
        now: Timestamp,
        catcher: &Catcher,
        error: &str,
        cause: Option<&str>,
    ) -> Outcome {
        // As recorded: what a Catch gets of a timeout has a cause without text.
        let cause = cause.or((error == "States.Timeout").then_some(""));
        let mut error_output = json!({"Error": error});
        if let Some(cause) = cause {
            error_output["Cause"] = cause.into();
        }
        let default = Payload::new(error_output);
        let value = Arc::clone(&default.value);
        let extra = Extra {
            result: None,
            error_output: Some(&value),
        };
        let after = Transition::Next(catcher.next);
        self.leave_state(now, &catcher.exit, default, extra, after)
    }

    /// The seconds until the next attempt, if a retrier allows one.
    fn retry_after(&mut self, task: &Task, error: &str) -> Option<f64> {
        let mut retriers = task.retry.iter();
        let index = retriers.position(|retrier| retrier.errors.retries(error))?;
        let retrier = &task.retry[index];
        self.retries.resize(task.retry.len(), 0);
        let used = self.retries[index];
        if used >= retrier.max_attempts {
            return None;
        }
        self.retries[index] += 1;
        let delay = backoff_delay(retrier, used);
        Some(match retrier.jitter {
            Jitter::None => delay,
            Jitter::Full => delay * self.random.next_fraction(),
        })
    }

    pub(super) fn retry_count(&self) -> u64 {
        self.retries.iter().sum()
    }

    /// Appends an event, unless that would leave no room for the one that ends the execution.
    pub(super) fn record_event(&mut self, now: Timestamp, detail: EventDetail) -> Outcome {
        if self.history.len() >= MAX_EVENTS - 1 && !detail.ends_execution() {
            return Err(Fault::HistoryFull);
        }
        self.push_event(now, detail);
        Ok(())
    }

    pub(super) fn push_event(&mut self, now: Timestamp, detail: EventDetail) {
        let last = self.history.len() as u64;
        // As on AWS, the first StateEntered event names no event before it.
        let previous_event_id = if last == 1 { 0 } else { last };
        self.history.push(Event {
            id: last + 1,
            previous_event_id,
            timestamp: now,
            detail,
        });
    }
}

/// The seconds before a retry, after `used` earlier retries by the same retrier.
fn backoff_delay(retrier: &Retrier, used: u64) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    #[expect(clippy::cast_precision_loss, reason = "at most 99,999,999")]
    let delay = retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent);
    #[expect(clippy::cast_precision_loss, reason = "at most 31,622,399")]
    let most = retrier
        .max_delay_seconds
        .map_or(f64::INFINITY, |most| most as f64);
    delay.min(most)
}
