//! What is usual of a report's columns.
//!
//! A column that some rows lack may have gone in the middle of a window, or may be one that CXone sends only where there
//! is something to say. What earlier windows had tells them apart, and one bad window must not become the rule: what
//! three of the last fourteen windows were like is as usual, and anything else is told.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use definition::rows::ValueKind;

use super::counts::{ColumnCount, family_of};
use super::report::{ChangedColumn, ColumnReport, ColumnRows};

/// So many windows are compared with: two weeks of days.
pub const COMPARED_WINDOWS: usize = 14;

/// What so many of them were like is as usual.
const USUAL: usize = 3;

/// So many rows more or fewer are chance.
const CHANCE: u64 = 10;

/// The columns of earlier windows.
pub(super) struct Usual<'a> {
    /// What they say, the newest first.
    earlier: &'a [ColumnReport],
    /// Each column in each of the windows.
    columns: BTreeMap<&'a str, Vec<Option<&'a ColumnCount>>>,
}

impl<'a> Usual<'a> {
    pub(super) fn new(earlier: &'a [ColumnReport]) -> Self {
        let mut columns: BTreeMap<&str, Vec<Option<&ColumnCount>>> = BTreeMap::new();
        for (nth, report) in earlier.iter().enumerate() {
            for column in &report.columns {
                let windows = columns.entry(&column.name);
                windows.or_insert_with(|| vec![None; earlier.len()])[nth] = Some(column);
            }
        }
        Self { earlier, columns }
    }

    /// Columns that are not usual. In the first window nothing is new.
    pub(super) fn find_new(&self, columns: &[ColumnCount], of: u64) -> Vec<ColumnRows> {
        let new = columns.iter().filter(|column| self.is_new(&column.name));
        new.map(|column| ColumnRows::new(&column.name, column.rows, of))
            .collect()
    }

    fn is_new(&self, name: &str) -> bool {
        match self.columns.get(name) {
            Some(windows) => is_unusual(windows.iter().map(Option::is_some)),
            None => !self.earlier.is_empty(),
        }
    }

    /// Columns that are in only some rows, or in none, though they are not new and that is not usual.
    pub(super) fn find_missing(&self, columns: &[ColumnCount], of: u64) -> Vec<ColumnRows> {
        let is_gone = |name: &&&str| !columns.iter().any(|column| column.name == ***name);
        let gone = self.columns.keys().filter(is_gone);
        let gone = gone.map(|name| ColumnRows::new(name, 0, of));
        let partial = columns.iter().filter(|column| column.rows < of);
        let partial = partial.map(|column| ColumnRows::new(&column.name, column.rows, of));
        partial
            .filter(|column| !self.is_new(&column.name) && self.is_rarely_partial(column))
            .chain(gone.filter(|column| self.is_rarely_gone(column)))
            .collect()
    }

    /// In the first windows nobody knows whether a column that only some rows have is in order, so that it is told.
    fn is_rarely_partial(&self, column: &ColumnRows) -> bool {
        let had = self.rows_of(&column.name, |earlier| Some(earlier.rows));
        let alike = had.filter(|(rows, of)| *rows > 0 && had_as_few(*rows, *of, column));
        alike.count() < USUAL
    }

    fn is_rarely_gone(&self, column: &ColumnRows) -> bool {
        let had = self.rows_of(&column.name, |earlier| Some(earlier.rows));
        is_unusual(had.map(|(rows, of)| had_as_few(rows, of, column)))
    }

    /// Columns without a value in any row, which had values in earlier windows. Where the rows have empty texts, windows
    /// in which those were not counted say nothing.
    pub(super) fn find_emptied(&self, columns: &[ColumnCount], of: u64) -> Vec<String> {
        let empty = columns.iter().filter(|column| column.values() == 0);
        let emptied = empty.filter(|column| {
            let none = ColumnRows::new(&column.name, 0, of);
            let has_empty_texts = column.empty_texts.is_some_and(|count| count > 0);
            let had = self.rows_of(&column.name, |earlier| {
                let is_known = !has_empty_texts || !earlier.may_hide_empty_texts();
                is_known.then(|| earlier.values())
            });
            is_unusual(had.map(|(values, of)| had_as_few(values, of, &none)))
        });
        emptied.map(|column| column.name.clone()).collect()
    }

    /// Columns with values of kinds that don't go together, or that are not usual.
    pub(super) fn find_changed(&self, columns: &[ColumnCount]) -> Vec<ChangedColumn> {
        let changed = columns.iter().filter_map(|column| {
            let kinds = column.kinds_besides_null();
            let earlier = self.kinds_of(&column.name);
            let is_mixed = kinds.iter().any(|kind| !has_like(&kinds[..1], *kind));
            let is_new =
                |kind: &ValueKind| is_unusual(earlier.iter().map(|known| has_like(known, *kind)));
            (is_mixed || kinds.iter().any(is_new)).then(|| {
                let mut earlier = earlier.into_iter();
                let before = earlier.find(|known| kinds.iter().any(|kind| !has_like(known, *kind)));
                ChangedColumn {
                    name: column.name.clone(),
                    before: before.unwrap_or_default(),
                    kinds,
                }
            })
        });
        changed.collect()
    }

    /// How many rows of each window had the column, or something in it, and how many there were; without the windows of
    /// which that is not known.
    fn rows_of(
        &self,
        name: &str,
        count: impl Fn(&ColumnCount) -> Option<u64>,
    ) -> impl Iterator<Item = (u64, u64)> {
        let windows = self.columns.get(name).into_iter().flatten();
        let rows = windows.map(move |column| column.map_or(Some(0), &count));
        let of = self.earlier.iter().map(|report| report.rows);
        rows.zip(of).filter_map(|(rows, of)| Some((rows?, of)))
    }

    /// The kinds of the column's values in each window that has some.
    fn kinds_of(&self, name: &str) -> Vec<Vec<ValueKind>> {
        let windows = self.columns.get(name).into_iter().flatten().flatten();
        let kinds = windows.map(|column| column.kinds_besides_null());
        kinds.filter(|kinds| !kinds.is_empty()).collect()
    }
}

/// Whether windows, the newest first, were otherwise: too few were alike, and the oldest was not. Without the oldest, a
/// report that goes on as it began would be told after its first bad window.
fn is_unusual(alike: impl Iterator<Item = bool>) -> bool {
    let alike: Vec<bool> = alike.collect();
    alike.last() == Some(&false) && alike.iter().filter(|alike| **alike).count() < USUAL
}

fn has_like(kinds: &[ValueKind], kind: ValueKind) -> bool {
    kinds
        .iter()
        .any(|known| family_of(*known) == family_of(kind))
}

/// Whether a window had a column in about as few of its rows as this one has it: not in all of them, in a share that is
/// at most double, and that is at most a tenth of the rows more.
fn had_as_few(rows: u64, of: u64, column: &ColumnRows) -> bool {
    let few = column.rows + column.rows.min(column.of / 10) + CHANCE;
    rows < of && u128::from(rows) * u128::from(column.of) <= u128::from(few) * u128::from(of)
}
