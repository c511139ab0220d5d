//! How a flow asks for effects.
//!
//! A flow is an async function that holds [`Effects`]. Each question travels as a value of an
//! effect enum, together with the place for its typed answer; [`run_flow`] hands it to whoever
//! carries effects out. In a handler that is S3 and CXone, in a simulation a model of both,
//! which may also kill the flow by dropping it. There is no trait to implement and nothing
//! in a flow that knows where the answers come from.

use std::time::Duration;

use crate::{Failure, FailureName};
use definition::{Definition, Dialect, PageToken, RunId, ScheduleId, Window};
use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot};

use crate::documents::Part;

/// An effect could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The tenant wants to be left alone, for this long if it said.
    Throttled(Option<Duration>),
    /// Our own rule says not yet: nothing was asked of the tenant. Come back after so long.
    TooEarly(Duration),
    /// The tenant refused, and it may be that we came too often or that a permission is missing.
    MaybeForbidden(String),
    /// No answer, or none that says anything about the question.
    Unavailable(String),
    /// Credentials or a permission were refused.
    Auth(String),
    /// The tenant does not know the run, or not any more.
    Gone,
    /// The run failed, and this is what the tenant said of it.
    Failed(String),
    /// The tenant refused the page token.
    TokenRefused,
    /// The run is not completed (any more).
    NotCompleted,
    /// The page broke off or did not add up after rows of it had been taken, for this reason.
    Torn(Box<Fault>),
    /// An answer outside its contract.
    Contract(String),
    /// The definition or the deployment is wrong.
    Config(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let (name, message) = match fault {
            Fault::Throttled(wait) => (
                FailureName::Throttled,
                wait.map_or_else(
                    || "CXone asked for a pause".to_owned(),
                    |wait| format!("CXone asked for a pause of {} s", wait.as_secs()),
                ),
            ),
            Fault::TooEarly(wait) => (
                FailureName::Throttled,
                format!(
                    "the next call of this API may be made in {} s",
                    wait.as_secs()
                ),
            ),
            Fault::MaybeForbidden(message) | Fault::Auth(message) => (FailureName::Auth, message),
            Fault::Unavailable(message) => (FailureName::Unavailable, message),
            Fault::Torn(why) => return Self::from(*why),
            Fault::Gone => (
                FailureName::Contract,
                "CXone does not know what it was asked for".to_owned(),
            ),
            Fault::Failed(said) => (
                FailureName::Contract,
                format!("CXone says that the run failed: {said}"),
            ),
            Fault::TokenRefused => (
                FailureName::Contract,
                "CXone refused a page token that it had given".to_owned(),
            ),
            Fault::NotCompleted => (
                FailureName::Contract,
                "CXone gave a page of a run that is not completed".to_owned(),
            ),
            Fault::Contract(message) => (FailureName::Contract, message),
            Fault::Config(message) => (FailureName::Config, message),
        };
        Self::new(name, message)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let message = failure.message;
        match failure.name {
            FailureName::Throttled => Self::Throttled(None),
            FailureName::Unavailable => Self::Unavailable(message),
            FailureName::Auth => Self::Auth(message),
            FailureName::Config => Self::Config(message),
            FailureName::Contract | FailureName::RunsExhausted | FailureName::Conflict => {
                Self::Contract(message)
            }
        }
    }
}

/// What carrying an effect out yields.
pub type Answered<T> = Result<T, Fault>;

/// The place for an answer. Dropping it kills the flow.
pub type Responder<T> = oneshot::Sender<Answered<T>>;

/// What a claim found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// What is stored is what we wanted to store.
    Ours,
    /// Somebody was first; this is what they stored.
    Theirs(Vec<u8>),
}

/// An object, and what tells it from every other object that is put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// What is stored.
    pub bytes: Vec<u8>,
    /// Its `ETag`.
    pub etag: String,
}

/// What a swap came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasOutcome {
    /// What we wanted to store was stored.
    Stored,
    /// Something else is there, or was put there first.
    Lost,
}

/// What every flow asks of storage.
#[derive(Debug)]
pub enum StoreEffect {
    /// The object under this key with its tag; none where nothing is stored.
    Find(String, Responder<Option<Versioned>>),
    /// Store these bytes under this key if the object with this tag is still there, or if nothing is.
    CompareAndSwap {
        /// Where.
        key: String,
        /// What.
        body: Vec<u8>,
        /// The tag of what was found there; none where nothing was.
        found: Option<String>,
        /// Whether it was done.
        reply: Responder<CasOutcome>,
    },
    /// Store these bytes under this key unless something is there, then say what is there.
    Claim(String, Vec<u8>, Responder<Claimed>),
    /// The objects under these keys, in their order; none where nothing is stored.
    Read(Vec<String>, Responder<Vec<Option<Vec<u8>>>>),
    /// All keys that begin with the prefix and sort after `after`, in order.
    List {
        /// What they begin with.
        prefix: String,
        /// What they sort after.
        after: Option<String>,
        /// The keys.
        reply: Responder<Vec<String>>,
    },
}

/// How long ago the flow's question was asked: what `now` in the message lags behind by now.
#[derive(Debug)]
pub struct Elapsed(pub Responder<SignedDuration>);

impl Elapsed {
    /// Answers with how long ago the question was asked.
    pub fn answer(self, elapsed: Duration) {
        let elapsed = SignedDuration::try_from(elapsed);
        // A reply that nobody takes belongs to a flow that is gone.
        let _ = self.0.send(Ok(elapsed.unwrap_or(SignedDuration::MAX)));
    }
}

