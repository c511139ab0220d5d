//! What a page says beside its rows.

use definition::PageToken;

use super::chunk::RowDigest;

/// What a page said beside its rows, and what was counted on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageToken>,
    /// How many rows the whole result has, where the API says so.
    pub total: Option<u64>,
    /// How many rows this page had.
    pub rows: u64,
    /// A hash of the rows, each followed by `\n`, in their order.
    pub digest: RowDigest,
    /// Rows that sum up the others, left out of `rows`: a total at the end of a file.
    pub summary_rows: u64,
    /// The first few records of a file, counted from its header as 1, that may hold others, as where a quote was never closed.
    pub suspect_records: Vec<u64>,
    /// Names of fields beside the rows that this crate does not know, sanitised.
    pub unknown_fields: Vec<String>,
}

/// What a page said, without what was counted.
pub(super) struct PageEnding {
    pub(super) next: Option<PageToken>,
    pub(super) total: Option<u64>,
    pub(super) summary_rows: u64,
    pub(super) suspect_records: Vec<u64>,
    pub(super) unknown_fields: Vec<String>,
}
