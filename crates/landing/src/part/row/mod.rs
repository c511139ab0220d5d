//! Finding the members of a row without parsing it.
//!
//! Rows of a page have the same members in the same order and no spaces between them. So a row is
//! first compared with the layout of the row before, which only costs a comparison of its names. Any
//! other row is scanned member by member, and its layout is what the next row is compared with. Where the
//! client has compared already, the values that it found are taken. A row is well-formed JSON, because its
//! page was checked; other text ends in an error or in wrong cells, never in a panic.

mod json_spans;
mod malformed;
mod members;
mod tally;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use definition::rows::{BeforeValue, MAX_LAYOUT, RowValue};
use delivery::columns::{ColumnCounts, ValueKind};
use xxhash_rust::xxh3::xxh3_128;

pub(super) use malformed::Malformed;
pub(super) use members::{Members, RowMember};

use json_spans::{nested_end, scalar_end, string_end};
use tally::{ColumnPlace, CountedAs, Tally};

/// The value of a column in a row, as JSON.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    start: usize,
    /// 0: the row has no such member.
    end: usize,
    /// A string with escapes.
    escaped: bool,
}

/// A member of the row before.
#[derive(Debug)]
struct Member {
    before: BeforeValue,
    column: Option<usize>,
    place: ColumnPlace,
    /// What its value is in the row that was scanned last.
    value: CountedAs,
}

/// Scans rows one after the other.
#[derive(Debug)]
pub(super) struct Scanner {
    columns: Vec<String>,
    /// Places of the key columns among the columns.
    key: Vec<usize>,
    /// Columns of which a second value is an error.
    unique: Vec<bool>,
    layout: Vec<Member>,
    cells: Vec<Cell>,
    tally: Tally,
    canonical: Vec<u8>,
}

impl Scanner {
    /// A scanner for rows with these columns, of which `key` are the key columns. Unless repeated
    /// columns are kept, a column that is twice in a row is an error, as a key column always is.
    pub(super) fn new(columns: &[String], key: &[String], keeps_repeated_columns: bool) -> Self {
        let mut columns = columns.to_vec();
        let mut key_columns = Vec::new();
        for name in key {
            let place = columns.iter().position(|column| column == name);
            key_columns.push(place.unwrap_or(columns.len()));
            if place.is_none() {
                columns.push(name.clone());
            }
        }
        let is_unique = |place| !keeps_repeated_columns || key_columns.contains(&place);
        Self {
            unique: (0..columns.len()).map(is_unique).collect(),
            cells: vec![Cell::default(); columns.len()],
            layout: Vec::new(),
            tally: Tally::new(&columns),
            canonical: Vec::new(),
            columns,
            key: key_columns,
        }
    }

    pub(super) fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// What the rows that were scanned have in their columns.
    pub(super) fn column_counts(&self) -> ColumnCounts {
        self.tally.counts()
    }

