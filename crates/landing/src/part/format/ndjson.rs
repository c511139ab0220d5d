//! NDJSON: each row's bytes as CXone sent them, then LF.

use memchr::memchr;

use super::Traits;
use super::delimited::FindRecordEnd;

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
