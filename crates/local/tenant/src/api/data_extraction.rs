//! Data extraction: the id alone as an answer, five states, a link that is good for 30 s.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::analytics::results;
use super::error_shape::ErrorShape;
use super::route::{Found, Route, only_method};
use super::spec::{ApiSpec, Target};
use super::{admission, dates, state_names};
use crate::apis::Api;
use crate::corrupt;
use crate::definition::Format;
use crate::fault::{CallContext, Fault};
use crate::fixtures::Entity;
use crate::journal::{Entry, Kind};
use crate::page;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{Order, Phase, Plan, Run, Timing};
use crate::state::State;
use crate::values;
use crate::window::Window;

const WEEKS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long a file is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a link lives, in seconds.
const LINK: i64 = 30;

pub(super) const SPEC: ApiSpec = ApiSpec {
    find_route,
    locate,
    admit,
    handle,
    error_shape: |kind| match kind {
        Kind::Download => ErrorShape::Xml,
        _ => ErrorShape::Traced,
    },
};

fn find_route(request: &Request) -> Option<Route> {
    let found = if let Some(file) = request.path.strip_prefix("/extracts/") {
        Some(only_method(&request.method, "GET", Kind::Download, file))
    } else {
        let rest = request.path.strip_prefix("/data-extraction/v1/")?;
        find_call(rest, &request.method)
    };
    Some(Route::new(Some(Api::DataExtraction), 0, found))
}

fn find_call<'r>(rest: &'r str, method: &str) -> Found<'r> {
    let segments: Vec<&str> = rest.split('/').collect();
    Some(match (segments.as_slice(), method) {
        (["jobs"], "GET") => Ok((Kind::ListJobs, "")),
        (["jobs"], "POST") => Ok((Kind::StartRun, "")),
        (["jobs"], _) => Err("GET, POST"),
        (["jobs", id], "GET") => Ok((Kind::Look, id)),
        (["jobs", _], _) => Err("GET"),
        _ => return None,
    })
}

fn locate(state: &State, route: &Route, _: &Request) -> Target {
    if route.kind == Kind::Download {
        return Target {
            run: results::download_number(&route.id),
            ..Target::default()
        };
    }
    Target::named_run(state, route)
}

/// A link to a file is its own key.
fn admit(
    state: &State,
    context: &CallContext,
    shape: ErrorShape,
    request: &Request,
) -> Result<(), Reply> {
    if context.kind == Kind::Download {
        return Ok(());
    }
    admission::admit_bearer(state, context, shape, request)
}

fn handle(state: &mut State, route: &Route, request: &Request) -> Reply {
    if route.kind == Kind::Download {
        return download_file(state, &route.id, request);
    }
    let user = admission::token_owner(state, request)
        .unwrap_or_default()
        .to_owned();
    if let Err(refusal) = check_pace(state, &user) {
        return refusal;
    }
    match route.kind {
        Kind::StartRun => start_job(state, &user, request),
        Kind::ListJobs => list_jobs(state),
        _ => poll_job(state, &route.id),
    }
}

fn refuse_call(status: u16, text: &str) -> Reply {
    ErrorShape::Traced.refuse(status, "", text)
}

/// The answer to a missing permission and to a call that comes too early: clients can't tell them apart.
pub(super) fn forbidden_reply() -> Reply {
    refuse_call(403, "Forbidden")
}

/// One user of the tenant at a time, and one call in 30 s; both refusals look alike.
fn check_pace(state: &mut State, user: &str) -> Result<(), Reply> {
    let now = state.now();
    let too_early = state.last_extraction.is_some_and(|last| {
        now.duration_since(last).unsigned_abs() < state.options.extraction_spacing
    });
    let is_others = |run: &Run| {
        run.plan.api == Api::DataExtraction && run.plan.user != user && !run.phase(now).is_over()
    };
    if too_early || state.runs.iter().any(is_others) {
        return Err(forbidden_reply());
    }
    state.last_extraction = Some(now);
    Ok(())
}

