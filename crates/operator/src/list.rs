//! `cxr list`: the executions, and of the failed ones what for and why.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::check::counted;
use crate::error::Error;
use crate::machine::{Described, Executions, Listed};
use crate::machine_arn::name_of;
use crate::request::Request;
use crate::show::{fault_line, printable};
use crate::story::sentence;

/// The statuses of an execution that ended without having done its work.
pub const FAILED: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    execution: String,
    status: String,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    /// What it was for, of a failed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List(Vec<Line>);

/// Lists executions that were started since a time. Only failed ones are looked at one by one.
pub async fn list(
    executions: &Executions,
    failed_only: bool,
    since: Timestamp,
) -> Result<List, Error> {
    let statuses: &[&str] = if failed_only { &FAILED } else { &[] };
    let mut lines = Vec::new();
    for listed in executions.list(statuses, since).await? {
        lines.push(if FAILED.contains(&listed.status.as_str()) {
            failed(executions.describe(&listed.arn).await?)
        } else {
            line(listed)
        });
    }
    Ok(List(lines))
}

fn line(listed: Listed) -> Line {
    Line {
        execution: listed.arn,
        status: listed.status,
        started_at: listed.started_at,
        stopped_at: listed.stopped_at,
        request: None,
        fault: None,
    }
}

fn failed(described: Described) -> Line {
    let fault = described.fault.map(sentence);
    Line {
        request: Some(Request::read(&described.input)),
        fault: fault.as_ref().map(fault_line),
        ..line(described.listed)
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
                let title = printable(&request.title());
                writeln!(f, "    {title}{}", window.unwrap_or_default())?;
            }
            if let Some(fault) = &line.fault {
                writeln!(f, "    {fault}")?;
            }
        }
        writeln!(f, "{}", counted(self.0.len(), "execution"))
    }
}
