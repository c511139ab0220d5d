//! What the stored claims of a generation say.

use std::collections::BTreeMap;

use crate::{EndReason, Failure};
use definition::Window;
use jiff::{SignedDuration, Timestamp};

use super::{contract, parse};
use crate::SegmentId;
use crate::documents::{EndRecord, GenerationRecord, RunRecord};
use crate::effects::{Effects, StoreEffect};
use crate::keys::{Claim, GenerationKeys, RunKeys};

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

/// A segment that is not divided any further.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Which.
    pub segment: SegmentId,
    /// Its window.
    pub window: Window,
    /// Its runs, from number 1.
    pub runs: Vec<RunState>,
}

impl Leaf {
    /// The number of the run that has not ended: the one that counts.
    #[must_use]
    pub fn current(&self) -> u32 {
        let ended = self.runs.iter().take_while(|run| run.end.is_some()).count();
        u32::try_from(ended).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The run that has not ended, if it was started.
    #[must_use]
    pub fn live(&self) -> Option<&RunState> {
        let index = usize::try_from(self.current()).ok()?.checked_sub(1)?;
        self.runs.get(index).filter(|state| state.run.is_some())
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
    pub leaves: Vec<Leaf>,
    /// The runs that were cut off, of all segments. Where the API can't cancel, they may still be
    /// under way there.
    pub cut_off: Vec<(SegmentId, RunRecord)>,
}

impl Plan {
    /// Reads the claims of a generation and derives its segments from them.
    pub async fn read<E: From<StoreEffect>>(
        ask: &Effects<E>,
        keys: &GenerationKeys,
        open: &GenerationRecord,
    ) -> Result<Self, Failure> {
        let listed = ask.list(keys.claims().to_owned(), None).await?;
        let mut stored: BTreeMap<(SegmentId, u32), RunState> = BTreeMap::new();
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
        let bodies = ask
            .read_all(documents.iter().map(|(_, key)| key.clone()).collect())
            .await?;
        for ((claim, key), bytes) in documents.into_iter().zip(bodies) {
            let bytes = bytes.ok_or_else(|| missing(&key))?;
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
        Ok(Self::derive(open, &stored))
    }

    /// The segments that these runs leave: a window that is too long for the API is cut up front,
    /// and a piece that was cut off is divided, if it may be.
    fn derive(open: &GenerationRecord, stored: &BTreeMap<(SegmentId, u32), RunState>) -> Self {
        let smallest = open
            .definition
            .pipeline
            .narrow
            .as_ref()
            .map(|narrow| narrow.smallest_window);
        let pieces = pieces(&open.window, open.definition.largest_window());
        let mut leaves = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let segment = SegmentId::piece(number, pieces.len());
            divide(segment, *piece, smallest, stored, &mut leaves);
        }
        let cut_off = stored
            .iter()
            .filter(|(_, state)| state.was_cut_off())
            .filter_map(|((segment, _), state)| Some((segment.clone(), state.run.clone()?)))
            .collect();
        Self { leaves, cut_off }
    }
}

/// The window in pieces of at most `largest`, each as long as can be but cut at midnight UTC where
/// there is one to cut at, which is what the source's own days are closest to. From the window and the
/// definition alone, so that every reader cuts alike.
fn pieces(window: &Window, largest: Option<SignedDuration>) -> Vec<Window> {
    let mut pieces = Vec::new();
    let mut rest = *window;
    while let Some((piece, after)) = largest.and_then(|largest| cut(&rest, largest)) {
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The first piece and what is left; `None` for a window that is no longer than `largest`.
fn cut(window: &Window, largest: SignedDuration) -> Option<(Window, Window)> {
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

fn divide(
    segment: SegmentId,
    window: Window,
    smallest: Option<SignedDuration>,
    stored: &BTreeMap<(SegmentId, u32), RunState>,
    leaves: &mut Vec<Leaf>,
) {
    let runs = (1..)
        .map_while(|run| stored.get(&(segment.clone(), run)).cloned())
        .collect();
    let leaf = Leaf {
        segment,
        window,
        runs,
    };
    match smallest.and_then(|smallest| halves(&window, smallest)) {
        Some((earlier, later)) if leaf.was_cut_off() => {
            let (first, second) = leaf.segment.halves();
            divide(first, earlier, smallest, stored, leaves);
            divide(second, later, smallest, stored, leaves);
        }
        _ => leaves.push(leaf),
    }
}

fn halves(window: &Window, smallest: SignedDuration) -> Option<(Window, Window)> {
    window
        .halves()
        .filter(|(a, b)| a.duration() >= smallest && b.duration() >= smallest)
}

/// The last slot of a run, if it has one.
pub(super) async fn last_slot<E: From<StoreEffect>>(
    ask: &Effects<E>,
    keys: &RunKeys,
    slots: u32,
) -> Result<Option<crate::documents::Slot>, Failure> {
    let Some(batch) = slots.checked_sub(1) else {
        return Ok(None);
    };
    let key = keys.slot(batch);
    let bytes = ask.read(key.clone()).await?.ok_or_else(|| missing(&key))?;
    parse(&key, &bytes).map(Some)
}

pub(super) fn missing(key: &str) -> Failure {
    contract(format!(
        "the stored object {key} was listed and is gone; nothing of this pipeline deletes, so look for a lifecycle rule or a person"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(window: &str, largest: Option<i64>, expected: &[&str]) {
        let window: Window = window.parse().unwrap();
        let largest = largest.map(SignedDuration::from_hours);
        let keys: Vec<String> = pieces(&window, largest).iter().map(Window::key).collect();
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
