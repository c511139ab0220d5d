//! How far a run can be trusted to be complete.

use definition::text::count_of;

use crate::documents::Verification;
use crate::effects::Merged;
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::finalize::pages::RunPages;
use crate::flow::plan::{Plan, SegmentState};
use crate::{EndReason, Ended, Failure};

/// What was found about a run.
pub(super) enum Verdict {
    /// Its rows can be committed, and this is how far their completeness was checked.
    Trusted(Verification),
    /// Another run is needed.
    Distrusted(Ended),
}

impl Finalizer<'_> {
    /// Holds a run's rows against the total that the API gave, or against an earlier run.
    pub(super) async fn verify_run(
        &self,
        pages: &RunPages,
        merged: &Merged,
    ) -> Result<Verdict, Failure> {
        let unique = merged.rows - merged.duplicates - merged.replaced;
        match pages.total {
            Some(total) if total == unique => return Ok(Verdict::Trusted(Verification::Total)),
            Some(total) if total != merged.rows => {
                let detail = format!(
                    "{} came and {total} were announced",
                    count_of(merged.rows, "row")
                );
                let ended = pages.ended(EndReason::Unstable, &detail);
                return Ok(Verdict::Distrusted(ended));
            }
            None if merged.duplicates == 0 => {
                return Ok(Verdict::Trusted(Verification::Consistent));
            }
            // As many rows as announced, but not as many different ones.
            Some(_) | None => {}
        }
        // Unstable paging shows as duplicates across pages, and then rows are missing as well.
        if self.matches_earlier_run(pages, merged).await? {
            return Ok(Verdict::Trusted(Verification::SecondRun));
        }
        if pages.number < self.record.definition.pipeline.max_runs {
            let detail = format!(
                "{} across pages, and no total",
                count_of(merged.duplicates, "duplicate")
            );
            let ended = pages.ended(EndReason::Unstable, &detail);
            return Ok(Verdict::Distrusted(ended));
        }
        Ok(Verdict::Trusted(Verification::None))
    }

    /// Whether an earlier run of the segment that was complete had the same content.
    async fn matches_earlier_run(
        &self,
        pages: &RunPages,
        merged: &Merged,
    ) -> Result<bool, Failure> {
        let plan = Plan::read_claims(&self.effects, &self.pages, &self.record).await?;
        let is_ours = |state: &&SegmentState| state.segment == pages.segment;
        let Some(segment) = plan.segments.iter().find(is_ours) else {
            return Ok(false);
        };
        for (number, state) in (1..pages.number).zip(&segment.runs) {
            let unstable = state
                .end
                .as_ref()
                .is_some_and(|end| end.reason == EndReason::Unstable);
            let Some(run) = state.run.clone().filter(|_| unstable) else {
                continue;
            };
            let earlier = self.read_run_pages(&segment.segment, number, run, state.slots);
            if let Some(earlier) = earlier.await?
                && self.merge_parts(earlier.parts).await?.content == merged.content
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The one of two that says less: the verification of a commit is that of its weakest run.
pub(super) fn weaker_of(a: Verification, b: Verification) -> Verification {
    let rank = |v| match v {
        Verification::Total => 0,
        Verification::SecondRun => 1,
        Verification::Consistent => 2,
        Verification::None => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}
