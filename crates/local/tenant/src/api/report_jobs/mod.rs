//! Custom reports: each is a job, and the jobs of a tenant run one after another.

pub(super) mod order;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::analytics::results;
use super::error_shape::ErrorShape;
use super::route::{Found, Route, only_method, split_acd_path};
use super::spec::{ApiSpec, Target};
use super::{admission, files, state_names};
use crate::apis::Api;
use crate::corrupt;
use crate::fixtures::Template;
use crate::journal::Kind;
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::run::{Phase, Plan, Run};
use crate::state::State;

/// The last version whose answers are wrapped.
const WRAPPED: u16 = 17;

pub(super) const SPEC: ApiSpec = ApiSpec {
    find_route,
    locate,
    admit: admission::admit_acd,
    handle,
    error_shape: |kind| match kind {
        Kind::Download | Kind::ListReports => ErrorShape::Header,
        _ => ErrorShape::Described,
    },
};

fn find_route(request: &Request) -> Option<Route> {
    let (version, rest) = split_acd_path(&request.path)?;
    let found = find_call(rest, &request.method)?;
    Some(Route::new(Some(Api::ReportJobs), version, Some(found)))
}

fn find_call<'r>(rest: &'r str, method: &str) -> Found<'r> {
    let segments: Vec<&str> = rest.split('/').collect();
    Some(match segments.as_slice() {
        ["reports"] => only_method(method, "GET", Kind::ListReports, ""),
        ["report-jobs"] => only_method(method, "GET", Kind::ListJobs, ""),
        ["report-jobs", id] => match method {
            "GET" => Ok((Kind::Look, id)),
            "POST" => Ok((Kind::StartRun, id)),
            _ => Err("GET, POST"),
        },
        ["files"] => only_method(method, "GET", Kind::Download, ""),
        _ => return None,
    })
}

/// `files` has the files of data downloads too.
fn locate(state: &State, route: &Route, request: &Request) -> Target {
    if route.kind != Kind::Download {
        return Target::named_run(state, route);
    }
    let file = files::find_file(state, request.query("fileName").unwrap_or_default());
    Target {
        api: file.map(|run| run.plan.api),
        run: file.map(|run| run.plan.number),
        page: None,
    }
}

fn handle(state: &mut State, route: &Route, request: &Request) -> Reply {
    match route.kind {
        Kind::ListReports => list_reports(state, request),
        Kind::ListJobs => list_jobs(state, request),
        Kind::StartRun => start_job(state, route.version, &route.id, request),
        Kind::Download => files::download_file(state, request),
        _ => poll_job(state, route.version, &route.id, request),
    }
}

fn list_reports(state: &State, request: &Request) -> Reply {
    let wanted = request.query("reportType").unwrap_or_default();
    let is_wanted = |template: &&Template| {
        wanted.is_empty() || template.report_type.eq_ignore_ascii_case(wanted)
    };
    let shown = |template: &Template| {
        json!({
            "reportId": template.id,
            "reportName": template.shape.name,
            "reportType": template.report_type,
        })
    };
    let found: Vec<Value> = state
        .options
        .templates
        .iter()
        .filter(is_wanted)
        .map(shown)
        .collect();
    if found.is_empty() {
        return Reply::empty(204);
    }
    Reply::json(200, &json!({ "reports": found }))
}

fn start_job(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    match order::parse_order(state, version, id, request) {
        Ok(order) => {
            let plan = &state.start_run(order).plan;
            let id = match plan.fault("job-id").map(|fault| fault.text("as")) {
                None => json!({ "jobId": plan.id }),
                Some("number") => json!({ "jobId": plan.id.parse::<u64>().unwrap_or(0) }),
                Some("empty") => json!({ "jobId": "" }),
                Some(_) => json!({}),
            };
            Reply::json(202, &id)
        }
        Err(refusal) => refusal,
    }
}

