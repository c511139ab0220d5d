//! What a commit says about the columns of its rows.

use definition::ColumnNames;
use definition::text::{line, list_first, quote};
use serde::{Deserialize, Serialize};

use super::counts::{ColumnCount, ColumnCounts, ValueKind, is_zero};

/// A sentence names at most so many columns.
const MAX_NAMED: usize = 5;

/// A sentence has at most so many bytes.
const MAX_SENTENCE: usize = 400;

/// The columns of a commit's rows, held against the definition and against the commit before. Rows that were dropped
/// as duplicates, or replaced, are counted too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnReport {
    /// How many rows were counted.
    pub rows: u64,
    /// Every column that a row has, in the order in which they came.
    pub columns: Vec<ColumnCount>,
    /// Values of columns beyond the 1,024 that are counted by name, or with a name of more than 256 bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// Columns that are in no row, or in only some: columns of the definition, or where it lists none, those that
    /// every row of the commit before had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<ColumnRows>,
    /// Columns that the definition does not name, where it lists columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<ColumnRows>,
    /// Columns with values of more than one kind, or of another kind than in the commit before. Integers and decimals
    /// are both numbers, so that they are no change; `null` is none either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedColumn>,
    /// Names that differ in case alone, which many a warehouse takes for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<[String; 2]>,
}

/// In how many rows a column is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnRows {
    pub name: String,
    /// Rows that have it.
    pub rows: u64,
    /// Rows that could have it: those of all runs that asked for it.
    pub of: u64,
}

/// A column whose values are not all of the kind that they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedColumn {
    pub name: String,
    /// The kinds that it has, without `null`.
    pub kinds: Vec<ValueKind>,
    /// The kinds that it had in the commit before; empty if it was not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ValueKind>,
}

/// What the rows are held against.
#[derive(Debug, Default)]
pub struct Expected<'a> {
    /// How many rows there are.
    pub rows: u64,
    /// The columns of the definition, and how many rows should have each; empty where it lists none.
    pub columns: Vec<(&'a str, u64)>,
    /// What the last commit of the report that counted says.
    pub before: Option<&'a ColumnReport>,
}

impl ColumnReport {
    /// Compares what was counted with what is expected.
    #[must_use]
    pub fn new(counts: ColumnCounts, expected: &Expected<'_>) -> Self {
        let ColumnCounts { columns, unlisted } = counts;
        Self {
            rows: expected.rows,
            missing: find_missing(&columns, expected),
            new: find_new(&columns, expected),
            changed: find_changed(&columns, expected.before),
            twins: find_twins(&columns),
            columns,
            unlisted,
        }
    }

    /// What a definition with `"schema": "strict"` refuses, in sentences without a full stop. `leaves_out` says that the
    /// stored form has only the definition's columns.
    #[must_use]
    pub fn drift(&self, leaves_out: bool) -> Vec<String> {
        let missing = self.missing.iter();
        let (gone, partial): (Vec<_>, Vec<_>) = missing.partition(|column| column.rows == 0);
        let of_rows = |column: &ColumnRows| {
            format!(
                "{} ({} of {} rows)",
                quote(&column.name),
                column.rows,
                column.of
            )
        };
        let sentences = [
            sentence("no row has", gone.iter().map(|column| quote(&column.name))),
            sentence("only some rows have", partial.into_iter().map(of_rows)),
            sentence(
                if leaves_out {
                    "the definition does not name, and CSV leaves out,"
                } else {
                    "the definition does not name"
                },
                self.new.iter().map(of_rows),
            ),
            sentence(
                "values are of another kind in",
                self.changed.iter().map(ChangedColumn::describe),
            ),
        ];
        sentences.into_iter().flatten().collect()
    }

