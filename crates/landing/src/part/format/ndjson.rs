//! NDJSON: each row's bytes as CXone sent them, then LF.

use memchr::memchr;
use serde_json::Value;

use super::delimited::FindRecordEnd;
use super::{Cells, Traits};

pub(super) const TRAITS: Traits = Traits {
    extension: ".ndjson",
    content_type: "application/x-ndjson",
    keeps_repeated_columns: true,
};

/// Finds the ends of lines.
pub(super) struct LineEnds;

impl FindRecordEnd for LineEnds {
    const HAS_HEADER: bool = false;

    fn find_record_end(&mut self, bytes: &[u8]) -> Option<usize> {
        memchr(b'\n', bytes).map(|at| at + 1)
    }
}

/// The members of a row. One that can't be read has none.
pub(super) fn split_row(row: &[u8]) -> Cells {
    let members: serde_json::Map<String, Value> = serde_json::from_slice(row).unwrap_or_default();
    let members = members.into_iter();
    members
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}
