//! Writing a part anew without some of its rows.
//!
//! The bytes of the rows that stay pass through as they are, and their entries come from the old
//! sidecar, with the rows counted anew: nothing is parsed, so keys and rows keep their hashes
//! whatever the form, and the memory does not depend on the part or on its longest row.

use definition::OutputFormat;
use memchr::memchr;

use super::compress::Decoder;
use super::csv::Records;
use super::data::{Data, Stored, compression};
use super::{ENTRY, Entry, PartSpec, seal};
use crate::store::{Checksum, RangeReader, Sha256, Store};
use delivery::documents::Part;
use delivery::effects::{Answered, Fault, RewriteRequest};

/// As much as is decompressed at once: it may grow a thousandfold.
const MOUTHFUL: usize = 4 * 1024;

/// Writes the part anew under a new name; gives the new part. The old one stays as it is.
pub async fn rewrite(store: &Store, request: RewriteRequest) -> Answered<Part> {
    let spec = PartSpec::from(&*request.definition);
    rewrite_as(store, &spec, &request).await
}

async fn rewrite_as(store: &Store, spec: &PartSpec, request: &RewriteRequest) -> Answered<Part> {
    let RewriteRequest { part, without, .. } = request;
    let descends = |pair: &[u32]| pair[0] >= pair[1];
    let beyond = |last: &u32| u64::from(*last) >= part.rows;
    if without.windows(2).any(descends) || without.last().is_some_and(beyond) {
        return Err(Fault::Contract(
            "rows to leave out that the part does not have".to_owned(),
        ));
    }
    let mut data = Data::empty(store, spec, &request.part_prefix)?;
    let stored = match copy(store, spec, request, &mut data).await {
        Ok(()) => data.finish().await?,
        Err(fault) => {
            data.discard().await;
            return Err(fault);
        }
    };
    finish(store, part, without, stored).await
}

/// Copies the rows that stay.
async fn copy(
    store: &Store,
    spec: &PartSpec,
    request: &RewriteRequest,
    data: &mut Data,
) -> Answered<()> {
    let part = &request.part;
    let unreadable = |_| Fault::Contract(format!("{} can't be decompressed", part.key));
    let mut decoder = Decoder::new(spec.compression).map_err(compression)?;
    let mut sieve = Sieve::new(spec.format, &request.without);
    let mut hasher = Sha256::default();
    let mut reader = RangeReader::new(store, &part.key, part.bytes);
    while let Some(piece) = reader.next().await? {
        hasher.update(&piece);
        for mouthful in piece.chunks(MOUTHFUL) {
            let rows = decoder.write(mouthful).map_err(unreadable)?;
            sieve.pass(rows, data)?;
            rows.clear();
            data.ship().await?;
        }
    }
    sieve.pass(decoder.finish().map_err(unreadable)?, data)?;
    let whole = sieve.rows() == Some(part.rows);
    if whole && Checksum::from_hasher(hasher).hex() == part.sha256 {
        Ok(())
    } else {
        Err(Fault::Contract(format!(
            "{} is not what its slot says",
            part.key
        )))
    }
}

/// Writes the sidecar of the rows that stayed.
async fn finish(store: &Store, old: &Part, without: &[u32], data: Stored) -> Answered<Part> {
    let wrong = || Fault::Contract(format!("{} is not what its slot says", old.keys.key));
    if old.keys.bytes != old.rows * ENTRY as u64 {
        return Err(wrong());
    }
    let mut sidecar = bytes::BytesMut::with_capacity(old.keys.bytes.try_into().unwrap_or_default());
    let mut reader = RangeReader::new(store, &old.keys.key, old.keys.bytes);
    while let Some(piece) = reader.next().await? {
        sidecar.extend_from_slice(&piece);
    }
    if Checksum::of(&sidecar).hex() != old.keys.sha256 {
        return Err(wrong());
    }
    let (entries, _) = sidecar.as_chunks_mut::<ENTRY>();
    let mut kept = 0;
    for at in 0..entries.len() {
        let mut entry = Entry::read(&entries[at]);
        // The rows keep their order, so the entries stay sorted.
        if let Err(before) = without.binary_search(&entry.number) {
            entry.number -= u32::try_from(before).map_err(|_| wrong())?;
            entries[kept] = entry.bytes();
            kept += 1;
        }
    }
    sidecar.truncate(kept * ENTRY);
    seal(store, data, kept as u64, sidecar.freeze()).await
}

/// Lets the rows through that stay.
struct Sieve<'a> {
    /// Row ends, in the form of the rows.
    records: Option<Records>,
    without: &'a [u32],
    /// The row that the next byte belongs to; none in the header.
    row: Option<u64>,
    /// Whether some of that row has come already.
    begun: bool,
}

impl<'a> Sieve<'a> {
    fn new(format: OutputFormat, without: &'a [u32]) -> Self {
        let csv = format == OutputFormat::Csv;
        Self {
            records: csv.then(Records::default),
            without,
            row: (!csv).then_some(0),
            begun: false,
        }
    }

    /// Rows that have come whole; none if one has not.
    fn rows(&self) -> Option<u64> {
        self.row.filter(|_| !self.begun)
    }

    fn pass(&mut self, bytes: &[u8], data: &mut Data) -> Answered<()> {
        let mut rest = bytes;
        // Neighbours that stay are written at once.
        let mut kept = 0;
        while kept < rest.len() {
            let unseen = &rest[kept..];
            let end = match &mut self.records {
                Some(records) => records.end(unseen),
                None => memchr(b'\n', unseen).map(|at| at + 1),
            };
            let length = end.unwrap_or(unseen.len());
            if self.stays() {
                kept += length;
            } else {
                data.write(&rest[..kept])?;
                rest = &unseen[length..];
                kept = 0;
            }
            self.begun = end.is_none();
            if end.is_some() {
                self.next_row();
            }
        }
        data.write(rest)
    }

    fn stays(&self) -> bool {
        let first = self.without.first().copied();
        self.row.is_none() || self.row != first.map(u64::from)
    }

    fn next_row(&mut self) {
        if !self.stays() {
            self.without = self.without.split_first().map_or(&[], |(_, rest)| rest);
        }
        self.row = Some(self.row.map_or(0, |row| row + 1));
    }
}
