//! Evaluates the expressions of a state and turns their errors into errors of the state.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::{Fault, QUERY};
use super::{EventDetail, Execution};
use crate::expression::{EvalError, Reads, Scope, Session, Template};
use crate::time;

/// What an expression may see besides input, context and variables.
#[derive(Default, Clone, Copy)]
pub(super) struct Extra<'a> {
    pub(super) result: Option<&'a Value>,
    pub(super) error_output: Option<&'a Value>,
}

impl Execution {
    /// The value of an expression as a whole number of seconds, at least `least`.
    pub(super) fn whole_seconds(
        &mut self,
        now: Timestamp,
        value: &Value,
        template: &Template,
        least: u64,
    ) -> Result<u64, Fault> {
        match value.as_u64() {
            Some(seconds) if (least..=99_999_999).contains(&seconds) => Ok(seconds),
            _ => {
                let wanted = format!("an integer from {least} to 99999999");
                Err(self.evaluation_failed(now, unexpected_result(template, value, &wanted)))
            }
        }
    }

    pub(super) fn evaluate<T>(
        &mut self,
        now: Timestamp,
        reads: &Reads,
        extra: Extra<'_>,
        evaluation: impl FnOnce(&mut Session<'_>) -> Result<T, EvalError>,
    ) -> Result<T, Fault> {
        let context = |with_input| self.context_object(with_input);
        let scope = Scope {
            input: &self.input.value,
            result: extra.result,
            error_output: extra.error_output,
            variables: &self.variables,
            initial_input: &self.initial_input.value,
            context: &context,
            now,
        };
        let value = evaluation(&mut Session::new(scope, reads));
        value.map_err(|error| self.evaluation_failed(now, error))
    }

    pub(super) fn evaluation_failed(&mut self, now: Timestamp, error: EvalError) -> Fault {
        let fault = self.state_error(QUERY, &error.message);
        let Fault::Error {
            error: name,
            cause: Some(cause),
        } = &fault
        else {
            return fault;
        };
        let detail = EventDetail::EvaluationFailed {
            state: Arc::clone(&self.machine.states[self.state].name),
            error: name.clone(),
            cause: cause.clone(),
            location: error.location,
        };
        self.record_event(now, detail).err().unwrap_or(fault)
    }

    /// `$states.context`; `Execution.Input` can be large and is included only if it is read.
    fn context_object(&self, with_input: bool) -> Value {
        let mut execution = json!({
            "Id": self.spec.arn,
            "Name": self.spec.name,
            "RoleArn": self.spec.role_arn,
            "StartTime": time::to_rfc3339(self.started),
            "RedriveCount": self.redrive_count,
        });
        if with_input {
            execution["Input"] = (*self.initial_input.value).clone();
        }
        if let Some(redriven) = self.redriven {
            execution["RedriveTime"] = time::to_rfc3339(redriven).into();
        }
        let entered = self.entered.map(|entered| time::to_rfc3339(entered.time));
        json!({
            "Execution": execution,
            "State": {
                "EnteredTime": entered,
                "Name": &*self.machine.states[self.state].name,
                "RetryCount": self.retry_count(),
            },
            "StateMachine": {
                "Id": self.spec.state_machine_arn,
                "Name": self.spec.state_machine_name,
            },
        })
    }
}

pub(super) fn unexpected_result(template: &Template, value: &Value, wanted: &str) -> EvalError {
    let (location, source) = template.expression_source().unwrap_or_default();
    let message = format!(
        "The JSONata expression '{source}' specified for the field '{location}' \
         returned an unexpected result: {value} is not {wanted}."
    );
    EvalError {
        location: location.to_owned(),
        message,
    }
}
