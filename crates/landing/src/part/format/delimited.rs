//! Copying and picking rows of text formats, whose records stand one behind the other.
//!
//! The bytes of the rows that stay pass through as they are. Nothing is parsed, and memory depends
//! neither on the part nor on its longest row, but on those that are picked.

use delivery::effects::Answered;

use crate::part::data::DataWriter;
use crate::part::reader::PartReader;

/// Finds where records end, in text that comes in pieces.
pub(super) trait FindRecordEnd {
    /// Whether the first record is a header.
    const HAS_HEADER: bool;

    /// The position behind the end of the record that `bytes` begin with or continue; none if
    /// the record goes on behind them.
    fn find_record_end(&mut self, bytes: &[u8]) -> Option<usize>;
}

/// Copies the rows that stay; see [`super::copy_rows`].
pub(super) async fn copy_rows(
    record_ends: impl FindRecordEnd,
    stored: &mut PartReader<'_>,
    without: &[u32],
    data: &mut DataWriter,
) -> Answered<Option<u64>> {
    let mut rows = RowFinder::new(record_ends, without);
    while let Some(text) = stored.next_piece().await? {
        let mut rest = text.as_slice();
        // Neighbours that stay are written at once.
        let mut kept = 0;
        while kept < rest.len() {
            let (piece, owner) = rows.next_piece(&rest[kept..]);
            if let Owner::Found(_) = owner {
                data.write(&rest[..kept])?;
                rest = &rest[kept + piece.len()..];
                kept = 0;
            } else {
                kept += piece.len();
            }
        }
        data.write(rest)?;
        text.clear();
        data.send_full_buffer().await?;
    }
    Ok(rows.row_count())
}

/// Reads the header, which is empty where there is none, and the records of these numbers, which ascend.
pub(super) async fn pick_records(
    record_ends: impl FindRecordEnd,
    stored: &mut PartReader<'_>,
    numbers: &[u32],
) -> Answered<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut rows = RowFinder::new(record_ends, numbers);
    let (mut header, mut picked) = (Vec::new(), vec![Vec::new(); numbers.len()]);
    while let Some(text) = stored.next_piece().await? {
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let (piece, owner) = rows.next_piece(rest);
            rest = &rest[piece.len()..];
            match owner {
                Owner::Header => header.extend_from_slice(piece),
                Owner::Found(nth) => picked[nth].extend_from_slice(piece),
                Owner::Other => {}
            }
        }
        text.clear();
        if rows.is_done() {
            break;
        }
    }
    Ok((header, picked))
}

/// What a piece of text belongs to.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Header,
    /// A row that is looked for: the place of its number among the numbers.
    Found(usize),
    Other,
}

/// Finds the rows of some numbers in text that comes in pieces.
struct RowFinder<'a, E> {
    record_ends: E,
    /// The numbers of the rows that are looked for, which ascend.
    numbers: &'a [u32],
    /// How many of them were found, from beginning to end.
    found: usize,
    /// Number of the row that the next byte belongs to; none in the header.
    row: Option<u64>,
    /// Whether the beginning of that row has been read.
    is_begun: bool,
}

impl<'a, E: FindRecordEnd> RowFinder<'a, E> {
    fn new(record_ends: E, numbers: &'a [u32]) -> Self {
        Self {
            record_ends,
            numbers,
            found: 0,
            row: (!E::HAS_HEADER).then_some(0),
            is_begun: false,
        }
    }

    /// The number of rows read; none if the last one is not complete.
    fn row_count(&self) -> Option<u64> {
        self.row.filter(|_| !self.is_begun)
    }

    /// Whether the header and every row that is looked for have been read.
    fn is_done(&self) -> bool {
        self.row.is_some() && self.found == self.numbers.len()
    }

    /// The record that the text begins with or continues, as far as it is in it.
    fn next_piece<'t>(&mut self, text: &'t [u8]) -> (&'t [u8], Owner) {
        let end = self.record_ends.find_record_end(text);
        let owner = self.owner();
        self.is_begun = end.is_none();
        if end.is_some() {
            self.found += usize::from(matches!(owner, Owner::Found(_)));
            self.row = Some(self.row.map_or(0, |row| row + 1));
        }
        (&text[..end.unwrap_or(text.len())], owner)
    }

    fn owner(&self) -> Owner {
        let sought = self.numbers.get(self.found).copied();
        match self.row {
            None => Owner::Header,
            Some(row) if sought.map(u64::from) == Some(row) => Owner::Found(self.found),
            Some(_) => Owner::Other,
        }
    }
}
