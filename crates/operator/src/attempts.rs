//! Which executions worked on windows that are not committed. Step Functions keeps them for 90 days, so that there may be none.

use std::path::Path;

use definition::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bucket::ObjectCache;
use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::request::Request;
use crate::state::{Attempt, KnownReport};
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions, FAILED};

/// At most so many executions are asked for their input. The newest come first.
const DESCRIBED_MAX: usize = 200;

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

/// Finds the executions since a time that run or failed, and belong to windows that are not committed.
pub(crate) struct AttemptFinder<'a> {
    executions: &'a Executions,
    cache: ObjectCache,
    described: usize,
}

impl<'a> AttemptFinder<'a> {
    pub(crate) fn new(executions: &'a Executions, cache: Option<&Path>) -> Self {
        Self {
            executions,
            cache: ObjectCache::open(cache, executions.machine().as_str()),
            described: 0,
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
        let mut attempts: Vec<Attempt> = Vec::new();
        for summary in self.executions.list(&statuses, since).await? {
            let Some(purpose) = self.read_purpose(&summary).await? else {
                continue;
            };
            let Some((report, window)) = purpose.find_window(reports) else {
                continue;
            };
            if !purpose.expects && is_open(report, &window) {
                attempts.push(attempt_of(report, window, summary));
            }
        }
        self.cache.save();
        self.explain_last(&mut attempts).await?;
        Ok(attempts)
    }

    async fn read_purpose(
        &mut self,
        summary: &ExecutionSummary,
    ) -> Result<Option<Purpose>, CommandError> {
        if let Some(known) = self.cache.get(&summary.arn, None) {
            return Ok(Some(known));
        }
        if self.described >= DESCRIBED_MAX {
            return Ok(None);
        }
        self.described += 1;
        let detail = self.executions.describe(&summary.arn).await?;
        let purpose = Purpose::of(&detail);
        if let Ok(body) = serde_json::to_vec(&purpose) {
            self.cache.insert(&summary.arn, "", &body);
        }
        Ok(Some(purpose))
    }

    /// Asks why the last execution of each window failed.
    async fn explain_last(&self, attempts: &mut [Attempt]) -> Result<(), CommandError> {
        for at in 0..attempts.len() {
            let one = &attempts[at];
            let same = attempts.iter().filter(|other| other.is_about_same(one));
            let is_last = Attempt::last(same).is_some_and(|last| last.execution == one.execution);
            if one.is_running || !is_last {
                continue;
            }
            let detail = self.executions.describe(&one.execution).await?;
            attempts[at].is_redrivable = detail.not_redrivable.is_none();
            attempts[at].error = detail.error.map(ExecutionError::without_lambda_json);
        }
        Ok(())
    }
}

fn attempt_of(report: &KnownReport, window: Window, summary: ExecutionSummary) -> Attempt {
    Attempt {
        tenant: report.tenant().to_owned(),
        report: report.report().to_owned(),
        window,
        is_running: summary.status == "RUNNING",
        execution: summary.arn,
        started_at: summary.started_at,
        stopped_at: summary.stopped_at,
        error: None,
        is_redrivable: false,
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
