//! What a Task state does.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::evaluate::Extra;
use super::fault::{DATA_LIMIT, Fault, Outcome, RUNTIME};
use super::payload::Payload;
use super::run::too_large;
use super::{EventDetail, Execution, Phase, TaskCall, TaskResource};
use crate::definition::{Kind, Resource, Task};

impl Execution {
    pub(super) fn schedule_task(&mut self, now: Timestamp, task: &Task) -> Outcome {
        let (arguments, timeout) =
            self.evaluate(now, &task.reads, Extra::default(), |session| {
                let arguments = task.arguments.evaluate(session)?;
                let limit = task.timeout.as_ref().map(|limit| limit.evaluate(session));
                Ok((arguments, limit.transpose()?))
            })?;
        if !arguments.is_object() {
            return Err(self.state_error(RUNTIME, "The Arguments of a task must be an object."));
        }
        let seconds = match (timeout, &task.timeout) {
            (Some(value), Some(template)) => Some(self.whole_seconds(now, &value, template, 1)?),
            _ => None,
        };
        let arguments = self.make_payload(arguments)?;
        let state = Arc::clone(&self.machine.states[self.state].name);
        let resource = &task.resource;
        let scheduled = EventDetail::TaskScheduled {
            task: history_name(resource),
            region: Arc::clone(&self.region),
            parameters: arguments.text,
            timeout_in_seconds: seconds,
        };
        self.record_event(now, scheduled)?;
        let task = history_name(resource);
        self.record_event(now, EventDetail::TaskStarted { task })?;
        let attempt = u32::try_from(self.retry_count()).map_or(u32::MAX, |n| n.saturating_add(1));
        self.phase = Phase::Task(TaskCall {
            execution_arn: Arc::clone(&self.arn),
            state,
            resource: Arc::clone(&resource.arn),
            arguments: arguments.value,
            timeout: seconds.map(Duration::from_secs),
            attempt,
        });
        Ok(())
    }

    pub(super) fn task_succeeded(&mut self, now: Timestamp, output: Value) -> Outcome {
        let machine = Arc::clone(&self.machine);
        let Kind::Task(task) = &machine.states[self.state].kind else {
            return Ok(());
        };
        let result = Payload::new(output);
        if result.is_too_large() {
            let cause = too_large(&format!("task '{}' returned a result", task.resource.arn));
            return self.task_failed(now, DATA_LIMIT.to_owned(), Some(cause));
        }
        let output = Arc::clone(&result.text);
        let detail = EventDetail::TaskSucceeded {
            task: history_name(&task.resource),
            output,
        };
        self.record_event(now, detail)?;
        let value = Arc::clone(&result.value);
        let extra = Extra {
            result: Some(&value),
            error_output: None,
        };
        self.leave_state(now, &task.exit, result, extra, task.after)
    }

    pub(super) fn task_failed(
        &mut self,
        now: Timestamp,
        error: String,
        cause: Option<String>,
    ) -> Outcome {
        if let Some(task) = self.task_name() {
            let (error, cause) = (error.clone(), cause.clone());
            self.record_event(now, EventDetail::TaskFailed { task, error, cause })?;
        }
        Err(Fault::Error { error, cause })
    }

    pub(super) fn task_timed_out(&mut self, now: Timestamp) -> Outcome {
        let (error, cause) = ("States.Timeout".to_owned(), None);
        if let Some(task) = self.task_name() {
            let (error, cause) = (error.clone(), cause.clone());
            self.record_event(now, EventDetail::TaskTimedOut { task, error, cause })?;
        }
        Err(Fault::Error { error, cause })
    }

    fn task_name(&self) -> Option<TaskResource> {
        match &self.machine.states[self.state].kind {
            Kind::Task(task) => Some(history_name(&task.resource)),
            _ => None,
        }
    }
}

fn history_name(resource: &Resource) -> TaskResource {
    TaskResource {
        resource_type: Arc::clone(&resource.service),
        resource: Arc::clone(&resource.action),
    }
}