fn start_job(state: &mut State, user: &str, request: &Request) -> Reply {
    match parse_order(state, user, request) {
        Ok(order) => {
            let run = state.start_run(order);
            accepted_reply(&run.plan)
        }
        Err(text) => refuse_call(400, &text),
    }
}

fn parse_order(state: &State, user: &str, request: &Request) -> Result<Order, String> {
    let body: Value =
        serde_json::from_slice(&request.body).map_err(|_| "the body is not JSON".to_owned())?;
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("{name} is missing"))
    };
    let (name, version) = (text("entityName")?, text("version")?);
    let window = dates::parse_window(text("startDate")?, text("endDate")?, dates::parse_instant)?;
    if window.end.duration_since(window.start) > WEEKS {
        return Err("at most two weeks".to_owned());
    }
    let entity = state
        .options
        .entities
        .iter()
        .find(|entity| entity.shape.name == name && entity.version == version)
        .ok_or("no such entity in this version")?;
    Ok(order_of(state, user, entity, window))
}

/// An order of the client's own, for a job that the tenant has from its start: one of its first entity.
pub(super) fn old_order(state: &State) -> Option<Order> {
    let end = state.now();
    let start = end.checked_sub(SignedDuration::from_hours(24)).ok()?;
    let entity = state.options.entities.first()?;
    Some(order_of(
        state,
        &state.options.client_id,
        entity,
        Window { start, end },
    ))
}

fn order_of(state: &State, user: &str, entity: &Entity, window: Window) -> Order {
    Order {
        api: Api::DataExtraction,
        user: user.to_owned(),
        source: entity.shape.name.clone(),
        shape: Arc::new(entity.shape.clone()),
        format: Format::Csv,
        window,
        page_size: u64::from(state.options.page_size),
        file: None,
        timing: Timing::Concurrent,
        make_id,
    }
}

/// The id alone, as a JSON string, or what a fault makes of it.
fn accepted_reply(plan: &Plan) -> Reply {
    let id = &plan.id;
    let body = match plan.fault("bare-id").map(|fault| fault.text("as")) {
        Some("unquoted") => id.clone(),
        Some("garbage") => "\"<html>\\u0000../../jobs?x=1\"".to_owned(),
        Some("object") => json!({ "jobId": id }).to_string(),
        Some("number") => "17".to_owned(),
        Some("empty") => "\"\"".to_owned(),
        Some("spaces") => format!("\" {id}\\n\""),
        Some("null") => "null".to_owned(),
        _ => json!(id).to_string(),
    };
    Reply::new(202, "application/json", body.into_bytes())
}

fn poll_job(state: &mut State, id: &str) -> Reply {
    let now = state.now();
    let run = state
        .known_run_mut(id)
        .filter(|run| run.plan.api == Api::DataExtraction);
    let Some(run) = run else {
        return refuse_call(404, "no such job");
    };
    let plan = Arc::clone(&run.plan);
    let phase = run.phase(now);
    run.looks += 1;
    run.completed_looks += u64::from(phase == Phase::Completed);
    if let Some(reply) = results::hidden_run_reply(run, &plan, ErrorShape::Traced) {
        return reply;
    }
    let mut job = json!({ "id": id });
    if phase == Phase::Completed && is_expired(run, &plan, now) {
        job["status"] = json!("EXPIRED");
        return Reply::json(200, &json!({ "jobStatus": job }));
    }
    let said = state_names::report_state(run, &plan, phase, state_name);
    match phase {
        Phase::Completed if said.is_true && plan.fault("completed-bare").is_none() => {
            job["result"] = json!({ "url": signed_link(run, &plan, now) });
        }
        Phase::Failed if said.is_true => {
            job["result"] = json!({ "errorMessage": results::failure_message(run, &plan) });
        }
        _ => {}
    }
    if let Some(state) = said.state {
        job["status"] = state;
    }
    Reply::json(200, &json!({ "jobStatus": job }))
}

/// Whether its file was deleted, by its age or by a fault.
fn is_expired(run: &Run, plan: &Plan, now: Timestamp) -> bool {
    let due = |fault: &Fault| run.completed_looks > fault.number("after");
    plan.fault("job-expired").is_some_and(due) || is_old(run, now)
}

