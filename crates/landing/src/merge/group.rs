//! The rows of one key.

use crate::part::Entry;

/// A row, in the order of the merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// Hash of its key.
    pub(super) key: u128,
    /// Hash of its bytes.
    pub(super) hash: u64,
    /// Place of its part.
    place: u32,
    /// Its number there.
    pub(super) number: u32,
}

impl Row {
    pub(super) fn of(entry: Entry, place: usize) -> Self {
        Self {
            key: entry.key,
            hash: entry.row,
            place: u32::try_from(place).unwrap_or(u32::MAX),
            number: entry.number,
        }
    }

    pub(super) fn place(self) -> usize {
        self.place as usize
    }

    /// When it came.
    fn came(self) -> (u32, u32) {
        (self.place, self.number)
    }
}

/// A row that has to be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    None,
    Duplicate(Row),
    Replaced(Row),
}

/// Equal rows: which came first, and which last.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Row,
    last: Row,
}

/// The rows of one key, of which all but two runs are decided.
///
/// Of equal rows the first stays. Of different ones that stays which came last, counting every time
/// that it came: a row that returns after another one is the newest again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The run that came last so far, of those that are complete.
    newest: Option<Run>,
    /// The run that is being read.
    open: Run,
}

impl Group {
    pub(super) fn new(row: Row) -> Self {
        Self {
            newest: None,
            open: Run {
                first: row,
                last: row,
            },
        }
    }

    pub(super) fn key(&self) -> u128 {
        self.open.first.key
    }

    /// Takes a row of the same key, in the order of (row hash, place, number).
    pub(super) fn add(&mut self, row: Row) -> Dropped {
        if row.hash == self.open.first.hash {
            self.open.last = row;
            return Dropped::Duplicate(row);
        }
        let (newest, replaced) = self.decide();
        self.newest = Some(newest);
        self.open = Run {
            first: row,
            last: row,
        };
        replaced.map_or(Dropped::None, Dropped::Replaced)
    }

    /// The row that stays, and the one that it replaces, if that was not said yet.
    pub(super) fn close(self) -> (Row, Option<Row>) {
        let (newest, replaced) = self.decide();
        (newest.first, replaced)
    }

    fn decide(&self) -> (Run, Option<Row>) {
        match self.newest {
            None => (self.open, None),
            Some(before) if before.last.came() < self.open.last.came() => {
                (self.open, Some(before.first))
            }
            Some(before) => (before, Some(self.open.first)),
        }
    }
}