    /// What is worth knowing beside that, of columns that are stored under such names.
    #[must_use]
    pub fn remarks(&self, names: ColumnNames) -> Vec<String> {
        let twins = self
            .twins
            .iter()
            .map(|[one, other]| format!("{} and {}", quote(one), quote(other)));
        let breaks = self
            .columns
            .iter()
            .filter(|column| names.rename(&column.name).chars().any(char::is_control));
        let unlisted = (self.unlisted > 0).then(|| {
            format!(
                "{} values are of columns beyond those that are counted by name",
                self.unlisted
            )
        });
        let sentences = [
            sentence("names differ in case alone:", twins),
            sentence(
                "names have a line break or another control character in them:",
                breaks.map(|column| quote(&column.name)),
            ),
            unlisted,
        ];
        sentences.into_iter().flatten().collect()
    }
}

impl ChangedColumn {
    fn describe(&self) -> String {
        let words = |kinds: &[ValueKind]| {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            words.join(" and ")
        };
        let before = if self.before.is_empty() {
            String::new()
        } else {
            format!(", before: {}", words(&self.before))
        };
        format!("{} ({}{before})", quote(&self.name), words(&self.kinds))
    }
}

fn find_missing(columns: &[ColumnCount], expected: &Expected<'_>) -> Vec<ColumnRows> {
    let in_every_row = expected.before.into_iter().flat_map(|before| {
        let is_whole = |column: &&ColumnCount| column.rows == before.rows;
        before.columns.iter().filter(is_whole)
    });
    let wanted: Vec<(&str, u64)> = if expected.columns.is_empty() {
        in_every_row
            .map(|column| (column.name.as_str(), expected.rows))
            .collect()
    } else {
        expected.columns.clone()
    };
    let missing = wanted.into_iter().filter_map(|(name, of)| {
        let found = columns.iter().find(|column| column.name == name);
        let rows = found.map_or(0, |column| column.rows);
        (rows < of).then(|| ColumnRows {
            name: name.to_owned(),
            rows,
            of,
        })
    });
    missing.collect()
}

fn find_new(columns: &[ColumnCount], expected: &Expected<'_>) -> Vec<ColumnRows> {
    let is_named = |name: &str| expected.columns.iter().any(|(named, _)| *named == name);
    let is_new = |column: &&ColumnCount| !expected.columns.is_empty() && !is_named(&column.name);
    let new = columns.iter().filter(is_new);
    new.map(|column| ColumnRows {
        name: column.name.clone(),
        rows: column.rows,
        of: expected.rows,
    })
    .collect()
}

fn find_changed(columns: &[ColumnCount], before: Option<&ColumnReport>) -> Vec<ChangedColumn> {
    let before_of = |name: &str| {
        let before = before.and_then(|before| {
            let mut columns = before.columns.iter();
            columns.find(|column| column.name == name)
        });
        before.map(kinds_besides_null).unwrap_or_default()
    };
    let changed = columns.iter().filter_map(|column| {
        let kinds = kinds_besides_null(column);
        let before = before_of(&column.name);
        let is_alike = |one: &ValueKind, other: &ValueKind| family(*one) == family(*other);
        let is_mixed = kinds.iter().any(|kind| !is_alike(kind, &kinds[0]));
        let was_there = |kind: &ValueKind| before.iter().any(|known| is_alike(kind, known));
        let is_changed = !before.is_empty() && !kinds.iter().all(was_there);
        (is_mixed || is_changed).then(|| ChangedColumn {
            name: column.name.clone(),
            kinds,
            before,
        })
    });
    changed.collect()
}

fn kinds_besides_null(column: &ColumnCount) -> Vec<ValueKind> {
    let kinds = column.kinds.keys().copied();
    kinds.filter(|kind| *kind != ValueKind::Null).collect()
}