fn is_old(run: &Run, now: Timestamp) -> bool {
    run.end_time()
        .is_some_and(|end| now.duration_since(end) >= KEPT)
}

/// A link that is signed now, or by a fault at the first poll or too long ago.
fn signed_link(run: &mut Run, plan: &Plan, now: Timestamp) -> Value {
    let first = *run.linked.get_or_insert(now);
    let late = plan
        .fault("link-expired")
        .is_some_and(|fault| run.completed_looks <= fault.number("looks"));
    let signed = match (late, plan.fault("link-once")) {
        (true, _) => now.as_second() - 2 * LINK,
        (false, Some(_)) => first.as_second(),
        (false, None) => now.as_second(),
    };
    let signature = link_signature(plan, signed);
    corrupt::file_link(
        plan,
        &format!(
            "/extracts/{}.csv?X-Amz-Date={signed}&X-Amz-Expires={LINK}&X-Amz-Signature={signature}",
            plan.number
        ),
    )
}

fn link_signature(plan: &Plan, signed: i64) -> String {
    let bits = values::mix_bits(corrupt::link_signature(plan), signed.cast_unsigned());
    format!("{bits:016x}")
}

fn list_jobs(state: &State) -> Reply {
    let now = state.now();
    let jobs: Vec<Value> = state
        .runs
        .iter()
        .filter(|run| run.plan.api == Api::DataExtraction)
        .map(|run| {
            json!({
                "id": run.plan.id,
                "status": state_name(run.phase(now)),
            })
        })
        .collect();
    Reply::json(200, &json!({ "jobs": jobs }))
}

/// `GET` of the link. Like object storage, it refuses a signed link together with a bearer token.
fn download_file(state: &State, file: &str, request: &Request) -> Reply {
    let xml = |status, word, text| ErrorShape::Xml.refuse(status, word, text);
    if request.header("authorization").is_some() {
        return xml(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    let number = results::download_number(file);
    let run = state
        .runs
        .iter()
        .find(|run| run.plan.api == Api::DataExtraction && Some(run.plan.number) == number);
    let Some(run) = run else {
        return xml(404, "NoSuchKey", "The specified key does not exist.");
    };
    let signed = request.query("X-Amz-Date").and_then(|at| at.parse().ok());
    let signed: i64 = signed.unwrap_or(0);
    if request.query("X-Amz-Signature") != Some(link_signature(&run.plan, signed).as_str()) {
        return xml(
            403,
            "SignatureDoesNotMatch",
            "The signature does not match.",
        );
    }
    if state.now().as_second() >= signed + LINK {
        return xml(403, "AccessDenied", "Request has expired");
    }
    if is_old(run, state.now()) {
        return xml(404, "NoSuchKey", "The specified key does not exist.");
    }
    corrupt::file_reply(&run.plan, "text/csv", page::csv_file(&run.plan))
}

/// The times of all calls that had a good token, whatever was answered; files are left out.
pub(crate) fn list_calls(state: &State) -> Vec<Timestamp> {
    let is_call = |entry: &&Entry| {
        entry.api == Some(Api::DataExtraction)
            && !matches!(entry.kind, Kind::Download | Kind::Unknown)
            && entry.status != 401
    };
    let calls = state.journal.iter().filter(is_call);
    calls.map(|entry| entry.at).collect()
}

/// How many calls came too soon after the one before.
pub(crate) fn count_spacing_violations(state: &State) -> usize {
    let spacing = state.options.extraction_spacing;
    let is_early = |pair: &&[Timestamp]| pair[1].duration_since(pair[0]).unsigned_abs() < spacing;
    list_calls(state).windows(2).filter(is_early).count()
}

fn make_id(bits: u64, number: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{number:012x}",
        bits >> 32,
        bits >> 16 & 0xffff,
        bits >> 4 & 0xfff,
        bits >> 20 & 0xfff,
    )
}

fn state_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued | Phase::Processing => "RUNNING",
        Phase::Completed => "SUCCEEDED",
        Phase::Failed => "FAILED",
    }
}
