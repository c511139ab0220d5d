//! `cxr list`: the executions, and for the failed ones their window and their error.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::output::{Output, count_of, one_line};
use crate::request::Request;
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions, FAILED, name_of};
use crate::time;

/// List executions, newest first; for failed ones also the report, the window and the error.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that failed, timed out or were aborted.
    #[arg(long)]
    failed: bool,
    /// A time, or how long ago.
    #[arg(long, default_value = "7d")]
    since: String,
}

impl ListArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let since = time::parse_since(&self.since, now)?;
        output.print(&list_executions(executions, self.failed, since).await?)?;
        Ok(0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    execution: String,
    status: String,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    /// What a failed execution was started for.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct List(Vec<Line>);

/// Lists executions that were started since a time. Only failed ones are described one by one.
async fn list_executions(
    executions: &Executions,
    failed_only: bool,
    since: Timestamp,
) -> Result<List, CommandError> {
    let statuses: &[&str] = if failed_only { &FAILED } else { &[] };
    let mut lines = Vec::new();
    for summary in executions.list(statuses, since).await? {
        lines.push(if FAILED.contains(&summary.status.as_str()) {
            failed_line(executions.describe(&summary.arn).await?)
        } else {
            short_line(summary)
        });
    }
    Ok(List(lines))
}

fn short_line(summary: ExecutionSummary) -> Line {
    Line {
        execution: summary.arn,
        status: summary.status,
        started_at: summary.started_at,
        stopped_at: summary.stopped_at,
        request: None,
        fault: None,
    }
}

fn failed_line(detail: ExecutionDetail) -> Line {
    let error = detail.error.map(ExecutionError::without_lambda_json);
    Line {
        request: Some(Request::from_input(&detail.input)),
        fault: error.map(|error| one_line(&format!("{}: {}", error.error, error.cause))),
        ..short_line(detail.summary)
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            writeln!(
                f,
                "{}  {:<9}  {}",
                line.started_at,
                line.status,
                name_of(&line.execution)
            )?;
            if let Some(request) = &line.request {
                let window = request.window.map(|window| format!("  {window}"));
                let title = one_line(&request.title());
                writeln!(f, "    {title}{}", window.unwrap_or_default())?;
            }
            if let Some(fault) = &line.fault {
                writeln!(f, "    {fault}")?;
            }
        }
        writeln!(f, "{}", count_of(self.0.len(), "execution"))
    }
}