/// A mean of 300 seconds is written as an integer and one of 300.5 is not, so that both are numbers.
fn family(kind: ValueKind) -> ValueKind {
    match kind {
        ValueKind::Integer => ValueKind::Decimal,
        other => other,
    }
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

/// A sentence about these columns, of which the first few are named; none where there are none.
fn sentence(begin: &str, columns: impl Iterator<Item = String>) -> Option<String> {
    let columns: Vec<String> = columns.collect();
    if columns.is_empty() {
        return None;
    }
    let named = list_first(&columns, MAX_NAMED);
    Some(line(&format!("{begin} {named}"), MAX_SENTENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValueKind::{Decimal, Integer, Null, Text};

    fn counts(columns: &[(&str, &[(ValueKind, u64)])]) -> ColumnCounts {
        let columns = columns.iter().map(|(name, kinds)| ColumnCount {
            name: (*name).to_owned(),
            rows: kinds.iter().map(|(_, rows)| rows).sum(),
            kinds: kinds.iter().copied().collect(),
        });
        ColumnCounts {
            columns: columns.collect(),
            unlisted: 0,
        }
    }

    fn check(report: &ColumnReport, drift: &[&str], remarks: &[&str]) {
        assert_eq!(report.drift(false), drift);
        assert_eq!(report.remarks(ColumnNames::AsIs), remarks);
    }

    #[test]
    fn what_is_as_the_definition_says_needs_no_words() {
        let counts = counts(&[
            ("a", &[(Text, 9), (Null, 1)]),
            ("b", &[(Integer, 4), (Decimal, 6)]),
        ]);
        let expected = Expected {
            rows: 10,
            columns: vec![("a", 10), ("b", 10)],
            before: None,
        };
        check(&ColumnReport::new(counts, &expected), &[], &[]);
    }

    #[test]
    fn missing_new_and_changed_columns_are_named_with_their_rows() {
        let counts = counts(&[
            ("a", &[(Text, 10)]),
            ("b", &[(Integer, 4)]),
            ("c", &[(Integer, 6), (Text, 4)]),
            ("x", &[(Text, 6)]),
        ]);
        let expected = Expected {
            rows: 10,
            columns: vec![("a", 10), ("b", 10), ("c", 10), ("d", 7), ("e", 0)],
            before: None,
        };
        check(
            &ColumnReport::new(counts, &expected),
            &[
                r#"no row has "d""#,
                r#"only some rows have "b" (4 of 10 rows)"#,
                r#"the definition does not name "x" (6 of 10 rows)"#,
                r#"values are of another kind in "c" (text and integer)"#,
            ],
            &[],
        );
    }

    #[test]
    fn where_no_columns_are_listed_the_commit_before_says_what_is_expected() {
        let expected = Expected {
            rows: 4,
            ..Expected::default()
        };
        let before = counts(&[
            ("a", &[(Text, 4)]),
            ("sparse", &[(Text, 2)]),
            ("n", &[(Integer, 4)]),
            ("empty", &[(Null, 4)]),
        ]);
        let before = ColumnReport::new(before, &expected);
        check(&before, &[], &[]);
        let expected = Expected {
            rows: 9,
            before: Some(&before),
            ..Expected::default()
        };
        let now = counts(&[
            ("n", &[(Text, 9)]),
            ("other", &[(Text, 9)]),
            ("empty", &[(Text, 9)]),
        ]);
        check(
            &ColumnReport::new(now, &expected),
            &[
                r#"no row has "a""#,
                r#"values are of another kind in "n" (text, before: integer)"#,
            ],
            &[],
        );
    }

    #[test]
    fn names_that_a_warehouse_may_not_take_are_remarked() {
        let mut counts = counts(&[
            ("Name", &[(Text, 1)]),
            ("a\r\nb", &[(Text, 1)]),
            ("name", &[(Text, 1)]),
        ]);
        counts.unlisted = 7;
        check(
            &ColumnReport::new(counts, &Expected::default()),
            &[],
            &[
                r#"names differ in case alone: "Name" and "name""#,
                r#"names have a line break or another control character in them: "ab""#,
                "7 values are of columns beyond those that are counted by name",
            ],
        );
    }

    #[test]
    fn many_columns_are_not_all_named() {
        let expected = Expected {
            rows: 1,
            columns: (0..9).map(|n| (&"abcdefghi"[n..=n], 1)).collect(),
            before: None,
        };
        check(
            &ColumnReport::new(ColumnCounts::default(), &expected),
            &[r#"no row has "a", "b", "c", "d", "e" and 4 more"#],
            &[],
        );
    }
}
