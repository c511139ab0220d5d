//! How a flow requests effects.
//!
//! A flow is an async function that holds [`Effects`]. Each request travels as a value of an
//! effect enum, together with the [`Responder`] for its typed answer; [`run_flow`] hands it to the code
//! that carries effects out. In a handler that code calls S3 and CXone; in the simulation it is a model of
//! both, which may also kill the flow by dropping it. There is no trait to implement, and nothing in a flow
//! knows where the answers come from.
//!
//! Each variant names the function that carries it out in the handlers.

mod channel;
mod fault;

use std::time::Duration;

use definition::{Definition, Dialect, PageToken, RunId, ScheduleId, Window};
use jiff::SignedDuration;
use tokio::sync::oneshot;

use crate::columns::ColumnCounts;
use crate::documents::Part;

pub use channel::{Effects, channel, run_flow};
pub use fault::Fault;

/// What carrying an effect out yields.
pub type Answered<T> = Result<T, Fault>;

/// Takes the answer to a request. Dropping it stops the flow at that request for ever.
pub type Responder<T> = oneshot::Sender<Answered<T>>;

/// What a claim found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The object holds exactly the bytes that we wanted to store.
    Ours,
    /// Another writer was first; these are the bytes that it stored.
    Theirs(Vec<u8>),
}

/// An object, and the tag that tells it from any other object that is put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    pub bytes: Vec<u8>,
    pub etag: String,
}

/// What a compare-and-swap came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasOutcome {
    /// Our bytes were stored.
    Stored,
    /// Another object is there, or was put there first.
    Lost,
}

/// What every flow requests of storage. `landing::Store::execute` carries it out.
#[derive(Debug)]
pub enum StoreEffect {
    /// Reads the object under this key with its tag; `None` where nothing is stored. Carried out by
    /// `landing::Store::find_versioned`.
    Find(String, Responder<Option<Versioned>>),
    /// Stores these bytes under this key if the object with the tag `found` is still there; without
    /// a tag, if nothing is there. Carried out by `landing::Store::compare_and_swap`.
    CompareAndSwap {
        key: String,
        body: Vec<u8>,
        /// The tag of the object that was found there; `None` where there was none.
        found: Option<String>,
        responder: Responder<CasOutcome>,
    },
    /// Stores these bytes under this key unless an object is there, then says what is there. Carried out by
    /// `landing::Store::claim`.
    Claim(String, Vec<u8>, Responder<Claimed>),
    /// Reads the objects under these keys, in their order; `None` where nothing is stored. Carried out by
    /// `landing::Store::read_all`.
    Read(Vec<String>, Responder<Vec<Option<Vec<u8>>>>),
    /// Lists all keys that begin with the prefix and sort after `after`, in order. Carried out by
    /// `landing::Store::list_keys`.
    List {
        prefix: String,
        after: Option<String>,
        responder: Responder<Vec<String>>,
    },
    /// Lists the folders directly below the prefix that sort between `after` and `before`, in order, each with
    /// the slash at its end. Carried out by `landing::Store::list_folders`.
    ListFolders {
        prefix: String,
        after: String,
        before: String,
        responder: Responder<Vec<String>>,
    },
}

/// Asks the clock how long ago the flow was asked, which is how far `now` in the message lags behind.
#[derive(Debug)]
pub struct Elapsed(pub Responder<SignedDuration>);

impl Elapsed {
    /// Answers with how long ago the flow was asked.
    pub fn answer(self, elapsed: Duration) {
        let elapsed = SignedDuration::try_from(elapsed);
        // Ignore send errors: the receiver is dropped when the flow is cancelled.
        let _ = self.0.send(Ok(elapsed.unwrap_or(SignedDuration::MAX)));
    }
}

/// What the trigger flow requests. `TriggerHandler::execute` carries it out.
#[derive(Debug)]
pub enum TriggerEffect {
    /// Carried out by `landing::Store::execute`.
    Store(StoreEffect),
    /// Carried out by [`Elapsed::answer`].
    Elapsed(Elapsed),
    /// Makes sure that whatever a run needs is registered as defined. Carried out by
    /// `TriggerHandler::register_schedule`.
    Register(Box<Definition>, Responder<Option<ScheduleId>>),
    /// Starts a run. Carried out by `TriggerHandler::start_run`.
    StartRun(StartRequest, Responder<RunId>),
    /// Cancels a run that nothing will ever poll. Best effort, and only where the API can. Carried out by
    /// `TriggerHandler::cancel_run`.
    CancelRun(Dialect, RunId, Responder<()>),
    /// Records how many hours ago the newest window of the report ended that consumers hold. Carried out by
    /// `TriggerHandler::execute` itself.
    RecordFreshness(u64, Responder<()>),
}

/// Which run to start.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// What is asked for.
    pub definition: Box<Definition>,
    /// The schedule it is a run of, where there is one.
    pub schedule: Option<ScheduleId>,
    pub window: Window,
    /// The call is made once, and only if it can begin within this time since the flow was asked. `None`:
    /// it may begin at any time and be retried.
    pub within: Option<Duration>,
}

