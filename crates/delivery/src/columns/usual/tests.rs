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

/// Reports on one window after the other, each held against those before; says of which something was told.
fn told_of<T>(windows: &[T], report: impl Fn(&T, &[ColumnReport]) -> ColumnReport) -> Vec<bool> {
    let mut earlier: Vec<ColumnReport> = Vec::new();
    let told = windows.iter().map(|window| {
        let report = report(window, &earlier);
        let told = !drift(&report).is_empty();
        earlier.insert(0, report);
        earlier.truncate(COMPARED_WINDOWS);
        told
    });
    told.collect()
}

/// Windows of 500 rows one after the other, each with such values in a column; says of which it was told.
fn told(windows: &[&[(ValueKind, u64)]]) -> Vec<bool> {
    told_of(windows, |kinds, earlier| {
        report(&[("id", &[(Text, 500)]), ("a", kinds)], 500, earlier)
    })
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
    told_of(windows, |empty_texts, earlier| {
        let column = ColumnCount {
            name: "a".to_owned(),
            rows: 500,
            kinds: BTreeMap::from([(Text, 500)]),
            empty_texts: *empty_texts,
        };
        let report = compare(vec![column], 500, earlier);
        assert_eq!(!drift(&report).is_empty(), report.emptied == ["a"]);
        report
    })
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
