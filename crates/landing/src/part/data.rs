//! The data object of a part: encoded, compressed, uploaded.

use std::io;

use definition::OutputFormat;

use super::compress::Encoder;
use super::row::Scanner;
use super::upload::{FULL, Upload};
use super::{Malformed, PartSpec, csv, unique_name};
use crate::store::Store;
use delivery::effects::{Answered, Fault};

/// As much CSV as is encoded before it is compressed.
const SCRATCH: usize = 64 * 1024;

/// A data object that is being written.
#[derive(Debug)]
pub(super) struct Data {
    encoder: Encoder,
    upload: Upload,
    /// CSV that was encoded, but not compressed yet.
    csv: Vec<u8>,
    /// Whether formulas are kept from being any.
    guards: bool,
}

/// A data object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) bytes: u64,
    /// In hex.
    pub(super) sha256: String,
    /// What S3 says is its checksum.
    pub(super) checksum: String,
}

impl Data {
    /// A new object under a name of its own. A CSV begins with its header.
    pub(super) fn create(store: &Store, spec: &PartSpec, prefix: &str) -> Answered<Self> {
        let mut data = Self::empty(store, spec, prefix)?;
        if spec.format == OutputFormat::Csv {
            csv::header(&mut data.csv, &spec.columns);
        }
        Ok(data)
    }

    /// A new object without a header.
    pub(super) fn empty(store: &Store, spec: &PartSpec, prefix: &str) -> Answered<Self> {
        let key = unique_name(prefix, spec);
        Ok(Self {
            encoder: Encoder::new(spec.compression, Upload::buffer()).map_err(compression)?,
            upload: Upload::new(store, key, spec.content_type()),
            csv: Vec::new(),
            guards: spec.formula_guard,
        })
    }

    /// Bytes that have come out of the compressor.
    pub(super) fn bytes(&self) -> u64 {
        self.upload.bytes() + self.encoder.output().len() as u64
    }

    /// Writes bytes as they are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Answered<()> {
        self.encoder.write(bytes).map_err(compression)
    }

    /// Writes the row that was scanned last as a record of CSV.
    pub(super) fn write_csv(&mut self, scanner: &Scanner, row: &[u8]) -> Result<(), Malformed> {
        csv::record(&mut self.csv, scanner, row, self.guards)?;
        if self.csv.len() >= SCRATCH {
            self.encoder
                .write(&self.csv)
                .map_err(|error| Malformed::Compression(error.to_string()))?;
            self.csv.clear();
        }
        Ok(())
    }

    /// Sends what is enough to be sent.
    pub(super) async fn ship(&mut self) -> Answered<()> {
        if self.encoder.output().len() >= FULL {
            let full = self.encoder.exchange(bytes::BytesMut::new());
            let empty = self.upload.send(full).await?;
            self.encoder.exchange(empty);
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Answered<Stored> {
        self.encoder.write(&self.csv).map_err(compression)?;
        let last = self.encoder.finish().map_err(compression)?;
        self.upload.finish(last).await
    }

    pub(super) async fn discard(self) {
        self.upload.discard().await;
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is handed to map_err, which gives the error away"
)]
pub(super) fn compression(error: io::Error) -> Fault {
    Fault::Contract(format!("the compressor gave up: {error}"))
}
