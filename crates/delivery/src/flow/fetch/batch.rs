//! Takes the pages of one invocation.

use std::time::Duration;

use definition::{Definition, PageToken, Window};
use jiff::{SignedDuration, Timestamp};

use crate::documents::{GenerationRecord, RunRecord, Slot};
use crate::effects::{Claimed, Effects, Fault, FetchEffect, Page, PageRequest};
use crate::flow::fetch::cursor::Cursor;
use crate::flow::fetch::looks::is_last_look;
use crate::flow::fetch::taken::{Stop, TakenPages};
use crate::flow::rate_limit::{Permit, RateLimiter};
use crate::flow::stored::{StoredError, V, parse, require_stored, serialise};
use crate::keys::{GenerationKeys, RunKeys};
use crate::{EndReason, Failure, FetchIn, Work};

/// A run that CXone does not know this soon after its start may not have arrived everywhere yet.
const ARRIVAL: SignedDuration = SignedDuration::from_secs(60);

/// How often a page that broke off is asked for again within one invocation.
const BROKEN_PAGE_RETRIES: u32 = 3;

/// What stays the same while a batch is taken.
pub(super) struct Batch<'a> {
    effects: &'a Effects<FetchEffect>,
    keys: &'a RunKeys,
    work: &'a Work,
    /// Where the API's calls have to be kept apart.
    limiter: Option<RateLimiter>,
    window: Window,
    now: Timestamp,
    /// Whether a run without a file is not looked at again.
    is_last_look: bool,
    definition: Box<Definition>,
    columns: Vec<String>,
    part_prefix: String,
}

/// How a set of open parts came to its end.
enum Closing {
    /// Closed; go on with new ones.
    More,
    /// Closed; the batch is over.
    Stop(Option<Stop>),
    /// Lost with the page that broke off.
    Torn(Box<Fault>),
}

impl<'a> Batch<'a> {
    /// Reads what the run was asked for.
    pub(super) async fn prepare(
        effects: &'a Effects<FetchEffect>,
        generation: &GenerationKeys,
        keys: &'a RunKeys,
        message: &'a FetchIn,
        cursor: &Cursor,
        limiter: Option<RateLimiter>,
    ) -> Result<Self, Failure> {
        let work = &message.work;
        let wanted = [generation.open(), keys.run()];
        let mut bodies = effects.read_all(wanted.to_vec()).await?.into_iter();
        let mut next_body = |key: &str| require_stored(key, bodies.next().flatten());
        let record: GenerationRecord = parse(&wanted[0], &next_body(&wanted[0])?)?;
        let run: RunRecord = parse(&wanted[1], &next_body(&wanted[1])?)?;
        if run.run_id != work.run_id {
            return Err(StoredError::AnotherRun { key: keys.run() }.into());
        }
        let columns = record.definition.columns().into_iter();
        let columns = columns.map(str::to_owned).collect();
        let simplified = record.definition.simplified().filter(|_| run.simplified);
        Ok(Self {
            effects,
            keys,
            work,
            limiter,
            window: run.window,
            now: message.now,
            is_last_look: is_last_look(message),
            definition: Box::new(simplified.unwrap_or(record.definition)),
            columns,
            part_prefix: keys.part(cursor.batches),
        })
    }

    /// Takes pages until the run or the budget ends. When a page breaks off, the open parts are
    /// lost with it; the pages before it are then taken again and closed before it is retried.
    pub(super) async fn take_pages(&self, cursor: &Cursor) -> Result<TakenPages, Failure> {
        let mut closed = TakenPages::behind(cursor);
        let mut broken = 0;
        let mut limit = u64::MAX;
        loop {
            let mut open = closed.clone();
            match self.take_until_closed(cursor, &mut open, limit).await? {
                Closing::More => {
                    closed = open;
                    limit = u64::MAX;
                    broken = 0;
                }
                Closing::Stop(stopped) => {
                    open.stopped = stopped;
                    return Ok(open);
                }
                Closing::Torn(why) => {
                    self.effects.request(FetchEffect::Discard).await?;
                    broken += 1;
                    let good = open.pages - closed.pages;
                    if good > 0 {
                        limit = good;
                    } else if broken >= BROKEN_PAGE_RETRIES || self.limiter.is_some() {
                        closed.stopped = Some(Stop::Fault(*why));
                        return Ok(closed);
                    }
                }
            }
        }
    }

