//! The sidecar of a part: one entry of 28 bytes a row.
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | hash of the key: XXH3-128 of the key columns' values |
//! | 8 | hash of the row: XXH3-64 of its bytes as CXone sent them |
//! | 4 | number of the row in the part, from 0 |
//!
//! All big-endian and sorted, so that the order of the bytes is the order of the entries.
//! The hashes tell rows apart; they are no defence against somebody who makes collisions on purpose.

use bytes::{Bytes, BytesMut};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) const ENTRY_BYTES: usize = 28;

/// One row in a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Hash of the key.
    pub(crate) key: u128,
    /// Hash of the row.
    pub(crate) row: u64,
    /// Number of the row in its part.
    pub(crate) number: u32,
}

impl Entry {
    pub(crate) fn read(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let [key @ .., _, _, _, _, _, _, _, _, _, _, _, _] = *bytes;
        let [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            row @ ..,
            _,
            _,
            _,
            _,
        ] = *bytes;
        let [.., a, b, c, d] = *bytes;
        Self {
            key: u128::from_be_bytes(key),
            row: u64::from_be_bytes(row),
            number: u32::from_be_bytes([a, b, c, d]),
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(&self.key.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.row.to_be_bytes());
        bytes[24..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }
}

/// The entries of a part that is being written, in the order of its rows.
#[derive(Debug)]
pub(super) struct Entries {
    bytes: BytesMut,
    rows: u32,
}

impl Entries {
    /// Reserves address space; memory is used as entries are written.
    pub(super) fn with_room_for(rows: u32) -> Self {
        Self {
            bytes: BytesMut::with_capacity(rows as usize * ENTRY_BYTES),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn push(&mut self, key: u128, row: &[u8]) {
        let entry = Entry {
            key,
            row: xxh3_64(row),
            number: self.rows,
        };
        self.bytes.extend_from_slice(&entry.to_bytes());
        self.rows += 1;
    }

    pub(super) fn into_sorted(mut self) -> Bytes {
        let (entries, _) = self.bytes.as_chunks_mut::<ENTRY_BYTES>();
        sort(entries, 0);
        self.bytes.freeze()
    }
}

/// Sorts entries whose bytes before this one are equal. Key hashes are evenly spread: partitioned by
/// their first two bytes, a full part's entries are in buckets of one or two, in less than half the
/// time that comparing alone takes.
fn sort(entries: &mut [[u8; ENTRY_BYTES]], byte: usize) {
    /// So few are faster compared than partitioned.
    const FEW: usize = 512;
    if byte == 2 || entries.len() < FEW {
        entries.sort_unstable_by(|a, b| Entry::read(a).cmp(&Entry::read(b)));
        return;
    }
    let buckets = radix_partition(entries, byte);
    for ends in buckets.windows(2) {
        sort(&mut entries[ends[0]..ends[1]], byte + 1);
    }
}

/// Brings entries with the same value of a byte together, in place (an American flag sort).
/// Gives where the bucket of each value begins, and the end of the last one.
fn radix_partition(entries: &mut [[u8; ENTRY_BYTES]], byte: usize) -> [usize; 257] {
    let mut starts = [0; 257];
    for entry in &*entries {
        starts[usize::from(entry[byte]) + 1] += 1;
    }
    for bucket in 0..256 {
        starts[bucket + 1] += starts[bucket];
    }
    let mut next = starts;
    for bucket in 0..256 {
        while next[bucket] < starts[bucket + 1] {
            let mut entry = entries[next[bucket]];
            let mut home = usize::from(entry[byte]);
            while home != bucket {
                (entry, entries[next[home]]) = (entries[next[home]], entry);
                next[home] += 1;
                home = usize::from(entry[byte]);
            }
            entries[next[bucket]] = entry;
            next[bucket] += 1;
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn partitioning_sorts_as_comparing_does(
            keys in prop::collection::vec((0..3_u8, any::<u8>(), any::<u16>()), 0..3_000)
        ) {
            let mut entries = Entries::with_room_for(1);
            for (first, second, rest) in keys {
                let key = u128::from(first) << 120 | u128::from(second) << 112 | u128::from(rest);
                entries.push(key, &rest.to_be_bytes());
            }
            let mut expected = entries.bytes.as_chunks::<ENTRY_BYTES>().0.to_vec();
            expected.sort_unstable();
            prop_assert_eq!(entries.into_sorted(), expected.as_flattened());
        }
    }

    #[test]
    fn the_order_of_bytes_is_the_order_of_entries() {
        let mut entries = Entries::with_room_for(2);
        for row in [b"b", b"a", b"b"] {
            entries.push(u128::from(row[0]) << 120, row);
        }
        let sorted = entries.into_sorted();
        let (entries, rest) = sorted.as_chunks::<ENTRY_BYTES>();
        assert!(rest.is_empty() && entries.is_sorted());
        let numbers: Vec<u32> = entries.iter().map(|e| Entry::read(e).number).collect();
        assert_eq!(numbers, [1, 0, 2]);
        assert!(entries.iter().all(|e| Entry::read(e).to_bytes() == *e));
    }
}
