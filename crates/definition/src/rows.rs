//! Rows on their way from CXone to a part, and what is known of their values by whoever read them first.

use serde::{Deserialize, Serialize};

/// What a value is, as it stands in a row of JSON. A file's cells are texts, but for those of an analytics report's
/// metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    Null,
    Text,
    /// A number without a fraction and an exponent.
    Integer,
    /// A number with a fraction or an exponent.
    Decimal,
    Boolean,
    Object,
    List,
}

impl ValueKind {
    /// Every kind, each at the place of its number.
    pub const ALL: [Self; 7] = [
        Self::Null,
        Self::Text,
        Self::Integer,
        Self::Decimal,
        Self::Boolean,
        Self::Object,
        Self::List,
    ];

    /// Its word in stored objects and in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::List => "list",
        }
    }
}

/// A value as it stands in a row: how many bytes it has, what it is, and whether it is a string with escapes. It takes four bytes,
/// because a million rows have ten million of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowValue(u32);

impl RowValue {
    const KIND_BITS: u32 = 3;
    const LENGTH_SHIFT: u32 = Self::KIND_BITS + 1;

    /// `None` if it has 256 MiB or more.
    #[inline]
    #[must_use]
    pub fn new(length: usize, kind: ValueKind, is_escaped: bool) -> Option<Self> {
        let length = u32::try_from(length).ok()?;
        let has_room = length < 1 << (u32::BITS - Self::LENGTH_SHIFT);
        let flags = kind as u32 | u32::from(is_escaped) << Self::KIND_BITS;
        has_room.then_some(Self(length << Self::LENGTH_SHIFT | flags))
    }

    /// Its bytes, those of a string with the quotes.
    #[inline]
    #[must_use]
    pub const fn length(self) -> usize {
        (self.0 >> Self::LENGTH_SHIFT) as usize
    }

    #[inline]
    #[must_use]
    pub const fn kind(self) -> ValueKind {
        match self.0 & ((1 << Self::KIND_BITS) - 1) {
            0 => ValueKind::Null,
            1 => ValueKind::Text,
            2 => ValueKind::Integer,
            3 => ValueKind::Decimal,
            4 => ValueKind::Boolean,
            5 => ValueKind::Object,
            _ => ValueKind::List,
        }
    }

    /// Whether it is a string with escapes.
    #[inline]
    #[must_use]
    pub const fn is_escaped(self) -> bool {
        self.0 >> Self::KIND_BITS & 1 == 1
    }
}

/// A row of more members is not compared with.
pub const MAX_LAYOUT: usize = 1024;

/// Bytes of a name that are compared at once.
const NAME_BYTES: usize = 32;

type NameWords = [u64; NAME_BYTES / 8];

/// What stands before a value in a row without spaces between its tokens: `{"name":` or `,"name":`.
#[derive(Clone, Debug, Default)]
pub struct BeforeValue {
    bytes: Vec<u8>,
    /// The same, filled up with zeros, and ones where it has bytes; if it is not too long.
    padded: Option<(NameWords, NameWords)>,
}

impl BeforeValue {
    /// Takes these bytes in place of its own.
    pub fn set(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.padded = (bytes.len() <= NAME_BYTES).then(|| {
            let mut padded = [0; NAME_BYTES];
            padded[..bytes.len()].copy_from_slice(bytes);
            let mask = padded.map(|byte| if byte == 0 { 0 } else { 0xff });
            (words_of(&padded), words_of(&mask))
        });
    }

    #[inline]
    #[must_use]
    pub const fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Its length, if the text begins with it.
    #[inline]
    #[must_use]
    pub fn matching_length(&self, text: &[u8]) -> Option<usize> {
        let alike = match (&self.padded, text.first_chunk::<NAME_BYTES>()) {
            (Some((name, mask)), Some(bytes)) => {
                let words = words_of(bytes);
                let differs = |nth: usize| (words[nth] & mask[nth]) ^ name[nth];
                differs(0) | differs(1) | differs(2) | differs(3) == 0
            }
            _ => text.starts_with(&self.bytes),
        };
        alike.then_some(self.bytes.len())
    }
}

#[inline]
fn words_of(bytes: &[u8; NAME_BYTES]) -> NameWords {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|nth| u64::from_le_bytes(words[nth]))
}

/// Rows one after the other, each a JSON object without line breaks, followed by `\n`.
///
/// Of a row whose members have the names of the row before, in the same order and without spaces between the tokens, the values
/// can be known.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    bytes: &'a [u8],
    /// Where the next row begins, and which it is.
    at: usize,
    number: usize,
    /// Where each row ends, and its values; empty if nothing is known.
    ends: &'a [RowEnd],
    values: &'a [RowValue],
}

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowEnd {
    /// Behind its `\n`, among the bytes of all rows.
    pub bytes: usize,
    /// Behind its last value, among those of all rows. A row that has none is not known.
    pub values: usize,
}

impl<'a> Rows<'a> {
    /// Rows of which nothing is known.
    #[must_use]
    pub const fn unknown(bytes: &'a [u8]) -> Self {
        Self::new(bytes, &[], &[])
    }

    /// Rows whose ends and values these are.
    #[must_use]
    pub const fn new(bytes: &'a [u8], ends: &'a [RowEnd], values: &'a [RowValue]) -> Self {
        Self {
            bytes,
            at: 0,
            number: 0,
            ends,
            values,
        }
    }

    /// The rows from the next one on.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next row without its line end, and its values, if they are known.
    #[inline]
    #[must_use]
    pub fn known_row(&self) -> Option<(&'a [u8], &'a [RowValue])> {
        let end = self.ends.get(self.number)?;
        let before = self
            .number
            .checked_sub(1)
            .map_or(0, |number| self.ends[number].values);
        let values = self.values.get(before..end.values)?;
        let row = self.bytes.get(self.at..end.bytes.checked_sub(1)?)?;
        (!values.is_empty()).then_some((row, values))
    }

    /// Goes behind the next row, which has so many bytes without its line end.
    #[inline]
    pub const fn pass_row(&mut self, length: usize) {
        self.at += length + 1;
        self.number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was_said_to_be() {
        for kind in ValueKind::ALL {
            for is_escaped in [false, true] {
                for length in [0, 1, 4_711, (1 << 28) - 1] {
                    let value = RowValue::new(length, kind, is_escaped).unwrap();
                    let said = (value.length(), value.kind(), value.is_escaped());
                    assert_eq!(said, (length, kind, is_escaped));
                }
            }
        }
        assert_eq!(RowValue::new(1 << 28, ValueKind::Text, false), None);
    }

    #[test]
    fn a_name_matches_whatever_its_length_and_that_of_the_text() {
        for length in [1, 8, 31, 32, 33, 200] {
            let name = "n".repeat(length);
            let mut before = BeforeValue::default();
            before.set(name.as_bytes());
            for more in ["", "1", &"2".repeat(64)] {
                let text = format!("{name}{more}");
                assert_eq!(before.matching_length(text.as_bytes()), Some(length));
                let other = format!("m{}", &text[1..]);
                assert_eq!(before.matching_length(other.as_bytes()), None);
            }
            assert_eq!(before.matching_length(&name.as_bytes()[1..]), None);
        }
    }
}
