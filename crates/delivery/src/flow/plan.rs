//! What the stored claims of a generation say.

use std::collections::BTreeMap;

use definition::Window;
use jiff::{SignedDuration, Timestamp};

use crate::documents::{EndRecord, GenerationRecord, RunRecord, Slot};
use crate::effects::{Effects, StoreEffect};
use crate::flow::stored::{parse, require_stored};
use crate::keys::{Claim, GenerationKeys, RunKeys};
use crate::{EndReason, Failure, SegmentId};

/// One run of a segment, as far as it is stored.
#[derive(Clone, Debug, Default)]
pub struct RunState {
    /// Its binding to a CXone run.
    pub run: Option<RunRecord>,
    /// Why it ended without its data.
    pub end: Option<EndRecord>,
    /// How many slots it has.
    pub slots: u32,
}

impl RunState {
    fn was_cut_off(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.reason == EndReason::TimedOut)
    }
}

/// A segment that is not divided any further, and its runs.
#[derive(Clone, Debug)]
pub struct SegmentState {
    /// Which part of the window it is.
    pub segment: SegmentId,
    pub window: Window,
    /// Its runs, from number 1.
    pub runs: Vec<RunState>,
}

impl SegmentState {
    /// The number of the run that has not ended: the one that counts.
    #[must_use]
    pub fn current_run(&self) -> u32 {
        let ended = self.runs.iter().take_while(|run| run.end.is_some()).count();
        u32::try_from(ended).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The run that has not ended, if it was started.
    #[must_use]
    pub fn live_run(&self) -> Option<&RunState> {
        let index = usize::try_from(self.current_run()).ok()?.checked_sub(1)?;
        self.runs.get(index).filter(|state| state.run.is_some())
    }

    /// Whether it is divided if a run of it is cut off.
    pub(super) fn can_be_halved(&self, smallest: Option<SignedDuration>) -> bool {
        smallest.is_some_and(|smallest| allowed_halves(&self.window, smallest).is_some())
    }

    /// Whether a run was cut off, so that another one of the same kind is pointless.
    #[must_use]
    pub fn was_cut_off(&self) -> bool {
        self.runs.iter().any(RunState::was_cut_off)
    }
}

/// The segments of a generation, in the order of their windows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// They cover the window without gap or overlap.
    pub segments: Vec<SegmentState>,
    /// The runs that were cut off, of all segments. Where the API can't cancel, they may still be
    /// under way there.
    pub cut_off: Vec<(SegmentId, RunRecord)>,
}

/// What is stored of each run, by its segment and number.
type StoredRuns = BTreeMap<(SegmentId, u32), RunState>;

impl Plan {
    /// Reads the claims of a generation and derives its segments from them.
    pub async fn read_claims<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &GenerationKeys,
        generation: &GenerationRecord,
    ) -> Result<Self, Failure> {
        let listed = effects.list(keys.claims().to_owned(), None).await?;
        let mut stored = StoredRuns::new();
        let mut documents = Vec::new();
        for key in listed {
            match Claim::parse(keys, &key) {
                Some(Claim::Slot(segment, run, batch)) => {
                    let state = stored.entry((segment, run)).or_default();
                    state.slots = state.slots.max(batch.saturating_add(1));
                }
                Some(claim @ (Claim::Run(..) | Claim::End(..))) => documents.push((claim, key)),
                Some(Claim::Open) | None => {}
            }
        }
        let wanted = documents.iter().map(|(_, key)| key.clone()).collect();
        let bodies = effects.read_all(wanted).await?;
        for ((claim, key), bytes) in documents.into_iter().zip(bodies) {
            let bytes = require_stored(&key, bytes)?;
            match claim {
                Claim::Run(segment, run) => {
                    stored.entry((segment, run)).or_default().run = Some(parse(&key, &bytes)?);
                }
                Claim::End(segment, run) => {
                    stored.entry((segment, run)).or_default().end = Some(parse(&key, &bytes)?);
                }
                Claim::Open | Claim::Slot(..) => {}
            }
        }
        Ok(Self::from_runs(generation, &stored))
    }

    /// Derives the segments from what is stored of their runs. A window that is too long for the API is cut
    /// up front, and a piece whose run was cut off is divided, if the definition allows it.
    fn from_runs(generation: &GenerationRecord, stored: &StoredRuns) -> Self {
        let definition = &generation.definition;
        let narrow = definition.pipeline.narrow.as_ref();
        let smallest = narrow.map(|narrow| narrow.smallest_window);
        let pieces = cut_into_pieces(&generation.window, definition.largest_window());
        let mut segments = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let segment = SegmentId::piece(number, pieces.len());
            divide_segment(segment, *piece, smallest, stored, &mut segments);
        }
        let cut_off = stored
            .iter()
            .filter(|(_, state)| state.was_cut_off())
            .filter_map(|((segment, _), state)| Some((segment.clone(), state.run.clone()?)))
            .collect();
        Self { segments, cut_off }
    }
}

