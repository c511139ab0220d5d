//! Parts: data objects under names that nobody else uses, each with a sidecar of its sorted keys.
//!
//! Rows are NDJSON (each row's bytes as CXone sent them, then LF) or CSV ([`csv`]), compressed with
//! level 1 of gzip or zstd or not at all. While a part is open, memory holds two upload buffers of
//! 5 MiB and the keys of at most 98,304 rows, however many rows come.

mod compress;
mod csv;
mod data;
mod entry;
mod rewrite;
mod row;
mod upload;

use bytes::Bytes;
use definition::{Compression, Definition, OutputFormat};

use crate::store::{Checksum, DataMark, Store, unique};
use data::{Data, Stored};
use delivery::documents::{Part, Sidecar};
use delivery::effects::{Answered, Fault};
use row::Scanner;

pub(crate) use entry::{ENTRY, Entry};
pub use rewrite::rewrite;

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSpec {
    /// In what form.
    pub format: OutputFormat,
    /// How compressed.
    pub compression: Compression,
    /// Whether a text of CSV that a spreadsheet would take for a formula is kept from that.
    pub formula_guard: bool,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// Those that make a row unique.
    pub key: Vec<String>,
    /// When a part is full.
    pub limits: Limits,
}

impl From<&Definition> for PartSpec {
    fn from(definition: &Definition) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Self {
            format: definition.pipeline.format,
            compression: definition.pipeline.compression,
            formula_guard: definition.pipeline.csv.is_some_and(|csv| csv.formula_guard),
            columns: owned(definition.columns()),
            key: owned(definition.key_columns()),
            limits: Limits::default(),
        }
    }
}

