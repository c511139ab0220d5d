//! Finding rows that repeat others, from the sidecars alone.
//!
//! The sidecars are sorted, so one pass over all of them at once meets equal keys side by side. Each
//! is read in pieces, one in use and one in flight. All pieces together are at most 8 MiB, unless there
//! are more than 1,024 parts.

mod cursor;
mod group;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use delivery::documents::{CommitPart, Part};
use delivery::effects::{Answered, Fault, Merged};

use crate::part::{ENTRY_BYTES, find_sidecar};
use crate::store::{Checksum, Sha256, Store};
use cursor::Cursor;
use group::{Dropped, Group, Row};

/// Bytes of all pieces in use; as many are in flight.
const PIECES_BYTES: usize = 4 * 1024 * 1024;

const MIN_PIECE_BYTES: usize = 4 * 1024;

/// At most so many rows are left out: paging that repeats more of them is broken.
const MAX_DROPPED: u64 = 5_000_000;

/// At most so many pairs of rows are remembered that have the same key and differ.
const CONFLICTS_MAX: usize = 8;

/// Where a row is: the number of its part, and its own number in it.
pub(crate) type RowPlace = (usize, u32);

/// Merges the sidecars of these parts, in this order.
pub async fn merge(store: &Store, parts: &[Part]) -> Answered<Merged> {
    Ok(merge_sidecars(store, parts).await?.merged)
}

/// Merges the sidecars that stand beside the parts of a commit.
///
/// # Errors
/// If one is gone, is not what its rows need, or may not be read.
pub async fn merge_committed(store: &Store, parts: &[CommitPart]) -> Answered<Merged> {
    let mut with_sidecars = Vec::with_capacity(parts.len());
    for part in parts {
        with_sidecars.push(find_sidecar(store, part).await?);
    }
    merge(store, &with_sidecars).await
}

/// Finds some pairs of rows that have the same key and differ.
pub(crate) async fn find_conflicts(store: &Store, parts: &[Part]) -> Answered<Vec<[RowPlace; 2]>> {
    Ok(merge_sidecars(store, parts).await?.conflicts)
}

async fn merge_sidecars(store: &Store, parts: &[Part]) -> Answered<MergeState> {
    let piece_bytes =
        (PIECES_BYTES / parts.len().max(1)).max(MIN_PIECE_BYTES) / ENTRY_BYTES * ENTRY_BYTES;
    let mut cursors = Vec::with_capacity(parts.len());
    for part in parts {
        cursors.push(Cursor::open(store, part, piece_bytes)?);
    }
    let mut heap = BinaryHeap::with_capacity(parts.len());
    for (part, cursor) in cursors.iter_mut().enumerate() {
        let entry = cursor.next_entry().await?;
        heap.extend(entry.map(|entry| Reverse(Row::new(entry, part))));
    }
    let mut merge = MergeState::new(parts.len());
    loop {
        let Some(mut top) = heap.peek_mut() else {
            return merge.finish();
        };
        let Reverse(row) = *top;
        merge.add(row)?;
        let cursor = &mut cursors[row.part()];
        if let Some(entry) = cursor.next_in_memory()? {
            *top = Reverse(Row::new(entry, row.part()));
            continue;
        }
        PeekMut::pop(top);
        let entry = cursor.next_entry().await?;
        heap.extend(entry.map(|entry| Reverse(Row::new(entry, row.part()))));
    }
}

struct MergeState {
    merged: Merged,
    conflicts: Vec<[RowPlace; 2]>,
    content: Sha256,
    /// The rows of the key that is being read.
    group: Option<Group>,
}

impl MergeState {
    fn new(parts: usize) -> Self {
        Self {
            merged: Merged {
                without: vec![Vec::new(); parts],
                ..Merged::default()
            },
            conflicts: Vec::new(),
            content: Sha256::default(),
            group: None,
        }
    }

    /// Adds the next row. Rows come in the order of (key hash, row hash, part, number).
    fn add(&mut self, row: Row) -> Answered<()> {
        self.merged.rows += 1;
        match &mut self.group {
            Some(group) if group.key() == row.key => match group.add(row) {
                Dropped::Duplicate(row) => {
                    self.merged.duplicates += 1;
                    self.leave_out(row)?;
                }
                Dropped::Replaced { row, by } => self.replace(row, by)?,
                Dropped::None => {}
            },
            _ => {
                self.close_group()?;
                self.group = Some(Group::new(row));
            }
        }
        Ok(())
    }

    fn close_group(&mut self) -> Answered<()> {
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        let (stays, replaced) = group.close();
        if let Some(row) = replaced {
            self.replace(row, stays)?;
        }
        let mut pair = [0; 24];
        pair[..16].copy_from_slice(&stays.key.to_be_bytes());
        pair[16..].copy_from_slice(&stays.hash.to_be_bytes());
        self.content.update(&pair);
        Ok(())
    }

    fn replace(&mut self, row: Row, by: Row) -> Answered<()> {
        self.merged.replaced += 1;
        if self.conflicts.len() < CONFLICTS_MAX {
            let place = |row: Row| (row.part(), row.number);
            self.conflicts.push([place(row), place(by)]);
        }
        self.leave_out(row)
    }

    fn leave_out(&mut self, row: Row) -> Answered<()> {
        self.merged.without[row.part()].push(row.number);
        if self.merged.duplicates + self.merged.replaced > MAX_DROPPED {
            return Err(Fault::Contract(format!(
                "more than {MAX_DROPPED} rows repeat the key of another row; \
                 the key columns do not tell rows apart, or paging is broken"
            )));
        }
        Ok(())
    }

    fn finish(mut self) -> Answered<Self> {
        self.close_group()?;
        for rows in &mut self.merged.without {
            rows.sort_unstable();
        }
        let content = std::mem::take(&mut self.content);
        self.merged.content = Checksum::from_hasher(content).hex();
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::Entry;

    #[test]
    fn paging_that_repeats_itself_without_end_is_refused() {
        let mut merge = MergeState::new(1);
        let row = |number| {
            let entry = Entry {
                key: 1,
                row: 1,
                number,
            };
            Row::new(entry, 0)
        };
        let kept = (0..u32::MAX).find(|number| merge.add(row(*number)).is_err());
        assert_eq!(kept.map(u64::from), Some(MAX_DROPPED + 1));
    }
}
