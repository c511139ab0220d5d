//! Carries out what the fetch flow asks for: pages from CXone into parts in S3.

use std::time::{Duration, Instant, SystemTime};

use cxone::{AccessToken, Client, PageEnd, PageOf, RowChunk};
use delivery::documents::Part;
use delivery::effects::{Answered, Fault, FetchEffect, Page, PageRequest};
use handler::metrics::{Metric, Tally};
use landing::{PartSet, PartSpec, Store};
use tokens::{Error, Session, Turn, fault_of_call};
use tracing::warn;

use crate::Handler;

/// An invocation takes pages for this long at most, so that a kill costs no more than that.
const TIME_BUDGET: Duration = Duration::from_mins(10);

/// It stops this long before Lambda would stop it, to close its parts and store its slot.
const TIME_LEFT: Duration = Duration::from_secs(90);

/// Open parts are closed when they hold this many stored bytes: what a broken page may cost.
const CLOSE_BYTES: u64 = 64 << 20;

/// A slot names no more parts than this, so that it stays a small object.
const PARTS_MAX: usize = 256;

/// One invocation's pages.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    session: &'a Session,
    store: &'a Store,
    tally: &'a Tally,
    asked: Instant,
    stop_at: Instant,
    /// Whether even a short pause is the state machine's: where a run has no state, pauses are what
    /// says that it is not done.
    direct: bool,
    open: Option<PartSet>,
    /// Pages in the open parts.
    taken: u64,
    part_count: usize,
    chunk: RowChunk,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(handler: &'a Handler, deadline: SystemTime, direct: bool) -> Self {
        let Handler {
            session,
            store,
            tally,
        } = handler;
        let left = deadline
            .duration_since(SystemTime::now())
            .unwrap_or_default()
            .saturating_sub(TIME_LEFT);
        let asked = Instant::now();
        Self {
            session,
            store,
            tally,
            asked,
            stop_at: asked + left.min(TIME_BUDGET),
            direct,
            open: None,
            taken: 0,
            part_count: 0,
            chunk: RowChunk::new(),
        }
    }

    /// A reply that nobody takes belongs to a flow that is gone.
    pub(crate) async fn execute(&mut self, effect: FetchEffect) {
        match effect {
            FetchEffect::Store(effect) => self.store.execute(effect).await,
            FetchEffect::Elapsed(effect) => effect.answer(self.asked.elapsed()),
            FetchEffect::Page(request, reply) => {
                let _ = reply.send(self.page(request).await);
            }
            FetchEffect::Close(reply) => {
                let _ = reply.send(self.close().await);
            }
            FetchEffect::Discard(reply) => {
                self.taken = 0;
                if let Some(open) = self.open.take() {
                    open.discard().await;
                }
                let _ = reply.send(Ok(()));
            }
        }
    }

    async fn page(&mut self, request: PageRequest) -> Answered<Page> {
        let definition = &request.definition;
        let mut page = self.open_page(&request).await?;
        let mut open = self.open.take().unwrap_or_else(|| {
            let spec = PartSpec {
                columns: request.columns.clone(),
                ..PartSpec::from(&**definition)
            };
            PartSet::new(self.store.clone(), spec, request.part_prefix.clone())
        });
        let appended = self.append(&mut page, &mut open).await;
        let bytes = open.stored_bytes();
        self.open = Some(open);
        appended?;
        let end = page.finish().await.map_err(torn)?;
        self.taken += 1;
        Ok(self.facts(end, bytes))
    }

    async fn open_page(&self, request: &PageRequest) -> Answered<cxone::Page> {
        let page = PageOf {
            definition: &request.definition,
            run: &request.run_id,
            window: &request.window,
            at: request.token.as_ref(),
        };
        let turn = Turn::new(self.asked, request.within);
        let call = async |client: &Client, bearer: &AccessToken| {
            turn.take("get page", Box::pin(client.page(bearer, page)))
                .await
        };
        let opened = if self.direct {
            self.session.once(&call).await
        } else {
            self.session.call(call).await
        };
        if turn.was_missed() {
            return Err(Fault::TooEarly(Duration::ZERO));
        }
        opened.map_err(|error| match error {
            // Where asking for a page is asking for the report, a name that is taken is another one the next time.
            Error::Call(error @ cxone::Error::Rejected { status: 409, .. }) if self.direct => {
                Fault::Unavailable(error.to_string())
            }
            error => fault(error, request.token.is_some()),
        })
    }

    /// Whatever breaks once rows may have been appended, the open parts can't be used any more.
    async fn append(&mut self, page: &mut cxone::Page, open: &mut PartSet) -> Answered<()> {
        while page.fill(&mut self.chunk).await.map_err(torn)? {
            open.append_rows(self.chunk.bytes())
                .await
                .map_err(|fault| Fault::Torn(Box::new(fault)))?;
        }
        Ok(())
    }

    fn facts(&self, end: PageEnd, bytes: u64) -> Page {
        Page {
            rows: end.rows,
            next: end.next,
            total: end.total,
            summary_rows: end.summary_rows,
            unknown_fields: end.unknown_fields,
            close: bytes >= CLOSE_BYTES,
            stop: Instant::now() >= self.stop_at || self.part_count >= PARTS_MAX,
        }
    }

    async fn close(&mut self) -> Answered<Vec<Part>> {
        let Some(open) = self.open.take() else {
            return Ok(Vec::new());
        };
        let extra = open.extra_columns();
        if !extra.is_empty() {
            warn!(column.names = %extra.join(","), "rows have fields that the definition does not name; CSV leaves them out");
        }
        let parts = open.close().await?;
        self.part_count += parts.len();
        self.count(&parts);
        Ok(parts)
    }

    fn count(&mut self, parts: &[Part]) {
        let pages = std::mem::take(&mut self.taken);
        self.tally.add(Metric::Pages, pages);
        let rows = parts.iter().map(|part| part.rows).sum();
        self.tally.add(Metric::Rows, rows);
        let bytes = parts.iter().map(|part| part.bytes).sum();
        self.tally.add(Metric::Bytes, bytes);
    }
}

fn torn(error: cxone::Error) -> Fault {
    Fault::Torn(Box::new(fault_of_call(error)))
}

/// A refused page token is the end of the run; any other refusal is not.
fn fault(error: Error, has_token: bool) -> Fault {
    match error {
        Error::Call(
            cxone::Error::Rejected { status: 400, .. } | cxone::Error::NotFound { status: 410, .. },
        ) if has_token => Fault::TokenRefused,
        error => error.into(),
    }
}
