//! Writing rows into parts.

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

    /// Writes rows: JSON objects without line breaks, each followed by `\n`.
    pub async fn append_rows(&mut self, rows: &[u8]) -> Answered<()> {
        let mut rest = rows;
        while !rest.is_empty() {
            let open = match &mut self.open {
                Some(open) => open,
                closed => closed.insert(OpenPart::create(&self.store, &self.spec, &self.prefix)?),
            };
            let before = open.keys.rows();
            rest = open.append_slice(&self.spec, &mut self.scanner, self.rows, rest)?;
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

    /// Appends rows until the part is full or a slice of them is written; gives the rest back.
    fn append_slice<'a>(
        &mut self,
        spec: &PartSpec,
        scanner: &mut Scanner,
        rows_before: u64,
        rows: &'a [u8],
    ) -> Answered<&'a [u8]> {
        /// Bytes that are compressed before another task may run.
        const SLICE: usize = 256 * 1024;
        let mut at = 0;
        let mut count = 0;
        while at < rows.len() && at < SLICE && self.keys.rows() < spec.limits.rows {
            let row = self
                .append_row(scanner, &rows[at..])
                .map_err(|malformed| malformed.in_row(rows_before + count))?;
            at += row.len() + 1;
            count += 1;
        }
        let (appended, rest) = rows.split_at_checked(at).unwrap_or((rows, &[]));
        self.writer.write_rows(appended, &mut self.data)?;
        Ok(rest)
    }

    /// Appends the first of these rows; gives it without its line end.
    #[inline]
    fn append_row<'a>(
        &mut self,
        scanner: &mut Scanner,
        rows: &'a [u8],
    ) -> Result<&'a [u8], Malformed> {
        let row = scanner.scan(rows)?;
        self.keys.push(scanner.key_hash(row)?, row);
        self.writer.encode_row(scanner, row)?;
        Ok(row)
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
