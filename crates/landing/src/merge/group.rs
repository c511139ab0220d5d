//! The rows of one key.

use crate::part::Entry;

/// A row; rows are ordered as the merge meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// Hash of the key.
    pub(super) key: u128,
    /// Hash of the row's bytes.
    pub(super) hash: u64,
    /// Number of its part, in the order of the merge.
    part: u32,
    /// Number of the row in its part.
    pub(super) number: u32,
}

impl Row {
    pub(super) fn new(entry: Entry, part: usize) -> Self {
        Self {
            key: entry.key,
            hash: entry.row,
            part: u32::try_from(part).unwrap_or(u32::MAX),
            number: entry.number,
        }
    }

    pub(super) fn part(self) -> usize {
        self.part as usize
    }

    /// Where the row stands among all rows, which is the order in which CXone sent them.
    fn position(self) -> (u32, u32) {
        (self.part, self.number)
    }
}

/// The row that has to be left out, if any, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    None,
    Duplicate(Row),
    Replaced {
        row: Row,
        /// A row that stays in its place, unless yet another one replaces that.
        by: Row,
    },
}

/// Identical rows: the first and the last of them.
#[derive(Clone, Copy, Debug)]
struct Variant {
    first: Row,
    last: Row,
}

/// The rows of one key. All but two variants are decided.
///
/// Keep the first of identical rows. Of differing rows with one key keep the variant whose last
/// occurrence is latest: a row that returns after another one is the newest again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The latest of the variants that are complete.
    latest: Option<Variant>,
    /// The variant that is being read.
    open: Variant,
}

impl Group {
    pub(super) fn new(row: Row) -> Self {
        Self {
            latest: None,
            open: Variant {
                first: row,
                last: row,
            },
        }
    }

    pub(super) fn key(&self) -> u128 {
        self.open.first.key
    }

    /// Adds a row of the same key. Rows come in the order of (row hash, part, number).
    pub(super) fn add(&mut self, row: Row) -> Dropped {
        if row.hash == self.open.first.hash {
            self.open.last = row;
            return Dropped::Duplicate(row);
        }
        let (latest, replaced) = self.decide_latest();
        self.latest = Some(latest);
        self.open = Variant {
            first: row,
            last: row,
        };
        let by = latest.first;
        replaced.map_or(Dropped::None, |row| Dropped::Replaced { row, by })
    }

    /// The row that stays, and the row that it replaces unless [`Self::add`] gave that already.
    pub(super) fn close(self) -> (Row, Option<Row>) {
        let (latest, replaced) = self.decide_latest();
        (latest.first, replaced)
    }

    fn decide_latest(&self) -> (Variant, Option<Row>) {
        match self.latest {
            None => (self.open, None),
            Some(before) if before.last.position() < self.open.last.position() => {
                (self.open, Some(before.first))
            }
            Some(before) => (before, Some(self.open.first)),
        }
    }
}