    /// Takes at most `limit` pages into the open parts and closes them.
    async fn take_until_closed(
        &self,
        cursor: &Cursor,
        taken: &mut TakenPages,
        limit: u64,
    ) -> Result<Closing, Failure> {
        let before = taken.pages;
        let closing = loop {
            let page = match self.take_page(taken.next.clone()).await {
                Ok(page) => page,
                Err(Fault::NoResult(said)) if self.means_empty(&said) => Page::default(),
                Err(Fault::Torn(why)) => return Ok(Closing::Torn(why)),
                Err(fault) => {
                    let first = cursor.pages + taken.pages == 0;
                    break Closing::Stop(Some(self.classify_fault(first, fault)));
                }
            };
            let (close, stop) = (page.close, page.stop);
            if let Some(reason) = taken.add_page(cursor, page) {
                // The run can't be used, and neither can any of its pages.
                self.effects.request(FetchEffect::Discard).await?;
                *taken = TakenPages::nothing(reason.clone());
                return Ok(Closing::Stop(Some(reason)));
            }
            if taken.next.is_none() || stop {
                break Closing::Stop(None);
            }
            if close || taken.pages - before >= limit {
                break Closing::More;
            }
        };
        if taken.pages > before {
            let closed = self.effects.request(FetchEffect::Close).await?;
            taken.parts.extend(closed.parts);
            taken.columns.add(closed.columns);
        }
        Ok(closing)
    }

    async fn take_page(&self, token: Option<PageToken>) -> Result<Page, Fault> {
        let request = PageRequest {
            within: self.acquire_permit().await?,
            run_id: self.work.run_id.clone(),
            window: self.window,
            token,
            definition: self.definition.clone(),
            columns: self.columns.clone(),
            part_prefix: self.part_prefix.clone(),
        };
        self.effects
            .request(|responder| FetchEffect::Page(request, responder))
            .await
    }

    /// Whether these words about a run without a file mean an empty result: if the definition says so, and only at the last look,
    /// because a file may be late.
    fn means_empty(&self, said: &str) -> bool {
        self.is_last_look && self.definition.is_empty_message(said)
    }

    /// Requests a permit for one call. Where there is none yet, the state machine waits for it and this
    /// invocation does not.
    async fn acquire_permit(&self) -> Result<Option<Duration>, Fault> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        let permit = limiter.acquire(self.effects, self.now, &self.work.report);
        match permit.await? {
            Permit::Granted(within) => Ok(Some(within)),
            Permit::Later { wait, .. } => Err(Fault::TooEarly(wait)),
        }
    }

    /// What a fault says about the run. `first` tells whether it was met at the run's first page.
    fn classify_fault(&self, first: bool, fault: Fault) -> Stop {
        match fault {
            Fault::Gone if first && self.is_young() => Stop::Fault(Fault::NotCompleted),
            Fault::Gone => Stop::Ended(EndReason::Vanished, String::new()),
            Fault::Failed(said) => Stop::Ended(EndReason::Failed, said),
            Fault::TokenRefused if !first => Stop::Ended(EndReason::Expired, String::new()),
            // The link is the token of a page, so that another one comes with another run alone.
            Fault::LinkRefused(said) if !first => Stop::Ended(EndReason::Expired, said),
            other => Stop::Fault(other),
        }
    }

    fn is_young(&self) -> bool {
        self.now.duration_since(self.work.triggered_at) < ARRIVAL
    }

    /// Claims the slot. If another invocation was first, its pages count and no slot ever names ours.
    pub(super) async fn claim_slot(
        &self,
        cursor: &Cursor,
        taken: TakenPages,
    ) -> Result<(Slot, Vec<u8>), Failure> {
        let slot = Slot {
            v: V,
            run_id: self.work.run_id.clone(),
            batch: cursor.batches,
            prev: cursor.prev.clone(),
            pages: taken.pages,
            rows: taken.rows,
            pages_so_far: cursor.pages + taken.pages,
            rows_so_far: cursor.rows + taken.rows,
            parts: taken.parts,
            next: taken.next,
            total: taken.total,
            summary_rows: taken.summary_rows,
            suspect_records: taken.suspect_records,
            column_counts: Some(taken.columns),
            cycle: taken.cycle,
            unknown_fields: taken.unknown_fields,
        };
        let key = self.keys.slot(cursor.batches);
        let bytes = serialise(&slot)?;
        match self.effects.claim(key.clone(), bytes.clone()).await? {
            Claimed::Ours => Ok((slot, bytes)),
            Claimed::Theirs(theirs) => Ok((parse(&key, &theirs)?, theirs)),
        }
    }
}
