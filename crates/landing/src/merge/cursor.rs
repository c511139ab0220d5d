//! One sidecar, read from its beginning to its end.

use bytes::{Buf as _, Bytes};
use delivery::documents::{Part, Sidecar};
use delivery::effects::{Answered, Fault};
use tokio::task::JoinSet;

use crate::part::{ENTRY_BYTES, Entry};
use crate::store::{Checksum, Sha256, Store};

/// A position in a sidecar. The next piece is requested ahead.
pub(super) struct Cursor {
    store: Store,
    sidecar: Sidecar,
    rows: u64,
    piece_bytes: u64,
    /// Bytes requested so far.
    requested: u64,
    /// What is left of the piece that is being read.
    current: Bytes,
    /// At most one request; dropped with the cursor.
    in_flight: JoinSet<Answered<Bytes>>,
    hasher: Sha256,
    last: Option<Entry>,
}

impl Cursor {
    /// A cursor at the beginning. The first piece is requested at once.
    pub(super) fn open(store: &Store, part: &Part, piece_bytes: usize) -> Answered<Self> {
        let mut cursor = Self {
            store: store.clone(),
            sidecar: part.keys.clone(),
            rows: part.rows,
            piece_bytes: piece_bytes as u64,
            requested: 0,
            current: Bytes::new(),
            in_flight: JoinSet::new(),
            hasher: Sha256::default(),
            last: None,
        };
        if part.keys.bytes != part.rows * ENTRY_BYTES as u64 {
            return Err(cursor.contract_fault("has another size than its rows need"));
        }
        cursor.request_piece();
        Ok(cursor)
    }

    /// The next entry of the piece in memory; none if that is used up.
    pub(super) fn next_in_memory(&mut self) -> Answered<Option<Entry>> {
        let Some(bytes) = self.current.first_chunk::<ENTRY_BYTES>() else {
            return Ok(None);
        };
        let entry = Entry::read(bytes);
        self.current.advance(ENTRY_BYTES);
        if self.last.is_some_and(|last| last >= entry) {
            return Err(self.contract_fault("is not sorted"));
        }
        if u64::from(entry.number) >= self.rows {
            return Err(self.contract_fault("names a row that its part does not have"));
        }
        self.last = Some(entry);
        Ok(Some(entry))
    }

    /// The next entry; none at the end.
    pub(super) async fn next_entry(&mut self) -> Answered<Option<Entry>> {
        if self.current.is_empty() && !self.refill().await? {
            return Ok(None);
        }
        self.next_in_memory()
    }

    /// Waits for the next piece. False at the end, if the whole sidecar had the SHA-256 of its slot.
    async fn refill(&mut self) -> Answered<bool> {
        let Some(piece) = self.in_flight.join_next().await else {
            let hasher = std::mem::take(&mut self.hasher);
            return if Checksum::from_hasher(hasher).hex() == self.sidecar.sha256 {
                Ok(false)
            } else {
                Err(self.contract_fault("has another SHA-256 than its slot says"))
            };
        };
        self.current =
            piece.map_err(|_| Fault::Unavailable("a read was interrupted".to_owned()))??;
        self.hasher.update(&self.current);
        self.request_piece();
        Ok(true)
    }

    /// Requests the next piece, if there is one.
    fn request_piece(&mut self) {
        let start = self.requested;
        let length = self.piece_bytes.min(self.sidecar.bytes - start);
        if length == 0 {
            return;
        }
        self.requested += length;
        let (store, key) = (self.store.clone(), self.sidecar.key.clone());
        self.in_flight.spawn(async move {
            let _permit = store.request_permit().await;
            store.read_range(&key, start, length).await
        });
    }

    fn contract_fault(&self, what: &str) -> Fault {
        Fault::Contract(format!("{} {what}", self.sidecar.key))
    }
}
