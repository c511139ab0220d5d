//! `cxr list`: the executions, with what they are for, and for the failed ones their error and whether it still matters.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Deployment;
use crate::address::slug;
use crate::arn::name_of;
use crate::bucket::Bucket;
use crate::error::CommandError;
use crate::error_name::find_error_name;
use crate::history::ExecutionError;
use crate::layout::cut;
use crate::output::{Output, count_of, one_line};
use crate::place::PlaceArgs;
use crate::purposes::Purposes;
use crate::request::Request;
use crate::step_functions::{ExecutionDetail, ExecutionSummary, FAILED};
use crate::survey::Survey;
use crate::time;

/// List executions, those that started last first: report, window, and for the failed ones the error.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that failed, timed out or were aborted.
    #[arg(long)]
    failed: bool,
    /// Those that run, or ended since: a time, a day, or how long ago.
    #[arg(long, default_value = "7d", allow_hyphen_values = true)]
    since: String,
    /// Only those that failed with this error, such as Cxone.Auth, or Auth for short.
    #[arg(long, value_name = "NAME")]
    error: Option<String>,
    /// Only those of this report, by its name or the beginning of it.
    #[arg(long, value_name = "NAME")]
    report: Option<String>,
    /// At most so many, the newest.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// So many executions are described at the same time; AWS allows 15 a second for long.
const DESCRIBED_AT_ONCE: usize = 4;

impl ListArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let since = time::parse_since(&self.since, now)?;
        let error = self.error.as_deref().map(find_error_name).transpose()?;
        let report = self.report.as_deref().map(slug);
        let failed_only = self.failed || error.is_some();
        let mut lines = read_lines(deployment, failed_only, since).await?;
        lines.retain(|line| line.is_wanted(error.as_deref(), report.as_deref()));
        lines.truncate(self.limit.unwrap_or(usize::MAX));
        if lines.iter().any(|line| line.fault.is_some()) {
            say_what_is_mended(deployment, &self.place, &mut lines).await?;
        }
        output.print(&List {
            executions: lines,
            width: output.width(),
        })?;
        Ok(0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    execution: String,
    status: String,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    /// What it was started for; of one that succeeded only `tenant`, `report` and `window`, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The name of the error alone.
    #[serde(skip)]
    error: Option<String>,
    /// The version that holds the window of a failed execution since.
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_since: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct List {
    executions: Vec<Line>,
    #[serde(skip)]
    width: Option<usize>,
}

/// The executions since then, each as a line.
async fn read_lines(
    deployment: &Deployment,
    failed_only: bool,
    since: Timestamp,
) -> Result<Vec<Line>, CommandError> {
    let executions = &deployment.executions;
    let statuses: &[&str] = if failed_only { &FAILED } else { &[] };
    let summaries = executions.list(statuses, since).await?;
    let is_failed = |it: &ExecutionSummary| FAILED.contains(&it.status.as_str());
    let others: Vec<&ExecutionSummary> = summaries.iter().filter(|it| !is_failed(it)).collect();
    let mut purposes = Purposes::open(executions, deployment.cache.as_deref());
    let mut known = purposes.read(executions, &others).await?;
    let lines = summaries.into_iter().map(|summary| {
        let request = known.remove(&summary.arn);
        async move {
            if is_failed(&summary) {
                executions.describe(&summary.arn).await.map(failed_line)
            } else {
                Ok(short_line(summary, request))
            }
        }
    });
    let lines: Vec<_> = lines.collect();
    let lines = futures_util::stream::iter(lines);
    lines.buffered(DESCRIBED_AT_ONCE).try_collect().await
}

/// Says of failed executions that their window is committed. Each report's log is read once, and only for these. Where nothing
/// says which bucket it is, nothing is said of that.
async fn say_what_is_mended(
    deployment: &Deployment,
    place: &PlaceArgs,
    lines: &mut [Line],
) -> Result<(), CommandError> {
    let Ok(place) = place.find(Some(&deployment.executions)).await else {
        return Ok(());
    };
    let survey = Survey {
        bucket: Bucket::new(&deployment.config, place, deployment.cache.clone()),
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
        // One that was there before is what a failed replay was to replace.
        let commits = commits.filter(|commit| commit.committed_at > line.started_at);
        line.committed_since = delivery::flow::find_whole(&window, commits)
            .into_iter()
            .flatten()
            .map(|commit| commit.version)
            .max();
    }
    Ok(())
}

fn short_line(summary: ExecutionSummary, request: Option<Request>) -> Line {
    Line {
        execution: summary.arn,
        status: summary.status,
        started_at: summary.started_at,
        stopped_at: summary.stopped_at,
        request,
        fault: None,
        error: None,
        committed_since: None,
    }
}

fn failed_line(detail: ExecutionDetail) -> Line {
    let error = detail.error.map(ExecutionError::without_lambda_json);
    let request = Request::from_input(&detail.input);
    Line {
        error: error.as_ref().map(|error| error.error.clone()),
        fault: error.map(|error| one_line(&format!("{}: {}", error.error, error.cause))),
        ..short_line(detail.summary, Some(request))
    }
}

impl Line {
    fn is_wanted(&self, error: Option<&str>, report: Option<&str>) -> bool {
        let name = self.request.as_ref().and_then(|it| it.report.as_deref());
        let is_of = |report: &str| name.is_some_and(|name| slug(name).starts_with(report));
        report.is_none_or(is_of) && (error.is_none() || self.error.as_deref() == error)
    }

    /// The execution, what it was for, and of one that failed why, and whether its window is there since.
    fn tell(&self) -> Vec<String> {
        let name = name_of(&self.execution);
        let mut told = vec![format!("{}  {:<9}  {name}", self.started_at, self.status)];
        if let Some(request) = &self.request {
            let window = request.window.map(|window| format!("  {window}"));
            let title = one_line(&request.title());
            told.push(format!("    {title}{}", window.unwrap_or_default()));
        }
        told.extend(self.fault.iter().map(|fault| format!("    {fault}")));
        let since = self.committed_since;
        let since =
            since.map(|version| format!("    its window is committed as version {version}"));
        told.extend(since);
        told
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.executions {
            for text in line.tell() {
                writeln!(f, "{}", cut(&text, self.width))?;
            }
        }
        writeln!(f, "{}", count_of(self.executions.len(), "execution"))
    }
}
