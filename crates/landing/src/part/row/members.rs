//! The members of a row one by one, for whoever writes it anew.

use super::json_spans::{skip_space, string_end, value_end};
use super::malformed::Malformed;

/// A name with its quotes, and the value as it stands.
type Member<'a> = (&'a [u8], &'a [u8]);

/// Goes through the members of a row that was scanned.
#[derive(Debug)]
pub(in crate::part) struct Members<'a> {
    row: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    pub(in crate::part) fn of_row(row: &'a [u8]) -> Self {
        Self {
            row,
            at: skip_space(row, 0),
        }
    }

    /// The next member; `None` behind the last one.
    pub(in crate::part) fn next_member(&mut self) -> Result<Option<Member<'a>>, Malformed> {
        // Here stands what comes before a member: the brace that opens the row, or a comma.
        let begin = skip_space(self.row, self.at + 1);
        if self.row.get(self.at) == Some(&b'}') || self.row.get(begin) == Some(&b'}') {
            return Ok(None);
        }
        let member = self.read_member(begin).ok_or(Malformed::NotAnObject)?;
        Ok(Some(member))
    }

    fn read_member(&mut self, begin: usize) -> Option<Member<'a>> {
        let (name_end, _) = string_end(self.row, begin + 1)?;
        let colon = skip_space(self.row, name_end);
        let start = skip_space(self.row, colon + 1);
        let (end, _, _) = value_end(self.row, start)?;
        self.at = skip_space(self.row, end);
        Some((self.row.get(begin..name_end)?, self.row.get(start..end)?))
    }
}
