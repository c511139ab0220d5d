//! What a commit says about the columns of its rows, and in which words.

use definition::ColumnNames;
use definition::rows::ValueKind;
use definition::text::{count_of, line, list_first, quote};
use serde::{Deserialize, Serialize};

use super::counts::{ColumnCount, is_zero};

/// A sentence names at most so many columns.
const MAX_NAMED: usize = 5;

/// A sentence has at most so many bytes.
const MAX_SENTENCE: usize = 380;

/// The columns of a commit's rows, held against the definition and against earlier commits. Rows that were dropped as
/// duplicates, or replaced, are counted too.
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
    /// How many earlier windows the columns were compared with; none in commits of versions that did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<u64>,
    /// Columns that are in no row, or in only some: columns of the definition, or where it lists none, any for which
    /// that is not usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<ColumnRows>,
    /// Columns that have no value in any row, where that is not usual. An empty text is no value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<String>,
    /// Columns that the definition does not name, or where it lists none, those that are not usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<ColumnRows>,
    /// Columns with values of more than one kind, or of a kind that is not usual. Integers and decimals are both
    /// numbers, so that they are no change; `null` is none either.
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
    /// The kinds that it had in the newest window that lacks one of these; empty where no earlier window says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ValueKind>,
}

/// Why a column is new, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewColumns {
    /// The definition does not name it.
    Unnamed,
    /// Nor is it stored.
    LeftOut,
    /// The definition names none, and too few earlier windows had it.
    Unusual,
}

impl ColumnReport {
    /// What a definition with `"schema": "strict"` refuses, in sentences without a full stop.
    #[must_use]
    pub fn drift(&self, new: NewColumns) -> Vec<String> {
        let missing = self.missing.iter();
        let (gone, partial): (Vec<_>, Vec<_>) = missing.partition(|column| column.rows == 0);
        let of_rows = |column: &ColumnRows| {
            format!(
                "{} ({} of {})",
                quote(&column.name),
                column.rows,
                count_of(column.of, "row")
            )
        };
        let sentences = [
            sentence("no row has", gone.iter().map(|column| quote(&column.name))),
            sentence("only some rows have", partial.into_iter().map(of_rows)),
            sentence(
                "no row has a value in",
                self.emptied.iter().map(|name| quote(name)),
            ),
            sentence(new.describe(), self.new.iter().map(of_rows)),
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
                "{} {} of columns beyond those that are counted by name",
                count_of(self.unlisted, "value"),
                if self.unlisted == 1 { "is" } else { "are" }
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

impl NewColumns {
    const fn describe(self) -> &'static str {
        match self {
            Self::Unnamed => "the definition does not name",
            Self::LeftOut => "the definition does not name, and CSV leaves out,",
            Self::Unusual => "columns are new:",
        }
    }
}

impl ColumnRows {
    pub(super) fn new(name: &str, rows: u64, of: u64) -> Self {
        Self {
            name: name.to_owned(),
            rows,
            of,
        }
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
    use super::super::{ColumnCounts, Expected};
    use super::*;
    use ValueKind::{Decimal, Integer, Null, Text};

    fn counts(columns: &[(&str, &[(ValueKind, u64)])]) -> ColumnCounts {
        let columns = columns.iter().map(|(name, kinds)| ColumnCount {
            name: (*name).to_owned(),
            rows: kinds.iter().map(|(_, rows)| rows).sum(),
            kinds: kinds.iter().copied().collect(),
            empty_texts: None,
        });
        ColumnCounts {
            columns: columns.collect(),
            unlisted: 0,
        }
    }

    fn check(report: &ColumnReport, drift: &[&str], remarks: &[&str]) {
        assert_eq!(report.drift(NewColumns::Unnamed), drift);
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
            earlier: &[],
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
            earlier: &[],
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
            earlier: &[],
        };
        check(
            &ColumnReport::new(ColumnCounts::default(), &expected),
            &[r#"no row has "a", "b", "c", "d", "e" and 4 more"#],
            &[],
        );
    }
}
