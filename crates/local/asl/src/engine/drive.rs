//! Drives one execution: runs its tasks, sleeps through its waits, publishes its events.

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
    /// Counts how often the execution was stopped from outside its driver.
    interruptions: watch::Sender<u64>,
    /// Whether the execution has ended and its driver has returned.
    ended: watch::Sender<bool>,
    /// Held by the driver, so that a redriven execution is driven by one task at a time.
    turn: tokio::sync::Mutex<()>,
}

pub(super) struct Running {
    pub(super) execution: Execution,
    /// How many events were published.
    published: usize,
}

/// The outcome of a task.
enum Answer {
    Result(Result<Value, TaskFailure>),
    TimedOut,
    /// The execution ended before the task did, or is about to.
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

    pub(super) fn lock_execution(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn interrupt_driver(&self) {
        self.interruptions.send_modify(|count| *count += 1);
    }

    pub(super) async fn wait_for_end(&self) {
        // The sender lives as long as the entry, so waiting can't fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}

impl Inner {
    /// Changes an execution and publishes what happened.
    pub(super) fn update_execution<T>(
        &self,
        entry: &Entry,
        change: impl FnOnce(&mut Execution) -> T,
    ) -> T {
        let mut running = entry.lock_execution();
        let outcome = change(&mut running.execution);
        let events = running.execution.history().len();
        let published = std::mem::replace(&mut running.published, events);
        if self.progress.receiver_count() > 0 {
            for event in &running.execution.history()[published..] {
                let execution_arn = Arc::clone(running.execution.arn());
                // Sending fails if there is no subscriber, which is fine.
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
    pub(super) fn spawn_driver(self: &Arc<Self>, entry: Arc<Entry>, busy: BusyGuard) {
        entry.ended.send_replace(false);
        let engine = Arc::clone(self);
        tokio::spawn(async move { engine.drive_to_end(&entry, busy).await });
    }

    async fn drive_to_end(&self, entry: &Entry, mut busy: BusyGuard) {
        let _turn = entry.turn.lock().await;
        let mut interruptions = entry.interruptions.subscribe();
        loop {
            interruptions.mark_unchanged();
            match self.update_execution(entry, |execution| execution.step(self.clock.now())) {
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
        let deadline = entry.lock_execution().execution.deadline();
        let overdue = async {
            match deadline {
                Some(deadline) => deadline_passed(&self.clock, deadline).await,
                None => std::future::pending().await,
            }
        };
        // A tokio task of its own, so that a panic fails the call and does not end the engine.
        let mut task = AbortOnDrop(tokio::spawn((self.runner)(call)));
        let answer = tokio::select! {
            result = &mut task.0 => Answer::Result(result.unwrap_or_else(|error| Err(runner_panicked(&error)))),
            () = real_time_passed(limit) => Answer::TimedOut,
            () = overdue => Answer::Superseded,
            _ = interrupted.changed() => Answer::Superseded,
        };
        drop(task);
        let now = self.clock.now();
        self.update_execution(entry, |execution| {
            // An execution that was stopped in the meantime refuses the answer.
            let _ = match answer {
                Answer::Result(Ok(output)) => execution.succeed_task(now, output),
                Answer::Result(Err(failure)) => {
                    execution.fail_task(now, failure.error, failure.cause)
                }
                Answer::TimedOut => execution.time_out_task(now),
                Answer::Superseded => Ok(()),
            };
        });
    }
}

/// Waits for the deadline of the execution. A virtual clock never reaches it, because it stands
/// still for the task.
async fn deadline_passed(clock: &Clock, deadline: jiff::Timestamp) {
    if clock.is_virtual() {
        std::future::pending::<()>().await;
    } else {
        drop(clock.sleep_until(deadline).await);
    }
}

/// Waits for a limit in real time; without a limit it never returns.
#[expect(
    clippy::disallowed_methods,
    reason = "a task's time limit, which only a timer can hold"
)]
async fn real_time_passed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn runner_panicked(error: &JoinError) -> TaskFailure {
    TaskFailure::new(
        "States.Runtime",
        format!("the task's runner panicked: {error}"),
    )
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
