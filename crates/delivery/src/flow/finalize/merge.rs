//! Collects the content of a window and finds its duplicates and conflicts.

use definition::OnConflict;

use crate::documents::{AbandonedRun, Part, RunRecord, Verification, sha256_hex};
use crate::effects::{FinalizeEffect, Merged};
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::finalize::pages::RunPages;
use crate::flow::finalize::verify::{Verdict, weaker_of};
use crate::flow::plan::Plan;
use crate::flow::stored::StoredError;
use crate::{EndReason, Ended, Failure, FailureName, SegmentId};

/// What is about to be committed.
pub(super) struct WindowContent {
    pub(super) runs: Vec<RunPages>,
    pub(super) abandoned: Vec<AbandonedRun>,
    pub(super) parts: Vec<Part>,
    pub(super) merged: Merged,
    pub(super) verification: Verification,
}

impl WindowContent {
    /// What is committed of a window that is withdrawn.
    pub(super) fn nothing() -> Self {
        Self {
            runs: Vec::new(),
            abandoned: Vec::new(),
            parts: Vec::new(),
            merged: Merged {
                content: sha256_hex(b""),
                ..Merged::default()
            },
            verification: Verification::Total,
        }
    }
}

/// Whether there is something to commit.
pub(super) enum Collected {
    /// Everything is there and can be committed.
    Complete(Box<WindowContent>),
    /// Ask Trigger again: pages are missing, or this run can't be trusted.
    Again(Option<Ended>),
}

impl Finalizer<'_> {
    /// Collects the pages of all segments, checks their parts and merges them.
    pub(super) async fn collect_content(&self) -> Result<Collected, Failure> {
        let plan = Plan::read_claims(&self.effects, &self.keys, &self.record).await?;
        let mut runs = Vec::new();
        for segment in &plan.segments {
            match self.read_segment_pages(segment).await? {
                Some(pages) => runs.push(pages),
                None => return Ok(Collected::Again(None)),
            }
        }
        if let Some(ended) = self.find_unsettled(&runs) {
            return Ok(Collected::Again(Some(ended)));
        }
        for pages in &runs {
            self.check_parts(pages.parts.clone()).await?;
        }
        let abandoned = self.abandoned_runs(&plan);
        self.merge_runs(runs, abandoned).await
    }

    /// A window without rows is believed only if every run was started after the window was final. Names
    /// the first run that was not.
    fn find_unsettled(&self, runs: &[RunPages]) -> Option<Ended> {
        let settled_at = self.record.definition.settled_at(&self.record.window);
        let empty = runs.iter().all(|pages| pages.rows == 0);
        if !empty {
            return None;
        }
        let unsettled = runs
            .iter()
            .find(|pages| !pages.run.settled || pages.run.triggered_at < settled_at);
        unsettled.map(|pages| pages.ended(EndReason::Unsettled, ""))
    }

    /// Checks that the stored parts are what their slot says.
    async fn check_parts(&self, parts: Vec<Part>) -> Result<(), Failure> {
        let differs = self
            .effects
            .request(|responder| FinalizeEffect::Check(parts, responder))
            .await?;
        match differs {
            None => Ok(()),
            Some(difference) => Err(StoredError::PartDiffers { difference }.into()),
        }
    }

    /// The runs that took too long and could not be cancelled.
    fn abandoned_runs(&self, plan: &Plan) -> Vec<AbandonedRun> {
        if self.record.definition.dialect().can_cancel() {
            return Vec::new();
        }
        let to_abandoned = |(segment, run): &(SegmentId, RunRecord)| AbandonedRun {
            segment: segment.clone(),
            run_id: run.run_id.clone(),
            triggered_at: run.triggered_at,
        };
        plan.cut_off.iter().map(to_abandoned).collect()
    }

    /// Finds duplicates and conflicts, and judges how far the content can be trusted.
    ///
    /// A report with a grouping has one row for each group *and run*: rows of two halves of a
    /// window are different rows even if they look the same. Without a grouping a row is an
    /// interaction, which two halves may both show.
    async fn merge_runs(
        &self,
        runs: Vec<RunPages>,
        abandoned: Vec<AbandonedRun>,
    ) -> Result<Collected, Failure> {
        let aggregated = self.record.definition.is_aggregated();
        let mut merged = Merged::default();
        let mut verification = Verification::Total;
        for pages in &runs {
            let own = self.merge_parts(pages.parts.clone()).await?;
            match self.verify_run(pages, &own).await? {
                Verdict::Trusted(how) => verification = weaker_of(verification, how),
                Verdict::Distrusted(ended) => return Ok(Collected::Again(Some(ended))),
            }
            if aggregated || runs.len() == 1 {
                append_merged(&mut merged, own);
            }
        }
        let parts = runs.iter().flat_map(|pages| pages.parts.clone());
        let parts: Vec<Part> = parts.collect();
        if !aggregated && runs.len() > 1 {
            merged = self.merge_parts(parts.clone()).await?;
        }
        if merged.replaced > 0 && self.record.definition.pipeline.on_conflict == OnConflict::Fail {
            return Err(self.conflict_failure(&parts, &merged));
        }
        Ok(Collected::Complete(Box::new(WindowContent {
            runs,
            abandoned,
            parts,
            merged,
            verification,
        })))
    }

    /// Requests the merge of the sidecars of these parts.
    pub(super) async fn merge_parts(&self, parts: Vec<Part>) -> Result<Merged, Failure> {
        let merged = self
            .effects
            .request(|responder| FinalizeEffect::Merge(parts, responder))
            .await?;
        Ok(merged)
    }

    fn conflict_failure(&self, parts: &[Part], merged: &Merged) -> Failure {
        let place = parts
            .iter()
            .zip(&merged.without)
            .find_map(|(part, rows)| rows.first().map(|row| format!("row {row} of {}", part.key)))
            .unwrap_or_default();
        Failure::new(
            FailureName::Conflict,
            format!(
                "{} rows have the key ({}) of another row and differ from it; one of the rows involved is {place}. Make the key more specific, or set onConflict to keep-last, and replay the window",
                merged.replaced,
                self.record.definition.key_columns().join(", ")
            ),
        )
    }
}

fn append_merged(all: &mut Merged, own: Merged) {
    all.rows += own.rows;
    all.duplicates += own.duplicates;
    all.replaced += own.replaced;
    all.without.extend(own.without);
    all.content = if all.content.is_empty() {
        own.content
    } else {
        sha256_hex(format!("{}{}", all.content, own.content).as_bytes())
    };
}
