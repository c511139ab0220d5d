//! Counts the values of each column by their kind.

use std::collections::HashMap;

use delivery::columns::{ColumnCount, ColumnCounts, MAX_COLUMN_NAME, MAX_COLUMNS, ValueKind};

/// Where the values of a column are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColumnPlace(usize);

/// Of columns that are not counted by name.
const UNLISTED: ColumnPlace = ColumnPlace(0);

/// Of columns that are in a row for the second time: a row counts once.
const REPEATED: ColumnPlace = ColumnPlace(1);

/// How many places there are before that of the first column.
const BEFORE_COLUMNS: usize = 2;

/// Where empty texts are counted: behind the kinds.
const EMPTY_TEXTS: usize = ValueKind::ALL.len();

/// What a value is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountedAs {
    EmptyText,
    /// Any other value of this kind.
    Kind(ValueKind),
}

impl CountedAs {
    /// A value of this kind, which has so many bytes in its row.
    #[inline]
    pub(super) const fn new(kind: ValueKind, bytes: usize) -> Self {
        match (kind, bytes) {
            (ValueKind::Text, 2) => Self::EmptyText,
            _ => Self::Kind(kind),
        }
    }
}

/// Counts of the rows that were scanned. Memory is bounded whatever the rows are.
#[derive(Debug)]
pub(super) struct Tally {
    /// Names and places of the columns.
    places: HashMap<String, usize>,
    /// The kinds of each place, and its empty texts.
    counts: Vec<[u64; EMPTY_TEXTS + 1]>,
    /// The row in which each place came last.
    last_rows: Vec<u64>,
    row: u64,
}

impl Tally {
    /// A tally of these columns, and of whatever others come.
    pub(super) fn new(columns: &[String]) -> Self {
        let mut tally = Self {
            places: HashMap::new(),
            counts: vec![[0; EMPTY_TEXTS + 1]; BEFORE_COLUMNS],
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
    pub(super) fn find(&mut self, name: &str) -> (Option<usize>, ColumnPlace) {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.places.len() < MAX_COLUMNS && name.len() <= MAX_COLUMN_NAME => {
                self.insert(name)
            }
            None => return (None, UNLISTED),
        };
        let is_repeated = self.last_rows[place] == self.row;
        self.last_rows[place] = self.row;
        let counted = if is_repeated {
            REPEATED
        } else {
            ColumnPlace(place)
        };
        (Some(place - BEFORE_COLUMNS), counted)
    }

    fn insert(&mut self, name: &str) -> usize {
        let place = self.counts.len();
        self.counts.push([0; EMPTY_TEXTS + 1]);
        self.last_rows.push(0);
        self.places.insert(name.to_owned(), place);
        place
    }

    /// Says that the columns that come now are of another row than those before.
    pub(super) fn begin_row(&mut self) {
        self.row += 1;
    }

    #[inline]
    pub(super) fn count(&mut self, place: ColumnPlace, value: CountedAs) {
        let nth = match value {
            CountedAs::EmptyText => EMPTY_TEXTS,
            CountedAs::Kind(kind) => kind as usize,
        };
        self.counts[place.0][nth] += 1;
    }

    /// What was counted, in the order in which the columns came.
    pub(super) fn counts(&self) -> ColumnCounts {
        let mut names: Vec<(&String, usize)> = self
            .places
            .iter()
            .map(|(name, place)| (name, *place))
            .collect();
        names.sort_unstable_by_key(|(_, place)| *place);
        let columns = names.into_iter().map(|(name, place)| {
            let counts = &self.counts[place];
            let count_of = |kind| match kind {
                ValueKind::Text => counts[kind as usize] + counts[EMPTY_TEXTS],
                _ => counts[kind as usize],
            };
            let kinds = ValueKind::ALL
                .into_iter()
                .map(|kind| (kind, count_of(kind)));
            ColumnCount {
                name: name.clone(),
                rows: counts.iter().sum(),
                kinds: kinds.filter(|(_, count)| *count > 0).collect(),
                empty_texts: Some(counts[EMPTY_TEXTS]),
            }
        });
        ColumnCounts {
            columns: columns.filter(|column| column.rows > 0).collect(),
            unlisted: self.counts[UNLISTED.0].iter().sum(),
        }
    }
}