impl PartSpec {
    /// `.ndjson.gz` and its like.
    fn extension(&self) -> &'static str {
        match (self.format, self.compression) {
            (OutputFormat::Ndjson, Compression::Gzip) => ".ndjson.gz",
            (OutputFormat::Ndjson, Compression::Zstd) => ".ndjson.zst",
            (OutputFormat::Ndjson, Compression::None) => ".ndjson",
            (OutputFormat::Csv, Compression::Gzip) => ".csv.gz",
            (OutputFormat::Csv, Compression::Zstd) => ".csv.zst",
            (OutputFormat::Csv, Compression::None) => ".csv",
        }
    }

    /// The media type of the stored bytes. There is no `Content-Encoding`: a client that
    /// decompresses by itself would hand out other bytes than the checksum is of.
    fn content_type(&self) -> &'static str {
        match (self.compression, self.format) {
            (Compression::Gzip, _) => "application/gzip",
            (Compression::Zstd, _) => "application/zstd",
            (Compression::None, OutputFormat::Ndjson) => "application/x-ndjson",
            (Compression::None, OutputFormat::Csv) => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// When a part is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A part has no more rows.
    pub rows: u32,
    /// A part that has so many bytes gets no more rows.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The keys of one part are what memory grows by with the rows of a report, beside the
            // second upload buffer: 2.6 MiB.
            rows: 98_304,
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// The open parts of one batch: at most one is being written, those before it are finished.
#[derive(Debug)]
pub struct PartSet {
    store: Store,
    spec: PartSpec,
    prefix: String,
    scanner: Scanner,
    open: Option<Open>,
    finished: Vec<Part>,
    rows: u64,
    /// Bytes of the finished parts.
    bytes: u64,
}

/// The part that is being written.
#[derive(Debug)]
struct Open {
    data: Data,
    keys: entry::Entries,
}

impl PartSet {
    /// No part yet; the names of all that will be begin with `prefix`.
    #[must_use]
    pub fn new(store: Store, spec: PartSpec, prefix: String) -> Self {
        Self {
            scanner: Scanner::new(&spec),
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
    pub async fn append_lines(&mut self, lines: &[u8]) -> Answered<()> {
        let mut rest = lines;
        while !rest.is_empty() {
            let open = match &mut self.open {
                Some(open) => open,
                closed => closed.insert(Open::new(&self.store, &self.spec, &self.prefix)?),
            };
            let before = open.keys.rows();
            rest = open.take(&self.spec, &mut self.scanner, self.rows, rest)?;
            self.rows += u64::from(open.keys.rows() - before);
            open.data.ship().await?;
            if open.keys.rows() >= self.spec.limits.rows
                || open.data.bytes() >= self.spec.limits.bytes
            {
                self.finish_open().await?;
            }
        }
        Ok(())
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Compressed bytes so far, but for what the compressor has not given out yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes + self.open.as_ref().map_or(0, |open| open.data.bytes())
    }

    /// Members of rows that are no columns of the definition: their names, shortened, at most 16.
    #[must_use]
    pub fn extra_columns(&self) -> &[String] {
        self.scanner.extra_columns()
    }

    /// Finishes what is open: first the data object, then its sidecar.
    pub async fn close(mut self) -> Answered<Vec<Part>> {
        self.finish_open().await?;
        Ok(self.finished)
    }

    /// Gives the open part up, best effort. Finished ones stay, invisible for ever.
    pub async fn discard(self) {
        if let Some(open) = self.open {
            open.data.discard().await;
        }
    }

    async fn finish_open(&mut self) -> Answered<()> {
        if let Some(open) = self.open.take() {
            let part = open.finish(&self.store).await?;
            self.bytes += part.bytes;
            self.finished.push(part);
        }
        Ok(())
    }
}

impl Open {
    fn new(store: &Store, spec: &PartSpec, prefix: &str) -> Answered<Self> {
        Ok(Self {
            data: Data::create(store, spec, prefix)?,
            keys: entry::Entries::with_room_for(spec.limits.rows),
        })
    }

    /// Takes rows until the part is full or a slice of them is taken; gives the others back.
    fn take<'a>(
        &mut self,
        spec: &PartSpec,
        scanner: &mut Scanner,
        rows_before: u64,
        lines: &'a [u8],
    ) -> Answered<&'a [u8]> {
        /// As much as is compressed before somebody else may run.
        const SLICE: usize = 256 * 1024;
        let mut at = 0;
        let mut rows = 0;
        while at < lines.len() && at < SLICE && self.keys.rows() < spec.limits.rows {
            let row = scanner
                .scan(&lines[at..])
                .and_then(|row| {
                    self.keys.push(scanner.key_hash(row)?, row);
                    if spec.format == OutputFormat::Csv {
                        self.data.write_csv(scanner, row)?;
                    }
                    Ok(row)
                })
                .map_err(|malformed| malformed.in_row(rows_before + rows))?;
            at += row.len() + 1;
            rows += 1;
        }
        let (taken, rest) = lines.split_at_checked(at).unwrap_or((lines, &[]));
        if spec.format == OutputFormat::Ndjson {
            self.data.write(taken)?;
        }
        Ok(rest)
    }

    async fn finish(self, store: &Store) -> Answered<Part> {
        let rows = u64::from(self.keys.rows());
        let stored = self.data.finish().await?;
        seal(store, stored, rows, self.keys.into_sorted()).await
    }
}

/// Stores the sidecar of a finished data object.
async fn seal(store: &Store, data: Stored, rows: u64, keys: Bytes) -> Answered<Part> {
    let key = sidecar_key(&data.key);
    let checksum = Checksum::of(&keys);
    let mark = DataMark {
        checksum: data.checksum,
        sha256: data.sha256.clone(),
    };
    store
        .create(
            &key,
            "application/octet-stream",
            &keys,
            checksum,
            Some(&mark),
        )
        .await?;
    Ok(Part {
        key: data.key,
        rows,
        bytes: data.bytes,
        sha256: data.sha256,
        keys: Sidecar {
            key,
            bytes: keys.len() as u64,
            sha256: checksum.hex(),
        },
    })
}

/// `{prefix}{unique}.keys` for `{prefix}{unique}.ndjson.gz`.
fn sidecar_key(data: &str) -> String {
    let (folder, name) = data
        .rsplit_once('/')
        .map_or(("", data), |(folder, _)| data.split_at(folder.len() + 1));
    let stem = name.split('.').next().unwrap_or(name);
    format!("{folder}{stem}.keys")
}

/// No two parts ever have the same name.
fn unique_name(prefix: &str, spec: &PartSpec) -> String {
    format!("{prefix}{}{}", unique(), spec.extension())
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Malformed {
    Missing(String),
    Twice(String),
    NotAnObject,
    Text(String),
    Compression(String),
}

impl Malformed {
    /// Says where, but never what the value is.
    fn in_row(self, row: u64) -> Fault {
        Fault::Contract(match self {
            Self::Missing(column) => format!("row {row} of the batch has no key column {column}"),
            Self::Twice(column) => format!("row {row} of the batch has column {column} twice"),
            Self::NotAnObject => format!("row {row} of the batch is no JSON object"),
            Self::Text(column) => {
                format!("row {row} of the batch has no valid text in column {column}")
            }
            Self::Compression(error) => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_stands_beside_its_data() {
        assert_eq!(sidecar_key("a.b/c-d.ndjson.gz"), "a.b/c-d.keys");
        assert_eq!(sidecar_key("c.csv"), "c.keys");
    }
}
