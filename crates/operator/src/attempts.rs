//! Which executions worked on windows that are not committed. Step Functions keeps them for 90 days, so that there may be none.

use std::collections::BTreeMap;
use std::path::Path;

use definition::{Definition, ReportName, TenantId, Window};
use jiff::Timestamp;

use crate::address::ReportNames;
use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::purposes::{Purpose, Purposes};
use crate::request::definition_of_input;
use crate::state::{Attempt, KnownReport};
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions};

/// At most so many executions are asked what they were for, where nothing is known to be missing.
const ASKED_MAX: usize = 100;

/// How an execution failed.
struct Failed {
    error: Option<ExecutionError>,
    is_redrivable: bool,
    /// The definition in its input, if that is accepted.
    definition: Option<Definition>,
}

/// A report that executions name and of which nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnstoredReport {
    pub(crate) tenant: TenantId,
    pub(crate) report: ReportName,
    /// The last execution that was started for it.
    newest: String,
}

/// Executions that run or failed, and what they were started for.
pub(crate) struct AttemptFinder<'a> {
    executions: &'a Executions,
    purposes: Purposes,
    summaries: Vec<ExecutionSummary>,
    described: BTreeMap<String, Failed>,
}

impl<'a> AttemptFinder<'a> {
    /// Lists the executions with some statuses that run, or ended since a time. Those are all asked what they were for that ended
    /// since `needed`; of older ones, the newest.
    pub(crate) async fn read(
        executions: &'a Executions,
        cache: Option<&Path>,
        statuses: &[&str],
        since: Timestamp,
        needed: Option<Timestamp>,
    ) -> Result<Self, CommandError> {
        let summaries = executions.list(statuses, since).await?;
        let mut purposes = Purposes::open(executions, cache);
        let is_needed = |summary: &&ExecutionSummary| {
            needed.is_some_and(|needed| summary.stopped_at.is_none_or(|at| at >= needed))
        };
        let (mut asked, others): (Vec<_>, Vec<_>) = summaries.iter().partition(is_needed);
        asked.extend(others.into_iter().take(ASKED_MAX));
        let described = purposes
            .describe_new(executions, &asked, Failed::of)
            .await?;
        purposes.save();
        Ok(Self {
            executions,
            purposes,
            summaries,
            described,
        })
    }

    /// The reports that were to be worked on since a time and that are none of those that are stored.
    pub(crate) fn find_unstored(
        &self,
        stored: &[ReportNames],
        since: Timestamp,
    ) -> Vec<UnstoredReport> {
        let mut found: Vec<UnstoredReport> = Vec::new();
        let recent = self.summaries.iter();
        let recent = recent.filter(|it| it.stopped_at.is_none_or(|at| at >= since));
        // Those that started last come first.
        for summary in recent {
            let purpose = self.purposes.get(&summary.arn);
            let place = purpose.filter(Purpose::is_work).and_then(|it| it.place());
            let Some((tenant, report)) = place else {
                continue;
            };
            let is_stored = stored
                .iter()
                .any(|it| it.tenant == tenant.as_str() && it.report == report.as_str());
            let is_known = found
                .iter()
                .any(|it| it.tenant == tenant && it.report == report);
            if !is_stored && !is_known {
                found.push(UnstoredReport {
                    tenant,
                    report,
                    newest: summary.arn.clone(),
                });
            }
        }
        found.sort_unstable();
        found
    }

    /// The definition that a report was asked with last, if it is accepted.
    pub(crate) async fn read_definition(
        &self,
        unstored: &UnstoredReport,
    ) -> Result<Option<Definition>, CommandError> {
        if let Some(known) = self.described.get(&unstored.newest) {
            return Ok(known.definition.clone());
        }
        let detail = self.executions.describe(&unstored.newest).await?;
        Ok(Failed::of(detail).definition)
    }

    /// The executions of windows of some reports, with the error of the last of each window.
    pub(crate) async fn find(
        mut self,
        reports: &[KnownReport],
        is_meant: impl Fn(&KnownReport, &Window, &ExecutionSummary) -> bool,
    ) -> Result<Vec<Attempt>, CommandError> {
        let mut attempts: Vec<Attempt> = Vec::new();
        for summary in std::mem::take(&mut self.summaries) {
            let Some(purpose) = self.purposes.get(&summary.arn) else {
                continue;
            };
            let Some((report, window)) = purpose.find_window(reports) else {
                continue;
            };
            if purpose.is_work() && is_meant(report, &window, &summary) {
                let failed = self.described.remove(&summary.arn);
                attempts.push(attempt_of(report, window, summary, failed));
            }
        }
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
            definition: definition_of_input(&detail.input),
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
