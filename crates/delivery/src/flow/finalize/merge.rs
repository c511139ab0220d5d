//! Collects the content of a window and finds its duplicates and conflicts.

use definition::OnConflict;
use definition::text::list_first;

use crate::documents::{AbandonedRun, Part, RunRecord, Verification, sha256_hex};
use crate::effects::{CompareRequest, Difference, FinalizeEffect, Merged};
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
        let plan = Plan::read_claims(&self.effects, &self.pages, &self.record).await?;
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
            Some(difference) => {
                let failure = Failure::from(StoredError::PartDiffers { difference });
                Err(self.explain_stored(failure))
            }
        }
    }

    /// What helps where the pages of an earlier generation are not there any more.
    fn explain_stored(&self, failure: Failure) -> Failure {
        if self.record.stored_from.is_none() {
            return failure;
        }
        let message = format!("{}. Replay the window without `--stored`", failure.message);
        Failure::new(failure.name, message)
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
        let mut conflicting: Option<Vec<Part>> = None;
        for pages in &runs {
            let own = self.merge_parts(pages.parts.clone()).await?;
            match self.verify_run(pages, &own).await? {
                Verdict::Trusted(how) => verification = weaker_of(verification, how),
                Verdict::Distrusted(ended) => return Ok(Collected::Again(Some(ended))),
            }
            if own.replaced > 0 {
                conflicting.get_or_insert_with(|| pages.parts.clone());
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
            let parts = conflicting.unwrap_or(parts);
            return Err(self.conflict_failure(parts, merged.replaced).await?);
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

    /// What the definition calls a stored column.
    fn written_name(&self, stored: String) -> String {
        let definition = &self.record.definition;
        let names = definition.pipeline.column_names;
        let columns = definition.columns().into_iter();
        let mut written = columns.filter(|written| names.rename(written) == stored);
        written.next().map(str::to_owned).unwrap_or(stored)
    }

    /// Names the columns in which rows of one key differ. What to do depends on whether these are columns by which
    /// rows are told apart, or figures.
    async fn conflict_failure(&self, parts: Vec<Part>, replaced: u64) -> Result<Failure, Failure> {
        let definition = &self.record.definition;
        let request = CompareRequest {
            parts,
            definition: Box::new(definition.clone()),
        };
        let difference = self
            .effects
            .request(|responder| FinalizeEffect::Compare(request, responder))
            .await?
            .unwrap_or_default();
        let Difference { part, row, columns } = difference;
        let columns: Vec<String> = columns
            .into_iter()
            .map(|name| self.written_name(name))
            .collect();
        let is_telling = |column: &&String| !definition.metrics().contains(column);
        let telling: Vec<String> = columns.iter().filter(is_telling).cloned().collect();
        let remedy = if telling.is_empty() {
            "These columns are figures, so that a column that tells the rows apart may be missing from the report; add it there and to `pipeline.key`".to_owned()
        } else {
            format!(
                "Add what tells the rows apart to `pipeline.key`: {}",
                list_names(&telling)
            )
        };
        Ok(Failure::new(
            FailureName::Conflict,
            format!(
                "{} the key ({}) of another row and {} from it in {}; one of the rows involved is row {row} of {part}. {remedy}, then `cxr replay` the window. `keep-last` drops all rows of a key but the last: it is right only where CXone sends a corrected row after the first",
                if replaced == 1 {
                    "1 row has".to_owned()
                } else {
                    format!("{replaced} rows have")
                },
                definition.key_columns().join(", "),
                if replaced == 1 { "differs" } else { "differ" },
                list_names(&columns),
            ),
        ))
    }
}

/// At most so many names are listed.
const NAMES_MAX: usize = 10;

fn list_names(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing but how their values are written".to_owned();
    }
    list_first(names, NAMES_MAX)
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
