//! Copying rows of text formats, whose records stand one behind the other.
//!
//! The bytes of the rows that stay pass through as they are. Nothing is parsed, and memory depends
//! neither on the part nor on its longest row.

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
    let mut filter = RowFilter::new(record_ends, without);
    while let Some(text) = stored.next_piece().await? {
        filter.copy(text, data)?;
        text.clear();
        data.send_full_buffer().await?;
    }
    Ok(filter.row_count())
}

/// Reads the header, which is empty where there is none, and the records of these numbers, which ascend.
pub(super) async fn pick_records(
    mut record_ends: impl FindRecordEnd,
    stored: &mut PartReader<'_>,
    numbers: &[u32],
) -> Answered<(Vec<u8>, Vec<Vec<u8>>)> {
    let (mut header, mut picked) = (Vec::new(), vec![Vec::new(); numbers.len()]);
    let mut row = (!has_header(&record_ends)).then_some(0);
    let mut nth = 0;
    while let Some(text) = stored.next_piece().await? {
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let end = record_ends.find_record_end(rest);
            let record;
            (record, rest) = rest.split_at(end.unwrap_or(rest.len()));
            match (row, numbers.get(nth)) {
                (None, _) => header.extend_from_slice(record),
                (Some(row), Some(number)) if row == *number => {
                    picked[nth].extend_from_slice(record);
                }
                _ => {}
            }
            if end.is_some() {
                nth += usize::from(row.is_some() && row == numbers.get(nth).copied());
                row = Some(row.map_or(0, |row| row + 1));
            }
        }
        text.clear();
        if nth == numbers.len() && row.is_some() {
            break;
        }
    }
    Ok((header, picked))
}

fn has_header<E: FindRecordEnd>(_: &E) -> bool {
    E::HAS_HEADER
}

/// Lets the rows through that stay.
struct RowFilter<'a, E> {
    record_ends: E,
    /// Numbers of rows that are left out, of those that are still to come.
    without: &'a [u32],
    /// Number of the row that the next byte belongs to; none in the header.
    row: Option<u64>,
    /// Whether the beginning of that row has been read.
    is_begun: bool,
}

impl<'a, E: FindRecordEnd> RowFilter<'a, E> {
    fn new(record_ends: E, without: &'a [u32]) -> Self {
        Self {
            record_ends,
            without,
            row: (!E::HAS_HEADER).then_some(0),
            is_begun: false,
        }
    }

    /// The number of rows read; none if the last one is not complete.
    fn row_count(&self) -> Option<u64> {
        self.row.filter(|_| !self.is_begun)
    }

    fn copy(&mut self, text: &[u8], data: &mut DataWriter) -> Answered<()> {
        let mut rest = text;
        // Neighbours that stay are written at once.
        let mut kept = 0;
        while kept < rest.len() {
            let unseen = &rest[kept..];
            let end = self.record_ends.find_record_end(unseen);
            let length = end.unwrap_or(unseen.len());
            if self.stays() {
                kept += length;
            } else {
                data.write(&rest[..kept])?;
                rest = &unseen[length..];
                kept = 0;
            }
            self.is_begun = end.is_none();
            if end.is_some() {
                self.begin_next_row();
            }
        }
        data.write(rest)
    }

    fn stays(&self) -> bool {
        let first = self.without.first().copied();
        self.row.is_none() || self.row != first.map(u64::from)
    }

    fn begin_next_row(&mut self) {
        if !self.stays() {
            self.without = self.without.split_first().map_or(&[], |(_, rest)| rest);
        }
        self.row = Some(self.row.map_or(0, |row| row + 1));
    }
}
