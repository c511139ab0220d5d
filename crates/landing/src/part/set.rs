//! Writing rows into parts.

use definition::rows::Rows;
use delivery::documents::Part;
use delivery::effects::{Answered, ClosedParts};
use uuid::Uuid;

use super::data::DataWriter;
use super::entry::Entries;
use super::format::{self, RowWriter};
use super::row::{Malformed, Scanner};
use super::sidecar::store_sidecar;
use super::spec::PartSpec;
use crate::store::Store;

/// The open parts of one batch: at most one is being written, those before it are finished.
#[derive(Debug)]
pub struct PartSet {
    store: Store,
    spec: PartSpec,
    prefix: String,
    scanner: Scanner,
    open: Option<OpenPart>,
    finished: Vec<Part>,
    rows: u64,
    /// Bytes of the finished parts.
    bytes: u64,
}

/// The part that is being written.
#[derive(Debug)]
struct OpenPart {
    data: DataWriter,
    writer: RowWriter,
    keys: Entries,
}

impl PartSet {
    /// A set without parts. The names of its parts will begin with `prefix`.
    #[must_use]
    pub fn new(store: Store, spec: PartSpec, prefix: String) -> Self {
        Self {
            scanner: format::row_scanner(&spec),
            store,
            spec,
            prefix,
            open: None,
            finished: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Writes rows, and takes what is known of their values. A row whose values are known has the members of the row that was
    /// written before it.
    pub async fn append_rows(&mut self, mut rows: Rows<'_>) -> Answered<()> {
        while !rows.rest().is_empty() {
            let open = match &mut self.open {
                Some(open) => open,
                closed => closed.insert(OpenPart::create(&self.store, &self.spec, &self.prefix)?),
            };
            let before = open.keys.rows();
            open.append_slice(&self.spec, &mut self.scanner, self.rows, &mut rows)?;
            self.rows += u64::from(open.keys.rows() - before);
            open.data.send_full_buffer().await?;
            if open.keys.rows() >= self.spec.limits.rows
                || open.data.stored_bytes() >= self.spec.limits.bytes
            {
                self.finish_open_part().await?;
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    /// Stored bytes so far, without those that are still inside the compressor.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        let open = self.open.as_ref();
        self.bytes + open.map_or(0, |open| open.data.stored_bytes())
    }

    /// Finishes the open part: first the data object, then its sidecar. Gives all parts, and what their rows have in
    /// their columns.
    pub async fn close(mut self) -> Answered<ClosedParts> {
        self.finish_open_part().await?;
        Ok(ClosedParts {
            parts: self.finished,
            columns: self.scanner.column_counts(),
        })
    }

    /// Aborts the open part as well as it can. Finished parts stay, but no slot ever names them.
    pub async fn discard(self) {
        if let Some(open) = self.open {
            open.data.discard().await;
        }
    }

    async fn finish_open_part(&mut self) -> Answered<()> {
        if let Some(open) = self.open.take() {
            let part = open.finish(&self.store).await?;
            self.bytes += part.bytes;
            self.finished.push(part);
        }
        Ok(())
    }
}

impl OpenPart {
    fn create(store: &Store, spec: &PartSpec, prefix: &str) -> Answered<Self> {
        Ok(Self {
            data: create_data(store, spec, prefix)?,
            writer: RowWriter::new(spec),
            keys: Entries::with_room_for(spec.limits.rows),
        })
    }

    /// Appends rows until the part is full or a slice of them is written.
    fn append_slice(
        &mut self,
        spec: &PartSpec,
        scanner: &mut Scanner,
        rows_before: u64,
        rows: &mut Rows<'_>,
    ) -> Answered<()> {
        /// Bytes that are compressed before another task may run.
        const SLICE: usize = 256 * 1024;
        let slice = rows.rest();
        let mut appended = 0;
        let mut count = 0;
        while appended < slice.len() && appended < SLICE && self.keys.rows() < spec.limits.rows {
            let length = self
                .append_row(scanner, rows)
                .map_err(|malformed| malformed.in_row(rows_before + count))?;
            rows.pass_row(length);
            appended += length + 1;
            count += 1;
        }
        let appended = slice.get(..appended).unwrap_or(slice);
        self.writer.write_rows(appended, &mut self.data)
    }

    /// Appends the next of these rows; gives its length without its line end.
    #[inline]
    fn append_row(&mut self, scanner: &mut Scanner, rows: &Rows<'_>) -> Result<usize, Malformed> {
        let row = match rows.known_row() {
            Some((row, values)) if scanner.take_values(row, values) => row,
            _ => scanner.scan(rows.rest())?,
        };
        self.keys.push(scanner.key_hash(row)?, row);
        self.writer.encode_row(scanner, row)?;
        Ok(row.len())
    }

    async fn finish(self, store: &Store) -> Answered<Part> {
        let rows = u64::from(self.keys.rows());
        let stored = self.data.finish().await?;
        store_sidecar(store, stored, rows, self.keys.into_sorted()).await
    }
}

/// Begins a data object under a name that no other object ever has.
pub(super) fn create_data(store: &Store, spec: &PartSpec, prefix: &str) -> Answered<DataWriter> {
    let unique = Uuid::new_v4().simple();
    let key = format!("{prefix}{unique}{}", format::extension(spec));
    DataWriter::create(store, key, format::content_type(spec), spec.compression)
}