/// Cuts the window into pieces of at most `largest`, each as long as possible. A piece ends at midnight UTC
/// where there is a midnight to end at, because that is closest to the source's own days. The pieces
/// follow from the window and the definition alone, so that every reader cuts alike.
fn cut_into_pieces(window: &Window, largest: Option<SignedDuration>) -> Vec<Window> {
    let mut pieces = Vec::new();
    let mut rest = *window;
    while let Some((piece, after)) = largest.and_then(|largest| split_first_piece(&rest, largest)) {
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The first piece and the rest; `None` for a window that is no longer than `largest`.
fn split_first_piece(window: &Window, largest: SignedDuration) -> Option<(Window, Window)> {
    const DAY: i64 = 86_400;
    let (start, most) = (window.start().as_second(), largest.as_secs());
    if most <= 0 || window.duration().as_secs() <= most {
        return None;
    }
    let end = start + most;
    let midnight = end - end.rem_euclid(DAY);
    let at = if midnight > start { midnight } else { end };
    let at = Timestamp::from_second(at).ok()?;
    let piece = Window::new(window.start(), at).ok()?;
    let rest = Window::new(at, window.end()).ok()?;
    Some((piece, rest))
}

/// Adds the segment, or its halves where one of its runs was cut off and the halves are long enough.
fn divide_segment(
    segment: SegmentId,
    window: Window,
    smallest: Option<SignedDuration>,
    stored: &StoredRuns,
    segments: &mut Vec<SegmentState>,
) {
    let runs = (1..)
        .map_while(|run| stored.get(&(segment.clone(), run)).cloned())
        .collect();
    let state = SegmentState {
        segment,
        window,
        runs,
    };
    match smallest.and_then(|smallest| allowed_halves(&window, smallest)) {
        Some((earlier, later)) if state.was_cut_off() => {
            let (first, second) = state.segment.halves();
            divide_segment(first, earlier, smallest, stored, segments);
            divide_segment(second, later, smallest, stored, segments);
        }
        _ => segments.push(state),
    }
}

fn allowed_halves(window: &Window, smallest: SignedDuration) -> Option<(Window, Window)> {
    window
        .halves()
        .filter(|(a, b)| a.duration() >= smallest && b.duration() >= smallest)
}

/// Whether the last of so many slots holds the last page of its run.
pub(super) async fn has_last_page<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &RunKeys,
    slots: u32,
) -> Result<bool, Failure> {
    let Some(batch) = slots.checked_sub(1) else {
        return Ok(false);
    };
    let key = keys.slot(batch);
    let bytes = require_stored(&key, effects.read(key.clone()).await?)?;
    let slot: Slot = parse(&key, &bytes)?;
    Ok(slot.next.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(window: &str, largest: Option<i64>, expected: &[&str]) {
        let window: Window = window.parse().unwrap();
        let largest = largest.map(SignedDuration::from_hours);
        let keys: Vec<String> = cut_into_pieces(&window, largest)
            .iter()
            .map(Window::key)
            .collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_window_that_is_not_too_long_stays_whole() {
        let day = "20261121T000000Z-20261122T000000Z";
        for largest in [None, Some(24), Some(240)] {
            check(day, largest, &[day]);
        }
    }

    #[test]
    fn days_are_cut_at_midnight() {
        check(
            "20261121T000000Z-20261124T000000Z",
            Some(24),
            &[
                "20261121T000000Z-20261122T000000Z",
                "20261122T000000Z-20261123T000000Z",
                "20261123T000000Z-20261124T000000Z",
            ],
        );
        check(
            "20261121T050000Z-20261123T050000Z",
            Some(24),
            &[
                "20261121T050000Z-20261122T000000Z",
                "20261122T000000Z-20261123T000000Z",
                "20261123T000000Z-20261123T050000Z",
            ],
        );
    }

    #[test]
    fn pieces_are_as_long_as_may_be() {
        check(
            "20261101T000000Z-20261202T000000Z",
            Some(14 * 24),
            &[
                "20261101T000000Z-20261115T000000Z",
                "20261115T000000Z-20261129T000000Z",
                "20261129T000000Z-20261202T000000Z",
            ],
        );
        check(
            "20261121T050000Z-20261122T050000Z",
            Some(12),
            &[
                "20261121T050000Z-20261121T170000Z",
                "20261121T170000Z-20261122T050000Z",
            ],
        );
    }
}