/// What Trigger asks.
#[derive(Debug)]
pub enum TriggerEffect {
    /// Storage.
    Store(StoreEffect),
    /// Time.
    Elapsed(Elapsed),
    /// Make sure that whatever a run needs is registered as defined.
    Register(Box<Definition>, Responder<Option<ScheduleId>>),
    /// Start a run.
    StartRun(StartRequest, Responder<RunId>),
    /// Cancel a run that nobody will look after. Best effort, and only where the API can.
    CancelRun(Dialect, RunId, Responder<()>),
}

/// Which run to start.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// What is asked for.
    pub definition: Box<Definition>,
    /// The schedule it is a run of, where there is one.
    pub schedule: Option<ScheduleId>,
    /// The window.
    pub window: Window,
    /// The call is made once and begins within so much time since the flow's question was asked, or
    /// it isn't made. None: whenever, and as often as it takes.
    pub within: Option<Duration>,
}

/// What FetchPage asks.
#[derive(Debug)]
pub enum FetchEffect {
    /// Storage.
    Store(StoreEffect),
    /// Time.
    Elapsed(Elapsed),
    /// Take a page and append its rows to the open parts.
    Page(PageRequest, Responder<Page>),
    /// Finish the open parts. Their rows are now what a slot may name.
    Close(Responder<Vec<Part>>),
    /// Give the open parts up.
    Discard(Responder<()>),
}

/// Which page to take, and where its rows go.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The run.
    pub run_id: RunId,
    /// Its window.
    pub window: Window,
    /// As in [`StartRequest`].
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its rows.
    pub rows: u64,
    /// The token of the next page.
    pub next: Option<PageToken>,
    /// The number of rows of the whole run, if the API gives one.
    pub total: Option<u64>,
    /// Rows that sum up the others, left out.
    pub summary_rows: u64,
    /// Fields of the envelope that we do not know.
    pub unknown_fields: Vec<String>,
    /// The open parts are large enough: close them.
    pub close: bool,
    /// The time or size budget of the invocation is used up: stop.
    pub stop: bool,
}

/// What Finalize asks.
#[derive(Debug)]
pub enum FinalizeEffect {
    /// Storage.
    Store(StoreEffect),
    /// Compare size and checksum of these parts and their sidecars with what is stored;
    /// the answer names the first that differs or is missing.
    Check(Vec<Part>, Responder<Option<String>>),
    /// Merge the sidecars of these parts.
    Merge(Vec<Part>, Responder<Merged>),
    /// Write this part anew without these rows (their numbers, ascending).
    Rewrite(RewriteRequest, Responder<Part>),
}

/// A part that is to be written anew.
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
    /// Rows in all.
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

/// A flow's side: asks for effects of type `E`.
#[derive(Clone, Debug)]
pub struct Effects<E>(mpsc::UnboundedSender<E>);

impl<E> Effects<E> {
    /// Asks for one effect and waits for its answer.
    pub async fn request<T>(&self, effect: impl FnOnce(Responder<T>) -> E) -> Answered<T> {
        let (reply, answer) = oneshot::channel();
        let asked = self.0.send(effect(reply));
        match (asked, answer.await) {
            (Ok(()), Ok(answer)) => answer,
            // Whoever carries effects out is gone, and so is this flow.
            _ => std::future::pending().await,
        }
    }
}

impl<E: From<Elapsed>> Effects<E> {
    /// See [`Elapsed`].
    pub async fn elapsed(&self) -> Answered<SignedDuration> {
        self.request(|reply| Elapsed(reply).into()).await
    }
}

impl<E: From<StoreEffect>> Effects<E> {
    /// See [`StoreEffect::Claim`].
    pub async fn claim(&self, key: String, body: Vec<u8>) -> Answered<Claimed> {
        self.request(|reply| StoreEffect::Claim(key, body, reply).into())
            .await
    }

    /// See [`StoreEffect::Read`].
    pub async fn read_all(&self, keys: Vec<String>) -> Answered<Vec<Option<Vec<u8>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.request(|reply| StoreEffect::Read(keys, reply).into())
            .await
    }

    /// One object.
    pub async fn read(&self, key: String) -> Answered<Option<Vec<u8>>> {
        Ok(self.read_all(vec![key]).await?.pop().flatten())
    }

    /// See [`StoreEffect::Find`].
    pub async fn find(&self, key: String) -> Answered<Option<Versioned>> {
        self.request(|reply| StoreEffect::Find(key, reply).into())
            .await
    }

    /// See [`StoreEffect::CompareAndSwap`].
    pub async fn compare_and_swap(
        &self,
        key: String,
        body: Vec<u8>,
        found: Option<String>,
    ) -> Answered<CasOutcome> {
        self.request(|reply| {
            StoreEffect::CompareAndSwap {
                key,
                body,
                found,
                reply,
            }
            .into()
        })
        .await
    }

    /// See [`StoreEffect::List`].
    pub async fn list(&self, prefix: String, after: Option<String>) -> Answered<Vec<String>> {
        self.request(|reply| {
            StoreEffect::List {
                prefix,
                after,
                reply,
            }
            .into()
        })
        .await
    }
}

/// Runs a flow, handing its effects one by one to `execute`.
pub async fn run_flow<E, T>(
    flow: impl AsyncFnOnce(Effects<E>) -> T,
    mut execute: impl AsyncFnMut(E),
) -> T {
    let (sender, mut effects) = mpsc::unbounded_channel();
    let mut flow = std::pin::pin!(flow(Effects(sender)));
    loop {
        tokio::select! {
            biased;
            output = &mut flow => return output,
            Some(effect) = effects.recv() => execute(effect).await,
        }
    }
}

/// Both ends of the questions, for whoever polls the flow by hand.
#[must_use]
pub fn channel<E>() -> (Effects<E>, mpsc::UnboundedReceiver<E>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Effects(sender), receiver)
}
