//! Takes pages and stores one slot for them. The stored slots are the cursor.

mod batch;
mod cursor;
mod looks;
mod taken;

use std::time::Duration;

use crate::documents::EndRecord;
use crate::effects::{Effects, Fault, FetchEffect};
use crate::flow::fetch::batch::Batch;
use crate::flow::fetch::cursor::{Cursor, FoundCursor, find_cursor};
use crate::flow::fetch::looks::is_last_look;
use crate::flow::fetch::taken::Stop;
use crate::flow::rate_limit::RateLimiter;
use crate::flow::throttle_window::ThrottleWindow;
use crate::keys::ReportKeys;
use crate::{EndReason, Ended, Failure, FetchIn, FetchOut, Pages, Version};

/// How long to wait between them.
const LOOK_AGAIN_SECONDS: u64 = 60;

/// Continues a run's pages where the stored slots end.
pub async fn fetch(
    effects: Effects<FetchEffect>,
    prefix: &str,
    message: FetchIn,
) -> Result<FetchOut, Failure> {
    let work = &message.work;
    let generation = ReportKeys::new(prefix, &work.tenant, &work.report)
        .generation(&work.window, work.generation);
    let keys = generation.run(&work.segment, work.run);
    let mut cursor = match find_cursor(&effects, &generation, &keys, message.batches).await? {
        FoundCursor::At(cursor) => cursor,
        FoundCursor::End(end) => return Ok(answer_ended_before(&message, &end)),
    };
    if cursor.done {
        return Ok(answer(&message, &cursor, Pages::Done, None));
    }
    let limiter = RateLimiter::for_dialect(prefix, &work.tenant, work.dialect);
    let spacing = limiter.as_ref().map_or(0, |limiter| {
        whole_seconds(limiter.effective_spacing().unsigned_abs())
    });
    let batch = Batch::prepare(&effects, &generation, &keys, &message, &cursor, limiter).await?;
    let taken = batch.take_pages(&cursor).await?;
    let stopped = taken.stopped.clone();
    if taken.pages > 0 {
        let (slot, bytes) = batch.claim_slot(&cursor, taken).await?;
        cursor = Cursor::after_slot(&slot, &bytes);
        if cursor.done {
            return Ok(answer(&message, &cursor, Pages::Done, None));
        }
    }
    conclude_batch(&message, &cursor, spacing, stopped)
}

/// Turns the reason why the batch stopped into an answer. The pages before that are stored by now. `spacing` is how
/// many seconds apart the API's calls are.
fn conclude_batch(
    message: &FetchIn,
    cursor: &Cursor,
    spacing: u64,
    stopped: Option<Stop>,
) -> Result<FetchOut, Failure> {
    match stopped {
        None => Ok(answer(message, cursor, Pages::More, None)),
        Some(Stop::Ended(reason, detail)) => {
            let ended = message.work.ended(reason, &detail);
            Ok(answer(message, cursor, Pages::Ended, Some(ended)))
        }
        Some(Stop::Fault(fault)) => conclude_after_fault(message, cursor, spacing, fault),
    }
}

fn conclude_after_fault(
    message: &FetchIn,
    cursor: &Cursor,
    spacing: u64,
    fault: Fault,
) -> Result<FetchOut, Failure> {
    let progress = cursor.batches > message.batches;
    let since = message.stalled_since.filter(|_| !progress);
    match fault {
        Fault::NoResult(_) | Fault::LinkRefused(_) => {
            conclude_without_file(message, cursor, spacing, fault)
        }
        Fault::NotCompleted => Ok(FetchOut {
            // This is an answer about the run, so that the time of nothing but pauses is over.
            stalled_since: None,
            wait_seconds: spacing,
            ..answer(message, cursor, Pages::Pending, None)
        }),
        // No request was sent, so that nothing new is known about the tenant.
        Fault::TooEarly(wait) => Ok(FetchOut {
            wait_seconds: whole_seconds(wait).max(1),
            looks_without_file: message.looks_without_file,
            ..answer(message, cursor, Pages::Throttled, None)
        }),
        Fault::Throttled(pause) => {
            let throttled = ThrottleWindow::throttled(message.now, since)?;
            Ok(answer_throttled(message, cursor, throttled, pause))
        }
        Fault::MaybeForbidden(refusal) => {
            let throttled = ThrottleWindow::ambiguous_forbidden(message.now, since, &refusal)?;
            Ok(answer_throttled(message, cursor, throttled, None))
        }
        // If the fault stays, the next invocation meets it before it has taken any pages.
        _ if progress => Ok(answer(message, cursor, Pages::More, None)),
        fault => Err(fault.into()),
    }
}

/// A file may come a little later than its run's end, and a link may have expired when it arrives. So the run is looked at
/// again, but not until its deadline: where nothing comes, that has to be said.
fn conclude_without_file(
    message: &FetchIn,
    cursor: &Cursor,
    spacing: u64,
    fault: Fault,
) -> Result<FetchOut, Failure> {
    if !is_last_look(message) {
        return Ok(FetchOut {
            // This is an answer about the run, so that the time of nothing but pauses is over.
            stalled_since: None,
            wait_seconds: spacing.max(LOOK_AGAIN_SECONDS),
            looks_without_file: message.looks_without_file + 1,
            ..answer(message, cursor, Pages::Throttled, None)
        });
    }
    match fault {
        Fault::NoResult(said) => {
            let ended = message.work.ended(EndReason::NoResult, &said);
            Ok(answer(message, cursor, Pages::Ended, Some(ended)))
        }
        other => Err(other.into()),
    }
}

fn answer_ended_before(message: &FetchIn, end: &EndRecord) -> FetchOut {
    let ended = message.work.ended(end.reason, &end.detail);
    answer(message, &Cursor::default(), Pages::Ended, Some(ended))
}

fn answer_throttled(
    message: &FetchIn,
    cursor: &Cursor,
    throttled: ThrottleWindow,
    pause: Option<Duration>,
) -> FetchOut {
    FetchOut {
        wait_seconds: throttled.pause_seconds(pause),
        stalled_since: Some(throttled.since),
        looks_without_file: message.looks_without_file,
        ..answer(message, cursor, Pages::Throttled, None)
    }
}

fn answer(message: &FetchIn, cursor: &Cursor, pages: Pages, ended: Option<Ended>) -> FetchOut {
    let progress = cursor.batches > message.batches;
    FetchOut {
        v: Version,
        pages,
        wait_seconds: 0,
        stalled_since: message.stalled_since.filter(|_| !progress),
        looks_without_file: 0,
        batches: cursor.batches,
        page_count: cursor.pages,
        row_count: cursor.rows,
        ended,
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
