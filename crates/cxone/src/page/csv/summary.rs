//! Rows at the end of a file that sum up the others: a total is no row of the report.

use super::RowChunk;

/// What the first cell that says something says in such a row, if the definition does not know better.
const LABELS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "grand totals",
    "report total",
    "summary",
];
/// More of them in a row than this are rows like any other.
const MOST: usize = 8;

/// The words that a row of totals begins with.
pub(super) struct Labels(Vec<String>);

/// Rows that may be totals, for as long as no other row has followed.
pub(super) struct Held {
    labels: Labels,
    /// Each as JSON, or why it is no row and which record it was.
    rows: Vec<Result<Vec<u8>, (u64, String)>>,
}

impl Labels {
    /// The usual words, or those that the definition names instead.
    pub(super) fn new(own: &[String]) -> Self {
        let labels = own.iter().map(|label| normal(label)).collect::<Vec<_>>();
        Self(if labels.is_empty() {
            LABELS.iter().map(|label| (*label).to_owned()).collect()
        } else {
            labels
        })
    }
}

/// Case, spaces around it and a colon behind it make no difference.
fn normal(text: &str) -> String {
    text.trim().trim_end_matches(':').trim_end().to_lowercase()
}

impl Held {
    pub(super) fn new(labels: Labels) -> Self {
        Self {
            labels,
            rows: Vec::new(),
        }
    }

    /// Whether a record looks like a total: the first cell that says anything says one of the labels.
    pub(super) fn may_be(&self, record: &[u8], ends: &[usize]) -> bool {
        let mut start = 0;
        for end in ends {
            let cell = &record[start..*end];
            start = *end;
            if !cell.trim_ascii().is_empty() {
                let is_short = cell.len() <= 256;
                return is_short
                    && std::str::from_utf8(cell)
                        .is_ok_and(|cell| self.labels.0.contains(&normal(cell)));
            }
        }
        false
    }

    /// Keeps a row back until it is known whether another one follows.
    pub(super) fn hold(
        &mut self,
        row: Result<Vec<u8>, (u64, String)>,
        chunk: &mut RowChunk,
    ) -> Result<(), String> {
        if self.rows.len() == MOST {
            push(self.rows.remove(0), chunk)?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Another row follows, so that those before it are rows like any other.
    pub(super) fn release(&mut self, chunk: &mut RowChunk) -> Result<(), String> {
        self.rows.drain(..).try_for_each(|row| push(row, chunk))
    }

    /// How many rows stood at the end.
    pub(super) fn count(&self) -> u64 {
        self.rows.len() as u64
    }
}

fn push(row: Result<Vec<u8>, (u64, String)>, chunk: &mut RowChunk) -> Result<(), String> {
    let row = row.map_err(|(number, what)| format!("record {number} {what}"))?;
    chunk.push(&row, false);
    Ok(())
}
