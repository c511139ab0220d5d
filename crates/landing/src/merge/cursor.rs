//! One sidecar, read from its beginning to its end.

use bytes::{Buf as _, Bytes};
use tokio::task::JoinSet;

use crate::part::{ENTRY_BYTES, Entry};
use crate::store::{Checksum, Sha256, Store};
use delivery::documents::{Part, Sidecar};
use delivery::effects::{Answered, Fault};

/// A place in a sidecar, with the next piece on its way.
pub(super) struct Cursor {
    store: Store,
    sidecar: Sidecar,
    rows: u64,
    piece: u64,
    /// Bytes asked for.
    asked: u64,
    here: Bytes,
    /// At most one request; dropped with the cursor.
    on_its_way: JoinSet<Answered<Bytes>>,
    hasher: Sha256,
    last: Option<Entry>,
}

impl Cursor {
    /// At the beginning. The first piece is asked for at once.
    pub(super) fn start(store: &Store, part: &Part, piece: usize) -> Answered<Self> {
        let mut cursor = Self {
            store: store.clone(),
            sidecar: part.keys.clone(),
            rows: part.rows,
            piece: piece as u64,
            asked: 0,
            here: Bytes::new(),
            on_its_way: JoinSet::new(),
            hasher: Sha256::default(),
            last: None,
        };
        if part.keys.bytes != part.rows * ENTRY_BYTES as u64 {
            return Err(cursor.wrong("has another size than its rows need"));
        }
        cursor.ask();
        Ok(cursor)
    }

    /// The next entry, if it need not be waited for.
    pub(super) fn next_in_memory(&mut self) -> Answered<Option<Entry>> {
        let Some(bytes) = self.here.first_chunk::<ENTRY_BYTES>() else {
            return Ok(None);
        };
        let entry = Entry::read(bytes);
        self.here.advance(ENTRY_BYTES);
        if self.last.is_some_and(|last| last >= entry) {
            return Err(self.wrong("is not sorted"));
        }
        if u64::from(entry.number) >= self.rows {
            return Err(self.wrong("names a row that its part does not have"));
        }
        self.last = Some(entry);
        Ok(Some(entry))
    }

    /// The next entry; none at the end.
    pub(super) async fn next(&mut self) -> Answered<Option<Entry>> {
        if self.here.is_empty() && !self.refill().await? {
            return Ok(None);
        }
        self.next_in_memory()
    }

    async fn refill(&mut self) -> Answered<bool> {
        let Some(piece) = self.on_its_way.join_next().await else {
            let hasher = std::mem::take(&mut self.hasher);
            return if Checksum::from_hasher(hasher).hex() == self.sidecar.sha256 {
                Ok(false)
            } else {
                Err(self.wrong("has another SHA-256 than its slot says"))
            };
        };
        self.here =
            piece.map_err(|_| Fault::Unavailable("a read was interrupted".to_owned()))??;
        self.hasher.update(&self.here);
        self.ask();
        Ok(true)
    }

    /// Asks for the next piece, if there is one.
    fn ask(&mut self) {
        let start = self.asked;
        let length = self.piece.min(self.sidecar.bytes - start);
        if length == 0 {
            return;
        }
        self.asked += length;
        let (store, key) = (self.store.clone(), self.sidecar.key.clone());
        self.on_its_way.spawn(async move {
            let _slot = store.slot().await;
            store.get_range(&key, start, length).await
        });
    }

    fn wrong(&self, what: &str) -> Fault {
        Fault::Contract(format!("{} {what}", self.sidecar.key))
    }
}
