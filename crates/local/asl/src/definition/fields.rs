//! Reads the fields of one JSON object and refuses those that are not known.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::problem::Problem;
use super::{Exit, StateId, Transition};
use crate::expression::{Allowed, Template};

/// Fields of `JSONPath`; a definition that has one of them was written for that language.
const JSONPATH: &str = "\
    InputPath OutputPath ResultPath Parameters ResultSelector Result Variable SecondsPath TimestampPath \
    TimeoutSecondsPath HeartbeatSecondsPath ErrorPath CausePath ItemsPath";

/// Fields that Step Functions knows and this crate does not implement.
const NOT_IMPLEMENTED: &str = "\
    HeartbeatSeconds Credentials Branches ItemProcessor Iterator Items MaxConcurrency \
    ToleratedFailureCount";

/// What the reader of any part of a definition needs, and the problems found so far.
pub(super) struct Reading<'a> {
    pub(super) problems: Vec<Problem>,
    /// The states by name.
    pub(super) names: HashMap<&'a str, StateId>,
    /// Every variable that some state assigns.
    pub(super) variables: BTreeSet<String>,
    /// The patterns of the task resources that the caller supports; `None` allows all.
    pub(super) resources: Option<&'a [&'a str]>,
}

impl Reading<'_> {
    pub(super) fn report(&mut self, state: Option<&str>, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(state, field, message));
    }
}

/// The fields of one object in one state.
pub(super) struct Fields<'a> {
    pub(super) state: Option<&'a str>,
    /// The path of the object within the state, empty or ending in a dot.
    prefix: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(state: Option<&'a str>, map: &'a Map<String, Value>) -> Self {
        let prefix = String::new();
        Self { state, prefix, map }
    }

    /// The objects of an array field, each with the fields that it may have.
    pub(super) fn read_objects(
        &self,
        reading: &mut Reading<'_>,
        name: &str,
        allowed: &str,
    ) -> Vec<Self> {
        let Some(value) = self.map.get(name) else {
            return Vec::new();
        };
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            self.report(reading, name, "must be an array with at least one object");
            return Vec::new();
        };
        let mut objects = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{name}[{index}]");
            let Some(map) = item.as_object() else {
                self.report(reading, &path, "must be an object");
                continue;
            };
            let prefix = format!("{}{path}.", self.prefix);
            let fields = Self {
                state: self.state,
                prefix,
                map,
            };
            fields.reject_unknown(reading, allowed);
            objects.push(fields);
        }
        objects
    }

    pub(super) fn report(&self, reading: &mut Reading<'_>, name: &str, message: impl Into<String>) {
        let field = format!("{}{name}", self.prefix);
        reading.report(self.state, &field, message);
    }

    /// Refuses every field that is not among the names in `allowed`.
    pub(super) fn reject_unknown(&self, reading: &mut Reading<'_>, allowed: &str) {
        for name in self.map.keys() {
            let is_among = |names: &str| names.split(' ').any(|known| known == name);
            if is_among(allowed) {
                continue;
            }
            let message = if is_among(JSONPATH) {
                "belongs to JSONPath; only JSONata is implemented"
            } else if is_among(NOT_IMPLEMENTED) {
                "is not implemented"
            } else {
                "is not a field of this"
            };
            self.report(reading, name, message);
        }
        if self.map.get("Comment").is_some_and(|c| !c.is_string()) {
            self.report(reading, "Comment", "must be a string");
        }
    }

    pub(super) fn has_field(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(super) fn field_value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name)
    }

    /// A required field that is a string and not empty.
    pub(super) fn read_required_text(
        &self,
        reading: &mut Reading<'_>,
        name: &str,
    ) -> Option<&'a str> {
        match self.map.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) => {
                self.report(reading, name, "must be a string that is not empty");
                None
            }
            None => {
                self.report(reading, name, "is missing");
                None
            }
        }
    }

    /// An integer within a range; `None` if the field is absent or wrong.
    pub(super) fn read_integer(
        &self,
        reading: &mut Reading<'_>,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.map.get(name)?;
        let number = value.as_u64().filter(|n| range.contains(n));
        if number.is_none() {
            let (low, high) = range.into_inner();
            let message = format!("must be an integer from {low} to {high}, not {value}");
            self.report(reading, name, message);
        }
        number
    }

    /// The state that a field names.
    pub(super) fn read_target(&self, reading: &mut Reading<'_>, name: &str) -> Option<StateId> {
        let text = self.read_required_text(reading, name)?;
        let target = reading.names.get(text).copied();
        if target.is_none() {
            self.report(reading, name, format!("there is no state {text:?}"));
        }
        target
    }

    /// `Next` or `End`, of which a state has exactly one.
    pub(super) fn read_transition(&self, reading: &mut Reading<'_>) -> Option<Transition> {
        match (self.has_field("Next"), self.field_value("End")) {
            (true, None) => self.read_target(reading, "Next").map(Transition::Next),
            (false, Some(Value::Bool(true))) => Some(Transition::End),
            (false, Some(_)) => {
                self.report(reading, "End", "must be true");
                None
            }
            (true, Some(_)) => {
                self.report(reading, "End", "can't be there together with Next");
                None
            }
            (false, None) => {
                self.report(reading, "Next", "is missing, and there is no End either");
                None
            }
        }
    }

    /// A field that may hold expressions.
    pub(super) fn read_template(
        &self,
        reading: &mut Reading<'_>,
        name: &str,
        allowed: Allowed,
    ) -> Option<Template> {
        self.parse_template(reading, self.map.get(name)?, name, allowed)
    }

    fn parse_template(
        &self,
        reading: &mut Reading<'_>,
        value: &Value,
        location: &str,
        allowed: Allowed,
    ) -> Option<Template> {
        let mut found = Vec::new();
        let template = Template::parse(value, location, allowed, &reading.variables, &mut found);
        for (location, message) in found {
            self.report(reading, &location, message);
        }
        template
    }

    pub(super) fn read_exit(&self, reading: &mut Reading<'_>, allowed: Allowed) -> Exit {
        let output = self.read_template(reading, "Output", allowed);
        Exit::new(output, self.read_assign(reading, allowed))
    }

    fn read_assign(&self, reading: &mut Reading<'_>, allowed: Allowed) -> Vec<(String, Template)> {
        let Some(value) = self.map.get("Assign") else {
            return Vec::new();
        };
        let Some(map) = value.as_object() else {
            self.report(reading, "Assign", "must be an object of variables");
            return Vec::new();
        };
        let mut assign = Vec::new();
        for (name, value) in map {
            let location = format!("Assign/{name}");
            if let Err(message) = variable_name(name) {
                self.report(reading, &location, message);
            }
            let template = self.parse_template(reading, value, &location, allowed);
            assign.extend(template.map(|template| (name.clone(), template)));
        }
        assign
    }
}

fn variable_name(name: &str) -> Result<(), &'static str> {
    if name == "states" {
        return Err("$states is reserved");
    }
    if name.chars().count() > 80 {
        return Err("the name of a variable has at most 80 characters");
    }
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if starts && chars.all(|c| c.is_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err("a variable's name is letters, digits and `_`, and starts with no digit")
    }
}
