//! Scans the rows of a page one after the other, and tells their values where that costs nothing.
//!
//! Rows of a page have the same members in the same order and no spaces between them. So what stands before a value is first
//! compared with what stood there in the row before, and read only if it differs.

use definition::rows::{BeforeValue, MAX_LAYOUT, RowValue};

use crate::page::scan::{JsonScanner, MAX_DEPTH, ScanStop};

/// A row with a longer name, in bytes, is not compared with either, so that names that are kept stay small.
const MAX_NAME: usize = 1024;

/// Where a row ends, and whether there is a raw line break between its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowExtent {
    pub(super) end: usize,
    pub(super) breaks: bool,
}

#[derive(Debug, Default)]
pub(super) struct RowScanner {
    /// What stands before the values of the row before; empty if that row has spaces between its tokens or long names.
    layout: Vec<BeforeValue>,
}

impl RowScanner {
    /// Scans the object that begins at `from`, where a `{` is. Appends its values if its members are those of the row before,
    /// without spaces.
    pub(super) fn scan_row(
        &mut self,
        bytes: &[u8],
        from: usize,
        values: &mut Vec<RowValue>,
    ) -> Result<RowExtent, ScanStop> {
        let before = values.len();
        let mut row = RowUnderWay {
            scanner: JsonScanner::new(bytes, from),
            members: 0,
            is_compact: true,
            is_like_previous: true,
            has_changed_layout: false,
        };
        let scanned = row.scan_members(&mut self.layout, values);
        // Line breaks are taken out of the row, so that values with some would be shorter.
        let is_known = row.is_like_previous && row.members == self.layout.len();
        if scanned.is_err() || !is_known || row.scanner.breaks {
            values.truncate(before);
        }
        // A row that is read again from its beginning must not be compared with itself.
        let is_kept = match scanned {
            Ok(()) => row.is_compact && row.members <= MAX_LAYOUT,
            Err(_) => !row.has_changed_layout,
        };
        if !is_kept {
            self.layout.clear();
        } else if scanned.is_ok() {
            self.layout.truncate(row.members);
        }
        scanned?;
        Ok(RowExtent {
            end: row.scanner.at,
            breaks: row.scanner.breaks,
        })
    }
}

struct RowUnderWay<'a> {
    scanner: JsonScanner<'a>,
    members: usize,
    /// Whether there was no space between tokens and no long name so far.
    is_compact: bool,
    /// Whether each member so far is that of the row before.
    is_like_previous: bool,
    has_changed_layout: bool,
}

impl RowUnderWay<'_> {
    #[inline]
    fn scan_members(
        &mut self,
        layout: &mut Vec<BeforeValue>,
        values: &mut Vec<RowValue>,
    ) -> Result<(), ScanStop> {
        loop {
            let rest = &self.scanner.bytes[self.scanner.at..];
            let known = layout.get(self.members);
            match known.and_then(|before| before.matching_length(rest)) {
                Some(length) => self.scanner.at += length,
                None if self.read_name(layout)? => {}
                None => return Ok(()),
            }
            let start = self.scanner.at;
            self.scanner.peek_token()?;
            if self.scanner.at != start {
                self.is_compact = false;
                self.is_like_previous = false;
            }
            let (kind, is_escaped) = self.scanner.skip_value(MAX_DEPTH)?;
            self.members += 1;
            if self.is_like_previous {
                match RowValue::new(self.scanner.at - start, kind, is_escaped) {
                    Some(value) => values.push(value),
                    None => self.is_like_previous = false,
                }
            }
        }
    }

    /// Reads what stands before the next value and keeps it; false if the object ends here.
    fn read_name(&mut self, layout: &mut Vec<BeforeValue>) -> Result<bool, ScanStop> {
        let begin = self.scanner.at;
        let is_first = self.members == 0;
        if is_first {
            self.scanner.at += 1;
        }
        let name_start = match (self.scanner.peek_token()?, is_first) {
            (b'}', _) => {
                self.is_compact &= self.scanner.at == begin + usize::from(is_first);
                self.scanner.at += 1;
                self.is_like_previous &= self.is_compact;
                return Ok(false);
            }
            (_, true) => begin + 1,
            (b',', false) => {
                self.scanner.at += 1;
                begin + 1
            }
            _ => return Err(ScanStop::Bad("a comma or a closing brace was expected")),
        };
        self.is_like_previous = false;
        // Spaces are looked for behind the brace or the comma, and on both sides of the colon.
        let before_name = self.scanner.at;
        self.scanner.peek_token()?;
        self.is_compact &= before_name == name_start && self.scanner.at == name_start;
        self.scanner.skip_name()?;
        let name_end = self.scanner.at;
        self.scanner.expect_byte(b':', "a colon was expected")?;
        self.is_compact &= self.scanner.at == name_end + 1 && name_end - name_start <= MAX_NAME;
        if self.is_compact && self.members < MAX_LAYOUT {
            if layout.len() == self.members {
                layout.push(BeforeValue::default());
            }
            self.has_changed_layout = true;
            layout[self.members].set(&self.scanner.bytes[begin..self.scanner.at]);
        }
        Ok(true)
    }
}
