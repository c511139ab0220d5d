//! Whether a window was delivered by the time at which it was expected. Nothing is started, and nothing is stored.

use crate::documents::Commit;
use crate::effects::TriggerEffect;
use crate::flow::commit_log::CommitLog;
use crate::flow::overlap::{OverlapError, retry_command};
use crate::flow::plan::{Plan, SegmentState, has_last_page};
use crate::flow::recent::find_newest_end;
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::opening::delivered_nothing;
use crate::flow::trigger::question::Question;
use crate::flow::trigger::request::WindowRequest;
use crate::missing::window_options;
use crate::{Failure, Next};

impl Question<'_> {
    /// Says in which version the window was delivered.
    ///
    /// # Errors
    /// `Cxone.Overdue`, if it was not: how far it came, and what to do.
    pub(super) async fn check_delivery(self) -> Result<Next, Failure> {
        let WindowRequest { keys, window, .. } = self.request;
        let generation = match self.newest_generation().await? {
            0 => None,
            number => {
                let keys = keys.generation(window, number);
                Generation::read(self.effects, keys, number).await?
            }
        };
        let log = CommitLog::read_all(self.effects, keys, window).await?;
        // It was recorded before the operators were told.
        if self.message.told_overdue != Some(true) {
            self.record_freshness(log.head).await?;
        }
        let delivered = self.find_delivery(generation.as_ref(), &log);
        let earlier = self.look_back(log.head).await?;
        let progress = match (delivered, &generation) {
            (Some(delivered), _) if earlier.is_empty() => return Ok(delivered),
            (Some(_), _) => None,
            (None, Some(generation)) => Some(generation.describe_progress(self).await?),
            (None, None) => Some(self.describe_absence(&log)),
        };
        self.tell_overdue(progress, earlier)
    }

    /// How old the newest window of the report is that consumers hold.
    async fn record_freshness(self, head: u64) -> Result<(), Failure> {
        let newest_end = find_newest_end(self.effects, &self.request.keys, head);
        if let Some(end) = newest_end.await? {
            // Rounded up, so that nothing is older than what is shown.
            let seconds =
                u64::try_from(self.request.now.duration_since(end).as_secs()).unwrap_or(0);
            let hours = seconds.div_ceil(60 * 60);
            let record = |responder| TriggerEffect::RecordFreshness(hours, responder);
            self.effects.request(record).await?;
        }
        Ok(())
    }

    /// The versions that say what consumers hold of the window. What was taken back on purpose is not missing, unless
    /// somebody asked for it again since.
    fn find_delivery(self, newest: Option<&Generation>, log: &CommitLog) -> Option<Next> {
        let window = self.request.window;
        if newest.is_some_and(|newest| newest.record.withdrawn) {
            let note = format!("{window} was withdrawn; `cxr replay` brings it back");
            return Some(delivered_nothing(log, note));
        }
        let whole = log.find_whole()?;
        let mut withdrawn = whole.iter().filter(|commit| commit.withdrawn);
        if withdrawn.any(|commit| newest.is_some_and(|newest| newest.brings_back(commit))) {
            return None;
        }
        let is_own = |commit: &&Commit| commit.window == window && !commit.withdrawn;
        let note = (!whole.iter().all(is_own)).then(|| describe_versions(&whole));
        Some(Next::Delivered {
            version: whole.iter().map(|commit| commit.version).max()?,
            rows: whole.iter().map(|commit| commit.unique).sum(),
            note,
            table: None,
        })
    }

    /// Why nothing is stored of the window, and what to do.
    fn describe_absence(self, log: &CommitLog) -> String {
        let WindowRequest {
            definition,
            window,
            now,
            ..
        } = self.request;
        let until = definition.settled_at(window);
        if until > *now {
            return format!(
                "its data is final only at {until}, so that no run was started yet. If a schedule asks so early, say a longer `pipeline.expectedBy`"
            );
        }
        if let Some(held) = log.not_covered() {
            let refusal = OverlapError::beside(*window, held);
            return format!("each execution of it is refused, because {refusal}");
        }
        format!(
            "no execution has begun with it. `cxr list --failed` shows whether one was refused; if there is none, look whether the report's schedule is enabled. Then `{}`; of a report that nobody asked for yet, `cxr run FILE {}`",
            retry_command(definition, window),
            window_options(definition, window)
        )
    }
}

impl Generation {
    /// How far the work has come, the last error, and what to do.
    async fn describe_progress(&self, question: Question<'_>) -> Result<String, Failure> {
        let plan = Plan::read_claims(question.effects, &self.keys, &self.record).await?;
        let mut execution = &self.record.execution;
        let runs = plan.segments.iter().flat_map(|segment| &segment.runs);
        let latest = runs
            .filter_map(|state| state.run.as_ref())
            .max_by_key(|run| run.triggered_at);
        if let Some(run) = latest {
            execution = &run.execution;
        }
        let name = execution.rsplit(':').next().unwrap_or(execution);
        let mut state = "all its pages are stored, and they were not committed".to_owned();
        for segment in &plan.segments {
            if let Some(unfinished) = self.describe_unfinished(question, segment).await? {
                state = unfinished;
                break;
            }
        }
        Ok(format!(
            "{state}. `cxr show {name}` says whether its execution still works on it or why it failed; once the cause is put right, `{}`",
            retry_command(&self.record.definition, &self.record.window)
        ))
    }

    /// How far a segment has come; `None` if it has all its pages.
    async fn describe_unfinished(
        &self,
        question: Question<'_>,
        segment: &SegmentState,
    ) -> Result<Option<String>, Failure> {
        let number = segment.current_run();
        let mut latest_first = segment.runs.iter().rev();
        let last_end = latest_first.find_map(|state| state.end.as_ref());
        let last_error = last_end.map_or_else(String::new, |end| {
            format!("; the run before ended, because {}", end.describe())
        });
        let live = segment.live_run();
        let Some((state, run)) = live.and_then(|state| Some((state, state.run.as_ref()?))) else {
            return Ok(Some(format!("run {number} was not started{last_error}")));
        };
        let keys = self.keys.run(&segment.segment, number);
        if has_last_page(question.effects, &keys, state.slots).await? {
            return Ok(None);
        }
        let pages = match state.slots {
            0 => "no page of it is stored",
            _ => "some of its pages are stored",
        };
        Ok(Some(format!(
            "run {number}, CXone's {}, was started at {} and {pages}{last_error}",
            run.run_id, run.triggered_at
        )))
    }
}

fn describe_versions(commits: &[&Commit]) -> String {
    let described: Vec<String> = commits
        .iter()
        .map(|commit| {
            let verb = if commit.withdrawn {
                "withdrew"
            } else {
                "delivered"
            };
            format!("version {} {verb} {}", commit.version, commit.window)
        })
        .collect();
    described.join(", ")
}
