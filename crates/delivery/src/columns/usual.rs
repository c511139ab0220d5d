//! What is usual of a report's columns.
//!
//! A column that some rows lack may have gone in the middle of a window, or may be one that CXone sends only where there
//! is something to say. What earlier windows had tells them apart, and one bad window must not become the rule: what
//! three of the last fourteen windows were like is as usual, and anything else is told.

use std::collections::BTreeMap;

use super::counts::{ColumnCount, ValueKind};
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
    kinds.iter().any(|known| known.family() == kind.family())
}

/// Whether a window had a column in about as few of its rows as this one has it: not in all of them, in a share that is
/// at most double, and that is at most a tenth of the rows more.
fn had_as_few(rows: u64, of: u64, column: &ColumnRows) -> bool {
    let few = column.rows + column.rows.min(column.of / 10) + CHANCE;
    rows < of && u128::from(rows) * u128::from(column.of) <= u128::from(few) * u128::from(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{ColumnCounts, Expected, NewColumns};
    use ValueKind::{Decimal, Integer, Null, Text};

    /// What is told of a window of so many rows in which these columns have so many values of these kinds.
    fn report(
        columns: &[(&str, &[(ValueKind, u64)])],
        of: u64,
        earlier: &[ColumnReport],
    ) -> ColumnReport {
        let columns = columns.iter().map(|(name, kinds)| ColumnCount {
            name: (*name).to_owned(),
            rows: kinds.iter().map(|(_, rows)| rows).sum(),
            kinds: kinds.iter().copied().collect(),
            empty_texts: None,
        });
        compare(
            columns.filter(|column| column.rows > 0).collect(),
            of,
            earlier,
        )
    }

    fn compare(columns: Vec<ColumnCount>, of: u64, earlier: &[ColumnReport]) -> ColumnReport {
        let counts = ColumnCounts {
            columns,
            unlisted: 0,
        };
        let expected = Expected {
            rows: of,
            earlier,
            ..Expected::default()
        };
        ColumnReport::new(counts, &expected)
    }

    fn drift(report: &ColumnReport) -> Vec<String> {
        report.drift(NewColumns::Unusual)
    }

    /// Windows of 500 rows one after the other, each with such values in a column; says of which it was told.
    fn told(windows: &[&[(ValueKind, u64)]]) -> Vec<bool> {
        let mut earlier: Vec<ColumnReport> = Vec::new();
        let told = windows.iter().map(|kinds| {
            let report = report(&[("id", &[(Text, 500)]), ("a", kinds)], 500, &earlier);
            let told = !drift(&report).is_empty();
            earlier.insert(0, report);
            earlier.truncate(COMPARED_WINDOWS);
            told
        });
        told.collect()
    }

    #[test]
    fn a_column_that_is_neither_whole_nor_sparse_is_told() {
        let days = |windows: &[u64], count: usize| windows.repeat(count);
        for (name, before, then, expected) in [
            ("whole", days(&[500], 5), vec![500, 500], vec![false, false]),
            ("no row on the first day", vec![], vec![0], vec![false]),
            ("the first day", vec![], vec![100, 480], vec![true, true]),
            (
                "the same drift day after day",
                days(&[500], 5),
                vec![100, 100, 100, 100],
                vec![true, true, true, false],
            ),
            (
                "a row less on one day changes nothing",
                [days(&[500], 5), vec![499], days(&[500], 5)].concat(),
                vec![499, 100, 0],
                vec![true, true, true],
            ),
            (
                "a row less on most days does not hide the loss of more",
                days(&[499, 498, 500], 5),
                vec![499, 497, 400, 100, 0],
                vec![false, false, true, true, true],
            ),
            (
                "sparse, and so it stays",
                days(&[150, 180, 120], 4),
                vec![110, 200, 90, 499],
                vec![false; 4],
            ),
            (
                "sparse, and in far fewer rows than usual",
                days(&[150, 180, 120], 4),
                vec![40, 0],
                vec![true, true],
            ),
            (
                "not on two days of the week",
                days(&[200, 200, 200, 200, 200, 0, 0], 4),
                vec![200, 200, 200, 200, 200, 0, 0],
                vec![false; 7],
            ),
            (
                "rare, so that it may be in no row",
                days(&[3, 1, 4], 4),
                vec![0, 2, 0],
                vec![false; 3],
            ),
            (
                "new on two days",
                days(&[0], 5),
                vec![500, 500, 0],
                vec![true, true, false],
            ),
            (
                "new and sparse",
                days(&[0], 5),
                vec![100, 110, 90, 120, 100],
                vec![true, true, true, false, false],
            ),
            (
                "new and whole, then drifting",
                days(&[0], 5),
                vec![500, 500, 500, 500, 100],
                vec![true, true, true, false, true],
            ),
            (
                "gone for good",
                days(&[500], 5),
                vec![0, 0, 0, 0],
                vec![true, true, true, false],
            ),
            (
                "the second day is bad",
                days(&[500], 1),
                vec![0, 500, 0, 500],
                vec![true, false, true, false],
            ),
        ] {
            let windows = [before.clone(), then].concat();
            let kinds: Vec<_> = windows.iter().map(|rows| [(Text, *rows)]).collect();
            let all = told(&kinds.iter().map(|kinds| &kinds[..]).collect::<Vec<_>>());
            assert_eq!(all[before.len()..], expected, "{name}");
        }
    }

    #[test]
    fn values_that_are_gone_or_of_another_kind_are_told_until_that_is_usual() {
        let numbers = &[(Integer, 200), (Decimal, 90), (Null, 210)][..];
        let rare = &[(Integer, 4), (Null, 496)][..];
        let empty = &[(Null, 500)][..];
        let texts = &[(Text, 500)][..];
        let mixed = &[(Text, 1), (Integer, 499)][..];
        for (name, windows, expected) in [
            (
                "emptied",
                &[numbers, empty, empty, empty, empty][..],
                &[false, true, true, true, false][..],
            ),
            ("always empty", &[empty, empty], &[false, false]),
            (
                "filled at last",
                &[empty, empty, numbers],
                &[false, false, false],
            ),
            ("rare values", &[rare, empty, rare, empty], &[false; 4]),
            (
                "retyped",
                &[numbers, texts, texts, texts, texts],
                &[false, true, true, true, false],
            ),
            (
                "retyped for a day",
                &[numbers, texts, numbers, texts],
                &[false, true, false, true],
            ),
            (
                "retyped while empty",
                &[numbers, empty, texts],
                &[false, true, true],
            ),
            ("mixed", &[mixed, mixed, mixed, mixed], &[true; 4]),
        ] {
            assert_eq!(told(windows), expected, "{name}");
        }
    }

    /// Windows of 500 rows with texts in a column, of which so many are empty or nobody counted; says of which it was
    /// told that no row has a value.
    fn told_of_empty_texts(windows: &[Option<u64>]) -> Vec<bool> {
        let mut earlier: Vec<ColumnReport> = Vec::new();
        let told = windows.iter().map(|empty_texts| {
            let column = ColumnCount {
                name: "a".to_owned(),
                rows: 500,
                kinds: BTreeMap::from([(Text, 500)]),
                empty_texts: *empty_texts,
            };
            let report = compare(vec![column], 500, &earlier);
            let told = !drift(&report).is_empty();
            assert_eq!(told, report.emptied == ["a"]);
            earlier.insert(0, report);
            told
        });
        told.collect()
    }

    #[test]
    fn empty_texts_are_no_values_where_they_are_counted() {
        let (full, empty, unknown) = (Some(0), Some(500), None);
        for (windows, expected) in [
            (
                [full, empty, empty, empty, empty],
                [false, true, true, true, false],
            ),
            (
                [full, Some(499), empty, full, Some(495)],
                [false, false, true, false, false],
            ),
            ([empty, empty, full, empty, empty], [false; 5]),
            ([unknown, unknown, empty, full, empty], [false; 5]),
            (
                [unknown, full, empty, unknown, empty],
                [false, false, true, false, true],
            ),
        ] {
            assert_eq!(told_of_empty_texts(&windows), expected, "{windows:?}");
        }
    }

    #[test]
    fn small_windows_say_little_of_a_sparse_column() {
        let had = |rows: u64, of: u64, earlier: &[ColumnReport]| {
            report(&[("a", &[(Text, rows)])], of, earlier)
        };
        let earlier = [(1, 2), (3, 4), (2, 2), (150, 300)].map(|(rows, of)| had(rows, of, &[]));
        let missing = |rows: u64, of: u64| !had(rows, of, &earlier).missing.is_empty();
        assert!(!missing(0, 3));
        assert!(!missing(1, 3));
        assert!(missing(0, 300));
    }

    #[test]
    fn columns_are_named_with_their_rows() {
        let first = report(
            &[
                ("a", &[(Text, 4)]),
                ("sparse", &[(Text, 2)]),
                ("whole", &[(Text, 4)]),
                ("n", &[(Integer, 4)]),
                ("full", &[(Text, 4)]),
            ],
            4,
            &[],
        );
        assert_eq!(
            drift(&first),
            [r#"only some rows have "sparse" (2 of 4 rows)"#]
        );
        let now = report(
            &[
                ("whole", &[(Text, 8)]),
                ("renamed", &[(Text, 9)]),
                ("late", &[(Null, 5)]),
                ("n", &[(Text, 9)]),
                ("full", &[(Null, 9)]),
            ],
            9,
            &[first],
        );
        assert_eq!(
            drift(&now),
            [
                r#"no row has "a""#,
                r#"only some rows have "whole" (8 of 9 rows)"#,
                r#"no row has a value in "full""#,
                r#"columns are new: "renamed" (9 of 9 rows), "late" (5 of 9 rows)"#,
                r#"values are of another kind in "n" (text, before: integer)"#,
            ]
        );
    }
}
