//! Finds the executions of windows that are not committed, and the reports that only executions know.

use std::collections::BTreeSet;

use definition::Window;
use delivery::flow::find_whole;
use jiff::{SignedDuration, Timestamp};

use super::Survey;
use crate::address::ReportNames;
use crate::attempts::AttemptFinder;
use crate::error::CommandError;
use crate::place::is_place_of;
use crate::state::{Attempt, KnownReport, Span, judge_windows};
use crate::step_functions::{ExecutionSummary, FAILED};

/// So long a failed execution is told of where nothing is stored of its window, and none was expected: as long as it can be
/// redriven. Else what was given up would be told for ever.
const TOLD: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Survey {
    /// The executions of windows that are not committed, those that were asked about among them. Where all are committed that are
    /// expected or asked about, nothing is asked.
    pub(super) async fn read_attempts(
        &self,
        report: &KnownReport,
        span: Span,
        asked: &[Window],
    ) -> Result<Vec<Attempt>, CommandError> {
        let Some(executions) = &self.executions else {
            return Ok(Vec::new());
        };
        let open = find_open(report, span, asked);
        let Some(since) = open.iter().map(Window::start).min() else {
            return Ok(Vec::new());
        };
        let cache = self.cache.as_deref();
        let finder =
            AttemptFinder::read(executions, cache, &statuses(), since, Some(since)).await?;
        let is_open =
            |_: &KnownReport, window: &Window, _: &ExecutionSummary| open.contains(window);
        finder.find(std::slice::from_ref(report), is_open).await
    }

    /// Lists the executions that run or failed: of all windows that are not committed, and the last of all others.
    pub(super) async fn list_attempts(
        &self,
        known: &[KnownReport],
        span: Span,
    ) -> Result<Option<AttemptFinder<'_>>, CommandError> {
        let Some(executions) = &self.executions else {
            return Ok(None);
        };
        let open = known.iter().flat_map(|it| find_open(it, span, &[]));
        let needed = open.map(|window| window.start()).min();
        let told = span.now - TOLD;
        let since = needed.map_or(told, |needed| needed.min(told));
        let cache = self.cache.as_deref();
        let finder = AttemptFinder::read(executions, cache, &statuses(), since, needed).await?;
        Ok(Some(finder))
    }

    /// The reports that were asked for lately and of which nothing is stored: their executions failed before, or wait.
    pub(super) async fn find_unstored(
        &self,
        finder: &AttemptFinder<'_>,
        stored: &[ReportNames],
        now: Timestamp,
    ) -> Result<Vec<KnownReport>, CommandError> {
        let unstored = finder.find_unstored(stored, now - TOLD);
        if unstored.is_empty() || !self.has_place_of_executions().await? {
            return Ok(Vec::new());
        }
        let mut reports = Vec::new();
        for one in &unstored {
            let definition = finder.read_definition(one).await?;
            let keys = self.bucket.keys_of(&one.tenant, &one.report);
            let name = one.report.to_string();
            reports.push(KnownReport::unstored(keys, name, definition));
        }
        Ok(reports)
    }

    /// The reports of which nothing is stored, for one that is named and not among those that are.
    pub(super) async fn list_unstored(
        &self,
        stored: &[ReportNames],
        now: Timestamp,
    ) -> Result<Vec<KnownReport>, CommandError> {
        let span = Span { since: now, now };
        match self.list_attempts(&[], span).await? {
            Some(finder) => self.find_unstored(&finder, stored, now).await,
            None => Ok(Vec::new()),
        }
    }

    /// Whether the executions store where is looked. Somebody may name another bucket or prefix than theirs.
    async fn has_place_of_executions(&self) -> Result<bool, CommandError> {
        match &self.executions {
            Some(executions) => {
                let (bucket, prefix) = (self.bucket.name(), self.bucket.prefix());
                is_place_of(executions, bucket, prefix).await
            }
            None => Ok(false),
        }
    }
}

/// The executions of all windows that are not committed and are to be told.
pub(super) async fn find_all_attempts(
    finder: AttemptFinder<'_>,
    known: &[KnownReport],
    span: Span,
) -> Result<Vec<Attempt>, CommandError> {
    let open: Vec<BTreeSet<Window>> = known.iter().map(|it| find_open(it, span, &[])).collect();
    let is_told = |report: &KnownReport, window: &Window, summary: &ExecutionSummary| {
        let mut same = known.iter().zip(&open);
        let is_open = same.any(|(it, open)| it.keys == report.keys && open.contains(window));
        let is_recent = summary.stopped_at.is_none_or(|at| at >= span.now - TOLD);
        is_open || (is_recent && window.start() >= span.since && report.is_before_first(window))
    };
    finder.find(known, is_told).await
}

fn statuses() -> Vec<&'static str> {
    ["RUNNING"].into_iter().chain(FAILED).collect()
}

/// The windows that are not committed, though they were asked for or scheduled, due or not, or are asked about now. Of those
/// before the first that is stored nothing is expected, and an execution may work on one all the same.
fn find_open(report: &KnownReport, span: Span, asked: &[Window]) -> BTreeSet<Window> {
    let mut open = report.windows_scheduled(span);
    let is_absent = |window: &&Window| find_whole(window, &report.commits).is_none();
    open.extend(asked.iter().filter(is_absent));
    for judged in judge_windows(report, &[], span) {
        if judged.is_settled() {
            open.remove(&judged.window);
        } else {
            open.insert(judged.window);
        }
    }
    open
}
