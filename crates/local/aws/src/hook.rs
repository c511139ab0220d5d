//! Faults on purpose, and who called what.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// The service.
    pub service: Service,
    /// The operation as AWS names it, such as `PutObject`.
    pub operation: String,
    /// `bucket/key`, the secret's name, the topic's ARN, the function's name; empty for Step Functions.
    pub resource: String,
    /// The process of a handler that called, none for callers from elsewhere.
    pub caller: Option<Caller>,
}

impl Call {
    pub(super) fn new(
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
            caller,
        }
    }
}

/// The services that a call may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Amazon S3.
    S3,
    /// AWS Secrets Manager.
    Secrets,
    /// AWS Step Functions.
    States,
    /// Amazon SNS.
    Sns,
    /// AWS Lambda.
    Lambda,
}

/// What to do with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Carry it out.
    Pass,
    /// Answer with an error and do nothing.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// AWS's error code, such as `SlowDown`.
        code: String,
        /// The message.
        message: String,
    },
    /// Close the connection and do nothing.
    Cut,
    /// Carry it out, then close the connection instead of answering.
    LoseAnswer,
    /// Kill the process that called, and do nothing.
    KillBefore,
    /// Carry it out, then kill the process that called before it hears of it.
    KillAfter,
}

/// The calls so far.
#[derive(Debug, Default)]
pub(super) struct Journal {
    counted: AtomicU64,
    calls: Mutex<VecDeque<Call>>,
}

impl Journal {
    pub(super) fn number(&self, mut call: Call) -> Call {
        call.number = self.counted.fetch_add(1, Ordering::Relaxed) + 1;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back(call.clone());
        call
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }
}
