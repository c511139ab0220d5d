//! Which executions worked on windows that are not committed. Step Functions keeps them for 90 days, so that there may be none.

use std::collections::BTreeMap;
use std::path::Path;

use definition::Window;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bucket::ObjectCache;
use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::request::Request;
use crate::state::{Attempt, KnownReport};
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions, FAILED};

/// So many executions are asked for their input at once.
const DESCRIBED_AT_ONCE: usize = 8;

/// What an execution was started for, which never changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Purpose {
    tenant: Option<String>,
    report: Option<String>,
    window: Option<Window>,
    scheduled_at: Option<Timestamp>,
    /// Whether it only asked whether the window is there.
    expects: bool,
}

/// How an execution failed.
struct Failed {
    error: Option<ExecutionError>,
    is_redrivable: bool,
}

/// Finds the executions since a time that run or failed, and belong to windows that are not committed.
pub(crate) struct AttemptFinder<'a> {
    executions: &'a Executions,
    cache: ObjectCache,
}

impl<'a> AttemptFinder<'a> {
    pub(crate) fn new(executions: &'a Executions, cache: Option<&Path>) -> Self {
        Self {
            executions,
            cache: ObjectCache::open(cache, executions.machine().as_str()),
        }
    }

    /// Of each window that is open, the executions that there are; those that failed with their error where it matters, which
    /// is in the last one.
    pub(crate) async fn find(
        mut self,
        reports: &[KnownReport],
        is_open: impl Fn(&KnownReport, &Window) -> bool,
        since: Timestamp,
    ) -> Result<Vec<Attempt>, CommandError> {
        let statuses: Vec<&str> = ["RUNNING"].into_iter().chain(FAILED).collect();
        let summaries = self.executions.list(&statuses, since).await?;
        let mut described = self.describe_new(&summaries).await?;
        let mut attempts: Vec<Attempt> = Vec::new();
        for summary in summaries {
            let Some(purpose) = self.cache.get::<Purpose>(&summary.arn, None) else {
                continue;
            };
            let Some((report, window)) = purpose.find_window(reports) else {
                continue;
            };
            if !purpose.expects && is_open(report, &window) {
                let failed = described.remove(&summary.arn);
                attempts.push(attempt_of(report, window, summary, failed));
            }
        }
        self.cache.save();
        self.explain_last(&mut attempts).await?;
        Ok(attempts)
    }

    /// Asks for the purposes that are not known yet, which says as well how an execution failed.
    async fn describe_new(
        &mut self,
        summaries: &[ExecutionSummary],
    ) -> Result<BTreeMap<String, Failed>, CommandError> {
        let (executions, cache) = (self.executions, &self.cache);
        let is_new =
            |summary: &&ExecutionSummary| cache.get::<Purpose>(&summary.arn, None).is_none();
        let new: Vec<(String, Purpose, Failed)> =
            futures_util::stream::iter(summaries.iter().filter(is_new))
                .map(|summary| async {
                    let detail = executions.describe(&summary.arn).await?;
                    let purpose = Purpose::of(&detail);
                    Ok::<_, CommandError>((summary.arn.clone(), purpose, Failed::of(detail)))
                })
                .buffered(DESCRIBED_AT_ONCE)
                .try_collect()
                .await?;
        let mut described = BTreeMap::new();
        for (arn, purpose, failed) in new {
            if let Ok(body) = serde_json::to_vec(&purpose) {
                self.cache.insert(&arn, "", &body);
            }
            described.insert(arn, failed);
        }
        Ok(described)
    }

    /// Asks why the last execution of each window failed.
    async fn explain_last(&self, attempts: &mut [Attempt]) -> Result<(), CommandError> {
        for at in 0..attempts.len() {
            let one = &attempts[at];
            let same = attempts.iter().filter(|other| other.is_about_same(one));
            let is_last = Attempt::last(same).is_some_and(|last| last.execution == one.execution);
            if one.is_running || one.error.is_some() || !is_last {
                continue;
            }
            let failed = Failed::of(self.executions.describe(&one.execution).await?);
            attempts[at].is_redrivable = failed.is_redrivable;
            attempts[at].error = failed.error;
        }
        Ok(())
    }
}

impl Failed {
    fn of(detail: ExecutionDetail) -> Self {
        Self {
            error: detail.error.map(ExecutionError::without_lambda_json),
            is_redrivable: detail.not_redrivable.is_none(),
        }
    }
}

fn attempt_of(
    report: &KnownReport,
    window: Window,
    summary: ExecutionSummary,
    failed: Option<Failed>,
) -> Attempt {
    let is_redrivable = failed.as_ref().is_some_and(|failed| failed.is_redrivable);
    Attempt {
        report: report.keys.clone(),
        window,
        is_running: summary.status == "RUNNING",
        execution: summary.arn,
        started_at: summary.started_at,
        stopped_at: summary.stopped_at,
        error: failed.and_then(|failed| failed.error),
        is_redrivable,
    }
}

impl Purpose {
    fn of(detail: &ExecutionDetail) -> Self {
        let request = Request::from_input(&detail.input);
        Self {
            tenant: request.tenant,
            report: request.report,
            window: request.window,
            scheduled_at: request.scheduled_at,
            expects: request.expect.is_some(),
        }
    }

    /// The report and the window. Where the definition in the event is wrong, the one that is stored says which window was
    /// meant.
    fn find_window<'r>(&self, reports: &'r [KnownReport]) -> Option<(&'r KnownReport, Window)> {
        let (tenant, name) = (self.tenant.as_deref()?, self.report.as_deref()?);
        let mut same = reports.iter();
        let report = same.find(|report| report.tenant() == tenant && report.report() == name)?;
        let meant = || {
            let definition = report.definition.as_ref()?;
            definition.window_for(self.scheduled_at?).ok()
        };
        Some((report, self.window.or_else(meant)?))
    }
}
