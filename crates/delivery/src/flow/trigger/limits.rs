//! Whether another run may be started.

use definition::SourceRange;
use definition::text::count_of;
use jiff::Timestamp;

use crate::documents::RunRecord;
use crate::flow::plan::{RunState, SegmentState};
use crate::flow::rate_limit::{Permit, RateLimiter};
use crate::flow::refusal::Refusal;
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::Question;
use crate::flow::trigger::request::RequestError;
use crate::{EndReason, ExecutionRef, Failure, FailureName, RunCount};

impl Generation {
    /// Checks that this execution may start another run of the segment: it may start `maxRuns` of them, and
    /// as many again each time that it is redriven. None follows one that CXone refused, because the next would be refused too.
    pub(super) fn check_run_budget(
        &self,
        asking: &ExecutionRef,
        segment: &SegmentState,
    ) -> Result<(), Failure> {
        let is_own = |run: &&RunState| {
            run.run.as_ref().is_some_and(|run| {
                run.execution == asking.id && run.redrive_count == asking.redrive_count
            })
        };
        let own = segment.runs.iter().filter(is_own);
        if let Some(refused) = own.clone().find_map(|run| self.describe_refusal(run)) {
            return Err(refused);
        }
        let started = own.count();
        let allowed = self.record.definition.pipeline.max_runs;
        if started < usize::try_from(allowed).unwrap_or(usize::MAX) {
            return Ok(());
        }
        Err(Failure::new(
            FailureName::RunsExhausted,
            format!(
                "{} of {} ended {} without its data, and the definition allows {}{}. Redrive this execution to allow {allowed} more",
                self.record.definition.name,
                segment.window,
                if started == 1 {
                    "once".to_owned()
                } else {
                    format!("{started} times")
                },
                count_of(allowed.into(), "run"),
                describe_last_end(segment)
            ),
        ))
    }

    /// Which of the runs that an execution may start the current one is; `None` if another execution started it.
    pub(super) fn count_run(
        &self,
        asking: &ExecutionRef,
        segment: &SegmentState,
        current: &RunRecord,
    ) -> Option<RunCount> {
        let is_own = |run: &&RunRecord| {
            run.execution == asking.id && run.redrive_count == asking.redrive_count
        };
        let ended = segment.runs.iter().take_while(|run| run.end.is_some());
        let earlier = ended.filter_map(|run| run.run.as_ref()).filter(is_own);
        let number = u32::try_from(earlier.count()).ok()?.checked_add(1)?;
        let narrow = self.record.definition.pipeline.narrow.as_ref();
        is_own(&current).then_some(RunCount {
            number,
            allowed: self.record.definition.pipeline.max_runs,
            halves_if_cut_off: segment.can_be_halved(narrow.map(|it| it.smallest_window)),
        })
    }

    /// Why no run follows one that CXone refused.
    fn describe_refusal(&self, run: &RunState) -> Option<Failure> {
        let end = run.end.as_ref()?;
        let refusal = Refusal::find(&end.detail).filter(|_| end.reason == EndReason::Failed)?;
        let (name, window) = (&self.record.definition.name, &self.record.window);
        Some(Failure::new(
            refusal.failure_name(),
            format!(
                "{name} of {window}: a run failed, and another one would fail the same, because CXone said \"{}\". It refuses {}",
                end.detail,
                refusal.describe()
            ),
        ))
    }

    /// Checks that the template's range still means this window. Where the range is the template's, the API
    /// takes it from when the run is started: a run that is started on another day is about another window.
    pub(super) fn check_template_window(&self, now: Timestamp) -> Result<(), RequestError> {
        let definition = &self.record.definition;
        if definition.source().range == SourceRange::Requested
            || definition.window_for(now) == Ok(self.record.window)
        {
            return Ok(());
        }
        Err(RequestError::TemplateMovedOn {
            window: self.record.window,
            now,
        })
    }

    /// Requests a permit to start a run; `None` where the API has no such limit.
    pub(super) async fn acquire_permit(
        &self,
        question: Question<'_>,
    ) -> Result<Option<Permit>, Failure> {
        let Question {
            effects, request, ..
        } = question;
        let definition = &self.record.definition;
        let tenant = &definition.pipeline.tenant;
        match RateLimiter::for_dialect(&request.prefix, tenant, definition.dialect()) {
            None => Ok(None),
            Some(limiter) => {
                let permit = limiter.acquire(effects, request.now, &definition.name);
                permit.await.map(Some)
            }
        }
    }
}

fn describe_last_end(segment: &SegmentState) -> String {
    let last = segment.runs.iter().rev().find_map(|run| run.end.as_ref());
    last.map_or_else(String::new, |end| {
        format!("; the last one: {}", end.describe())
    })
}
