//! Verifies what was landed, merges it and claims its place in the log.

mod commit;
mod manifest;
mod merge;
mod pages;
mod verify;

use crate::documents::{Commit, GenerationRecord};
use crate::effects::{Effects, FinalizeEffect};
use crate::flow::commit_log::CommitLog;
use crate::flow::finalize::merge::Collected;
use crate::flow::stored::{parse, require_stored};
use crate::keys::{GenerationKeys, ReportKeys};
use crate::{Committed, Failure, FinalizeIn, FinalizeOut, Outcome, Version};

/// Commits a generation whose segments all have their pages.
///
/// `prefix` is where in the bucket reports live; `bucket` is named in the manifest.
pub async fn finalize(
    effects: Effects<FinalizeEffect>,
    prefix: &str,
    bucket: &str,
    message: FinalizeIn,
) -> Result<FinalizeOut, Failure> {
    let work = &message.work;
    let report = ReportKeys::new(prefix, &work.tenant, &work.report);
    let keys = report.generation(&work.window, work.generation);
    let bytes = require_stored(&keys.open(), effects.read(keys.open()).await?)?;
    let record: GenerationRecord = parse(&keys.open(), &bytes)?;
    let finalizer = Finalizer {
        effects,
        report,
        keys,
        record,
        bucket,
        message: &message,
    };
    let outcome = finalizer.run_once().await?;
    Ok(FinalizeOut {
        v: Version,
        outcome,
    })
}

/// What stays the same while a generation is finalized.
struct Finalizer<'a> {
    effects: Effects<FinalizeEffect>,
    report: ReportKeys,
    keys: GenerationKeys,
    record: GenerationRecord,
    bucket: &'a str,
    message: &'a FinalizeIn,
}

impl Finalizer<'_> {
    async fn run_once(&self) -> Result<Outcome, Failure> {
        let log = self.read_log().await?;
        if let Some(outcome) = self.outcome_in_log(&log) {
            if let Some(commit) = log.settling_commit(self.message.work.generation) {
                self.write_manifest(commit).await?;
            }
            return Ok(outcome);
        }
        match self.collect_content().await? {
            Collected::Complete(content) => self.commit_content(&content).await,
            Collected::Again(ended) => Ok(Outcome::Again { ended }),
        }
    }

    /// Reads the part of the log that is about this window. The first generation's base is before every
    /// commit of the window, so that what this one supersedes is found even if it was committed before this
    /// one was opened.
    async fn read_log(&self) -> Result<CommitLog, Failure> {
        let first = self.report.generation(&self.record.window, 1).open();
        let base = match self.effects.read(first.clone()).await? {
            Some(bytes) => parse::<GenerationRecord>(&first, &bytes)?.base_version,
            None => 0,
        };
        CommitLog::read_since(&self.effects, &self.report, &self.record.window, base).await
    }

    /// The outcome, where the log holds a commit of this generation or of a newer one.
    fn outcome_in_log(&self, log: &CommitLog) -> Option<Outcome> {
        let generation = self.message.work.generation;
        log.settling_commit(generation).map(|commit| {
            if commit.generation == generation {
                Outcome::Delivered(commit_figures(commit))
            } else {
                Outcome::Superseded {
                    version: commit.version,
                }
            }
        })
    }
}

fn commit_figures(commit: &Commit) -> Committed {
    Committed {
        version: commit.version,
        rows: commit.unique,
        duplicates: commit.duplicates,
        empty: commit.empty,
        unchanged: commit.unchanged,
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
