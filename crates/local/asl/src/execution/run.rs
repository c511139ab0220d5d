//! What each type of state does, except Task.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::evaluate::{Extra, unexpected_result};
use super::fault::{DATA_LIMIT, Fault, Outcome, RUNTIME};
use super::payload::Payload;
use super::{
    Entered, EventDetail, Execution, MAX_PAYLOAD_BYTES, NoTask, Phase, StateType, Status, Text,
    Variable,
};
use crate::definition::{Choice, Exit, Fail, Kind, StateId, Transition, Until, Wait};
use crate::expression::{EvalError, Session, Template};
use crate::time;

/// The most bytes of JSON in all variables together.
const MAX_VARIABLES_BYTES: usize = 10 * 1024 * 1024;

/// The longest wait for a Timestamp: as many seconds as a 32-bit number has, which is about 24,855 days.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(i32::MAX as i64);

/// An output and assigned values, by the names of their variables.
type Evaluated = (Option<Value>, Vec<(Text, Value)>);

impl Execution {
    /// Does what the current phase asks for.
    pub(super) fn run_phase(&mut self, now: Timestamp) {
        let outcome = match self.phase {
            Phase::Enter => self.enter_state(now),
            Phase::Wait(_) => self.leave_wait(now),
            Phase::Run | Phase::Retry(_) => self.run_state(now),
            Phase::Task(_) | Phase::Ended => Ok(()),
        };
        self.settle_outcome(now, outcome);
    }

    pub(super) fn answer_task(
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
        self.settle_outcome(now, outcome);
        Ok(())
    }

    fn enter_state(&mut self, now: Timestamp) -> Outcome {
        let state = &self.machine.states[self.state];
        let entered = EventDetail::StateEntered {
            state: type_of(&state.kind),
            name: Arc::clone(&state.name),
            input: Arc::clone(&self.input.text),
        };
        self.record_event(now, entered)?;
        let (time, event_id) = (now, self.history.len() as u64);
        self.entered = Some(Entered { time, event_id });
        self.phase = Phase::Run;
        Ok(())
    }

    fn run_state(&mut self, now: Timestamp) -> Outcome {
        let machine = Arc::clone(&self.machine);
        match &machine.states[self.state].kind {
            Kind::Task(task) => self.schedule_task(now, task),
            Kind::Choice(choice) => self.choose_next(now, choice),
            Kind::Wait(wait) => self.begin_wait(now, wait),
            Kind::Pass(exit, after) => self.pass_input_on(now, exit, *after),
            Kind::Succeed(exit) => self.pass_input_on(now, exit, Transition::End),
            Kind::Fail(fail) => self.fail_state(now, fail),
        }
    }

