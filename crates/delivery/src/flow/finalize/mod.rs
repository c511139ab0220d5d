//! Verifies what was landed, merges it and claims its place in the log.

mod commit;
mod earlier;
mod examine;
mod finalizer;
mod gap;
mod manifest;
mod merge;
mod pages;
mod verify;

use crate::documents::GenerationRecord;
use crate::effects::{Effects, FinalizeEffect};
use crate::flow::finalize::examine::Examined;
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::finalize::merge::{Collected, WindowContent};
use crate::flow::stored::{parse, require_stored};
use crate::keys::ReportKeys;
use crate::{Failure, FinalizeIn, FinalizeOut, Outcome, Version};

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
    let pages = match record.stored_from {
        Some(source) => report.generation(&work.window, source),
        None => keys.clone(),
    };
    let finalizer = Finalizer {
        effects,
        report,
        keys,
        pages,
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

impl Finalizer<'_> {
    async fn run_once(&self) -> Result<Outcome, Failure> {
        let log = self.read_log().await?;
        if let Some(outcome) = self.outcome_in_log(&log)? {
            if let Some(commit) = log.settling_commit(self.message.work.generation) {
                self.write_manifest(commit).await?;
            }
            return Ok(outcome);
        }
        if self.record.withdrawn {
            let nothing = WindowContent::nothing();
            return self
                .commit_content(&nothing, &Examined::default(), log)
                .await;
        }
        match self.collect_content().await? {
            Collected::Complete(content) => {
                let examined = self.examine(&content, log.head).await?;
                self.commit_content(&content, &examined, log).await
            }
            Collected::Again(ended) => Ok(Outcome::Again { ended }),
        }
    }
}
