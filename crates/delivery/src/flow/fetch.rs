//! Takes pages and stores one slot for them. The stored slots are the cursor.

use std::time::Duration;

use crate::{EndReason, Ended, Failure, FetchIn, FetchOut, Pages, Version, Work};
use definition::{Definition, PageToken, Window};
use jiff::{SignedDuration, Timestamp};

use super::pace::{Lane, Turn};
use super::plan::missing;
use super::stall::Stall;
use super::{V, body, contract, parse};
use crate::documents::{
    CycleDetector, EndRecord, GenerationRecord, Part, RunRecord, Slot, sha256_hex,
};
use crate::effects::{Claimed, Effects, Fault, FetchEffect, Page, PageRequest};
use crate::keys::{Claim, GenerationKeys, ReportKeys, RunKeys};

/// A run that is not known this soon after its start may just not have arrived everywhere.
const ARRIVAL: SignedDuration = SignedDuration::from_secs(60);

/// More pages than this are a fault, not a report.
const PAGES_MAX: u64 = 1_000_000;

/// A slot names no more unknown fields than this.
const UNKNOWN_MAX: usize = 32;

/// How often a page that broke off is asked for again within one invocation.
const TORN_MAX: u32 = 3;

/// Continues a run's pages where the stored slots end.
pub async fn fetch(
    ask: Effects<FetchEffect>,
    prefix: &str,
    message: FetchIn,
) -> Result<FetchOut, Failure> {
    let work = &message.work;
    let generation = ReportKeys::new(prefix, &work.tenant, &work.report)
        .generation(&work.window, work.generation);
    let keys = generation.run(&work.segment, work.run);
    let mut cursor = match find_cursor(&ask, &generation, &keys, message.batches).await? {
        Found::Cursor(cursor) => cursor,
        Found::End(end) => {
            return Ok(out(
                &message,
                &Cursor::default(),
                Pages::Ended,
                Some(work.ended(end.reason, &end.detail)),
            ));
        }
    };
    if cursor.done {
        return Ok(out(&message, &cursor, Pages::Done, None));
    }
    let lane = Lane::of(prefix, &work.tenant, work.dialect);
    let spacing = lane.as_ref().map(Lane::hold);
    let batch = Batch::new(&ask, &generation, &keys, &message, &cursor, lane).await?;
    let taken = batch.take(&cursor).await?;
    let stopped = taken.stopped.clone();
    if taken.pages > 0 {
        let slot = batch.store(&cursor, taken).await?;
        cursor = Cursor::after(&slot.0, &slot.1);
        if cursor.done {
            return Ok(out(&message, &cursor, Pages::Done, None));
        }
    }
    conclude(&message, &cursor, spacing, stopped)
}

/// Turns why the batch stopped into an answer. What was taken before is stored by now.
fn conclude(
    message: &FetchIn,
    cursor: &Cursor,
    spacing: Option<SignedDuration>,
    stopped: Option<Stop>,
) -> Result<FetchOut, Failure> {
    let progress = cursor.batches > message.batches;
    let before = message.stalled_since.filter(|_| !progress);
    match stopped {
        None => Ok(out(message, cursor, Pages::More, None)),
        Some(Stop::Ended(reason, detail)) => Ok(out(
            message,
            cursor,
            Pages::Ended,
            Some(message.work.ended(reason, &detail)),
        )),
        Some(Stop::Fault(Fault::NotCompleted)) => Ok(FetchOut {
            // It has answered, so it does not only ask for pauses.
            stalled_since: None,
            wait_seconds: spacing.map_or(0, |hold| whole_seconds(hold.unsigned_abs())),
            ..out(message, cursor, Pages::Pending, None)
        }),
        // Nothing was asked of the tenant, so that says nothing about it.
        Some(Stop::Fault(Fault::TooEarly(wait))) => Ok(FetchOut {
            wait_seconds: whole_seconds(wait).max(1),
            ..out(message, cursor, Pages::Throttled, None)
        }),
        Some(Stop::Fault(Fault::Throttled(wait))) => {
            let stall = Stall::at(message.now, before)?;
            Ok(paused(message, cursor, stall, wait))
        }
        Some(Stop::Fault(Fault::MaybeForbidden(said))) => {
            let stall = Stall::in_doubt(message.now, before, &said)?;
            Ok(paused(message, cursor, stall, None))
        }
        // Whatever it is, the next invocation will meet it with nothing to lose.
        Some(Stop::Fault(_)) if progress => Ok(out(message, cursor, Pages::More, None)),
        Some(Stop::Fault(fault)) => Err(fault.into()),
    }
}

