//! Results: polls, pages, downloads, cancellation.

use std::sync::Arc;

use serde_json::json;

use super::page;
use crate::api::error_shape::ErrorShape;
use crate::api::state_names;
use crate::apis::Api;
use crate::definition::Format;
use crate::page::{csv_file, page_count};
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{Phase, Plan, Run};
use crate::state::State;
use crate::{corrupt, token};

/// `GET …/results/{runId}`, with or without `pageToken`.
pub(super) fn poll_run(state: &mut State, id: &str, request: &Request) -> Reply {
    let now = state.now();
    let run = state
        .known_run_mut(id)
        .filter(|run| run.plan.api == Api::Analytics);
    let Some(run) = run else {
        return not_found();
    };
    let plan = Arc::clone(&run.plan);
    let cancelled = run.cancelled && plan.fault("cancel-fails-run").is_none();
    if cancelled {
        return not_found();
    }
    if let Some(text) = request.query("pageToken") {
        return read_page(run, &plan, text, run.phase(now));
    }
    run.looks += 1;
    if let Some(reply) = hidden_run_reply(run, &plan, ErrorShape::Described) {
        return reply;
    }
    let phase = run.phase(now);
    run.completed_looks += u64::from(phase == Phase::Completed);
    let said = state_names::report_state(run, &plan, phase, Phase::name);
    if said.is_true && phase == Phase::Completed {
        return completed_reply(run, &plan);
    }
    let mut body = json!({ "runId": corrupt::run_id(&plan) });
    if said.is_true && phase == Phase::Failed {
        body["errorMessage"] = json!(failure_message(run, &plan));
    }
    if let Some(state) = said.state {
        body["state"] = state;
    }
    Reply::json(200, &body)
}

fn not_found() -> Reply {
    Reply::error(404, "not_found", "no such run")
}

/// The refusal while a fault hides the run.
pub(in crate::api) fn hidden_run_reply(run: &Run, plan: &Plan, shape: ErrorShape) -> Option<Reply> {
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

pub(in crate::api) fn failure_message(run: &Run, plan: &Plan) -> String {
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

fn completed_reply(run: &mut Run, plan: &Plan) -> Reply {
    if plan.format == Format::Csv || plan.fault("completed-bare").is_some() {
        return Reply::json(200, &page::summarise(plan));
    }
    page_reply(run, plan, 0)
}

fn read_page(run: &mut Run, plan: &Plan, text: &str, phase: Phase) -> Reply {
    let known = token::read_token(plan, text).filter(|page| *page < page_count(plan));
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
    page_reply(run, plan, page)
}

fn page_reply(run: &mut Run, plan: &Plan, page: u64) -> Reply {
    let reads = run.reads.entry(page).or_default();
    let read = *reads;
    *reads += 1;
    Reply::streamed("application/json", page::analytics_page(plan, page, read))
}

/// `GET` of a `downloadUrl`; the link is signed, so no bearer token is needed.
pub(super) fn download_file(state: &State, file: &str, request: &Request) -> Reply {
    let number =
        download_number(file).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let Some(run) = number.and_then(|at| state.runs.get(at)) else {
        return not_found();
    };
    if request.query("sig") != Some(format!("{:x}", corrupt::link_signature(&run.plan)).as_str()) {
        return Reply::error(403, "forbidden", "the link is not signed");
    }
    if run.phase(state.now()) != Phase::Completed {
        return not_found();
    }
    corrupt::file_reply(&run.plan, "text/csv; charset=utf-8", csv_file(&run.plan))
}

/// The run of a download's file name.
pub(in crate::api) fn download_number(file: &str) -> Option<u64> {
    file.strip_suffix(".csv")?.parse().ok()
}

pub(super) fn cancel_run(state: &mut State, id: &str) -> Reply {
    let now = state.now();
    let Some(run) = state
        .known_run_mut(id)
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
