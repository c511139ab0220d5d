//! Writing a part anew without some of its rows.
//!
//! The entries of the rows that stay come from the old sidecar, with the rows numbered anew. So keys
//! and rows keep their hashes whatever the format.

use bytes::BytesMut;
use delivery::documents::Part;
use delivery::effects::{Answered, Fault, RewriteRequest};

use super::data::DataWriter;
use super::entry::{ENTRY_BYTES, Entry};
use super::format::copy_rows;
use super::reader::PartReader;
use super::set::create_data;
use super::sidecar::store_sidecar;
use super::spec::PartSpec;
use super::upload::StoredObject;
use crate::store::{Checksum, RangeReader, Store};

/// Writes the part anew under a new name; gives the new part. The old one stays as it is.
pub async fn rewrite(store: &Store, request: RewriteRequest) -> Answered<Part> {
    let RewriteRequest { part, without, .. } = &request;
    if !is_ascending(without, part.rows) {
        return Err(Fault::Contract(
            "rows to leave out that the part does not have".to_owned(),
        ));
    }
    let spec = PartSpec::from(&*request.definition);
    let mut data = create_data(store, &spec, &request.part_prefix)?;
    let stored = match copy_data(store, &spec, part, without, &mut data).await {
        Ok(()) => data.finish().await?,
        Err(fault) => {
            data.discard().await;
            return Err(fault);
        }
    };
    rewrite_sidecar(store, part, without, stored).await
}

/// Whether these numbers ascend and are those of rows.
fn is_ascending(numbers: &[u32], rows: u64) -> bool {
    numbers.is_sorted_by(|a, b| a < b) && numbers.last().is_none_or(|last| u64::from(*last) < rows)
}

async fn copy_data(
    store: &Store,
    spec: &PartSpec,
    part: &Part,
    without: &[u32],
    data: &mut DataWriter,
) -> Answered<()> {
    let mut stored = PartReader::new(store, &part.key, part.bytes, spec.compression)?;
    let rows = copy_rows(spec.format, &mut stored, without, data).await?;
    if rows == Some(part.rows) && stored.into_sha256() == part.sha256 {
        Ok(())
    } else {
        Err(differs_from_slot(&part.key))
    }
}

/// Writes the sidecar of the rows that stayed.
async fn rewrite_sidecar(
    store: &Store,
    old: &Part,
    without: &[u32],
    data: StoredObject,
) -> Answered<Part> {
    let mut sidecar = read_sidecar(store, old).await?;
    let (entries, _) = sidecar.as_chunks_mut::<ENTRY_BYTES>();
    let mut kept = 0;
    for at in 0..entries.len() {
        let mut entry = Entry::read(&entries[at]);
        // The rows keep their order, so the entries stay sorted.
        if let Err(before) = without.binary_search(&entry.number) {
            let before = u32::try_from(before).map_err(|_| differs_from_slot(&old.keys.key))?;
            entry.number -= before;
            entries[kept] = entry.to_bytes();
            kept += 1;
        }
    }
    sidecar.truncate(kept * ENTRY_BYTES);
    store_sidecar(store, data, kept as u64, sidecar.freeze()).await
}

/// Reads a sidecar whole and compares it with the slot.
async fn read_sidecar(store: &Store, part: &Part) -> Answered<BytesMut> {
    let slot = &part.keys;
    if slot.bytes != part.rows * ENTRY_BYTES as u64 {
        return Err(differs_from_slot(&slot.key));
    }
    let mut sidecar = BytesMut::with_capacity(slot.bytes.try_into().unwrap_or_default());
    let mut reader = RangeReader::new(store, &slot.key, slot.bytes);
    while let Some(piece) = reader.next_piece().await? {
        sidecar.extend_from_slice(&piece);
    }
    if Checksum::of(&sidecar).hex() == slot.sha256 {
        Ok(sidecar)
    } else {
        Err(differs_from_slot(&slot.key))
    }
}

fn differs_from_slot(key: &str) -> Fault {
    Fault::Contract(format!("{key} is not what its slot says"))
}
