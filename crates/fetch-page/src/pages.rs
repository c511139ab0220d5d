//! Carries out what the fetch flow asks for: pages from CXone into parts in S3.

use std::time::{Duration, Instant, SystemTime};

use cxone::{AccessToken, Client, PageEnd, PageQuery, RowChunk};
use delivery::documents::Part;
use delivery::effects::{Answered, ClosedParts, Fault, FetchEffect, Page, PageRequest};
use handler::metrics::{Metric, MetricsRecorder};
use landing::{PartSet, PartSpec, Store};
use tokens::{CallPermit, Error, Session, fault_of_call};

/// An invocation takes pages for at most this long, which bounds what a kill costs.
const TIME_BUDGET: Duration = Duration::from_mins(10);

/// An invocation stops this long before its Lambda timeout, to close its parts and store its slot.
const CLOSING_TIME: Duration = Duration::from_secs(90);

/// Open parts are closed when they hold this many stored bytes, which bounds what a broken page costs.
const CLOSE_BYTES: u64 = 64 << 20;

/// A slot names at most so many parts, so that it stays a small object.
const MAX_PARTS: usize = 256;

/// The pages of one invocation.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    session: &'a Session,
    store: &'a Store,
    metrics: &'a MetricsRecorder,
    started: Instant,
    stop_at: Instant,
    /// Whether the API has no run state. Then a pause is how it says that the run is not done, so even a
    /// short one is left to the state machine.
    direct: bool,
    open_parts: Option<PartSet>,
    /// Pages in the open parts.
    in_open_parts: u64,
    part_count: usize,
    chunk: RowChunk,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        (session, store, metrics): (&'a Session, &'a Store, &'a MetricsRecorder),
        deadline: SystemTime,
        direct: bool,
    ) -> Self {
        let left = deadline
            .duration_since(SystemTime::now())
            .unwrap_or_default()
            .saturating_sub(CLOSING_TIME);
        let started = Instant::now();
        Self {
            session,
            store,
            metrics,
            started,
            stop_at: started + left.min(TIME_BUDGET),
            direct,
            open_parts: None,
            in_open_parts: 0,
            part_count: 0,
            chunk: RowChunk::new(),
        }
    }

    /// Carries out one effect and answers it.
    pub(crate) async fn execute(&mut self, effect: FetchEffect) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            FetchEffect::Store(effect) => self.store.execute(effect).await,
            FetchEffect::Elapsed(effect) => effect.answer(self.started.elapsed()),
            FetchEffect::Page(request, responder) => {
                let _ = responder.send(self.take_page(request).await);
            }
            FetchEffect::Close(responder) => {
                let _ = responder.send(self.close_parts().await);
            }
            FetchEffect::Discard(responder) => {
                self.in_open_parts = 0;
                if let Some(open) = self.open_parts.take() {
                    open.discard().await;
                }
                let _ = responder.send(Ok(()));
            }
        }
    }

    async fn take_page(&mut self, request: PageRequest) -> Answered<Page> {
        let definition = &request.definition;
        let mut page = self.open_page(&request).await?;
        let mut open = self.open_parts.take().unwrap_or_else(|| {
            let spec = PartSpec {
                columns: request.columns.clone(),
                ..PartSpec::from(&**definition)
            };
            PartSet::new(self.store.clone(), spec, request.part_prefix.clone())
        });
        let appended = self.append_page(&mut page, &mut open).await;
        let bytes = open.stored_bytes();
        self.open_parts = Some(open);
        appended?;
        let end = page.finish().await.map_err(into_torn)?;
        self.in_open_parts += 1;
        Ok(self.describe_page(end, bytes))
    }

    async fn open_page(&self, request: &PageRequest) -> Answered<cxone::Page> {
        let page = PageQuery {
            definition: &request.definition,
            run: &request.run_id,
            window: &request.window,
            at: request.token.as_ref(),
        };
        let permit = CallPermit::new(self.started, request.within);
        let call = async |client: &Client, bearer: &AccessToken| {
            permit.call(Box::pin(client.open_page(bearer, page))).await
        };
        let opened = if self.direct {
            self.session.call_once(&call).await
        } else {
            self.session.call(call).await
        };
        let opened = opened.map_err(|error| match error {
            // For direct APIs a 409 is a file-name collision. The retry uses a new name, so it is transient.
            Error::Call(error @ cxone::Error::Rejected { status: 409, .. }) if self.direct => {
                Fault::Unavailable(error.to_string())
            }
            error => fault_of_page(error, request.token.is_some()),
        });
        opened?.into_answer("get page")
    }

    /// Any fault is [`Fault::Torn`]: rows may have been appended, so the open parts can't be used any more.
    async fn append_page(&mut self, page: &mut cxone::Page, open: &mut PartSet) -> Answered<()> {
        while page.read_rows(&mut self.chunk).await.map_err(into_torn)? {
            open.append_rows(self.chunk.rows())
                .await
                .map_err(|fault| Fault::Torn(Box::new(fault)))?;
        }
        Ok(())
    }

    fn describe_page(&self, end: PageEnd, bytes: u64) -> Page {
        Page {
            rows: end.rows,
            next: end.next,
            total: end.total,
            summary_rows: end.summary_rows,
            suspect_records: end.suspect_records,
            unknown_fields: end.unknown_fields,
            close: bytes >= CLOSE_BYTES,
            stop: Instant::now() >= self.stop_at || self.part_count >= MAX_PARTS,
        }
    }

    async fn close_parts(&mut self) -> Answered<ClosedParts> {
        let Some(open) = self.open_parts.take() else {
            return Ok(ClosedParts::default());
        };
        let closed = open.close().await?;
        self.part_count += closed.parts.len();
        self.count_parts(&closed.parts);
        Ok(closed)
    }

    fn count_parts(&mut self, parts: &[Part]) {
        let pages = std::mem::take(&mut self.in_open_parts);
        self.metrics.add(Metric::Pages, pages);
        let rows = parts.iter().map(|part| part.rows).sum();
        self.metrics.add(Metric::Rows, rows);
        let bytes = parts.iter().map(|part| part.bytes).sum();
        self.metrics.add(Metric::Bytes, bytes);
    }
}

fn into_torn(error: cxone::Error) -> Fault {
    Fault::Torn(Box::new(fault_of_call(error)))
}

/// A refused page token ends the run; any other refusal does not.
fn fault_of_page(error: Error, has_token: bool) -> Fault {
    match error {
        Error::Call(
            cxone::Error::Rejected { status: 400, .. } | cxone::Error::NotFound { status: 410, .. },
        ) if has_token => Fault::TokenRefused,
        error => error.into(),
    }
}
