//! Renders the template of the planned schedules.

use std::fmt::Write as _;

use delivery::{Expectation, ScheduledEvent};
use serde_json::{Map, Value, json};

use super::schedule::{PlannedSchedule, Purpose};
use crate::error::CommandError;
use crate::execution_input::event_for_scheduler;

pub(super) const DESCRIPTION: &str = "The schedules of the reports. Made from their definitions by cxr schedules; changes by hand are lost.";

/// What the stack around it hands in.
const PARAMETERS: [&str; 6] = [
    "Name",
    "GroupName",
    "State",
    "StateMachineArn",
    "RoleArn",
    "DeadLetterQueueArn",
];

/// Renders the schedules.
pub(crate) fn render(schedules: &[&PlannedSchedule<'_>]) -> Result<String, CommandError> {
    let mut resources = Map::new();
    for schedule in schedules {
        resources.insert(schedule.resource.clone(), render_schedule(schedule)?);
    }
    render_template(DESCRIPTION, &PARAMETERS, resources)
}

/// Renders resources; `CloudFormation` takes no template without one, so that one stands in for none.
pub(super) fn render_template(
    description: &str,
    parameters: &[&str],
    mut resources: Map<String, Value>,
) -> Result<String, CommandError> {
    let parameters: Map<String, Value> = parameters
        .iter()
        .map(|name| ((*name).to_owned(), json!({"Type": "String"})))
        .collect();
    if resources.is_empty() {
        let nothing = json!({"Type": "AWS::CloudFormation::WaitConditionHandle"});
        resources.insert("NoSchedules".to_owned(), nothing);
    }
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": parameters,
        "Resources": resources,
    });
    // In one order, whatever order a build's maps keep.
    template.sort_all_objects();
    let text = serde_json::to_string_pretty(&template).map_err(std::io::Error::from)?;
    Ok(escape_letters(&text) + "\n")
}

fn render_schedule(schedule: &PlannedSchedule<'_>) -> Result<Value, CommandError> {
    let name = format!("${{Name}}-{}", schedule.name);
    Ok(json!({
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": {"Fn::Sub": name},
            "Description": describe(schedule),
            "GroupName": {"Ref": "GroupName"},
            "ScheduleExpression": schedule.timing.expression(),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": flexibility_of(schedule),
            "State": {"Ref": "State"},
            "Target": {
                "Arn": {"Ref": "StateMachineArn"},
                "RoleArn": {"Ref": "RoleArn"},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
                "DeadLetterConfig": {"Arn": {"Ref": "DeadLetterQueueArn"}},
                "Input": {"Fn::Sub": render_input(schedule)?},
            },
        },
    }))
}

/// Reports start within a quarter of an hour, so that they do not all ask the tenant at once. Asking whether they came costs
/// the tenant nothing.
fn flexibility_of(schedule: &PlannedSchedule<'_>) -> Value {
    match schedule.purpose {
        Purpose::Expect => json!({"Mode": "OFF"}),
        Purpose::Deliver | Purpose::Restate(_) => {
            json!({"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15})
        }
    }
}

fn describe(schedule: &PlannedSchedule<'_>) -> String {
    let definition = &schedule.report.file.definition;
    let title = format!("{} / {}", definition.pipeline.tenant, definition.name);
    match schedule.purpose {
        Purpose::Deliver => title,
        Purpose::Expect => format!("{title}, expected to be there"),
        Purpose::Restate(distance) => format!("{title}, stated anew after {distance}"),
    }
}

/// What a schedule's executions are started with. Its account and region are empty.
pub(crate) fn make_event(schedule: &PlannedSchedule<'_>) -> ScheduledEvent {
    let mut definition = schedule.report.file.written.clone();
    definition.sort_all_objects();
    let event = event_for_scheduler(definition, None);
    match schedule.purpose {
        Purpose::Deliver => event,
        Purpose::Expect => event.with_expectation(Expectation::Delivered),
        Purpose::Restate(distance) => event.with_restatement(distance.to_string()),
    }
}

/// The scheduled event with the definition, in which `Fn::Sub` replaces our placeholders only.
fn render_input(schedule: &PlannedSchedule<'_>) -> Result<String, CommandError> {
    let event = serde_json::to_string(&make_event(schedule)).map_err(std::io::Error::from)?;
    // Account and region stand before the definition, which may say anything.
    Ok(escape_letters(&event)
        .replace("${", "${!")
        .replacen(r#""account":"""#, r#""account":"${AWS::AccountId}""#, 1)
        .replacen(r#""region":"""#, r#""region":"${AWS::Region}""#, 1))
}

/// Escapes what is not ASCII in a JSON text, because `CloudFormation` does not keep it everywhere.
pub(super) fn escape_letters(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        if matches!(letter, ' '..='~' | '\n') {
            out.push(letter);
            return out;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
        out
    })
}
