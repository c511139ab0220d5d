//! What a generation is finalized with, and what the log says of it.

use crate::documents::{Commit, GenerationRecord};
use crate::effects::{Effects, FinalizeEffect};
use crate::flow::commit_log::{CommitLog, Standing};
use crate::flow::overlap::describe_covering;
use crate::gaps::{is_gap_warning, suggest_gap_fill};
use crate::keys::{GenerationKeys, ReportKeys};
use crate::{Committed, Failure, FinalizeIn, Outcome, PublishWork};

/// What stays the same while a generation is finalized.
pub(super) struct Finalizer<'a> {
    pub(super) effects: Effects<FinalizeEffect>,
    pub(super) report: ReportKeys,
    pub(super) keys: GenerationKeys,
    /// Where its pages are: in another generation, if it is made of stored ones.
    pub(super) pages: GenerationKeys,
    pub(super) record: GenerationRecord,
    pub(super) bucket: &'a str,
    pub(super) message: &'a FinalizeIn,
}

impl Finalizer<'_> {
    /// Reads the log as far as it is about this window and those that overlap it.
    pub(super) async fn read_log(&self) -> Result<CommitLog, Failure> {
        let window = &self.record.window;
        let base = CommitLog::find_base(&self.effects, &self.report, window).await?;
        let base = base.unwrap_or(0);
        CommitLog::read_since(&self.effects, &self.report, window, base).await
    }

    /// The outcome, where the log holds a commit of this generation, of a newer one, or of a window that covers this
    /// one.
    ///
    /// # Errors
    /// `Cxone.Config`, if consumers hold a window that this one must not stand beside.
    pub(super) fn outcome_in_log(&self, log: &CommitLog) -> Result<Option<Outcome>, Failure> {
        let generation = self.message.work.generation;
        Ok(
            match log.find_standing(generation, self.record.withdrawn)? {
                Standing::Open => None,
                Standing::Settled(commit) if commit.generation == generation => {
                    Some(Outcome::Delivered(self.commit_figures(commit)))
                }
                Standing::Settled(commit) => Some(Outcome::Superseded {
                    version: commit.version,
                    note: None,
                }),
                Standing::Covered(held) => Some(Outcome::Superseded {
                    version: held.version,
                    note: Some(describe_covering(held, &self.record.window)),
                }),
            },
        )
    }

    /// The figures of this generation's commit.
    pub(super) fn commit_figures(&self, commit: &Commit) -> Committed {
        let is_first = commit.supersedes.is_none() && !commit.withdrawn;
        let definition = &self.record.definition;
        Committed {
            version: commit.version,
            rows: commit.unique,
            duplicates: commit.duplicates,
            replaced: commit.replaced,
            warnings: commit.warnings.clone(),
            doubts_rows: commit.warnings.iter().any(|it| !is_gap_warning(it)),
            fill: suggest_gap_fill(definition, &commit.gaps, commit.committed_at),
            empty: commit.empty,
            unchanged: commit.unchanged,
            withdrawn: commit.withdrawn,
            first_delivery: is_first && !self.record.is_restatement(),
            run_seconds: match self.record.stored_from {
                Some(_) => 0,
                None => run_seconds(commit),
            },
            table: PublishWork::find(&self.record.definition, commit.version),
        }
    }
}

fn run_seconds(commit: &Commit) -> u64 {
    let first = commit.runs.iter().map(|run| run.triggered_at).min();
    let seconds = first.map(|first| commit.committed_at.duration_since(first).as_secs());
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .unwrap_or_default()
}
