//! How many values of which kind each column has.

use std::collections::BTreeMap;

use definition::rows::ValueKind;
use serde::{Deserialize, Serialize};

/// So many columns are counted by name, as many as a CSV file may have. The values of any further ones are counted
/// together.
pub const MAX_COLUMNS: usize = 1024;

/// A column with a longer name, in bytes, is not counted by name.
pub const MAX_COLUMN_NAME: usize = 256;

/// A mean of 300 seconds is written as an integer and one of 300.5 is not, so that both are numbers.
pub(super) const fn family_of(kind: ValueKind) -> ValueKind {
    match kind {
        ValueKind::Integer => ValueKind::Decimal,
        other => other,
    }
}

/// One column of some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnCount {
    /// Its name as CXone spells it.
    pub name: String,
    /// Rows that have it, be its value `null` or not.
    pub rows: u64,
    /// How many values of each kind it has.
    pub kinds: BTreeMap<ValueKind, u64>,
    /// How many of the texts are empty; none where a version counted that did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_texts: Option<u64>,
}

/// The columns of some rows, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnCounts {
    pub columns: Vec<ColumnCount>,
    /// Values of columns that are not counted by name: there were too many, or the name is too long.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
}

impl ColumnCounts {
    /// Adds the counts of other rows.
    pub fn add(&mut self, other: Self) {
        self.unlisted += other.unlisted;
        for (nth, column) in other.columns.into_iter().enumerate() {
            match self.place_of(nth, &column.name) {
                Some(place) => self.columns[place].add(column),
                None if self.columns.len() < MAX_COLUMNS => self.columns.push(column),
                None => self.unlisted += column.rows,
            }
        }
    }

    /// Where the column of this name is, which most often is the nth.
    fn place_of(&self, nth: usize, name: &str) -> Option<usize> {
        if self.columns.get(nth).is_some_and(|own| own.name == name) {
            return Some(nth);
        }
        self.columns.iter().position(|own| own.name == name)
    }
}

impl ColumnCount {
    pub(super) fn kinds_besides_null(&self) -> Vec<ValueKind> {
        let kinds = self.kinds.keys().copied();
        kinds.filter(|kind| *kind != ValueKind::Null).collect()
    }

    /// Rows that have a value in it: neither `null` nor an empty text.
    pub(super) fn values(&self) -> u64 {
        let nulls = self.kinds.get(&ValueKind::Null).copied();
        let empty = nulls.unwrap_or(0) + self.empty_texts.unwrap_or(0);
        self.rows.saturating_sub(empty)
    }

    /// Whether some of its texts may be empty without a count of them.
    pub(super) fn may_hide_empty_texts(&self) -> bool {
        self.empty_texts.is_none() && self.kinds.contains_key(&ValueKind::Text)
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        let both = self.empty_texts.zip(other.empty_texts);
        self.empty_texts = both.map(|(own, others)| own + others);
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(columns: &[(&str, ValueKind, u64)]) -> ColumnCounts {
        let column = |(name, kind, rows): &(&str, ValueKind, u64)| ColumnCount {
            name: (*name).to_owned(),
            rows: *rows,
            kinds: BTreeMap::from([(*kind, *rows)]),
            empty_texts: None,
        };
        ColumnCounts {
            columns: columns.iter().map(column).collect(),
            unlisted: 0,
        }
    }

    #[test]
    fn counts_add_up_whatever_the_order_of_the_columns() {
        use ValueKind::{Integer, Null, Text};
        let mut sum = counts(&[("a", Text, 2), ("b", Integer, 2)]);
        sum.add(counts(&[("b", Null, 3), ("c", Text, 3), ("a", Text, 1)]));
        assert_eq!(
            serde_json::to_value(&sum).unwrap(),
            serde_json::json!({"columns": [
                {"name": "a", "rows": 3, "kinds": {"text": 3}},
                {"name": "b", "rows": 5, "kinds": {"integer": 2, "null": 3}},
                {"name": "c", "rows": 3, "kinds": {"text": 3}},
            ]})
        );
    }

    #[test]
    fn columns_without_end_are_counted_together() {
        let mut sum = ColumnCounts::default();
        for n in 0..MAX_COLUMNS + 10 {
            sum.add(counts(&[(&format!("c{n}"), ValueKind::Text, 2)]));
        }
        assert_eq!((sum.columns.len(), sum.unlisted), (MAX_COLUMNS, 20));
    }

    #[test]
    fn a_kind_stands_at_its_number_and_is_spelt_alike_everywhere() {
        for (number, kind) in ValueKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