    fn choose_next(&mut self, now: Timestamp, choice: &Choice) -> Outcome {
        let matched = self.evaluate(now, &choice.reads, Extra::default(), |session| {
            for (index, rule) in choice.rules.iter().enumerate() {
                match rule.condition.evaluate(session)? {
                    Value::Bool(true) => return Ok(Some(index)),
                    Value::Bool(false) => {}
                    other => return Err(unexpected_result(&rule.condition, &other, "a boolean")),
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
                return Err(self.state_error("States.NoChoiceMatched", cause));
            }
        };
        self.pass_input_on(now, exit, Transition::Next(next))
    }

    fn begin_wait(&mut self, now: Timestamp, wait: &Wait) -> Outcome {
        let (Until::Seconds(template) | Until::Timestamp(template)) = &wait.until;
        let value = self.evaluate(now, &wait.reads, Extra::default(), |session| {
            template.evaluate(session)
        })?;
        let until = match wait.until {
            Until::Seconds(_) => {
                #[expect(clippy::cast_precision_loss, reason = "at most 99,999,999")]
                let seconds = self.whole_seconds(now, &value, template, 0)? as f64;
                time::add_seconds(now, seconds)
            }
            Until::Timestamp(_) => {
                let until = value.as_str().and_then(time::parse_rfc3339);
                let wanted = "an RFC 3339 timestamp";
                let until = until.ok_or_else(|| {
                    self.evaluation_failed(now, unexpected_result(template, &value, wanted))
                })?;
                self.check_wait(now, until)?;
                time::to_second(until)
            }
        };
        self.phase = Phase::Wait(until);
        Ok(())
    }

    /// As recorded: a longer wait fails, and nothing can catch it.
    fn check_wait(&self, now: Timestamp, until: Timestamp) -> Outcome {
        if until.duration_since(now) <= LONGEST_WAIT {
            return Ok(());
        }
        let cause = format!("The Timestamp {until} is too far in the future.");
        Err(self.state_error(RUNTIME, &cause))
    }

    fn leave_wait(&mut self, now: Timestamp) -> Outcome {
        let machine = Arc::clone(&self.machine);
        let Kind::Wait(wait) = &machine.states[self.state].kind else {
            return Ok(());
        };
        self.pass_input_on(now, &wait.exit, wait.after)
    }

    fn fail_state(&mut self, now: Timestamp, fail: &Fail) -> Outcome {
        let text = |template: &Option<Template>, session: &mut Session<'_>| {
            let Some(template) = template else {
                return Ok(None);
            };
            match template.evaluate(session)? {
                Value::String(text) => Ok(Some(text)),
                other => Err(unexpected_result(template, &other, "a string")),
            }
        };
        let (error, cause) = self.evaluate(now, &fail.reads, Extra::default(), |session| {
            Ok((text(&fail.error, session)?, text(&fail.cause, session)?))
        })?;
        self.end_with_error(now, Status::Failed, error, cause);
        Ok(())
    }

    /// Leaves a state whose output is its input, unless it names another.
    fn pass_input_on(&mut self, now: Timestamp, exit: &Exit, after: Transition) -> Outcome {
        let input = self.input.clone();
        self.leave_state(now, exit, input, Extra::default(), after)
    }

    /// Makes the output, assigns the variables and goes on.
    pub(super) fn leave_state(
        &mut self,
        now: Timestamp,
        exit: &Exit,
        default: Payload,
        extra: Extra<'_>,
        after: Transition,
    ) -> Outcome {
        let (output, assigned) = self.evaluate(now, &exit.reads, extra, |session| {
            evaluate_exit(exit, session)
        })?;
        let output = match output {
            Some(output) => self.make_payload(output)?,
            None => default,
        };
        let assigned_variables = self.assign_variables(assigned)?;
        let state = &self.machine.states[self.state];
        let detail = EventDetail::StateExited {
            state: type_of(&state.kind),
            name: Arc::clone(&state.name),
            output: Arc::clone(&output.text),
            assigned_variables,
        };
        self.record_event(now, detail)?;
        match after {
            Transition::Next(next) => self.go_to(next, output),
            Transition::End => {
                let text = Arc::clone(&output.text);
                self.output = Some(output);
                let detail = EventDetail::ExecutionSucceeded { output: text };
                self.finish_with(now, Status::Succeeded, detail);
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

    fn assign_variables(
        &mut self,
        values: Vec<(Arc<str>, Value)>,
    ) -> Result<Vec<(Text, Text)>, Fault> {
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
            return Err(self.limit_exceeded("assigns variables"));
        }
        self.variables = variables;
        Ok(assigned)
    }

    /// A payload of the state, within the limit.
    pub(super) fn make_payload(&self, value: Value) -> Result<Payload, Fault> {
        let payload = Payload::new(value);
        if payload.is_too_large() {
            return Err(self.limit_exceeded("made a payload"));
        }
        Ok(payload)
    }

    fn limit_exceeded(&self, what: &str) -> Fault {
        let state = &self.machine.states[self.state].name;
        self.state_error(DATA_LIMIT, &too_large(&format!("state '{state}' {what}")))
    }
}

/// The output of a state, if it names one, and the values of the variables that it assigns.
fn evaluate_exit(exit: &Exit, session: &mut Session<'_>) -> Result<Evaluated, EvalError> {
    let output = exit.output.as_ref().map(|output| output.evaluate(session));
    let output = output.transpose()?;
    let assigned = exit.assign.iter();
    let assigned = assigned
        .map(|(name, template)| Ok((Arc::clone(name), template.evaluate(session)?)))
        .collect::<Result<_, _>>()?;
    Ok((output, assigned))
}

pub(super) fn too_large(what: &str) -> String {
    format!("The {what} with a size exceeding the maximum number of bytes service limit.")
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
