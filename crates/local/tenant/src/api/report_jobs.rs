//! Custom reports: a job each, one after another.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::errors::Shape;
use super::parameters::Parameters;
use super::{dates, results, words};
use crate::apis::Api;
use crate::definition::{self, Format};
use crate::offer::Template;
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::rows::Window;
use crate::run::{FileTerms, Order, Phase, Plan, Run};
use crate::spoil;
use crate::state::State;

/// Jobs that have not ended.
const QUEUE: usize = 12;
/// The versions whose jobs take dates.
const DATED: std::ops::RangeInclusive<u16> = 10..=13;
/// The last version whose answers are wrapped.
const WRAPPED: u16 = 17;

fn refuse(status: u16, word: &str, text: &str) -> Reply {
    Shape::Described.refuse(status, word, text)
}

/// `GET …/reports`
pub(super) fn reports(state: &State, request: &Request) -> Reply {
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

/// `POST …/report-jobs/{reportId}`
pub(super) fn start(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    match accept(state, version, id, request) {
        Ok(order) => {
            let plan = &state.start(order).plan;
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

fn accept(state: &mut State, version: u16, id: &str, request: &Request) -> Result<Order, Reply> {
    let invalid = |text: &str| refuse(400, "invalid_request", text);
    let template = template(state, id).ok_or_else(|| refuse(404, "not_found", "no such report"))?;
    let given = Parameters::of(request).ok_or_else(|| invalid("the body is not an object"))?;
    let window = window(state, version, &template, &given).map_err(|text| invalid(&text))?;
    let file = file(state.now(), version, &template, &given).map_err(|text| invalid(&text))?;
    let overwrite = given
        .switch("overwrite", false)
        .ok_or_else(|| invalid("overwrite is true or false"))?;
    let now = state.now();
    let live = state
        .runs
        .iter()
        .filter(|run| run.plan.api == Api::ReportJobs && !run.phase(now).is_over());
    if live.count() >= QUEUE {
        return Err(refuse(429, "too_many_requests", "the job queue is full"));
    }
    let same = |run: &&mut Run| file_of(run, now).is_some_and(|known| known.name == file.name);
    for run in state.runs.iter_mut().filter(same) {
        if !overwrite {
            return Err(refuse(409, "conflict", "a file of this name exists"));
        }
        run.replaced = true;
    }
    Ok(Order {
        api: Api::ReportJobs,
        user: String::new(),
        source: id.to_owned(),
        shape: Arc::new(template.shape),
        format: Format::Csv,
        window,
        page_size: u64::from(state.options.page_size),
        file: Some(file),
    })
}

pub(super) fn template(state: &State, id: &str) -> Option<Template> {
    let id: u64 = id.parse().ok()?;
    let mut templates = state.options.templates.iter();
    templates.find(|template| template.id == id).cloned()
}

/// The template's own range, or in old versions the dates that are given.
fn window(
    state: &State,
    version: u16,
    template: &Template,
    given: &Parameters,
) -> Result<Window, String> {
    match (given.get("startDate"), given.get("endDate")) {
        (None, None) => {
            let zone = TimeZone::get(&state.options.business_zone).unwrap_or(TimeZone::UTC);
            definition::relative(&template.range, &zone, state.now())
                .map_err(|refusal| refusal.to_string())
        }
        _ if !DATED.contains(&version) => {
            Err("startDate and endDate are not parameters of this version".to_owned())
        }
        (Some(start), Some(end)) => dates::window(start, end, dates::instant),
        _ => Err("startDate and endDate come together".to_owned()),
    }
}

fn file(
    now: Timestamp,
    version: u16,
    template: &Template,
    given: &Parameters,
) -> Result<FileTerms, String> {
    let extension = match given
        .get("fileType")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("csv") => "csv",
        Some("pdf") => "pdf",
        Some("xml") => "xml",
        Some("excel") => "xlsx",
        Some(_) => return Err("fileType is CSV, PDF, XML or Excel".to_owned()),
    };
    let days = given.get("deleteAfter").unwrap_or("7").parse().ok();
    let days: i64 = days
        .filter(|days| (7..=14).contains(days))
        .ok_or("deleteAfter is 7 to 14 days")?;
    let dated = given
        .switch("appendDate", false)
        .ok_or("appendDate is true or false")?;
    let headers = given
        .switch("includeHeaders", true)
        .ok_or("includeHeaders is true or false")?;
    let name = given.get("fileName").unwrap_or(&template.shape.name);
    let name = name.strip_suffix(&format!(".{extension}")).unwrap_or(name);
    let date = if dated {
        now.to_zoned(TimeZone::UTC)
            .strftime("_%Y%m%d_%H%M%S")
            .to_string()
    } else {
        String::new()
    };
    Ok(FileTerms {
        version,
        name: format!("{name}{date}.{extension}"),
        headers,
        deleted: now
            .checked_add(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MAX),
    })
}

/// The file of a job as far as its name is taken by it.
fn file_of(run: &Run, now: Timestamp) -> Option<&FileTerms> {
    let file = run.plan.file.as_ref()?;
    let is_there = run.plan.api == Api::ReportJobs
        && !run.replaced
        && now < file.deleted
        && run.phase(now) != Phase::Failed;
    is_there.then_some(file)
}

/// `GET …/report-jobs/{jobId}`
pub(super) fn look(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    let now = state.now();
    let run = state.run(id).filter(|run| run.plan.api == Api::ReportJobs);
    let Some(run) = run else {
        return refuse(404, "not_found", "no such job");
    };
    let plan = Arc::clone(&run.plan);
    let phase = run.phase(now);
    run.looks += 1;
    run.completed_looks += u64::from(phase == Phase::Completed);
    if let Some(reply) = results::absent(run, &plan, Shape::Described) {
        return reply;
    }
    if let Some(status) = gone(run, &plan, now).filter(|_| phase == Phase::Completed) {
        return refuse(status, "gone", "the result of this job is gone");
    }
    let mut job = shown(run, &plan, phase);
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

/// The status that says that there is no result any more.
fn gone(run: &Run, plan: &Plan, now: Timestamp) -> Option<u16> {
    if let Some(fault) = plan
        .fault("result-gone")
        .filter(|fault| run.completed_looks > fault.number("after"))
    {
        return Some(fault.status());
    }
    let deleted = plan.file.as_ref().is_some_and(|file| now >= file.deleted);
    (run.replaced || deleted).then_some(409)
}

fn shown(run: &Run, plan: &Plan, phase: Phase) -> Map<String, Value> {
    let said = words::say(run, plan, phase);
    let late = plan
        .fault("result-url-late")
        .is_some_and(|fault| run.completed_looks <= fault.number("looks"));
    let has_link = said.is_true
        && phase == Phase::Completed
        && !late
        && plan.fault("completed-bare").is_none();
    let link = if has_link { link(plan) } else { json!("") };
    let mut job = Map::new();
    job.insert("jobId".into(), json!(plan.id));
    job.insert("reportId".into(), json!(plan.source));
    job.extend(said.state.map(|state| ("state".to_owned(), state)));
    job.insert("resultFileURL".into(), link);
    let name = plan.file.as_ref().map(|file| file.name.clone());
    job.insert("fileName".into(), json!(name));
    job.insert("reportStartTime".into(), json!(run.started));
    job
}

/// Where a job's file is.
fn link(plan: &Plan) -> Value {
    let Some(file) = &plan.file else {
        return json!("");
    };
    let name = request::encode(&file.name);
    spoil::link(
        plan,
        &format!(
            "/inContactAPI/services/v{}.0/files?fileName={name}",
            file.version
        ),
    )
}

/// `GET …/report-jobs`
pub(super) fn list(state: &State, request: &Request) -> Reply {
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
            .map(|run| Value::Object(shown(run, &run.plan, run.phase(now))))
            .collect()
    };
    let (live, over) = (shown(&live, "running"), shown(&over, "completed"));
    if live.is_empty() && over.is_empty() {
        return Reply::empty(204);
    }
    Reply::json(200, &json!({ "runningJobs": live, "completedJobs": over }))
}
