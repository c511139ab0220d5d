//! What has no place in the columns of the table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::{Cell, Given};

/// So many names are counted one by one.
const MAX_NAMES: usize = 100;

/// What the names beyond those are counted as.
const OTHERS: &str = "…";

/// How often what did not fit, by the names of the columns in the stored rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Values that are null in the table because they are none of their column's type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nulled: BTreeMap<String, u64>,
    /// Values of columns that the table does not have, and values that a later one of the same row replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unplaced: BTreeMap<String, u64>,
}

impl Tally {
    /// How many values are null in the table because they are none of their column's type.
    #[must_use]
    pub fn count_nulled(&self) -> u64 {
        self.nulled.values().sum()
    }

    /// Adds what another file had.
    pub(crate) fn add(&mut self, other: &Self) {
        for (ours, others) in [
            (&mut self.nulled, &other.nulled),
            (&mut self.unplaced, &other.unplaced),
        ] {
            for (name, count) in others {
                count_name(ours, name, *count);
            }
        }
    }
}

fn count_name(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    if let Some(counted) = counts.get_mut(name) {
        *counted += count;
        return;
    }
    let name = if counts.len() < MAX_NAMES {
        name
    } else {
        OTHERS
    };
    *counts.entry(name.to_owned()).or_default() += count;
}

/// The `_extra` of one row, as it is put together.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// A JSON object without the brace at its end.
    text: Vec<u8>,
    tally: Tally,
}

/// Why a value is kept in `_extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Misfit,
    NoColumn,
}

impl Extra {
    /// Keeps a value as it was sent. An empty cell of CSV is none.
    pub(super) fn keep(&mut self, name: &str, cell: &Cell<'_>, reason: Reason) {
        match (cell.json, &cell.given) {
            (Some(json), _) => {
                self.begin(name, reason);
                self.text.extend_from_slice(json.get().as_bytes());
            }
            (None, Given::Text(text)) => {
                self.begin(name, reason);
                push_json_text(&mut self.text, text);
            }
            (None, _) => {}
        }
    }

    fn begin(&mut self, name: &str, reason: Reason) {
        let counts = match reason {
            Reason::Misfit => &mut self.tally.nulled,
            Reason::NoColumn => &mut self.tally.unplaced,
        };
        count_name(counts, name, 1);
        self.text
            .push(if self.text.is_empty() { b'{' } else { b',' });
        push_json_text(&mut self.text, name);
        self.text.push(b':');
    }

    /// Ends the row; `None` where nothing had to be kept.
    pub(super) fn end_row<T>(&mut self, take: impl FnOnce(Option<&[u8]>) -> T) -> T {
        if self.text.is_empty() {
            return take(None);
        }
        self.text.push(b'}');
        let taken = take(Some(&self.text));
        self.text.clear();
        taken
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }
}

fn push_json_text(out: &mut Vec<u8>, text: &str) {
    // A text can always be written as JSON, and memory has no errors.
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}
