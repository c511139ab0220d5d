//! Choice, Wait, Pass, Succeed and Fail.

use serde_json::Value;

use super::fields::{Fields, Reading};
use super::{Choice, Fail, Kind, MAX_SECONDS, Rule, Until, Wait};
use crate::expression::{Allowed, Reads, Template};
use crate::time;

pub(super) fn read_choice(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = "Type Comment QueryLanguage Choices Default Assign Output";
    fields.reject_unknown(reading, allowed);
    if !fields.has_field("Choices") {
        fields.report(reading, "Choices", "is missing");
    }
    let known = "Condition Next Comment Assign Output";
    let objects = fields.read_objects(reading, "Choices", known);
    let rules: Vec<_> = objects
        .iter()
        .map(|object| read_rule(reading, object))
        .collect();
    let default = fields
        .has_field("Default")
        .then(|| fields.read_target(reading, "Default"));
    let exit = fields.read_exit(reading, Allowed::default());
    if default.is_none() && (exit.output.is_some() || !exit.assign.is_empty()) {
        let message = "is used only when the Default is taken, and there is none";
        fields.report(reading, "Output or Assign", message);
    }
    let rules = rules.into_iter().collect::<Option<Vec<_>>>()?;
    let mut reads = Reads::default();
    for rule in &rules {
        rule.condition.add_reads(&mut reads);
    }
    let default = default.map_or(Some(None), |default| default.map(Some))?;
    Some(Kind::Choice(Choice {
        rules,
        default,
        exit,
        reads,
    }))
}

fn read_rule(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Rule> {
    let condition = fields.read_template(reading, "Condition", Allowed::default());
    match fields.field_value("Condition") {
        None => fields.report(reading, "Condition", "is missing"),
        Some(Value::Bool(_)) => {}
        Some(_) => {
            if condition.as_ref().is_some_and(Template::is_literal) {
                let message = "must be a JSONata expression or a boolean";
                fields.report(reading, "Condition", message);
            }
        }
    }
    let next = fields.read_target(reading, "Next");
    let exit = fields.read_exit(reading, Allowed::default());
    Some(Rule {
        condition: condition?,
        next: next?,
        exit,
    })
}

pub(super) fn read_wait(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = "Type Comment QueryLanguage Seconds Timestamp Next End Assign Output";
    fields.reject_unknown(reading, allowed);
    let until = read_until(reading, fields);
    let after = fields.read_transition(reading);
    let exit = fields.read_exit(reading, Allowed::default());
    let until = until?;
    let (Until::Seconds(template) | Until::Timestamp(template)) = &until;
    let mut reads = Reads::default();
    template.add_reads(&mut reads);
    Some(Kind::Wait(Wait {
        until,
        reads,
        exit,
        after: after?,
    }))
}

/// `Seconds` or `Timestamp`, of which a Wait has exactly one.
fn read_until(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Until> {
    let seconds = fields.read_template(reading, "Seconds", Allowed::default());
    let timestamp = fields.read_template(reading, "Timestamp", Allowed::default());
    match (
        fields.field_value("Seconds"),
        fields.field_value("Timestamp"),
    ) {
        (Some(_), None) => {
            if seconds.as_ref().is_some_and(Template::is_literal) {
                fields.read_integer(reading, "Seconds", 0..=MAX_SECONDS);
            }
            seconds.map(Until::Seconds)
        }
        (None, Some(value)) => {
            let readable = value.as_str().and_then(time::parse_rfc3339).is_some();
            if timestamp.as_ref().is_some_and(Template::is_literal) && !readable {
                let message = "must be an RFC 3339 time with T and Z";
                fields.report(reading, "Timestamp", message);
            }
            timestamp.map(Until::Timestamp)
        }
        (None, None) => {
            let message = "is missing, and there is no Timestamp either";
            fields.report(reading, "Seconds", message);
            None
        }
        (Some(_), Some(_)) => {
            fields.report(reading, "Timestamp", "can't be there together with Seconds");
            None
        }
    }
}

pub(super) fn read_pass(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = "Type Comment QueryLanguage Next End Assign Output";
    fields.reject_unknown(reading, allowed);
    let after = fields.read_transition(reading);
    let exit = fields.read_exit(reading, Allowed::default());
    Some(Kind::Pass(exit, after?))
}

pub(super) fn read_succeed(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Kind {
    fields.reject_unknown(reading, "Type Comment QueryLanguage Output");
    Kind::Succeed(fields.read_exit(reading, Allowed::default()))
}

pub(super) fn read_fail(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Kind {
    fields.reject_unknown(reading, "Type Comment QueryLanguage Error Cause");
    let error = read_text(reading, fields, "Error");
    let cause = read_text(reading, fields, "Cause");
    let mut reads = Reads::default();
    for template in error.iter().chain(&cause) {
        template.add_reads(&mut reads);
    }
    Kind::Fail(Fail {
        error,
        cause,
        reads,
    })
}

fn read_text(reading: &mut Reading<'_>, fields: &Fields<'_>, name: &str) -> Option<Template> {
    if fields
        .field_value(name)
        .is_some_and(|value| !value.is_string())
    {
        fields.report(reading, name, "must be a string or a JSONata expression");
    }
    fields.read_template(reading, name, Allowed::default())
}
