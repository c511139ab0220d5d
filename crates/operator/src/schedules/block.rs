//! The text between the template's marker lines.

use std::fmt::Write as _;

use definition::{DateRange, Definition, Recurrence};

use super::Report;
use crate::definition_file::DefinitionFile;
use crate::error::Error;
use crate::input::Event;

/// A schedule and an alarm for each report.
pub(super) fn made_of(reports: &[Report]) -> Result<String, Error> {
    let mut block = String::from("\n");
    for report in reports {
        block += &schedule(report)?;
        block += &alarm(report);
    }
    Ok(block)
}

fn schedule(report: &Report) -> Result<String, Error> {
    let Report { stem, resource, .. } = report;
    let expression = expression(report)?;
    let input = indented(&escaped(&input(report)?), 10);
    Ok(format!(
        "  {resource}Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: {}
      Description: {}
      GroupName: !Ref ScheduleGroup
      ScheduleExpression: {expression}
      ScheduleExpressionTimezone: UTC
      FlexibleTimeWindow: {{ Mode: FLEXIBLE, MaximumWindowInMinutes: 15 }}
      State: ENABLED
      Target:
        Arn: !Ref ReportPipelineAliaslive
        RoleArn: !GetAtt SchedulerRole.Arn
        RetryPolicy: {{ MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 }}
        DeadLetterConfig: {{ Arn: !GetAtt DeadLetterQueue.Arn }}
        Input: !Sub |-
{input}
",
        quoted(stem),
        quoted(&title(&report.file.definition)),
    ))
}

fn title(definition: &Definition) -> String {
    format!("{} / {}", definition.pipeline.tenant, definition.name)
}

/// When the Scheduler fires: weeks begin on Monday, months with their first day.
fn expression(report: &Report) -> Result<String, Error> {
    let definition = &report.file.definition;
    let time = definition.schedule.time.to_string();
    let (hour, minute) = time.split_once(':').unwrap_or_default();
    let (hour, minute) = (plain(hour), plain(minute));
    Ok(match definition.schedule.recurrence {
        Recurrence::Daily => format!("cron({minute} {hour} * * ? *)"),
        Recurrence::Weekly => format!("cron({minute} {hour} ? * MON *)"),
        Recurrence::Monthly => format!("cron({minute} {hour} 1 * ? *)"),
        Recurrence::Once => {
            let DateRange::Absolute(window) = definition.report.date_range() else {
                return Err(Error::Schedule {
                    file: format!("{}.json", report.stem).into(),
                    reason: "a report that runs once needs an absolute dateRange, which says on which day".to_owned(),
                });
            };
            let settled = definition.settled_at(window);
            let at = definition.schedule.time.first_at_or_after(settled);
            format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
        }
    })
}

/// `05` as `5`.
fn plain(digits: &str) -> &str {
    digits
        .strip_prefix('0')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(digits)
}

/// The scheduled event, with the definition in it as its author wrote it.
fn input(report: &Report) -> Result<String, Error> {
    let nothing = DefinitionFile {
        definition: report.file.definition.clone(),
        written: serde_json::Value::Null,
    };
    let event = Event::for_scheduler(nothing, None);
    let event = serde_json::to_string_pretty(&event).map_err(std::io::Error::from)?;
    let definition = indented(&escaped_json(&report.text), 4);
    Ok(event
        .replacen(
            "\"definition\": null",
            &format!("\"definition\": {}", definition.trim_start()),
            1,
        )
        .replacen(
            "\"account\": \"\"",
            "\"account\": \"\u{0}{AWS::AccountId}\"",
            1,
        )
        .replacen("\"region\": \"\"", "\"region\": \"\u{0}{AWS::Region}\"", 1))
}

/// Only what is ours is a placeholder of `Fn::Sub`; what an author wrote stays as it is.
fn escaped(input: &str) -> String {
    input.replace("${", "${!").replace('\u{0}', "$")
}

/// YAML breaks lines at some letters that JSON does not, and lets tabs indent nothing.
fn escaped_json(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            ' '..='~' | '\n' => out.push(letter),
            '\r' => {}
            '\t' => out.push_str("  "),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
        out
    })
}

fn indented(text: &str, spaces: usize) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{:spaces$}{line}", "").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// A JSON string, which YAML reads as it is.
fn quoted(text: &str) -> String {
    escaped_json(&serde_json::Value::from(text).to_string())
}

/// For how many hours nothing may be committed. CloudWatch looks back 168 hours at most.
fn patience_hours(recurrence: Recurrence) -> Option<u32> {
    match recurrence {
        // A day and three hours: the flexible window, one cut-off run and its successor differ from day to day.
        Recurrence::Daily => Some(27),
        Recurrence::Weekly => Some(168),
        Recurrence::Monthly | Recurrence::Once => None,
    }
}

fn alarm(report: &Report) -> String {
    let definition = &report.file.definition;
    let recurrence = definition.schedule.recurrence;
    let Some(hours) = patience_hours(recurrence) else {
        return format!(
            "\n  # {}: {recurrence}. CloudWatch looks back 7 days at most, so no alarm tells of a commit that is missing.\n\n",
            report.stem
        );
    };
    let description = format!(
        "{}: nothing was committed for {hours} hours. Run: cxr list --failed; if nothing failed, look at the dead letter queue and at whether the schedule is enabled; then cxr redrive EXECUTION, or cxr run infra/reports/{}.json --window DAY.",
        title(definition),
        report.stem
    );
    format!(
        "
  {}NotDeliveredAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: {}
      Namespace: CxoneReports
      MetricName: Commits
      Dimensions:
        - {{ Name: tenant, Value: {} }}
        - {{ Name: report, Value: {} }}
      Statistic: Sum
      Period: 3600
      EvaluationPeriods: {hours}
      DatapointsToAlarm: {hours}
      Threshold: 1
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching
      AlarmActions: [!Ref AlertTopic]
      OKActions: [!Ref AlertTopic]

",
        report.resource,
        quoted(&description),
        quoted(definition.pipeline.tenant.as_ref()),
        quoted(definition.name.as_ref()),
    )
}
