//! Which executions worked on windows that are not committed. Step Functions keeps them for 90 days, so that there may be none.

use std::path::Path;

use definition::Window;
use jiff::Timestamp;

use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::purposes::Purposes;
use crate::state::{Attempt, KnownReport};
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions};

/// How an execution failed.
struct Failed {
    error: Option<ExecutionError>,
    is_redrivable: bool,
}

/// Finds the executions since a time that run or failed, and belong to windows that are not committed.
pub(crate) struct AttemptFinder<'a> {
    executions: &'a Executions,
    purposes: Purposes,
}

impl<'a> AttemptFinder<'a> {
    pub(crate) fn new(executions: &'a Executions, cache: Option<&Path>) -> Self {
        Self {
            executions,
            purposes: Purposes::open(executions, cache),
        }
    }

    /// Of each window that is open, the executions with some statuses; those that failed with their error where it matters, which
    /// is in the last one.
    pub(crate) async fn find(
        mut self,
        reports: &[KnownReport],
        statuses: &[&str],
        is_open: impl Fn(&KnownReport, &Window) -> bool,
        since: Timestamp,
    ) -> Result<Vec<Attempt>, CommandError> {
        let summaries = self.executions.list(statuses, since).await?;
        let all: Vec<&ExecutionSummary> = summaries.iter().collect();
        let (executions, purposes) = (self.executions, &mut self.purposes);
        let described = purposes.describe_new(executions, &all, Failed::of);
        let mut described = described.await?;
        let mut attempts: Vec<Attempt> = Vec::new();
        for summary in summaries {
            let Some(purpose) = self.purposes.get(&summary.arn) else {
                continue;
            };
            let Some((report, window)) = purpose.find_window(reports) else {
                continue;
            };
            if purpose.is_work() && is_open(report, &window) {
                let failed = described.remove(&summary.arn);
                attempts.push(attempt_of(report, window, summary, failed));
            }
        }
        self.purposes.save();
        self.explain_last(&mut attempts).await?;
        Ok(attempts)
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
