//! Rows at the end of a file that sum up the others: a total is not a row of the report.

use crate::page::chunk::RowChunk;

/// The usual texts of the first cell that is not empty in such a row.
pub(super) const USUAL_LABELS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "grand totals",
    "report total",
    "summary",
];
/// Of more rows than this at the end, those before the last ones are ordinary rows.
const MAX_HELD: usize = 8;

/// Rows that may be totals, for as long as no other row has followed.
pub(super) struct TrailingTotals {
    /// The words that a row of totals begins with. Without any, every row is an ordinary one.
    labels: Vec<String>,
    /// Each as JSON, or why it can't be a row and which record it was.
    rows: Vec<Result<Vec<u8>, (u64, String)>>,
}

/// Case, spaces around it and a colon behind it make no difference.
fn normalise_label(text: &str) -> String {
    text.trim().trim_end_matches(':').trim_end().to_lowercase()
}

impl TrailingTotals {
    pub(super) fn new(labels: &[String]) -> Self {
        Self {
            labels: labels.iter().map(|label| normalise_label(label)).collect(),
            rows: Vec::new(),
        }
    }

    /// Whether the first cell that is not empty is one of the labels.
    pub(super) fn looks_like_total(&self, record: &[u8], ends: &[usize]) -> bool {
        if self.labels.is_empty() {
            return false;
        }
        let mut start = 0;
        for end in ends {
            let cell = &record[start..*end];
            start = *end;
            if !cell.trim_ascii().is_empty() {
                let is_short = cell.len() <= 256;
                return is_short
                    && std::str::from_utf8(cell)
                        .is_ok_and(|cell| self.labels.contains(&normalise_label(cell)));
            }
        }
        false
    }

    /// Holds a row back until it is known whether another one follows.
    pub(super) fn hold_back(
        &mut self,
        row: Result<Vec<u8>, (u64, String)>,
        chunk: &mut RowChunk,
    ) -> Result<(), String> {
        if self.rows.len() == MAX_HELD {
            push_row(self.rows.remove(0), chunk)?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Another row follows, so that those before it are ordinary rows.
    pub(super) fn release_rows(&mut self, chunk: &mut RowChunk) -> Result<(), String> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.drain(..).try_for_each(|row| push_row(row, chunk))
    }

    /// How many rows are held at the end.
    pub(super) fn count(&self) -> u64 {
        self.rows.len() as u64
    }
}

fn push_row(row: Result<Vec<u8>, (u64, String)>, chunk: &mut RowChunk) -> Result<(), String> {
    let row = row.map_err(|(number, what)| format!("record {number} {what}"))?;
    chunk.push_row(&row, false);
    Ok(())
}
