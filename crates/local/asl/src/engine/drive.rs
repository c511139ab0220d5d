//! Driving one execution: run its tasks, sleep through its waits, publish its events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::{Inner, Progress, TaskFailure};
use crate::clock::{BusyGuard, Clock};
use crate::execution::{Execution, Step, TaskCall};

/// An execution in an engine.
pub(super) struct Entry {
    running: Mutex<Running>,
    /// Counts how often somebody else than the driver ended the execution.
    interruptions: watch::Sender<u64>,
    /// Whether the execution has ended and its driver is through.
    ended: watch::Sender<bool>,
    /// Held by the driver, so that a redriven execution has one only.
    turn: tokio::sync::Mutex<()>,
}

pub(super) struct Running {
    pub(super) execution: Execution,
    /// How many events were published.
    published: usize,
}

/// How a task came to its end.
enum Answer {
    Result(Result<Value, TaskFailure>),
    TimedOut,
    /// The execution ended meanwhile, or is about to.
    Superseded,
}

impl Entry {
    pub(super) fn new(execution: Execution) -> Self {
        Self {
            running: Mutex::new(Running {
                execution,
                published: 0,
            }),
            interruptions: watch::Sender::new(0),
            ended: watch::Sender::new(false),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn interrupt(&self) {
        self.interruptions.send_modify(|count| *count += 1);
    }

    pub(super) async fn ended(&self) {
        // The sender lives as long as the entry, so waiting can't fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}

impl Inner {
    /// Changes an execution and publishes what happened.
    pub(super) fn update<T>(&self, entry: &Entry, change: impl FnOnce(&mut Execution) -> T) -> T {
        let mut running = entry.running();
        let outcome = change(&mut running.execution);
        let events = running.execution.history().len();
        let published = std::mem::replace(&mut running.published, events);
        if self.progress.receiver_count() > 0 {
            for event in &running.execution.history()[published..] {
                let execution_arn = Arc::clone(running.execution.arn());
                // Nobody has to listen.
                let _ = self.progress.send(Progress {
                    execution_arn,
                    event: event.clone(),
                });
            }
        }
        outcome
    }

    /// Drives an execution in the background. `busy` is taken before the execution can be seen,
    /// so that a virtual clock does not run ahead of its first step.
    pub(super) fn drive(self: &Arc<Self>, entry: Arc<Entry>, busy: BusyGuard) {
        entry.ended.send_replace(false);
        let engine = Arc::clone(self);
        tokio::spawn(async move { engine.drive_to_end(&entry, busy).await });
    }

    async fn drive_to_end(&self, entry: &Entry, mut busy: BusyGuard) {
        let _turn = entry.turn.lock().await;
        let mut interruptions = entry.interruptions.subscribe();
        loop {
            interruptions.mark_unchanged();
            match self.update(entry, |execution| execution.step(self.clock.now())) {
                Step::Done => break,
                Step::Task(call) => self.run_task(entry, call, &mut interruptions).await,
                Step::WaitUntil(until) => {
                    let sleep = self.clock.sleep_until(until);
                    drop(busy);
                    busy = tokio::select! {
                        woken = sleep => woken,
                        _ = interruptions.changed() => self.clock.busy(),
                    };
                }
            }
        }
        entry.ended.send_replace(true);
        drop(busy);
    }

    async fn run_task(
        &self,
        entry: &Entry,
        call: TaskCall,
        interrupted: &mut watch::Receiver<u64>,
    ) {
        let limit = call.timeout.into_iter().chain(self.task_limit).min();
        let deadline = entry.running().execution.deadline();
        let overdue = async {
            match deadline {
                Some(deadline) => deadline_passed(&self.clock, deadline).await,
                None => std::future::pending().await,
            }
        };
        // A task of its own, so that a panic ends the call and not the engine.
        let mut task = AbortOnDrop(tokio::spawn((self.runner)(call)));
        let answer = tokio::select! {
            result = &mut task.0 => Answer::Result(result.unwrap_or_else(|error| Err(broken(&error)))),
            () = elapsed(limit) => Answer::TimedOut,
            () = overdue => Answer::Superseded,
            _ = interrupted.changed() => Answer::Superseded,
        };
        drop(task);
        let now = self.clock.now();
        self.update(entry, |execution| {
            // An execution that was stopped meanwhile wants no answer.
            let _ = match answer {
                Answer::Result(Ok(output)) => execution.succeed(now, output),
                Answer::Result(Err(failure)) => execution.fail(now, failure.error, failure.cause),
                Answer::TimedOut => execution.time_out(now),
                Answer::Superseded => Ok(()),
            };
        });
    }
}

/// Waits for a time that a virtual clock can't reach: it stands still for the task.
async fn deadline_passed(clock: &Clock, deadline: jiff::Timestamp) {
    if clock.is_virtual() {
        std::future::pending::<()>().await;
    } else {
        drop(clock.sleep_until(deadline).await);
    }
}

/// Waits for real time, for ever if there is no limit.
#[expect(
    clippy::disallowed_methods,
    reason = "a task's time limit, which only a timer can hold"
)]
async fn elapsed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn broken(error: &JoinError) -> TaskFailure {
    TaskFailure::new(
        "States.Runtime",
        format!("the task's runner broke off: {error}"),
    )
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
