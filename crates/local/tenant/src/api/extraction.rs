//! Data extraction: a bare id, five states, a link that lives half a minute.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::errors::Shape;
use super::{dates, results, words};
use crate::apis::Api;
use crate::definition::Format;
use crate::fault::Fault;
use crate::page;
use crate::reply::Reply;
use crate::request::Request;
use crate::rows::Window;
use crate::run::{Order, Phase, Plan, Run};
use crate::spoil;
use crate::state::State;
use crate::values;

/// The longest window.
const WEEKS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long a file is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a link lives, in seconds.
const LINK: i64 = 30;

fn refuse(status: u16, text: &str) -> Reply {
    Shape::Traced.refuse(status, "", text)
}

/// What everybody hears who may not: for want of a permission, or for coming too early.
pub(super) fn forbidden() -> Reply {
    refuse(403, "Forbidden")
}

/// One user of the tenant at a time, and one call in half a minute; both are refused alike.
pub(super) fn pace(state: &mut State, user: &str) -> Result<(), Reply> {
    let now = state.now();
    let too_early = state.last_extraction.is_some_and(|last| {
        now.duration_since(last).unsigned_abs() < state.options.extraction_spacing
    });
    let is_others = |run: &Run| {
        run.plan.api == Api::DataExtraction && run.plan.user != user && !run.phase(now).is_over()
    };
    if too_early || state.runs.iter().any(is_others) {
        return Err(forbidden());
    }
    state.last_extraction = Some(now);
    Ok(())
}

/// `POST /data-extraction/v1/jobs`
pub(super) fn start(state: &mut State, user: &str, request: &Request) -> Reply {
    match order(state, user, request) {
        Ok(order) => {
            let run = state.start(order);
            accepted(&run.plan)
        }
        Err(text) => refuse(400, &text),
    }
}

fn order(state: &State, user: &str, request: &Request) -> Result<Order, String> {
    let body: Value =
        serde_json::from_slice(&request.body).map_err(|_| "the body is not JSON".to_owned())?;
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("{name} is missing"))
    };
    let (name, version) = (text("entityName")?, text("version")?);
    let window = dates::window(text("startDate")?, text("endDate")?, dates::instant)?;
    if window.end.duration_since(window.start) > WEEKS {
        return Err("at most two weeks".to_owned());
    }
    let entity = state
        .options
        .entities
        .iter()
        .find(|entity| entity.shape.name == name && entity.version == version)
        .ok_or("no such entity in this version")?;
    Ok(Order {
        api: Api::DataExtraction,
        user: user.to_owned(),
        source: name.to_owned(),
        shape: Arc::new(entity.shape.clone()),
        format: Format::Csv,
        window,
        page_size: u64::from(state.options.page_size),
        file: None,
    })
}

/// The id alone, as a JSON text, unless a fault wants it otherwise.
fn accepted(plan: &Plan) -> Reply {
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

/// `GET /data-extraction/v1/jobs/{id}`
pub(super) fn look(state: &mut State, id: &str) -> Reply {
    let now = state.now();
    let run = state
        .run(id)
        .filter(|run| run.plan.api == Api::DataExtraction);
    let Some(run) = run else {
        return refuse(404, "no such job");
    };
    let plan = Arc::clone(&run.plan);
    let phase = run.phase(now);
    run.looks += 1;
    run.completed_looks += u64::from(phase == Phase::Completed);
    if let Some(reply) = results::absent(run, &plan, Shape::Traced) {
        return reply;
    }
    let mut job = json!({ "id": id });
    if phase == Phase::Completed && is_expired(run, &plan, now) {
        job["status"] = json!("EXPIRED");
        return Reply::json(200, &json!({ "jobStatus": job }));
    }
    let said = words::say(run, &plan, phase);
    match phase {
        Phase::Completed if said.is_true && plan.fault("completed-bare").is_none() => {
            job["result"] = json!({ "url": link(run, &plan, now) });
        }
        Phase::Failed if said.is_true => {
            job["result"] = json!({ "errorMessage": results::message(run, &plan) });
        }
        _ => {}
    }
    if let Some(state) = said.state {
        job["status"] = state;
    }
    Reply::json(200, &json!({ "jobStatus": job }))
}

/// Whether its file is gone: by its age, or by a fault.
fn is_expired(run: &Run, plan: &Plan, now: Timestamp) -> bool {
    let due = |fault: &Fault| run.completed_looks > fault.number("after");
    plan.fault("job-expired").is_some_and(due) || is_old(run, now)
}

fn is_old(run: &Run, now: Timestamp) -> bool {
    run.end().is_some_and(|end| now.duration_since(end) >= KEPT)
}

/// A link that is signed now, or that was signed when it was first asked for, or too long ago.
fn link(run: &mut Run, plan: &Plan, now: Timestamp) -> Value {
    let first = *run.linked.get_or_insert(now);
    let late = plan
        .fault("link-expired")
        .is_some_and(|fault| run.completed_looks <= fault.number("looks"));
    let signed = match (late, plan.fault("link-once")) {
        (true, _) => now.as_second() - 2 * LINK,
        (false, Some(_)) => first.as_second(),
        (false, None) => now.as_second(),
    };
    let signature = signature(plan, signed);
    spoil::link(
        plan,
        &format!(
            "/extracts/{}.csv?X-Amz-Date={signed}&X-Amz-Expires={LINK}&X-Amz-Signature={signature}",
            plan.number
        ),
    )
}

fn signature(plan: &Plan, signed: i64) -> String {
    let bits = values::mix(spoil::signature(plan), signed.cast_unsigned());
    format!("{bits:016x}")
}

/// `GET /data-extraction/v1/jobs`
pub(super) fn list(state: &State) -> Reply {
    let now = state.now();
    let jobs: Vec<Value> = state
        .runs
        .iter()
        .filter(|run| run.plan.api == Api::DataExtraction)
        .map(|run| {
            json!({
                "id": run.plan.id,
                "status": words::word(Api::DataExtraction, run.phase(now)),
            })
        })
        .collect();
    Reply::json(200, &json!({ "jobs": jobs }))
}

/// `GET` of the link: storage that is no part of the API, and that takes one key at a time.
pub(super) fn file(state: &State, file: &str, request: &Request) -> Reply {
    let xml = |status, word, text| Shape::Xml.refuse(status, word, text);
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
    if request.query("X-Amz-Signature") != Some(signature(&run.plan, signed).as_str()) {
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
    Reply::pieces("text/csv", page::csv(&run.plan))
}

/// The part of a window whose data is there already, where data comes late.
pub(crate) fn settled(window: Window, now: Timestamp, fault: &Fault) -> Window {
    let late = SignedDuration::from_secs(fault.number("minutes").cast_signed() * 60);
    let until = now.checked_sub(late).unwrap_or(Timestamp::MIN);
    Window {
        start: window.start,
        end: window.end.min(until).max(window.start),
    }
}
