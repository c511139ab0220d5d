//! What follows an error: another try, a catcher or the end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::evaluate::Extra;
use super::payload::Payload;
use super::{Event, EventDetail, Execution, MAX_EVENTS, Phase, Status};
use crate::definition::{After, Catcher, Jitter, Kind, Retrier, Task};
use crate::time;

pub(super) const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub(super) const QUERY: &str = "States.QueryEvaluationError";
pub(super) const RUNTIME: &str = "States.Runtime";

/// Why a state did not succeed.
pub(super) enum Fault {
    /// An error that a Retry or Catch may match.
    Error {
        error: String,
        cause: Option<String>,
    },
    /// The history has no room for what happened.
    HistoryFull,
}

pub(super) type Outcome = Result<(), Fault>;

impl Execution {
    /// Retries, catches or ends.
    pub(super) fn settle(&mut self, now: Timestamp, outcome: Outcome) {
        let mut outcome = outcome;
        if let Err(Fault::Error { error, cause }) = &outcome {
            let machine = Arc::clone(&self.machine);
            if let Kind::Task(task) = &machine.states[self.state].kind {
                if let Some(delay) = self.retry_after(task, error) {
                    self.phase = Phase::Retry(time::after(now, delay));
                    return;
                }
                let catcher = task
                    .catch
                    .iter()
                    .find(|catcher| catcher.errors.match_name(error));
                if let Some(catcher) = catcher {
                    outcome = self.catch(now, catcher, error, cause.as_deref());
                }
            }
        }
        match outcome {
            Ok(()) => {}
            Err(Fault::Error { error, cause }) => {
                self.end(now, Status::Failed, Some(error), cause);
            }
            Err(Fault::HistoryFull) => {
                let cause = format!(
                    "The execution reached the maximum number of history events ({MAX_EVENTS})."
                );
                self.end(now, Status::Failed, Some(RUNTIME.to_owned()), Some(cause));
            }
        }
    }

    fn catch(
        &mut self,
        now: Timestamp,
        catcher: &Catcher,
        error: &str,
        cause: Option<&str>,
    ) -> Outcome {
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
        self.leave(
            now,
            &catcher.exit,
            default,
            extra,
            After::Next(catcher.next),
        )
    }

    /// The seconds until the next try, if there is one.
    fn retry_after(&mut self, task: &Task, error: &str) -> Option<f64> {
        let index = task
            .retry
            .iter()
            .position(|retrier| retrier.errors.match_name(error))?;
        let retrier = &task.retry[index];
        self.retries.resize(task.retry.len(), 0);
        let used = self.retries[index];
        if used >= retrier.max_attempts {
            return None;
        }
        self.retries[index] += 1;
        let delay = delay(retrier, used);
        Some(match retrier.jitter {
            Jitter::None => delay,
            Jitter::Full => delay * self.random.fraction(),
        })
    }

    pub(super) fn retry_count(&self) -> u64 {
        self.retries.iter().sum()
    }

    /// Appends an event, as long as the one that ends the execution has room after it.
    pub(super) fn record(&mut self, now: Timestamp, detail: EventDetail) -> Outcome {
        if self.history.len() >= MAX_EVENTS - 1 && !detail.ends() {
            return Err(Fault::HistoryFull);
        }
        self.push(now, detail);
        Ok(())
    }

    pub(super) fn push(&mut self, now: Timestamp, detail: EventDetail) {
        let last = self.history.len() as u64;
        // The first state is entered out of nothing, not out of the start.
        let previous_event_id = if last == 1 { 0 } else { last };
        self.history.push(Event {
            id: last + 1,
            previous_event_id,
            timestamp: now,
            detail,
        });
    }
}

/// The seconds before a retry, when the retrier was used `used` times before.
fn delay(retrier: &Retrier, used: u64) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    #[expect(clippy::cast_precision_loss, reason = "at most 99,999,999")]
    let delay = retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent);
    #[expect(clippy::cast_precision_loss, reason = "at most 31,622,399")]
    let most = retrier
        .max_delay_seconds
        .map_or(f64::INFINITY, |most| most as f64);
    delay.min(most)
}