/// What the fetch flow requests. `Pages::execute` of the crate `fetch-page` carries it out.
#[derive(Debug)]
pub enum FetchEffect {
    /// Carried out by `landing::Store::execute`.
    Store(StoreEffect),
    /// Carried out by [`Elapsed::answer`].
    Elapsed(Elapsed),
    /// Takes a page and appends its rows to the open parts. Carried out by `Pages::take_page`.
    Page(PageRequest, Responder<Page>),
    /// Finishes the open parts, so that a slot may name them. Carried out by `Pages::close_parts`.
    Close(Responder<ClosedParts>),
    /// Gives the open parts up. Carried out by `Pages::execute` itself.
    Discard(Responder<()>),
}

/// Which page to take, and where its rows go.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub run_id: RunId,
    pub window: Window,
    pub within: Option<Duration>,
    /// The page; none for the first.
    pub token: Option<PageToken>,
    /// What the run was asked for, and how the rows are written.
    pub definition: Box<Definition>,
    /// The columns of the parts: those of the whole definition, even if the run leaves some out,
    /// so that all parts of a commit have the same.
    pub columns: Vec<String>,
    /// How the names of new parts begin.
    pub part_prefix: String,
}

/// A page that was taken whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: u64,
    /// The token of the next page.
    pub next: Option<PageToken>,
    /// The number of rows of the whole run, if the API gives one.
    pub total: Option<u64>,
    /// Rows that sum up the others, left out.
    pub summary_rows: u64,
    /// Records of its file that may hold others, by their numbers.
    pub suspect_records: Vec<u64>,
    /// Fields of the envelope that we do not know.
    pub unknown_fields: Vec<String>,
    /// The open parts are large enough: close them.
    pub close: bool,
    /// The time or size budget of the invocation is used up: stop.
    pub stop: bool,
}

/// Parts that were finished together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedParts {
    pub parts: Vec<Part>,
    /// What their rows have in their columns.
    pub columns: ColumnCounts,
}

/// What the finalize flow requests. `FinalizeHandler::execute` carries it out.
#[derive(Debug)]
pub enum FinalizeEffect {
    /// Carried out by `landing::Store::execute`.
    Store(StoreEffect),
    /// Compares size and checksum of these parts and their sidecars with what is stored; the answer names
    /// the first that differs or is missing. Carried out by `landing::Store::check_parts`.
    Check(Vec<Part>, Responder<Option<String>>),
    /// Merges the sidecars of these parts. Carried out by `landing::merge`.
    Merge(Vec<Part>, Responder<Merged>),
    /// Finds out in which columns rows with the same key differ; `None` if no two of them differ. Carried out by
    /// `landing::compare`.
    Compare(CompareRequest, Responder<Option<Difference>>),
    /// Writes this part again without some of its rows. Carried out by `landing::rewrite`.
    Rewrite(RewriteRequest, Responder<Part>),
}

/// Which rows to compare.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// The parts that hold them.
    pub parts: Vec<Part>,
    /// How they are written.
    pub definition: Box<Definition>,
}

/// How rows with the same key differ, without their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The key of the part that holds one of the rows.
    pub part: String,
    /// The number of that row, from 0.
    pub row: u32,
    /// The columns in which the rows that were compared differ, sorted.
    pub columns: Vec<String>,
}

/// A part that is to be written again, and which rows are left out.
#[derive(Clone, Debug)]
pub struct RewriteRequest {
    /// The part as it is.
    pub part: Part,
    /// The numbers of the rows to leave out, ascending, from 0.
    pub without: Vec<u32>,
    /// How it is written.
    pub definition: Box<Definition>,
    /// How the names of new parts begin.
    pub part_prefix: String,
}

/// What merging sidecars found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub rows: u64,
    /// Rows that repeat another one exactly.
    pub duplicates: u64,
    /// Rows that another row with the same key replaces.
    pub replaced: u64,
    /// For each part in the order asked, the numbers of the rows to leave out so that of each
    /// key the first of equal rows, and of different ones the last, remains; ascending.
    pub without: Vec<Vec<u32>>,
    /// Hash over the sorted pairs of key hash and row hash that remain, in hex.
    pub content: String,
}

macro_rules! wraps_storage {
    ($($effect:ident),*) => {$(
        impl From<StoreEffect> for $effect {
            fn from(effect: StoreEffect) -> Self {
                Self::Store(effect)
            }
        }
    )*};
}
wraps_storage!(TriggerEffect, FetchEffect, FinalizeEffect);

impl From<Elapsed> for TriggerEffect {
    fn from(effect: Elapsed) -> Self {
        Self::Elapsed(effect)
    }
}

impl From<Elapsed> for FetchEffect {
    fn from(effect: Elapsed) -> Self {
        Self::Elapsed(effect)
    }
}
