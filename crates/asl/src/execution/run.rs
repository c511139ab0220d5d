//! What each state does.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::payload::Payload;
use super::{
    Entered, Event, EventDetail, Execution, MAX_EVENTS, MAX_PAYLOAD_BYTES, NoTask, Phase,
    StateType, Status, TaskCall, TaskResource, Variable,
};
use crate::definition::{
    After, Catcher, Choice, Exit, Fail, Jitter, Kind, Resource, Retrier, StateId, Task, TimeLimit,
    Until, Wait,
};
use crate::expression::{EvalError, Reads, Scope, Session, Template};
use crate::time;

/// The most bytes of JSON in all variables together.
const MAX_VARIABLES_BYTES: usize = 10 * 1024 * 1024;

const DATA_LIMIT: &str = "States.DataLimitExceeded";
const QUERY: &str = "States.QueryEvaluationError";
const RUNTIME: &str = "States.Runtime";

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

type Outcome = Result<(), Fault>;

/// What an expression may see besides input, context and variables.
#[derive(Default, Clone, Copy)]
struct Extra<'a> {
    result: Option<&'a Value>,
    error_output: Option<&'a Value>,
}

impl Execution {
    /// Does what the phase says.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let outcome = match self.phase {
            Phase::Enter => self.enter(now),
            Phase::Wait(_) => self.leave_wait(now),
            Phase::Run | Phase::Retry(_) => self.run(now),
            Phase::Task(_) | Phase::Ended => Ok(()),
        };
        self.settle(now, outcome);
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        outcome: impl FnOnce(&mut Self, Timestamp) -> Outcome,
    ) -> Result<(), NoTask> {
        let now = time::to_millisecond(now);
        self.end_if_overdue(now);
        if !matches!(self.phase, Phase::Task(_)) {
            return Err(NoTask);
        }
        self.phase = Phase::Run;
        let outcome = outcome(self, now);
        self.settle(now, outcome);
        Ok(())
    }

    fn enter(&mut self, now: Timestamp) -> Outcome {
        let machine = Arc::clone(&self.machine);
        let state = &machine.states[self.state];
        let (name, input) = (Arc::clone(&state.name), Arc::clone(&self.input.text));
        self.record(
            now,
            EventDetail::StateEntered {
                state: type_of(&state.kind),
                name,
                input,
            },
        )?;
        let event_id = self.history.len() as u64;
        self.entered = Some(Entered {
            time: now,
            event_id,
        });
        self.phase = Phase::Run;
        Ok(())
    }

    fn run(&mut self, now: Timestamp) -> Outcome {
        let machine = Arc::clone(&self.machine);
        match &machine.states[self.state].kind {
            Kind::Task(task) => self.schedule(now, task),
            Kind::Choice(choice) => self.choose(now, choice),
            Kind::Wait(wait) => self.begin_wait(now, wait),
            Kind::Pass(exit, after) => {
                let input = self.input.clone();
                self.leave(now, exit, input, Extra::default(), *after)
            }
            Kind::Succeed(exit) => {
                let input = self.input.clone();
                self.leave(now, exit, input, Extra::default(), After::End)
            }
            Kind::Fail(fail) => self.fail_state(now, fail),
        }
    }

    fn schedule(&mut self, now: Timestamp, task: &Task) -> Outcome {
        let (arguments, timeout) =
            self.evaluate(now, &task.reads, Extra::default(), |session| {
                let arguments = task.arguments.evaluate(session)?;
                let limit = task
                    .timeout
                    .as_ref()
                    .map(|TimeLimit(limit)| limit.evaluate(session));
                Ok((arguments, limit.transpose()?))
            })?;
        if !arguments.is_object() {
            return Err(self.fault(RUNTIME, "The Arguments of a task must be an object."));
        }
        let seconds = match (timeout, &task.timeout) {
            (Some(value), Some(TimeLimit(template))) => {
                Some(self.seconds(now, &value, template, 1)?)
            }
            _ => None,
        };
        let arguments = self.payload(arguments)?;
        let state = Arc::clone(&self.machine.states[self.state].name);
        let resource = &task.resource;
        self.record(
            now,
            EventDetail::TaskScheduled {
                task: history_name(resource),
                region: Arc::clone(&self.region),
                parameters: arguments.text,
                timeout_in_seconds: seconds,
            },
        )?;
        self.record(
            now,
            EventDetail::TaskStarted {
                task: history_name(resource),
            },
        )?;
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
        self.record(now, detail)?;
        let value = Arc::clone(&result.value);
        let extra = Extra {
            result: Some(&value),
            error_output: None,
        };
        self.leave(now, &task.exit, result, extra, task.after)
    }

    pub(super) fn task_failed(
        &mut self,
        now: Timestamp,
        error: String,
        cause: Option<String>,
    ) -> Outcome {
        if let Some(task) = self.task_name() {
            let (error, cause) = (error.clone(), cause.clone());
            self.record(now, EventDetail::TaskFailed { task, error, cause })?;
        }
        Err(Fault::Error { error, cause })
    }

    pub(super) fn task_timed_out(&mut self, now: Timestamp) -> Outcome {
        let error = "States.Timeout".to_owned();
        if let Some(task) = self.task_name() {
            let error = error.clone();
            self.record(
                now,
                EventDetail::TaskTimedOut {
                    task,
                    error,
                    cause: None,
                },
            )?;
        }
        Err(Fault::Error { error, cause: None })
    }

    fn task_name(&self) -> Option<TaskResource> {
        match &self.machine.states[self.state].kind {
            Kind::Task(task) => Some(history_name(&task.resource)),
            _ => None,
        }
    }

    fn choose(&mut self, now: Timestamp, choice: &Choice) -> Outcome {
        let matched = self.evaluate(now, &choice.reads, Extra::default(), |session| {
            for (index, rule) in choice.rules.iter().enumerate() {
                match rule.condition.evaluate(session)? {
                    Value::Bool(true) => return Ok(Some(index)),
                    Value::Bool(false) => {}
                    other => return Err(unexpected(&rule.condition, &other, "a boolean")),
                }
            }
            Ok(None)
        })?;
        let (exit, next) = match (matched, choice.default) {
            (Some(index), _) => (&choice.rules[index].exit, choice.rules[index].next),
            (None, Some(default)) => (&choice.exit, default),
            (None, None) => {
                let cause = "Failed to transition out of the state. \
                    The state does not point to a next state.";
                return Err(self.fault("States.NoChoiceMatched", cause));
            }
        };
        let input = self.input.clone();
        self.leave(now, exit, input, Extra::default(), After::Next(next))
    }

    fn begin_wait(&mut self, now: Timestamp, wait: &Wait) -> Outcome {
        let (Until::Seconds(template) | Until::Timestamp(template)) = &wait.until;
        let mut reads = Reads::default();
        template.add_reads(&mut reads);
        let value = self.evaluate(now, &reads, Extra::default(), |session| {
            template.evaluate(session)
        })?;
        let until = match wait.until {
            Until::Seconds(_) => {
                #[expect(clippy::cast_precision_loss, reason = "at most 99,999,999")]
                let seconds = self.seconds(now, &value, template, 0)? as f64;
                time::after(now, seconds)
            }
            Until::Timestamp(_) => match value.as_str().and_then(time::parse) {
                Some(until) => until,
                None => {
                    let wanted = "an RFC 3339 timestamp";
                    return Err(self.evaluation_failed(now, unexpected(template, &value, wanted)));
                }
            },
        };
        self.phase = Phase::Wait(until);
        Ok(())
    }

    fn leave_wait(&mut self, now: Timestamp) -> Outcome {
        let machine = Arc::clone(&self.machine);
        let Kind::Wait(wait) = &machine.states[self.state].kind else {
            return Ok(());
        };
        let input = self.input.clone();
        self.leave(now, &wait.exit, input, Extra::default(), wait.after)
    }

    fn fail_state(&mut self, now: Timestamp, fail: &Fail) -> Outcome {
        let mut reads = Reads::default();
        for template in fail.error.iter().chain(&fail.cause) {
            template.add_reads(&mut reads);
        }
        let text = |template: &Option<Template>, session: &mut Session<'_>| {
            let Some(template) = template else {
                return Ok(None);
            };
            match template.evaluate(session)? {
                Value::String(text) => Ok(Some(text)),
                other => Err(unexpected(template, &other, "a string")),
            }
        };
        let (error, cause) = self.evaluate(now, &reads, Extra::default(), |session| {
            Ok((text(&fail.error, session)?, text(&fail.cause, session)?))
        })?;
        self.end(now, Status::Failed, error, cause);
        Ok(())
    }

    /// Makes the output, assigns the variables and goes on.
    fn leave(
        &mut self,
        now: Timestamp,
        exit: &Exit,
        default: Payload,
        extra: Extra<'_>,
        after: After,
    ) -> Outcome {
        let (output, assigned) = self.evaluate(now, &exit.reads, extra, |session| {
            let output = exit.output.as_ref().map(|output| output.evaluate(session));
            let assigned = exit
                .assign
                .iter()
                .map(|(name, template)| Ok((Arc::clone(name), template.evaluate(session)?)));
            let assigned: Result<Vec<_>, EvalError> = assigned.collect();
            Ok((output.transpose()?, assigned?))
        })?;
        let output = match output {
            Some(output) => self.payload(output)?,
            None => default,
        };
        let assigned_variables = self.assign(assigned)?;
        let state = &self.machine.states[self.state];
        let (state, name) = (type_of(&state.kind), Arc::clone(&state.name));
        let text = Arc::clone(&output.text);
        let detail = EventDetail::StateExited {
            state,
            name,
            output: text,
            assigned_variables,
        };
        self.record(now, detail)?;
        match after {
            After::Next(next) => self.go_to(next, output),
            After::End => {
                let text = Arc::clone(&output.text);
                self.output = Some(output);
                let detail = EventDetail::ExecutionSucceeded { output: text };
                self.finish(now, Status::Succeeded, detail);
            }
        }
        Ok(())
    }

    fn go_to(&mut self, next: StateId, input: Payload) {
        self.state = next;
        self.input = input;
        self.entered = None;
        self.retries.clear();
        self.phase = Phase::Enter;
    }

    fn assign(
        &mut self,
        values: Vec<(Arc<str>, Value)>,
    ) -> Result<Vec<(Arc<str>, Arc<str>)>, Fault> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut variables = self.variables.clone();
        let mut assigned = Vec::with_capacity(values.len());
        let mut bytes = 0;
        for (name, value) in values {
            let Payload { value, text } = Payload::new(value);
            bytes += text.len();
            assigned.push((Arc::clone(&name), Arc::clone(&text)));
            variables.insert(name, Variable { value, text });
        }
        let all: usize = variables.values().map(|variable| variable.text.len()).sum();
        if bytes > MAX_PAYLOAD_BYTES || all > MAX_VARIABLES_BYTES {
            let state = &self.machine.states[self.state].name;
            return Err(self.fault(
                DATA_LIMIT,
                &too_large(&format!("state '{state}' assigns variables")),
            ));
        }
        self.variables = variables;
        Ok(assigned)
    }

    /// A payload of the state, within the limit.
    fn payload(&self, value: Value) -> Result<Payload, Fault> {
        let payload = Payload::new(value);
        if payload.is_too_large() {
            let state = &self.machine.states[self.state].name;
            return Err(self.fault(
                DATA_LIMIT,
                &too_large(&format!("state '{state}' made a payload")),
            ));
        }
        Ok(payload)
    }

    /// A whole number of seconds from an expression.
    fn seconds(
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
                Err(self.evaluation_failed(now, unexpected(template, value, &wanted)))
            }
        }
    }

    fn evaluate<T>(
        &mut self,
        now: Timestamp,
        reads: &Reads,
        extra: Extra<'_>,
        evaluation: impl FnOnce(&mut Session<'_>) -> Result<T, EvalError>,
    ) -> Result<T, Fault> {
        let context = || self.context();
        let scope = Scope {
            input: &self.input.value,
            result: extra.result,
            error_output: extra.error_output,
            variables: &self.variables,
            context: &context,
            now,
        };
        let mut session = Session::new(scope, reads, &self.random);
        let value = evaluation(&mut session);
        let random = session.random();
        drop(session);
        self.random = random;
        value.map_err(|error| self.evaluation_failed(now, error))
    }

    fn evaluation_failed(&mut self, now: Timestamp, error: EvalError) -> Fault {
        let fault = self.fault(QUERY, &error.message);
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
        self.record(now, detail).err().unwrap_or(fault)
    }

    /// An error of the state itself, told as Step Functions tells it.
    fn fault(&self, error: &str, what: &str) -> Fault {
        let state = &self.machine.states[self.state].name;
        let event = self.entered.map_or(0, |entered| entered.event_id);
        let cause = format!(
            "An error occurred while executing the state '{state}' \
             (entered at the event id #{event}). {what}"
        );
        Fault::Error {
            error: error.to_owned(),
            cause: Some(cause),
        }
    }

    /// Retries, catches or ends.
    fn settle(&mut self, now: Timestamp, outcome: Outcome) {
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

    fn retry_count(&self) -> u64 {
        self.retries.iter().sum()
    }

    /// `$states.context`.
    fn context(&self) -> Value {
        let mut execution = json!({
            "Id": self.spec.arn,
            "Input": *self.execution_input.value,
            "Name": self.spec.name,
            "RoleArn": self.spec.role_arn,
            "StartTime": time::format(self.started),
            "RedriveCount": self.redrive_count,
        });
        if let Some(redriven) = self.redriven {
            execution["RedriveTime"] = time::format(redriven).into();
        }
        let entered = self.entered.map(|entered| time::format(entered.time));
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

    /// Appends an event, as long as the one that ends the execution has room after it.
    fn record(&mut self, now: Timestamp, detail: EventDetail) -> Outcome {
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

fn unexpected(template: &Template, value: &Value, wanted: &str) -> EvalError {
    let (location, source) = template.source().unwrap_or_default();
    let message = format!(
        "The JSONata expression '{source}' specified for the field '{location}' \
         returned an unexpected result: {value} is not {wanted}."
    );
    EvalError {
        location: location.to_owned(),
        message,
    }
}

fn too_large(what: &str) -> String {
    format!("The {what} with a size exceeding the maximum number of bytes service limit.")
}

fn history_name(resource: &Resource) -> TaskResource {
    TaskResource {
        resource_type: Arc::clone(&resource.service),
        resource: Arc::clone(&resource.action),
    }
}

fn type_of(kind: &Kind) -> StateType {
    match kind {
        Kind::Task(_) => StateType::Task,
        Kind::Choice(_) => StateType::Choice,
        Kind::Wait(_) => StateType::Wait,
        Kind::Pass(..) => StateType::Pass,
        Kind::Succeed(_) => StateType::Succeed,
        Kind::Fail(_) => StateType::Fail,
    }
}
