//! Renders the text between the template's marker lines.

use std::fmt::Write as _;

use definition::{Definition, Recurrence, Schedule};
use delivery::keys::report_folder;
use serde_json::Value;

use super::report::ScheduledReport;
use super::schedule::PlannedSchedule;
use crate::error::CommandError;
use crate::execution_input::event_for_scheduler;

/// Renders the schedules, and an alarm for each report.
pub(crate) fn render(
    reports: &[ScheduledReport],
    schedules: &[&PlannedSchedule<'_>],
) -> Result<String, CommandError> {
    let mut block = String::from("\n");
    for report in reports {
        let own = schedules
            .iter()
            .filter(|it| std::ptr::eq(it.report, report));
        for schedule in own {
            block += &render_schedule(schedule)?;
        }
        block += &render_alarm(report);
    }
    Ok(block)
}

fn render_schedule(schedule: &PlannedSchedule<'_>) -> Result<String, CommandError> {
    let expression = schedule.timing.expression();
    let input = indent_lines(&escape_sub(&render_input(schedule)?), 10);
    Ok(format!(
        "  {}:
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
        schedule.resource,
        quote_yaml(&schedule.name),
        quote_yaml(&describe(schedule)),
    ))
}

fn describe(schedule: &PlannedSchedule<'_>) -> String {
    let title = title_of(&schedule.report.file.definition);
    match schedule.restate {
        None => title,
        Some(distance) => format!("{title}, stated anew after {distance}"),
    }
}

fn title_of(definition: &Definition) -> String {
    format!("{} / {}", definition.pipeline.tenant, definition.name)
}

/// The scheduled event, which contains the definition as its author wrote it.
fn render_input(schedule: &PlannedSchedule<'_>) -> Result<String, CommandError> {
    let mut event = event_for_scheduler(Value::Null, None);
    if let Some(distance) = schedule.restate {
        event = event.with_restatement(distance.to_string());
    }
    let event = serde_json::to_string_pretty(&event).map_err(std::io::Error::from)?;
    let definition = indent_lines(&escape_json(&schedule.report.text), 4);
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

/// Escapes every `${` that an author wrote, so that `Fn::Sub` replaces our placeholders only.
fn escape_sub(input: &str) -> String {
    input.replace("${", "${!").replace('\u{0}', "$")
}

/// Escapes what is not ASCII, because YAML breaks lines at some of these characters, and replaces
/// tabs, with which YAML does not indent.
fn escape_json(text: &str) -> String {
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

fn indent_lines(text: &str, spaces: usize) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{:spaces$}{line}", "").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Quotes a text as a JSON string, which is valid YAML.
fn quote_yaml(text: &str) -> String {
    escape_json(&Value::from(text).to_string())
}

/// After how many hours without a commit the alarm goes off. CloudWatch looks back 168 hours at most.
fn alarm_hours(schedule: &Schedule) -> Option<u32> {
    match schedule.recurrence {
        // A window, and the same three hours.
        Recurrence::Hourly => Some(
            3 + schedule
                .every_hours
                .map_or(1, |hours| u32::from(hours.get())),
        ),
        // A day, and three hours for the flexible window, one run that was cut off and the run after it.
        Recurrence::Daily => Some(27),
        Recurrence::Weekly => Some(168),
        Recurrence::Monthly | Recurrence::Once => None,
    }
}

fn render_alarm(report: &ScheduledReport) -> String {
    let definition = &report.file.definition;
    let recurrence = definition.schedule.recurrence;
    let Some(hours) = alarm_hours(&definition.schedule) else {
        return format!(
            "\n  # {}: {recurrence}. CloudWatch looks back 7 days at most, so no alarm tells of a commit that is missing.\n\n",
            report.stem
        );
    };
    format!(
        "
  {}NotDeliveredAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: {}
      Namespace: CxoneReports
      MetricName: Commits
      Dimensions:
        - {{ Name: stack, Value: !Ref AWS::StackName }}
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
        quote_yaml(&alarm_description(report, hours)),
        quote_yaml(definition.pipeline.tenant.as_ref()),
        quote_yaml(&report_folder(&definition.name)),
    )
}

fn alarm_description(report: &ScheduledReport, hours: u32) -> String {
    format!(
        "{}: nothing was committed for {hours} hours. Run: cxr list --failed; if nothing failed, look at the dead letter queue and at whether the schedule is enabled; then cxr redrive EXECUTION, or cxr run infra/reports/{}.json --window DAY.",
        title_of(&report.file.definition),
        report.stem
    )
}
