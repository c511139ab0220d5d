//! `cxr list`: the executions, with what they are for, and for the failed ones their error and whether it still matters.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use aws_config::SdkConfig;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::bucket::Bucket;
use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::output::{Output, count_of, one_line};
use crate::place::PlaceArgs;
use crate::purposes::Purposes;
use crate::request::Request;
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions, FAILED, name_of};
use crate::survey::Survey;
use crate::time;

/// List executions, those that started last first: report, window, and for the failed ones the error.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that failed, timed out or were aborted.
    #[arg(long)]
    failed: bool,
    /// Those that run, or ended since: a time, a day, or how long ago.
    #[arg(long, default_value = "7d")]
    since: String,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// What the list is made from.
pub(super) struct Sources {
    pub(super) executions: Executions,
    pub(super) purposes: Purposes,
    pub(super) config: SdkConfig,
    pub(super) cache: Option<PathBuf>,
}

impl ListArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        mut sources: Sources,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let since = time::parse_since(&self.since, now)?;
        let mut lines = sources.list(self.failed, since).await?;
        if lines.iter().any(|line| line.fault.is_some()) {
            sources.say_what_is_mended(&self.place, &mut lines).await?;
        }
        output.print(&List(lines))?;
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
    /// What it was started for; of one that succeeded only `tenant`, `report` and `window`, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The version that holds the window of a failed execution since.
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_since: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct List(Vec<Line>);

impl Sources {
    async fn list(
        &mut self,
        failed_only: bool,
        since: Timestamp,
    ) -> Result<Vec<Line>, CommandError> {
        let statuses: &[&str] = if failed_only { &FAILED } else { &[] };
        let summaries = self.executions.list(statuses, since).await?;
        let is_failed = |it: &ExecutionSummary| FAILED.contains(&it.status.as_str());
        let others: Vec<&ExecutionSummary> = summaries.iter().filter(|it| !is_failed(it)).collect();
        let mut known = self.purposes.read(&self.executions, &others).await?;
        let mut lines = Vec::new();
        for summary in summaries {
            lines.push(if is_failed(&summary) {
                failed_line(self.executions.describe(&summary.arn).await?)
            } else {
                let request = known.remove(&summary.arn);
                short_line(summary, request)
            });
        }
        Ok(lines)
    }

    /// Says of failed executions that their window is committed. Each report's log is read once, and only for these. Where nothing
    /// says which bucket it is, nothing is said of that.
    async fn say_what_is_mended(
        &self,
        place: &PlaceArgs,
        lines: &mut [Line],
    ) -> Result<(), CommandError> {
        let Ok(place) = place.find(Some(&self.executions)).await else {
            return Ok(());
        };
        let survey = Survey {
            bucket: Bucket::new(&self.config, place, self.cache.clone()),
            executions: None,
            cache: None,
        };
        let mut logs = BTreeMap::new();
        for line in lines.iter_mut().filter(|line| line.fault.is_some()) {
            let request = line.request.as_ref();
            let Some((tenant, report, window)) = request.and_then(Request::place) else {
                continue;
            };
            let name = (tenant.clone(), report.clone());
            if !logs.contains_key(&name) {
                let commits = survey.read_commits(&tenant, &report).await?;
                logs.insert(name.clone(), commits);
            }
            let commits = logs.get(&name).into_iter().flatten();
            line.committed_since = delivery::flow::find_whole(&window, commits)
                .into_iter()
                .flatten()
                .map(|commit| commit.version)
                .max();
        }
        Ok(())
    }
}

fn short_line(summary: ExecutionSummary, request: Option<Request>) -> Line {
    Line {
        execution: summary.arn,
        status: summary.status,
        started_at: summary.started_at,
        stopped_at: summary.stopped_at,
        request,
        fault: None,
        committed_since: None,
    }
}

fn failed_line(detail: ExecutionDetail) -> Line {
    let error = detail.error.map(ExecutionError::without_lambda_json);
    let request = Request::from_input(&detail.input);
    Line {
        fault: error.map(|error| one_line(&format!("{}: {}", error.error, error.cause))),
        ..short_line(detail.summary, Some(request))
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
            if let Some(version) = line.committed_since {
                writeln!(f, "    its window is committed as version {version}")?;
            }
        }
        writeln!(f, "{}", count_of(self.0.len(), "execution"))
    }
}
