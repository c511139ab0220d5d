//! Holds the columns of a commit's rows against the definition, and against earlier commits.

use super::counts::{ColumnCount, ColumnCounts};
use super::report::{ColumnReport, ColumnRows};
use super::usual::Usual;

/// What the rows are held against.
#[derive(Debug, Default)]
pub struct Expected<'a> {
    /// How many rows there are.
    pub rows: u64,
    /// The columns of the definition, and how many rows should have each; empty where it lists none.
    pub columns: Vec<(&'a str, u64)>,
    /// What the last commits of the report that counted say, one of each window, the newest first.
    pub earlier: &'a [ColumnReport],
}

impl ColumnReport {
    /// Compares what was counted with what is expected.
    #[must_use]
    pub fn new(counts: ColumnCounts, expected: &Expected<'_>) -> Self {
        let ColumnCounts { columns, unlisted } = counts;
        let usual = Usual::new(expected.earlier);
        let (missing, new) = if expected.columns.is_empty() {
            (
                usual.find_missing(&columns, expected.rows),
                usual.find_new(&columns, expected.rows),
            )
        } else {
            (
                find_missing(&columns, &expected.columns),
                find_unnamed(&columns, expected),
            )
        };
        Self {
            rows: expected.rows,
            compared_with: Some(expected.earlier.len() as u64),
            missing,
            emptied: usual.find_emptied(&columns, expected.rows),
            new,
            changed: usual.find_changed(&columns),
            twins: find_twins(&columns),
            columns,
            unlisted,
        }
    }
}

fn find_missing(columns: &[ColumnCount], wanted: &[(&str, u64)]) -> Vec<ColumnRows> {
    let missing = wanted.iter().filter_map(|(name, of)| {
        let found = columns.iter().find(|column| column.name == *name);
        let rows = found.map_or(0, |column| column.rows);
        (rows < *of).then(|| ColumnRows::new(name, rows, *of))
    });
    missing.collect()
}

fn find_unnamed(columns: &[ColumnCount], expected: &Expected<'_>) -> Vec<ColumnRows> {
    let is_named = |name: &str| expected.columns.iter().any(|(named, _)| *named == name);
    let new = columns.iter().filter(|column| !is_named(&column.name));
    new.map(|column| ColumnRows::new(&column.name, column.rows, expected.rows))
        .collect()
}

fn find_twins(columns: &[ColumnCount]) -> Vec<[String; 2]> {
    let mut by_lower_case: Vec<(String, &str)> = columns
        .iter()
        .map(|column| (column.name.to_lowercase(), column.name.as_str()))
        .collect();
    by_lower_case.sort_by(|(one, _), (other, _)| one.cmp(other));
    let pairs = by_lower_case.windows(2);
    pairs
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| [pair[0].1.to_owned(), pair[1].1.to_owned()])
        .collect()
}
