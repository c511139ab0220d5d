//! Which part of a window a run covers.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest id. 31 days halve 22 times before a half is shorter than a second.
const MAX_LEN: usize = 24;

/// A text that names no segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a valid segment: `0` for the whole window, followed by at most 23 digits 0 or 1, one for each time that it was halved"
)]
pub struct InvalidSegment;

/// Part of a window that one run covers: `0` the whole, `00` and `01` its halves, and so on.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct SegmentId(String);

impl SegmentId {
    #[must_use]
    pub fn whole() -> Self {
        Self("0".to_owned())
    }

    /// The earlier and the later half.
    #[must_use]
    pub fn halves(&self) -> (Self, Self) {
        (Self(format!("{}0", self.0)), Self(format!("{}1", self.0)))
    }

    /// The id of piece `number`, counted from 0, where the window is cut into `count` pieces up front.
    /// The pieces are the leaves of a balanced tree of halves, so that their ids sort as the pieces do.
    /// A single piece is the whole window.
    #[must_use]
    pub fn piece(number: usize, count: usize) -> Self {
        let (mut id, mut first, mut end) = (Self::whole(), 0, count);
        while end - first > 1 {
            let middle = first + (end - first) / 2;
            let (earlier, later) = id.halves();
            if number < middle {
                (id, end) = (earlier, middle);
            } else {
                (id, first) = (later, middle);
            }
        }
        id
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SegmentId {
    type Err = InvalidSegment;

    fn from_str(text: &str) -> Result<Self, InvalidSegment> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for SegmentId {
    type Error = InvalidSegment;

    fn try_from(text: String) -> Result<Self, InvalidSegment> {
        let valid = text.starts_with('0')
            && text.len() <= MAX_LEN
            && text.bytes().all(|b| matches!(b, b'0' | b'1'));
        valid.then_some(Self(text)).ok_or(InvalidSegment)
    }
}

impl From<SegmentId> for String {
    fn from(segment: SegmentId) -> Self {
        segment.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_ids_of_their_own_that_sort_and_can_be_halved_further() {
        let ids = |count: usize| -> Vec<String> {
            (0..count)
                .map(|number| SegmentId::piece(number, count).to_string())
                .collect()
        };
        assert_eq!(ids(1), ["0"]);
        assert_eq!(ids(2), ["00", "01"]);
        assert_eq!(ids(5), ["000", "001", "010", "0110", "0111"]);
        for count in [7, 31, 744] {
            let ids = ids(count);
            assert!(ids.iter().all(|id| id.parse::<SegmentId>().is_ok()));
            for pair in ids.windows(2) {
                assert!(
                    pair[0] < pair[1] && !pair[1].starts_with(&pair[0]),
                    "{pair:?}"
                );
            }
            assert!(ids.iter().all(|id| id.len() <= 11));
        }
    }

    #[test]
    fn a_segment_is_its_digits_in_json_and_an_impossible_one_is_refused_with_the_rule() {
        let segment = SegmentId::whole().halves().1;
        let json = serde_json::to_string(&segment).unwrap();
        assert_eq!(json, r#""01""#);
        assert_eq!(serde_json::from_str::<SegmentId>(&json).unwrap(), segment);
        let too_long = format!("{:0>25}", "");
        for text in ["", "1", "02", "0-", "0/../1", &too_long] {
            let json = serde_json::to_string(text).unwrap();
            let error = serde_json::from_str::<SegmentId>(&json).unwrap_err();
            assert!(error.to_string().contains("not a valid segment"), "{error}");
        }
    }
}
