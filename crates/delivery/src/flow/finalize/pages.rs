//! Reads the slots of a run and checks that they continue each other.

use crate::columns::ColumnCounts;
use crate::documents::{CommitRun, Part, RunRecord, Slot, sha256_hex};
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::plan::SegmentState;
use crate::flow::stored::{StoredError, parse, require_stored};
use crate::{EndReason, Ended, Failure, SegmentId};

/// The pages of one run of a segment, checked.
pub(super) struct RunPages {
    pub(super) segment: SegmentId,
    pub(super) number: u32,
    pub(super) run: RunRecord,
    pub(super) pages: u64,
    pub(super) rows: u64,
    pub(super) total: Option<u64>,
    pub(super) summary_rows: u64,
    /// Records of the run's file that may hold others.
    pub(super) suspect_records: Vec<u64>,
    /// What the rows have in their columns; none where a slot does not say.
    pub(super) columns: Option<ColumnCounts>,
    pub(super) parts: Vec<Part>,
}

impl RunPages {
    fn without_slots(segment: SegmentId, number: u32, run: RunRecord) -> Self {
        Self {
            segment,
            number,
            run,
            pages: 0,
            rows: 0,
            total: None,
            summary_rows: 0,
            suspect_records: Vec::new(),
            columns: Some(ColumnCounts::default()),
            parts: Vec::new(),
        }
    }

    /// Whether a slot is the next one: of this run, in its place, and with the rows that its parts have.
    fn is_continued_by(&self, slot: &Slot, batch: usize) -> bool {
        slot.run_id == self.run.run_id
            && usize::try_from(slot.batch) == Ok(batch)
            && slot.rows == slot.parts.iter().map(|part| part.rows).sum::<u64>()
            && slot.rows_so_far == self.rows + slot.rows
    }

    /// Says that this run ended without its data, so that Trigger starts another one.
    pub(super) fn ended(&self, reason: EndReason, detail: &str) -> Ended {
        Ended {
            segment: self.segment.clone(),
            run: self.number,
            reason,
            detail: detail.to_owned(),
        }
    }

    /// The run as the commit names it.
    pub(super) fn to_commit_run(&self) -> CommitRun {
        CommitRun {
            segment: self.segment.clone(),
            window: self.run.window,
            run_id: self.run.run_id.clone(),
            triggered_at: self.run.triggered_at,
            pages: self.pages,
            rows: self.rows,
            simplified: self.run.simplified,
        }
    }

    fn add_slot(&mut self, slot: Slot) {
        self.pages += slot.pages;
        self.rows += slot.rows;
        self.total = slot.total;
        self.summary_rows += slot.summary_rows;
        self.suspect_records.extend(slot.suspect_records);
        match (&mut self.columns, slot.column_counts) {
            (Some(sum), Some(counts)) => sum.add(counts),
            (_, None) if slot.rows == 0 => {}
            (columns, _) => *columns = None,
        }
        self.parts.extend(slot.parts);
    }
}

impl Finalizer<'_> {
    /// Reads the pages of a segment's current run; `None` if they are not complete.
    pub(super) async fn read_segment_pages(
        &self,
        segment: &SegmentState,
    ) -> Result<Option<RunPages>, Failure> {
        let number = segment.current_run();
        let Some(state) = segment.live_run() else {
            return Ok(None);
        };
        let Some(run) = state.run.clone() else {
            return Ok(None);
        };
        self.read_run_pages(&segment.segment, number, run, state.slots)
            .await
    }

    /// Reads the slots of a run, of which there are `count`; `None` if the last page is not among them.
    pub(super) async fn read_run_pages(
        &self,
        segment: &SegmentId,
        number: u32,
        run: RunRecord,
        count: u32,
    ) -> Result<Option<RunPages>, Failure> {
        let keys = self.pages.run(segment, number);
        let slot_keys: Vec<String> = (0..count).map(|batch| keys.slot(batch)).collect();
        let bodies = self.effects.read_all(slot_keys.clone()).await?;
        let mut pages = RunPages::without_slots(segment.clone(), number, run);
        let mut prev: Option<String> = None;
        let mut complete = false;
        for (batch, (key, bytes)) in slot_keys.iter().zip(bodies).enumerate() {
            let bytes = require_stored(key, bytes)?;
            let slot: Slot = parse(key, &bytes)?;
            if complete || slot.prev != prev || !pages.is_continued_by(&slot, batch) {
                return Err(StoredError::BrokenChain { key: key.clone() }.into());
            }
            complete = slot.next.is_none();
            prev = Some(sha256_hex(&bytes));
            pages.add_slot(slot);
        }
        Ok(complete.then_some(pages))
    }
}
