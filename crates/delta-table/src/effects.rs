//! What the publish flow requests.

use delivery::documents::Commit;
use delivery::effects::{Responder, StoreEffect};
use delivery::keys::TableKeys;

use crate::{CommitRows, NewFile, Schema};

/// What the publish flow requests. `PublishHandler::execute` of the crate `publish` carries it out.
#[derive(Debug)]
pub enum PublishEffect {
    /// Carried out by `landing::Store::execute`.
    Store(StoreEffect),
    /// Writes the rows of a commit into files of the table. Carried out by `write_rows` of the crate `publish`.
    WriteRows(Box<WriteRequest>, Responder<WrittenRows>),
    /// Asks whether the time of the invocation is spent. Carried out by `PublishHandler::execute` itself.
    IsSpent(Responder<bool>),
    /// Records a version that this invocation published. Carried out by `PublishHandler::record`.
    Record(PublishedVersion, Responder<()>),
}

impl From<StoreEffect> for PublishEffect {
    fn from(effect: StoreEffect) -> Self {
        Self::Store(effect)
    }
}

/// Which rows to write, and how.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// The commit whose parts have the rows.
    pub commit: Commit,
    /// The columns of the files.
    pub schema: Schema,
    /// Where the files are stored.
    pub table: TableKeys,
}

/// What came of writing rows.
#[derive(Clone, Debug)]
pub enum WrittenRows {
    /// They are stored in these files.
    Files(Vec<NewFile>),
    /// This part of the commit is not there any more. No file is kept.
    Gone(String),
}

/// A version that was published, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedVersion {
    pub version: u64,
    pub rows: u64,
    /// Values that are null in the table because they are none of their column's type.
    pub nulled: u64,
    /// Whether its rows were gone from the bucket.
    pub rows_gone: bool,
}

impl PublishedVersion {
    /// The figures of a commit whose rows became this.
    #[must_use]
    pub fn new(commit: &Commit, rows: &CommitRows) -> Self {
        let (files, rows_gone) = match rows {
            CommitRows::Written(files) => (&files[..], false),
            CommitRows::Gone => (&[][..], true),
        };
        let written = |count: fn(&NewFile) -> u64| files.iter().map(count).sum();
        Self {
            version: commit.version,
            rows: written(|file| file.written.rows),
            nulled: written(|file| file.written.tally.count_nulled()),
            rows_gone,
        }
    }
}
