//! Fault injection, and the journal of who called what.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::lambda::Caller;

/// The calls that are kept; older ones are dropped.
const KEPT: usize = 100_000;

/// Decides what to do with a call.
pub type Hook = Arc<dyn Fn(&Call) -> Action + Send + Sync>;

/// A call of an AWS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts all calls of all services, from 1.
    pub number: u64,
    pub service: Service,
    /// The operation as AWS names it, such as `PutObject`.
    pub operation: String,
    /// `bucket/key`, the secret's name, the topic's ARN, the name of the function, the schedule or the log group; empty for Step Functions.
    pub resource: String,
    /// The query of a request to S3, such as `partNumber=2&uploadId=…`; empty for the other services.
    pub query: String,
    /// The process of a handler that called, none for callers from elsewhere.
    pub caller: Option<Caller>,
}

impl Call {
    pub(crate) fn new(
        service: Service,
        operation: &str,
        resource: &str,
        caller: Option<Caller>,
    ) -> Self {
        Self {
            number: 0,
            service,
            operation: operation.to_owned(),
            resource: resource.to_owned(),
            query: String::new(),
            caller,
        }
    }
}

/// The services that a call may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    S3,
    Secrets,
    States,
    Sns,
    Lambda,
    Scheduler,
    Logs,
}

/// What to do with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Pass,
    /// Answer with an error and do nothing.
    Refuse {
        status: u16,
        /// AWS's error code, such as `SlowDown`.
        code: String,
        message: String,
    },
    /// Close the connection and do nothing.
    Cut,
    /// Carry it out, then close the connection instead of answering.
    LoseAnswer,
    /// Carry it out, then answer with an error all the same.
    RefuseAfter {
        status: u16,
        /// AWS's error code, such as `InternalError`.
        code: String,
        message: String,
    },
    /// Carry it out, then send the first half of the answer's body and close the connection.
    CutBody,
    /// Kill the process that called, and do nothing.
    KillBefore,
    /// Carry it out, then kill the process that called before it hears of it.
    KillAfter,
}

impl Action {
    /// Whether the call must not be carried out.
    pub(crate) fn forbids_the_call(&self) -> bool {
        matches!(self, Self::Refuse { .. } | Self::Cut | Self::KillBefore)
    }
}

/// The hook that decides, and the calls so far.
#[derive(Default)]
pub(crate) struct FaultInjection {
    hook: RwLock<Option<Hook>>,
    counted: AtomicU64,
    calls: Mutex<VecDeque<Call>>,
}

impl FaultInjection {
    pub(crate) fn set_hook(&self, hook: Option<Hook>) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// Notes a call and asks the hook what becomes of it.
    pub(crate) fn decide(&self, call: Call) -> Action {
        let call = self.note(call);
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner);
        let hook = hook.clone();
        hook.map_or(Action::Pass, |hook| hook(&call))
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }

    fn note(&self, mut call: Call) -> Call {
        call.number = self.counted.fetch_add(1, Ordering::Relaxed) + 1;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back(call.clone());
        call
    }
}
