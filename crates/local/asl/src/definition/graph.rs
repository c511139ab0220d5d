//! Checks of the whole definition: every state is reachable, no placeholder is left.

use serde_json::{Map, Value};

use super::StateMachine;
use super::fields::Reading;
use crate::substitute;

/// Refuses states that no path from `StartAt` leads to.
pub(super) fn reject_unreachable(reading: &mut Reading<'_>, machine: &StateMachine) {
    let mut reached = vec![false; machine.states.len()];
    let mut open = vec![machine.start_at];
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut reached[id], true) {
            open.extend(machine.states[id].kind.next_states());
        }
    }
    for (state, reached) in machine.states.iter().zip(reached) {
        if !reached {
            reading.report(Some(&state.name), "", "no path leads to this state");
        }
    }
}

/// Refuses a `${Name}` anywhere: whoever deploys the definition must fill it in.
pub(super) fn reject_placeholders(reading: &mut Reading<'_>, document: &Map<String, Value>) {
    for (field, value) in document {
        if field != "States" {
            find_placeholders(reading, None, field, value);
        }
    }
    let states = document.get("States").and_then(Value::as_object);
    for (name, state) in states.into_iter().flatten() {
        check_text(reading, Some(name), "", name);
        for (field, value) in state.as_object().into_iter().flatten() {
            find_placeholders(reading, Some(name), field, value);
        }
    }
}

fn find_placeholders(reading: &mut Reading<'_>, state: Option<&str>, field: &str, value: &Value) {
    match value {
        Value::String(value) => check_text(reading, state, field, value),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_placeholders(reading, state, &format!("{field}[{index}]"), item);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                check_text(reading, state, field, key);
                find_placeholders(reading, state, &format!("{field}.{key}"), item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_text(reading: &mut Reading<'_>, state: Option<&str>, field: &str, text: &str) {
    for (_, name) in substitute::find_placeholders(text) {
        let message = format!("the placeholder ${{{name}}} has no value");
        reading.report(state, field, message);
    }
}
