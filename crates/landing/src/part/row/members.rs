//! The members of a row one by one.

use delivery::columns::ValueKind;

use super::json_spans::{row_end, skip_space, string_end, value_end};
use super::malformed::Malformed;

/// A member as it stands in a row.
#[derive(Debug)]
pub(in crate::part) struct RowMember<'a> {
    /// The name with its quotes.
    pub(in crate::part) name: &'a [u8],
    pub(super) is_name_escaped: bool,
    /// The value as it stands.
    pub(in crate::part) value: &'a [u8],
    /// Where the value begins.
    pub(super) start: usize,
    /// Whether the value is a string with escapes.
    pub(super) escaped: bool,
    pub(super) kind: ValueKind,
}

/// Goes through the members of a row.
#[derive(Debug)]
pub(in crate::part) struct Members<'a> {
    lines: &'a [u8],
    /// Where the next member begins, or the brace that closes the row.
    at: usize,
}

impl<'a> Members<'a> {
    /// The members of the first of these rows.
    pub(in crate::part) fn of_row(lines: &'a [u8]) -> Result<Self, Malformed> {
        let brace = skip_space(lines, 0);
        if lines.get(brace) != Some(&b'{') {
            return Err(Malformed::NotAnObject);
        }
        let at = skip_space(lines, brace + 1);
        Ok(Self { lines, at })
    }

    /// The next member; `None` behind the last one.
    #[inline]
    pub(in crate::part) fn next_member(&mut self) -> Result<Option<RowMember<'a>>, Malformed> {
        if self.lines.get(self.at) == Some(&b'}') {
            return Ok(None);
        }
        let member = self.read_member().ok_or(Malformed::NotAnObject)?;
        Ok(Some(member))
    }

    /// The row without its line end, once all its members were read.
    pub(super) fn row(&self) -> Result<&'a [u8], Malformed> {
        row_end(self.lines, self.at + 1)
    }

    #[inline]
    fn read_member(&mut self) -> Option<RowMember<'a>> {
        let lines = self.lines;
        if lines.get(self.at) != Some(&b'"') {
            return None;
        }
        let (name_end, is_name_escaped) = string_end(lines, self.at + 1)?;
        let colon = skip_space(lines, name_end);
        if lines.get(colon) != Some(&b':') {
            return None;
        }
        let start = skip_space(lines, colon + 1);
        let (end, escaped, kind) = value_end(lines, start)?;
        let name = &lines[self.at..name_end];
        let behind = skip_space(lines, end);
        self.at = match lines.get(behind)? {
            b',' => {
                let next = skip_space(lines, behind + 1);
                // What follows a comma is a member and not the end.
                (lines.get(next) == Some(&b'"')).then_some(next)?
            }
            b'}' => behind,
            _ => return None,
        };
        Some(RowMember {
            name,
            is_name_escaped,
            value: &lines[start..end],
            start,
            escaped,
            kind,
        })
    }
}