fn paused(message: &FetchIn, cursor: &Cursor, stall: Stall, wait: Option<Duration>) -> FetchOut {
    FetchOut {
        wait_seconds: stall.wait_seconds(wait),
        stalled_since: Some(stall.since),
        ..out(message, cursor, Pages::Throttled, None)
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn out(message: &FetchIn, cursor: &Cursor, pages: Pages, ended: Option<Ended>) -> FetchOut {
    let progress = cursor.batches > message.batches;
    FetchOut {
        v: Version,
        pages,
        wait_seconds: 0,
        stalled_since: message.stalled_since.filter(|_| !progress),
        batches: cursor.batches,
        page_count: cursor.pages,
        row_count: cursor.rows,
        ended,
    }
}

/// Where the stored slots end.
#[derive(Clone, Debug, Default)]
struct Cursor {
    batches: u32,
    pages: u64,
    rows: u64,
    prev: Option<String>,
    next: Option<PageToken>,
    total: Option<u64>,
    lap: CycleDetector,
    done: bool,
}

impl Cursor {
    fn after(slot: &Slot, bytes: &[u8]) -> Self {
        Self {
            batches: slot.batch + 1,
            pages: slot.pages_so_far,
            rows: slot.rows_so_far,
            prev: Some(sha256_hex(bytes)),
            next: slot.next.clone(),
            total: slot.total,
            lap: slot.lap.clone(),
            done: slot.next.is_none(),
        }
    }
}

enum Found {
    Cursor(Cursor),
    End(EndRecord),
}

/// Looks for the last slot. The hint only says where to start looking.
async fn find_cursor(
    ask: &Effects<FetchEffect>,
    generation: &GenerationKeys,
    keys: &RunKeys,
    hint: u32,
) -> Result<Found, Failure> {
    let after = hint.checked_sub(2).map(|batch| keys.slot(batch));
    let listed = ask.list(keys.claims().to_owned(), after).await?;
    let mut last = None;
    for key in &listed {
        match Claim::parse(generation, key) {
            Some(Claim::End(..)) => {
                let bytes = ask.read(key.clone()).await?.ok_or_else(|| missing(key))?;
                return Ok(Found::End(parse(key, &bytes)?));
            }
            Some(Claim::Slot(..)) => last = Some(key),
            _ => {}
        }
    }
    let Some(key) = last else {
        if hint > 0 {
            return Err(contract(format!(
                "{hint} slots below {} were stored before and are gone",
                keys.claims()
            )));
        }
        return Ok(Found::Cursor(Cursor::default()));
    };
    let bytes = ask.read(key.clone()).await?.ok_or_else(|| missing(key))?;
    let slot: Slot = parse(key, &bytes)?;
    Ok(Found::Cursor(Cursor::after(&slot, &bytes)))
}

/// Why no more pages were taken.
#[derive(Clone, Debug)]
enum Stop {
    Ended(EndReason, String),
    Fault(Fault),
}

/// What one batch took.
#[derive(Clone, Debug, Default)]
struct Taken {
    pages: u64,
    rows: u64,
    parts: Vec<Part>,
    next: Option<PageToken>,
    total: Option<u64>,
    summary_rows: u64,
    lap: CycleDetector,
    unknown_fields: Vec<String>,
    stopped: Option<Stop>,
}

impl Taken {
    fn from(cursor: &Cursor) -> Self {
        Self {
            next: cursor.next.clone(),
            total: cursor.total,
            lap: cursor.lap.clone(),
            ..Self::default()
        }
    }

    /// Adds a page; says so if it proves that the run can't be used.
    fn add(&mut self, cursor: &Cursor, page: Page) -> Option<Stop> {
        let first = cursor.pages + self.pages == 0;
        if !first && page.total != self.total {
            return Some(Stop::Ended(
                EndReason::Unstable,
                "the total changed between pages".to_owned(),
            ));
        }
        self.pages += 1;
        self.rows += page.rows;
        self.total = page.total;
        self.summary_rows += page.summary_rows;
        for name in page.unknown_fields {
            if self.unknown_fields.len() < UNKNOWN_MAX && !self.unknown_fields.contains(&name) {
                self.unknown_fields.push(name);
            }
        }
        let pages = cursor.pages + self.pages;
        let circle = page
            .next
            .as_ref()
            .is_some_and(|next| self.lap.observe(next));
        if circle || pages > PAGES_MAX {
            return Some(Stop::Ended(
                EndReason::TokenLoop,
                format!("after {pages} pages"),
            ));
        }
        self.next = page.next;
        None
    }
}

/// What stays the same while a batch is taken.
struct Batch<'a> {
    ask: &'a Effects<FetchEffect>,
    keys: &'a RunKeys,
    work: &'a Work,
    /// Where the API's calls are to be kept apart.
    lane: Option<Lane>,
    /// The segment's.
    window: Window,
    now: Timestamp,
    definition: Box<Definition>,
    columns: Vec<String>,
    part_prefix: String,
}

impl<'a> Batch<'a> {
    async fn new(
        ask: &'a Effects<FetchEffect>,
        generation: &GenerationKeys,
        keys: &'a RunKeys,
        message: &'a FetchIn,
        cursor: &Cursor,
        lane: Option<Lane>,
    ) -> Result<Self, Failure> {
        let work = &message.work;
        let mut bodies = ask
            .read_all(vec![generation.open(), keys.run()])
            .await?
            .into_iter();
        let open = bodies
            .next()
            .flatten()
            .ok_or_else(|| missing(&generation.open()))?;
        let run = bodies
            .next()
            .flatten()
            .ok_or_else(|| missing(&keys.run()))?;
        let open: GenerationRecord = parse(&generation.open(), &open)?;
        let run: RunRecord = parse(&keys.run(), &run)?;
        if run.run_id != work.run_id {
            return Err(contract(
                "the message names another run than the one that is bound",
            ));
        }
        let columns = open.definition.columns().into_iter();
        let columns = columns.map(str::to_owned).collect();
        let simplified = open.definition.simplified().filter(|_| run.simplified);
        Ok(Self {
            ask,
            keys,
            work,
            lane,
            window: run.window,
            now: message.now,
            definition: Box::new(simplified.unwrap_or(open.definition)),
            columns,
            part_prefix: keys.part(cursor.batches),
        })
    }

    /// Takes pages until the run or the budget ends. When a page breaks off, the open parts are
    /// lost with it; the pages before it are then taken again and closed before it is retried.
    async fn take(&self, cursor: &Cursor) -> Result<Taken, Failure> {
        let mut closed = Taken::from(cursor);
        let mut torn = 0;
        let mut limit = u64::MAX;
        loop {
            let mut open = closed.clone();
            match self.until_closed(cursor, &mut open, limit).await? {
                Closing::More => {
                    closed = open;
                    limit = u64::MAX;
                    torn = 0;
                }
                Closing::Stop(stopped) => {
                    open.stopped = stopped;
                    return Ok(open);
                }
                Closing::Torn(why) => {
                    self.ask.request(FetchEffect::Discard).await?;
                    torn += 1;
                    let good = open.pages - closed.pages;
                    if good > 0 {
                        limit = good;
                    } else if torn >= TORN_MAX || self.lane.is_some() {
                        closed.stopped = Some(Stop::Fault(*why));
                        return Ok(closed);
                    }
                }
            }
        }
    }

    /// Takes at most `limit` pages into the open parts and closes them.
    async fn until_closed(
        &self,
        cursor: &Cursor,
        taken: &mut Taken,
        limit: u64,
    ) -> Result<Closing, Failure> {
        let before = taken.pages;
        let closing = loop {
            let page = match self.page(taken.next.clone()).await {
                Ok(page) => page,
                Err(Fault::Torn(why)) => return Ok(Closing::Torn(why)),
                Err(fault) => break Closing::Stop(Some(self.read_fault(cursor, taken, fault))),
            };
            let (close, stop) = (page.close, page.stop);
            if let Some(reason) = taken.add(cursor, page) {
                // The run is dead, and so are all its pages.
                self.ask.request(FetchEffect::Discard).await?;
                *taken = Taken {
                    stopped: Some(reason.clone()),
                    ..Taken::default()
                };
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
            taken
                .parts
                .extend(self.ask.request(FetchEffect::Close).await?);
        }
        Ok(closing)
    }

    async fn page(&self, token: Option<PageToken>) -> Result<Page, Fault> {
        let request = PageRequest {
            within: self.turn().await?,
            run_id: self.work.run_id.clone(),
            window: self.window,
            token,
            definition: self.definition.clone(),
            columns: self.columns.clone(),
            part_prefix: self.part_prefix.clone(),
        };
        self.ask
            .request(|reply| FetchEffect::Page(request, reply))
            .await
    }

    /// Waits for no turn: where it is not ours, the state machine does.
    async fn turn(&self) -> Result<Option<Duration>, Fault> {
        let Some(lane) = &self.lane else {
            return Ok(None);
        };
        let turn = lane.turn(self.ask, self.now, &self.work.report);
        match turn.await? {
            Turn::Mine(within) => Ok(Some(within)),
            Turn::Later { wait, .. } => Err(Fault::TooEarly(wait)),
        }
    }

    /// What a fault says about the run.
    fn read_fault(&self, cursor: &Cursor, taken: &Taken, fault: Fault) -> Stop {
        let first = cursor.pages + taken.pages == 0;
        match fault {
            Fault::Gone if first && self.is_young() => Stop::Fault(Fault::NotCompleted),
            Fault::Gone => Stop::Ended(EndReason::Vanished, String::new()),
            Fault::Failed(said) => Stop::Ended(EndReason::Failed, said),
            Fault::TokenRefused if !first => Stop::Ended(EndReason::Expired, String::new()),
            other => Stop::Fault(other),
        }
    }

    fn is_young(&self) -> bool {
        self.now.duration_since(self.work.triggered_at) < ARRIVAL
    }

    /// Claims the slot. If somebody else was first, their pages count and ours are never named.
    async fn store(&self, cursor: &Cursor, taken: Taken) -> Result<(Slot, Vec<u8>), Failure> {
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
            lap: taken.lap,
            unknown_fields: taken.unknown_fields,
        };
        let key = self.keys.slot(cursor.batches);
        let bytes = body(&slot)?;
        match self.ask.claim(key.clone(), bytes.clone()).await? {
            Claimed::Ours => Ok((slot, bytes)),
            Claimed::Theirs(theirs) => Ok((parse(&key, &theirs)?, theirs)),
        }
    }
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
