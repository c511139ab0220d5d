//! Results: polls, pages, downloads, cancellation.

use std::sync::Arc;

use serde_json::json;

use super::errors::Shape;
use super::words;
use crate::apis::Api;
use crate::definition::Format;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{Phase, Plan, Run};
use crate::state::State;
use crate::{page, spoil, token};

/// `GET …/results/{runId}`, with or without `pageToken`.
pub(super) fn look(state: &mut State, id: &str, request: &Request) -> Reply {
    let now = state.now();
    let run = state.run(id).filter(|run| run.plan.api == Api::Analytics);
    let Some(run) = run else {
        return not_found();
    };
    let plan = Arc::clone(&run.plan);
    let cancelled = run.cancelled && plan.fault("cancel-fails-run").is_none();
    if cancelled {
        return not_found();
    }
    if let Some(text) = request.query("pageToken") {
        return page_of(run, &plan, text, run.phase(now));
    }
    run.looks += 1;
    if let Some(reply) = absent(run, &plan, Shape::Described) {
        return reply;
    }
    let phase = run.phase(now);
    run.completed_looks += u64::from(phase == Phase::Completed);
    let said = words::say(run, &plan, phase);
    if said.is_true && phase == Phase::Completed {
        return completed(run, &plan);
    }
    let mut body = json!({ "runId": id });
    if said.is_true && phase == Phase::Failed {
        body["errorMessage"] = json!(message(run, &plan));
    }
    if let Some(state) = said.state {
        body["state"] = state;
    }
    Reply::json(200, &body)
}

fn not_found() -> Reply {
    Reply::error(404, "not_found", "no such run")
}

/// The run can't be seen yet, or no longer.
pub(super) fn absent(run: &Run, plan: &Plan, shape: Shape) -> Option<Reply> {
    let refuse = |status| shape.refuse(status, "not_found", "no such run");
    if plan
        .fault("poll-early-404")
        .is_some_and(|fault| run.looks <= fault.number("looks"))
    {
        return Some(refuse(404));
    }
    let vanished = plan
        .fault("run-vanishes")
        .filter(|fault| run.looks > fault.number("after"))?;
    Some(refuse(vanished.status()))
}

pub(super) fn message(run: &Run, plan: &Plan) -> String {
    let Some(fault) = plan.fault("run-fails").filter(|_| !run.cancelled) else {
        return "cancelled by the client".to_owned();
    };
    let mut message = fault.text("message").to_owned();
    if fault.text("control") == "yes" {
        message.push_str("\r\n\u{1b}[31mlevel=info fake line\u{0}\u{7}");
    }
    let bytes = usize::try_from(fault.number("bytes")).unwrap_or(0);
    message.extend(std::iter::repeat_n(
        '.',
        bytes.saturating_sub(message.len()),
    ));
    message
}

fn completed(run: &mut Run, plan: &Plan) -> Reply {
    if plan.format == Format::Csv || plan.fault("completed-bare").is_some() {
        return Reply::json(200, &page::summary(plan));
    }
    rows(run, plan, 0)
}

fn page_of(run: &mut Run, plan: &Plan, text: &str, phase: Phase) -> Reply {
    let known = token::read(plan, text).filter(|page| *page < page::count(plan));
    let Some(page) = known.filter(|_| phase == Phase::Completed && plan.format == Format::Json)
    else {
        return Reply::error(
            400,
            "invalid_page_token",
            "the page token is malformed or of another run",
        );
    };
    if let Some(fault) = plan
        .fault("page-token-expired")
        .filter(|fault| page >= fault.page())
    {
        return Reply::error(
            fault.status(),
            "page_token_expired",
            "the page token has expired",
        );
    }
    rows(run, plan, page)
}

fn rows(run: &mut Run, plan: &Plan, page: u64) -> Reply {
    let reads = run.reads.entry(page).or_default();
    let read = *reads;
    *reads += 1;
    Reply::pieces("application/json", page::json(plan, page, read))
}

/// `GET` of a `downloadUrl`; the link is its own key, a bearer token is not asked for.
pub(super) fn download(state: &State, file: &str, request: &Request) -> Reply {
    let number =
        download_number(file).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let Some(run) = number.and_then(|at| state.runs.get(at)) else {
        return not_found();
    };
    if request.query("sig") != Some(format!("{:x}", spoil::signature(&run.plan)).as_str()) {
        return Reply::error(403, "forbidden", "the link is not signed");
    }
    if run.phase(state.now()) != Phase::Completed {
        return not_found();
    }
    Reply::pieces("text/csv; charset=utf-8", page::csv(&run.plan))
}

/// The run of a download's file name.
pub(super) fn download_number(file: &str) -> Option<u64> {
    file.strip_suffix(".csv")?.parse().ok()
}

/// `DELETE …/results/{runId}`
pub(super) fn cancel(state: &mut State, id: &str) -> Reply {
    let now = state.now();
    let Some(run) = state
        .run(id)
        .filter(|run| !run.cancelled && run.plan.api == Api::Analytics)
    else {
        return not_found();
    };
    let over = || Reply::error(409, "conflict", "the run has ended already");
    if run.phase(now).is_over() {
        return over();
    }
    if let Some(fault) = run.plan.fault("cancel-completes") {
        let refused = fault.text("answer") == "409";
        run.completed_early = true;
        return if refused { over() } else { Reply::empty(204) };
    }
    run.cancelled = run.plan.fault("cancel-ignored").is_none();
    Reply::empty(204)
}
