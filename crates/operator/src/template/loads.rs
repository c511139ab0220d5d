//! Renders the schedules of the loads into Redshift. Each keeps the statements of its report, which the state machine reads there
//! when it is told of a commit: what a rule hands to a state machine has 8,192 characters at most.

use std::collections::BTreeMap;

use definition::{Catalogue, CreateTable, Warehouse};
use delivery::keys::ReportKeys;
use serde_json::{Map, Value, json};

use super::render::{escape_letters, render_template};
use super::report::ScheduledReport;
use super::schedule::{camel_case, format_name};
use crate::error::CommandError;
use crate::warehouse_sql::{LoadInput, RedshiftLoad};

pub(super) const DESCRIPTION: &str = "The schedules of the loads into Redshift. Made from the reports' definitions by cxr schedules --load redshift; changes by hand are lost.";

/// What the stack around it hands in.
const PARAMETERS: [&str; 9] = [
    "Name",
    "GroupName",
    "State",
    "ScheduleExpression",
    "Bell",
    "Bucket",
    "Prefix",
    "StateMachineArn",
    "RoleArn",
];

/// The most that one statement of the Data API may have, in bytes. The state machine hands them on together with its own input, and
/// 256 KiB is the most that a state can hold.
const MAX_STATEMENT_BYTES: usize = 100_000;

/// Renders a schedule for the load of each report, and a rule that starts the load when a version is committed.
pub(crate) fn render_loads(reports: &[ScheduledReport]) -> Result<String, CommandError> {
    let mut resources = Map::new();
    let mut tables: BTreeMap<String, &ScheduledReport> = BTreeMap::new();
    for report in reports {
        let table = find_table(report)?;
        if let Some(other) = tables.insert(table.table.clone(), report) {
            return Err(report.unschedulable(format!(
                "its table {} would be that of {}.json as well, and each load would delete the other's rows; load one of them by psql (cxr sql redshift --table)",
                table.table, other.stem
            )));
        }
        let name = format_name(&report.stem, "");
        let resource = camel_case(&name);
        let rendered = [
            ("LoadSchedule", render_schedule(report, &table, &name)?),
            ("LoadRule", render_rule(report, &name)),
        ];
        for (suffix, value) in rendered {
            if resources
                .insert(format!("{resource}{suffix}"), value)
                .is_some()
            {
                return Err(report.unschedulable(
                    "its load has the same name as that of another file; rename one".to_owned(),
                ));
            }
        }
    }
    render_template(DESCRIPTION, &PARAMETERS, resources)
}

fn render_schedule(
    report: &ScheduledReport,
    table: &CreateTable,
    name: &str,
) -> Result<Value, CommandError> {
    Ok(json!({
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": {"Fn::Sub": format!("${{Name}}-{name}")},
            "Description": describe(report),
            "GroupName": {"Ref": "GroupName"},
            "ScheduleExpression": {"Ref": "ScheduleExpression"},
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            "State": {"Ref": "State"},
            "Target": {
                "Arn": {"Ref": "StateMachineArn"},
                "RoleArn": {"Ref": "RoleArn"},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
                "Input": {"Fn::Sub": render_input(report, table)?},
            },
        },
    }))
}

/// The manifest is stored last of all that belongs to a commit, so that whoever hears of it finds everything.
fn render_rule(report: &ScheduledReport, name: &str) -> Value {
    let manifests = format!("${{Prefix}}/{}/_manifest/", folder_of(report));
    json!({
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": describe(report),
            "State": {"Ref": "Bell"},
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [{"Ref": "Bucket"}]},
                    "object": {"key": [{"prefix": {"Fn::Sub": manifests}}]},
                },
            },
            "Targets": [{
                "Id": "load",
                "Arn": {"Ref": "StateMachineArn"},
                "RoleArn": {"Ref": "RoleArn"},
                "Input": {"Fn::Sub": format!(r#"{{"v":1,"schedule":"${{Name}}-{name}"}}"#)},
            }],
        },
    })
}

fn describe(report: &ScheduledReport) -> String {
    let definition = &report.file.definition;
    format!(
        "{} / {}, into Redshift",
        definition.pipeline.tenant, definition.name
    )
}

/// The report's folder, without the prefix, which the stack knows.
fn folder_of(report: &ScheduledReport) -> String {
    let definition = &report.file.definition;
    let keys = ReportKeys::new("", &definition.pipeline.tenant, &definition.name);
    keys.root().to_owned()
}

/// The table of a report, whose rows are stored so that Redshift finds every field.
fn find_table(report: &ScheduledReport) -> Result<CreateTable, CommandError> {
    let definition = &report.file.definition;
    let table = definition
        .create_table(Warehouse::Redshift, Catalogue::builtin(), None)
        .map_err(|error| report.unschedulable(error.to_string()))?;
    match RedshiftLoad::find_obstacle(&table, definition.pipeline.format) {
        None => Ok(table),
        Some(wanted) => Err(report.unschedulable(format!("the load is written for {wanted}"))),
    }
}

/// The statements, in which `Fn::Sub` replaces the deployment's name only.
fn render_input(report: &ScheduledReport, table: &CreateTable) -> Result<String, CommandError> {
    const NAME: &str = "${Name}";
    let definition = &report.file.definition;
    let load = RedshiftLoad {
        table,
        report: &folder_of(report),
        compression: definition.pipeline.compression,
    };
    let input = LoadInput::new(&load, format!("-{}", format_name(&report.stem, "")));
    let input = serde_json::to_string(&input).map_err(std::io::Error::from)?;
    let input = escape_letters(&input);
    if input.len() > MAX_STATEMENT_BYTES {
        return Err(report.unschedulable(format!(
            "the statements that load it have {} bytes, and the Data API takes {MAX_STATEMENT_BYTES}; give it fewer columns, or load it by psql (cxr sql redshift)",
            input.len()
        )));
    }
    // The schedule stands before the statements, which may say anything.
    Ok(input
        .replace("${", "${!")
        .replacen(r#""schedule":""#, &format!(r#""schedule":"{NAME}"#), 1))
}
