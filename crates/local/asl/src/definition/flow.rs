//! Choice, Wait, Pass, Succeed and Fail.

use serde_json::Value;

use super::fields::{Fields, Reading};
use super::{Choice, Fail, Kind, MAX_SECONDS, Rule, Until, Wait};
use crate::expression::{Allowed, Reads, Template};
use crate::time;

pub(super) fn choice(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = [
        "Type",
        "Comment",
        "QueryLanguage",
        "Choices",
        "Default",
        "Assign",
        "Output",
    ];
    fields.only(reading, &allowed);
    if !fields.has("Choices") {
        fields.problem(reading, "Choices", "is missing");
    }
    let known = ["Condition", "Next", "Comment", "Assign", "Output"];
    let objects = fields.objects(reading, "Choices", &known);
    let rules: Vec<_> = objects.iter().map(|object| rule(reading, object)).collect();
    let default = fields
        .has("Default")
        .then(|| fields.target(reading, "Default"));
    let exit = fields.exit(reading, Allowed::default());
    if default.is_none() && (exit.output.is_some() || !exit.assign.is_empty()) {
        let message = "is used only when the Default is taken, and there is none";
        fields.problem(reading, "Output or Assign", message);
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

fn rule(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Rule> {
    let condition = fields.template(reading, "Condition", Allowed::default());
    match fields.value("Condition") {
        None => fields.problem(reading, "Condition", "is missing"),
        Some(Value::Bool(_)) => {}
        Some(_) => {
            if condition
                .as_ref()
                .is_some_and(|condition| !condition.is_expression())
            {
                fields.problem(
                    reading,
                    "Condition",
                    "must be a JSONata expression or a boolean",
                );
            }
        }
    }
    let next = fields.target(reading, "Next");
    let exit = fields.exit(reading, Allowed::default());
    Some(Rule {
        condition: condition?,
        next: next?,
        exit,
    })
}

pub(super) fn wait(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = [
        "Type",
        "Comment",
        "QueryLanguage",
        "Seconds",
        "Timestamp",
        "Next",
        "End",
        "Assign",
        "Output",
    ];
    fields.only(reading, &allowed);
    let seconds = fields.template(reading, "Seconds", Allowed::default());
    let timestamp = fields.template(reading, "Timestamp", Allowed::default());
    let until = match (fields.value("Seconds"), fields.value("Timestamp")) {
        (Some(_), None) => {
            if seconds
                .as_ref()
                .is_some_and(|seconds| !seconds.is_expression())
            {
                fields.integer(reading, "Seconds", 0..=MAX_SECONDS);
            }
            seconds.map(Until::Seconds)
        }
        (None, Some(value)) => {
            if timestamp
                .as_ref()
                .is_some_and(|timestamp| !timestamp.is_expression())
                && value.as_str().and_then(time::parse).is_none()
            {
                fields.problem(
                    reading,
                    "Timestamp",
                    "must be an RFC 3339 time with T and Z",
                );
            }
            timestamp.map(Until::Timestamp)
        }
        (None, None) => {
            fields.problem(
                reading,
                "Seconds",
                "is missing, and there is no Timestamp either",
            );
            None
        }
        (Some(_), Some(_)) => {
            fields.problem(reading, "Timestamp", "can't be there together with Seconds");
            None
        }
    };
    let after = fields.after(reading);
    let exit = fields.exit(reading, Allowed::default());
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

pub(super) fn pass(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let allowed = [
        "Type",
        "Comment",
        "QueryLanguage",
        "Next",
        "End",
        "Assign",
        "Output",
    ];
    fields.only(reading, &allowed);
    let after = fields.after(reading);
    let exit = fields.exit(reading, Allowed::default());
    Some(Kind::Pass(exit, after?))
}

pub(super) fn succeed(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Kind {
    fields.only(reading, &["Type", "Comment", "QueryLanguage", "Output"]);
    Kind::Succeed(fields.exit(reading, Allowed::default()))
}

pub(super) fn fail(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Kind {
    fields.only(
        reading,
        &["Type", "Comment", "QueryLanguage", "Error", "Cause"],
    );
    let error = text(reading, fields, "Error");
    let cause = text(reading, fields, "Cause");
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

fn text(reading: &mut Reading<'_>, fields: &Fields<'_>, name: &str) -> Option<Template> {
    if fields.value(name).is_some_and(|value| !value.is_string()) {
        fields.problem(reading, name, "must be a string or a JSONata expression");
    }
    fields.template(reading, name, Allowed::default())
}
