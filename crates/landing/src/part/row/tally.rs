//! Counts the values of each column by their kind.

use std::collections::HashMap;

use delivery::columns::{ColumnCount, ColumnCounts, MAX_COLUMN_NAME, MAX_COLUMNS, ValueKind};

/// Where the values of a column are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Of columns that are not counted by name.
const UNLISTED: Place = Place(0);

/// Of columns that are in a row for the second time: a row counts once.
const REPEATED: Place = Place(1);

/// How many places there are before that of the first column.
const BEFORE_COLUMNS: usize = 2;

/// Counts of the rows that were scanned. Memory is bounded whatever the rows are.
#[derive(Debug)]
pub(super) struct Tally {
    /// Names and places of the columns.
    places: HashMap<String, usize>,
    /// The kinds of each place; the last of the eight is never used.
    counts: Vec<[u64; 8]>,
    /// The row in which each place came last.
    last_rows: Vec<u64>,
    row: u64,
}

impl Tally {
    /// A tally of these columns, and of whatever others come.
    pub(super) fn new(columns: &[String]) -> Self {
        let mut tally = Self {
            places: HashMap::new(),
            counts: vec![[0; 8]; BEFORE_COLUMNS],
            last_rows: vec![0; BEFORE_COLUMNS],
            row: 0,
        };
        for column in columns {
            tally.insert(column);
        }
        tally
    }

    /// The number of the column, unless it is not counted by name, and where its values are counted. The columns that
    /// the tally began with have the first numbers.
    pub(super) fn find(&mut self, name: &str) -> (Option<usize>, Place) {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.places.len() < MAX_COLUMNS && name.len() <= MAX_COLUMN_NAME => {
                self.insert(name)
            }
            None => return (None, UNLISTED),
        };
        let is_repeated = self.last_rows[place] == self.row;
        self.last_rows[place] = self.row;
        let counted = if is_repeated { REPEATED } else { Place(place) };
        (Some(place - BEFORE_COLUMNS), counted)
    }

    fn insert(&mut self, name: &str) -> usize {
        let place = self.counts.len();
        self.counts.push([0; 8]);
        self.last_rows.push(0);
        self.places.insert(name.to_owned(), place);
        place
    }

    /// Says that the columns that come now are of another row than those before.
    pub(super) fn begin_row(&mut self) {
        self.row += 1;
    }

    #[inline]
    pub(super) fn count(&mut self, place: Place, kind: ValueKind) {
        self.counts[place.0][kind as usize] += 1;
    }

    /// What was counted, in the order in which the columns came.
    pub(super) fn counts(&self) -> ColumnCounts {
        let mut names: Vec<(&String, usize)> = self
            .places
            .iter()
            .map(|(name, place)| (name, *place))
            .collect();
        names.sort_unstable_by_key(|(_, place)| *place);
        let columns = names.into_iter().map(|(name, place)| ColumnCount {
            name: name.clone(),
            rows: self.counts[place].iter().sum(),
            kinds: ValueKind::ALL
                .into_iter()
                .map(|kind| (kind, self.counts[place][kind as usize]))
                .filter(|(_, count)| *count > 0)
                .collect(),
        });
        ColumnCounts {
            columns: columns.filter(|column| column.rows > 0).collect(),
            unlisted: self.counts[UNLISTED.0].iter().sum(),
        }
    }
}
