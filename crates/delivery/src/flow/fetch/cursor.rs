//! Where the stored slots of a run end.

use definition::PageToken;

use crate::Failure;
use crate::documents::{CycleDetector, EndRecord, Slot, sha256_hex};
use crate::effects::{Effects, FetchEffect};
use crate::flow::stored::{StoredError, parse, require_stored};
use crate::keys::{Claim, GenerationKeys, RunKeys};

/// Where the stored slots end, and what the next one has to continue.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    pub(super) batches: u32,
    pub(super) pages: u64,
    pub(super) rows: u64,
    /// SHA-256 of the last slot, in hex.
    pub(super) prev: Option<String>,
    pub(super) next: Option<PageToken>,
    pub(super) total: Option<u64>,
    pub(super) cycle: CycleDetector,
    /// Whether the last slot holds the last page.
    pub(super) done: bool,
}

impl Cursor {
    /// The cursor behind this slot, which is stored as these bytes.
    pub(super) fn after_slot(slot: &Slot, bytes: &[u8]) -> Self {
        Self {
            batches: slot.batch + 1,
            pages: slot.pages_so_far,
            rows: slot.rows_so_far,
            prev: Some(sha256_hex(bytes)),
            next: slot.next.clone(),
            total: slot.total,
            cycle: slot.cycle.clone(),
            done: slot.next.is_none(),
        }
    }
}

/// What is stored of a run's pages.
pub(super) enum FoundCursor {
    /// The slots end here.
    At(Cursor),
    /// The run has ended without its data.
    End(EndRecord),
}

/// Finds the last slot. The hint is the number of slots that the asking execution knows of; it says where to
/// start looking, and no more.
pub(super) async fn find_cursor(
    effects: &Effects<FetchEffect>,
    generation: &GenerationKeys,
    keys: &RunKeys,
    hint: u32,
) -> Result<FoundCursor, Failure> {
    let after = hint.checked_sub(2).map(|batch| keys.slot(batch));
    let listed = effects.list(keys.claims().to_owned(), after).await?;
    let mut last = None;
    for key in &listed {
        match Claim::parse(generation, key) {
            Some(Claim::End(..)) => {
                let bytes = require_stored(key, effects.read(key.clone()).await?)?;
                return Ok(FoundCursor::End(parse(key, &bytes)?));
            }
            Some(Claim::Slot(..)) => last = Some(key),
            _ => {}
        }
    }
    let Some(key) = last else {
        if hint > 0 {
            let folder = keys.claims().to_owned();
            return Err(StoredError::SlotsGone {
                count: hint,
                folder,
            }
            .into());
        }
        return Ok(FoundCursor::At(Cursor::default()));
    };
    let bytes = require_stored(key, effects.read(key.clone()).await?)?;
    let slot: Slot = parse(key, &bytes)?;
    Ok(FoundCursor::At(Cursor::after_slot(&slot, &bytes)))
}