fn poll_job(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    let now = state.now();
    let run = state
        .known_run_mut(id)
        .filter(|run| run.plan.api == Api::ReportJobs);
    let Some(run) = run else {
        return Reply::error(404, "not_found", "no such job");
    };
    let plan = Arc::clone(&run.plan);
    let phase = run.phase(now);
    run.looks += 1;
    run.completed_looks += u64::from(phase == Phase::Completed);
    if let Some(reply) = results::hidden_run_reply(run, &plan, ErrorShape::Described) {
        return reply;
    }
    if let Some(status) = gone_status(run, &plan, now).filter(|_| phase == Phase::Completed) {
        return Reply::error(status, "gone", "the result of this job is gone");
    }
    let mut job = describe_job(run, &plan, phase);
    if let Some(wanted) = request.query("fields") {
        let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
        job.retain(|name, _| wanted.contains(&name.as_str()));
    }
    let wrapped = match plan.fault("job-form").map(|fault| fault.text("as")) {
        Some(form) => form == "wrapped",
        None => version <= WRAPPED,
    };
    Reply::json(
        200,
        &if wrapped {
            json!({ "jobResult": job })
        } else {
            Value::Object(job)
        },
    )
}

/// The status of the refusal when the result was deleted or replaced.
fn gone_status(run: &Run, plan: &Plan, now: Timestamp) -> Option<u16> {
    if let Some(fault) = plan
        .fault("result-gone")
        .filter(|fault| run.completed_looks > fault.number("after"))
    {
        return Some(fault.status());
    }
    let deleted = plan.file.as_ref().is_some_and(|file| now >= file.deleted);
    (run.replaced || deleted).then_some(409)
}

fn describe_job(run: &Run, plan: &Plan, phase: Phase) -> Map<String, Value> {
    let said = state_names::report_state(run, plan, phase, state_name);
    let late = plan
        .fault("result-url-late")
        .is_some_and(|fault| run.completed_looks <= fault.number("looks"));
    let has_link = said.is_true
        && phase == Phase::Completed
        && !late
        && plan.fault("completed-bare").is_none();
    let link = if has_link { file_link(plan) } else { json!("") };
    let mut job = Map::new();
    job.insert("jobId".into(), json!(plan.id));
    job.insert("reportId".into(), json!(plan.source));
    job.extend(said.state.map(|state| ("state".to_owned(), state)));
    job.insert("resultFileURL".into(), link);
    if said.is_true && phase == Phase::Failed {
        let message = results::failure_message(run, plan);
        job.insert("errorMessage".into(), json!(message));
    }
    let name = plan.file.as_ref().map(|file| file.name.clone());
    job.insert("fileName".into(), json!(name));
    job.insert("reportStartTime".into(), json!(run.started));
    job
}

/// Where a job's file is.
fn file_link(plan: &Plan) -> Value {
    let Some(file) = &plan.file else {
        return json!("");
    };
    let name = request::percent_encode(&file.name);
    corrupt::file_link(
        plan,
        &format!(
            "/inContactAPI/services/v{}.0/files?fileName={name}",
            file.version
        ),
    )
}

fn list_jobs(state: &State, request: &Request) -> Reply {
    let now = state.now();
    let days: i64 = request
        .query("jobSpan")
        .and_then(|days| days.parse().ok())
        .unwrap_or(7);
    let since = now
        .checked_sub(SignedDuration::from_hours(24 * days.clamp(0, 365)))
        .unwrap_or(Timestamp::MIN);
    let report = request.query("reportId");
    let wanted = |run: &&Run| {
        run.plan.api == Api::ReportJobs
            && run.started >= since
            && report.is_none_or(|id| run.plan.source == id)
    };
    let (over, live): (Vec<&Run>, Vec<&Run>) = state
        .runs
        .iter()
        .filter(wanted)
        .partition(|run| run.phase(now).is_over());
    let status = request
        .query("jobStatus")
        .unwrap_or_default()
        .to_lowercase();
    let shown = |runs: &[&Run], group: &str| -> Vec<Value> {
        if !status.is_empty() && status != group {
            return Vec::new();
        }
        runs.iter()
            .map(|run| Value::Object(describe_job(run, &run.plan, run.phase(now))))
            .collect()
    };
    let (live, over) = (shown(&live, "running"), shown(&over, "completed"));
    if live.is_empty() && over.is_empty() {
        return Reply::empty(204);
    }
    Reply::json(200, &json!({ "runningJobs": live, "completedJobs": over }))
}

/// Only `Finished` is known; the others are assumed.
fn state_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued => "Queued",
        Phase::Processing => "Running",
        Phase::Completed => "Finished",
        Phase::Failed => "Failed",
    }
}
