//! What a generation is finalized with, and what the log says of it.

use crate::documents::{Commit, GenerationRecord};
use crate::effects::{Effects, FinalizeEffect};
use crate::flow::commit_log::CommitLog;
use crate::flow::stored::parse;
use crate::keys::{GenerationKeys, ReportKeys};
use crate::{Committed, Failure, FinalizeIn, Outcome};

/// What stays the same while a generation is finalized.
pub(super) struct Finalizer<'a> {
    pub(super) effects: Effects<FinalizeEffect>,
    pub(super) report: ReportKeys,
    pub(super) keys: GenerationKeys,
    pub(super) record: GenerationRecord,
    pub(super) bucket: &'a str,
    pub(super) message: &'a FinalizeIn,
}

impl Finalizer<'_> {
    /// Reads the part of the log that is about this window. The first generation's base is before every
    /// commit of the window, so that what this one supersedes is found even if it was committed before this
    /// one was opened.
    pub(super) async fn read_log(&self) -> Result<CommitLog, Failure> {
        let first = self.report.generation(&self.record.window, 1).open();
        let base = match self.effects.read(first.clone()).await? {
            Some(bytes) => parse::<GenerationRecord>(&first, &bytes)?.base_version,
            None => 0,
        };
        CommitLog::read_since(&self.effects, &self.report, &self.record.window, base).await
    }

    /// The outcome, where the log holds a commit of this generation or of a newer one.
    pub(super) fn outcome_in_log(&self, log: &CommitLog) -> Option<Outcome> {
        let generation = self.message.work.generation;
        log.settling_commit(generation).map(|commit| {
            if commit.generation == generation {
                Outcome::Delivered(commit_figures(commit))
            } else {
                Outcome::Superseded {
                    version: commit.version,
                    note: None,
                }
            }
        })
    }
}

pub(super) fn commit_figures(commit: &Commit) -> Committed {
    Committed {
        version: commit.version,
        rows: commit.unique,
        duplicates: commit.duplicates,
        replaced: commit.replaced,
        empty: commit.empty,
        unchanged: commit.unchanged,
        withdrawn: commit.withdrawn,
        run_seconds: run_seconds(commit),
    }
}

fn run_seconds(commit: &Commit) -> u64 {
    let first = commit.runs.iter().map(|run| run.triggered_at).min();
    let seconds = first.map(|first| commit.committed_at.duration_since(first).as_secs());
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .unwrap_or_default()
}