    /// Finds the cells of the first of these rows; gives the row without its line end.
    #[inline]
    pub(super) fn scan<'a>(&mut self, lines: &'a [u8]) -> Result<&'a [u8], Malformed> {
        match self.scan_like_previous(lines) {
            Some(end) => Ok(&lines[..end]),
            None => self.scan_members(lines),
        }
    }

    /// Takes the cells of a row from its values, which are known because its members are those of the row before; false if that
    /// can't be.
    #[inline]
    pub(super) fn take_values(&mut self, row: &[u8], values: &[RowValue]) -> bool {
        if values.len() != self.layout.len() {
            return false;
        }
        let mut end = 0;
        for (member, value) in self.layout.iter().zip(values) {
            let before = member.before.length();
            debug_assert_eq!(
                row.get(end..)
                    .and_then(|rest| member.before.matching_length(rest)),
                Some(before),
                "the values are of another row"
            );
            let start = end + before;
            end = start + value.length();
            if let Some(column) = member.column {
                self.cells[column] = Cell {
                    start,
                    end,
                    escaped: value.is_escaped(),
                };
            }
        }
        if end + 1 != row.len() {
            return false;
        }
        for (member, value) in self.layout.iter().zip(values) {
            let counted = CountedAs::new(value.kind(), value.length());
            self.tally.count(member.place, counted);
        }
        true
    }

    /// Finds the cells of a row whose members are those of the row before, so that
    /// exactly the same cells are found; gives the row's end.
    #[inline]
    fn scan_like_previous(&mut self, lines: &[u8]) -> Option<usize> {
        if self.layout.is_empty() {
            return None;
        }
        let mut at = 0;
        for member in &mut self.layout {
            let start = at + member.before.matching_length(lines.get(at..)?)?;
            let mut escaped = false;
            let kind;
            (at, kind) = match lines.get(start)? {
                b'"' => {
                    (at, escaped) = string_end(lines, start + 1)?;
                    (at, ValueKind::Text)
                }
                b'{' => (nested_end(lines, start)?, ValueKind::Object),
                b'[' => (nested_end(lines, start)?, ValueKind::List),
                _ => scalar_end(lines, start)?,
            };
            member.value = CountedAs::new(kind, at - start);
            if let Some(column) = member.column {
                self.cells[column] = Cell {
                    start,
                    end: at,
                    escaped,
                };
            }
        }
        if lines.get(at..at + 2)? != b"}\n" {
            return None;
        }
        for member in &self.layout {
            self.tally.count(member.place, member.value);
        }
        Some(at + 1)
    }

    /// Finds the cells of any row.
    fn scan_members<'a>(&mut self, lines: &'a [u8]) -> Result<&'a [u8], Malformed> {
        self.cells.fill(Cell::default());
        self.tally.begin_row();
        let mut members = Members::of_row(lines)?;
        let mut nth = 0;
        while let Some(member) = members.next_member()? {
            let (column, place) = self.find_column(&member, nth)?;
            let value = CountedAs::new(member.kind, member.value.len());
            self.tally.count(place, value);
            if let Some(column) = column {
                if self.cells[column].end != 0 && self.unique[column] {
                    return Err(Malformed::Twice(self.columns[column].clone()));
                }
                self.cells[column] = Cell {
                    start: member.start,
                    end: member.start + member.value.len(),
                    escaped: member.escaped,
                };
            }
            nth += 1;
        }
        // A row of too many members is not remembered, so that none is like it.
        self.layout.truncate(if nth > MAX_LAYOUT { 0 } else { nth });
        members.row()
    }

    /// XXH3-128 over the key columns of the row that was scanned last, in order: for each a tag
    /// (1 for a string, 2 for any other value), the length of what follows in four bytes, little-endian,
    /// and the string without its quotes and escapes, or the other value as it was written.
    pub(super) fn key_hash(&mut self, row: &[u8]) -> Result<u128, Malformed> {
        let mut canonical = std::mem::take(&mut self.canonical);
        canonical.clear();
        for column in &self.key {
            // Most keys are plain strings.
            let cell = self.cells[*column];
            if let Some([b'"', text @ .., b'"']) = row.get(cell.start..cell.end)
                && !cell.escaped
            {
                push_canonical(&mut canonical, 1, text);
                continue;
            }
            let (tag, value) = match self.value(row, *column)? {
                Value::Text(text) => (1, text),
                Value::Other(json) => (2, Cow::Borrowed(json)),
                Value::Missing => return Err(Malformed::Missing(self.columns[*column].clone())),
            };
            push_canonical(&mut canonical, tag, &value);
        }
        let hash = xxh3_128(&canonical);
        self.canonical = canonical;
        Ok(hash)
    }

    /// The value of a column in the row that was scanned last.
    pub(super) fn value<'a>(&self, row: &'a [u8], column: usize) -> Result<Value<'a>, Malformed> {
        let cell = self.cells[column];
        let Some(json) = row
            .get(cell.start..cell.end)
            .filter(|json| !json.is_empty())
        else {
            return Ok(Value::Missing);
        };
        Ok(match json {
            [b'"', ..] if cell.escaped => Value::Text(Cow::Owned(
                serde_json::from_slice::<String>(json)
                    .map_err(|_| Malformed::Text(self.columns[column].clone()))?
                    .into_bytes(),
            )),
            [b'"', text @ .., b'"'] => Value::Text(Cow::Borrowed(text)),
            _ => Value::Other(json),
        })
    }

    /// The column that the nth member belongs to, and where it is counted.
    fn find_column(
        &mut self,
        member: &RowMember<'_>,
        nth: usize,
    ) -> Result<(Option<usize>, ColumnPlace), Malformed> {
        let quoted = member.name;
        let name = if member.is_name_escaped {
            let name = serde_json::from_slice::<String>(quoted);
            Cow::Owned(name.map_err(|_| Malformed::NotAnObject)?)
        } else {
            String::from_utf8_lossy(&quoted[1..quoted.len() - 1])
        };
        let (column, place) = self.tally.find(&name);
        let column = column.filter(|column| *column < self.columns.len());
        if nth < MAX_LAYOUT {
            let before = if nth == 0 { b"{" } else { b"," };
            let member = Member::new(&[before, quoted, b":"].concat(), column, place);
            self.layout.truncate(nth);
            self.layout.push(member);
        }
        Ok((column, place))
    }
}

impl Member {
    fn new(before: &[u8], column: Option<usize>, place: ColumnPlace) -> Self {
        let mut member = Self {
            before: BeforeValue::default(),
            column,
            place,
            value: CountedAs::Kind(ValueKind::Null),
        };
        member.before.set(before);
        member
    }
}

/// A value, as far as it has to be told apart here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Missing,
    Text(Cow<'a, [u8]>),
    /// Anything else, as JSON.
    Other(&'a [u8]),
}

fn push_canonical(canonical: &mut Vec<u8>, tag: u8, value: &[u8]) {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_le_bytes();
    canonical.extend_from_slice(&[tag, a, b, c, d]);
    canonical.extend_from_slice(value);
}
