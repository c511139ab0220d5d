//! NDJSON: each row's bytes as CXone sent them, then LF.

use std::collections::BTreeMap;

use memchr::memchr;
use serde_json::value::RawValue;

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

/// The members of a row, as they are written: a number may have more digits than any type holds. A row that can't be
/// read has none.
pub(super) fn split_row(row: &[u8]) -> Cells {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(row).unwrap_or_default();
    let members = members.into_iter();
    members
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_float_does_not_tell_apart_differ() {
        let row = br#"{"id":18446744073709551617,"a\u0062":"x \u0022y","o":{"n": [1.0]}}"#;
        let cells = split_row(row);
        assert_eq!(cells["id"], "18446744073709551617");
        assert_eq!(cells["ab"], r#""x \u0022y""#);
        assert_eq!(cells["o"], r#"{"n": [1.0]}"#);
    }
}
