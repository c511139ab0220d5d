//! From a request to an answer.

mod auth;
mod contacts;
mod control;
mod data_download;
mod dates;
mod discovery;
mod errors;
mod extraction;
mod files;
mod parameters;
mod refusals;
mod report_jobs;
mod results;
mod route;
mod schedules;
mod words;

pub(crate) use extraction::settled;
pub(crate) use refusals::IMF;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::apis::Api;
use crate::fault::{Fault, Layer, Moment};
use crate::journal::{Entry, Kind};
use crate::reply::{Delivery, Reply};
use crate::request::Request;
use crate::run::Phase;
use crate::state::{Access, State};
use crate::{page, token};
use errors::Shape;
use route::Route;

const READ: &str = "analytics:reports:read";
const WRITE: &str = "analytics:reports:write";

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers a request; everything that a tenant does happens in here, at once.
pub(crate) fn answer(state: &Mutex<State>, request: &Request) -> Reply {
    if request.path.starts_with("/_sim/") {
        return control::answer(state, request);
    }
    let mut state = lock(state);
    let route = Route::of(request);
    let moment = moment(&mut state, &route, request);
    let faults = state.fire(&moment);
    for fault in faults.iter().filter(|fault| fault.layer() == Layer::Tenant) {
        schedules::prepare(&mut state, fault, request);
    }
    let refusal = faults.iter().find(|fault| fault.layer() == Layer::Answer);
    let reply = match refusal {
        Some(fault) => refusals::answer(&state, fault, Shape::of(moment.api, route.kind), request),
        None => process(&mut state, &route, &moment, request, &faults),
    };
    let reply = faults
        .iter()
        .filter(|fault| fault.layer() == Layer::Wire)
        .fold(reply, refusals::spoil);
    record(&mut state, &route, &moment, request, &reply, &faults);
    reply
}

/// What faults may look at, before anything is processed.
fn moment(state: &mut State, route: &Route, request: &Request) -> Moment {
    let mut moment = Moment {
        kind: route.kind,
        api: route.api,
        run: None,
        page: None,
        reused: request.reused,
        refresh: route.kind == Kind::Token && auth::is_refresh(&route.id, request),
    };
    let now = state.now();
    let next = state.runs.len() as u64 + 1;
    match (route.api, route.kind) {
        (_, Kind::StartRun) => moment.run = Some(next),
        (Some(Api::DataDownload), Kind::Page) => {
            (moment.run, moment.page) = (Some(next), Some(0));
        }
        (Some(Api::Contacts), Kind::Page) => {
            (moment.run, moment.page) = contacts::place(state, request);
        }
        (Some(Api::Analytics | Api::DataExtraction), Kind::Download) => {
            moment.run = results::download_number(&route.id);
        }
        (Some(Api::ReportJobs), Kind::Download) => {
            let file = files::find(state, request.query("fileName").unwrap_or_default());
            moment.run = file.map(|run| run.plan.number);
            moment.api = file.map_or(route.api, |run| Some(run.plan.api));
        }
        _ => {}
    }
    if let Some(run) = state.run(&route.id) {
        moment.run = Some(run.plan.number);
        let completed = run.phase(now) == Phase::Completed;
        moment.page = match route.kind {
            Kind::Look if run.plan.api == Api::Analytics && completed => Some(0),
            Kind::Page => request
                .query("pageToken")
                .and_then(|text| token::read(&run.plan, text))
                .filter(|page| *page < page::count(&run.plan)),
            _ => None,
        };
    }
    moment
}

fn process(
    state: &mut State,
    route: &Route,
    moment: &Moment,
    request: &Request,
    faults: &[Fault],
) -> Reply {
    if let Some(allowed) = route.allowed {
        return Reply::error(405, "method_not_allowed", "this path has no such method")
            .header("Allow", allowed);
    }
    match (moment.api, route.kind) {
        (_, Kind::Token) => return auth::token(state, &route.id, request, faults),
        (_, Kind::Discovery) => return discovery::configuration(state, request, faults),
        (_, Kind::Unknown) => return Reply::error(404, "not_found", "there is nothing here"),
        (Some(Api::Analytics), Kind::Download) => {
            return results::download(state, &route.id, request);
        }
        (Some(Api::DataExtraction), Kind::Download) => {
            return extraction::file(state, &route.id, request);
        }
        _ => {}
    }
    if let Err(refusal) = admit(state, route, moment, request) {
        return refusal;
    }
    match route.api {
        Some(Api::ReportJobs) => report_job(state, route, request),
        Some(Api::DataExtraction) => extract(state, route, request),
        Some(Api::DataDownload) => {
            data_download::download(state, route.version, &route.id, request)
        }
        Some(Api::Contacts) => contacts::page(state, route.version, request),
        _ => analytics(state, route, request),
    }
}

fn analytics(state: &mut State, route: &Route, request: &Request) -> Reply {
    match route.kind {
        Kind::ListSchedules => schedules::list(state, request),
        Kind::CreateSchedule => schedules::create(state, request),
        Kind::UpdateSchedule => schedules::update(state, &route.id, request),
        Kind::StartRun => schedules::start(state, &route.id, request),
        Kind::Cancel => results::cancel(state, &route.id),
        _ => results::look(state, &route.id, request),
    }
}

fn report_job(state: &mut State, route: &Route, request: &Request) -> Reply {
    match route.kind {
        Kind::ListReports => report_jobs::reports(state, request),
        Kind::ListJobs => report_jobs::list(state, request),
        Kind::StartRun => report_jobs::start(state, route.version, &route.id, request),
        Kind::Download => files::file(state, request),
        _ => report_jobs::look(state, route.version, &route.id, request),
    }
}

fn extract(state: &mut State, route: &Route, request: &Request) -> Reply {
    let user = user(state, request).unwrap_or_default().to_owned();
    if let Err(refusal) = extraction::pace(state, &user) {
        return refusal;
    }
    match route.kind {
        Kind::StartRun => extraction::start(state, &user, request),
        Kind::ListJobs => extraction::list(state),
        _ => extraction::look(state, &route.id),
    }
}

/// What holds for all calls: the rate, the token, its scope, the headers.
fn admit(
    state: &mut State,
    route: &Route,
    moment: &Moment,
    request: &Request,
) -> Result<(), Reply> {
    let shape = Shape::of(moment.api, route.kind);
    // Files are free.
    let allowance = if route.kind == Kind::Download {
        Ok(())
    } else {
        state.take_call()
    };
    if let Err(seconds) = allowance {
        return Err(shape
            .refuse(429, "rate_limited", "too many calls")
            .header("Retry-After", seconds.to_string()));
    }
    if route.api != Some(Api::Analytics) {
        return admit_published(state, route, moment, request);
    }
    let scope = if matches!(route.kind, Kind::ListSchedules | Kind::Look | Kind::Page) {
        READ
    } else {
        WRITE
    };
    let token = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.map(|token| state.access(token, scope)) {
        Some(Access::Granted) => {}
        Some(Access::Missing(scope)) => {
            let text = format!("{scope} is missing");
            return Err(Reply::error(403, "insufficient_scope", &text));
        }
        _ => return Err(unknown_token(shape)),
    }
    // RFC 9110: no Accept header means anything; one that leaves JSON out can't be served.
    let accept = request.header("accept").unwrap_or("*/*");
    if !["application/json", "application/*", "*/*"]
        .iter()
        .any(|range| accept.contains(range))
    {
        return Err(Reply::error(
            406,
            "not_acceptable",
            "answers are application/json",
        ));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    if !request.body.is_empty() && !content_type.starts_with("application/json") {
        return Err(Reply::error(
            415,
            "unsupported_media_type",
            "bodies are application/json",
        ));
    }
    Ok(())
}

fn unknown_token(shape: Shape) -> Reply {
    let text = "the token is missing, unknown or expired";
    shape
        .refuse(401, "invalid_token", text)
        .header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
}

/// The published APIs know no scopes. Those of the ACD want to be told that JSON is accepted.
fn admit_published(
    state: &State,
    route: &Route,
    moment: &Moment,
    request: &Request,
) -> Result<(), Reply> {
    let shape = Shape::of(moment.api, route.kind);
    let is_open_link = route.kind == Kind::Download
        && moment.api == Some(Api::DataDownload)
        && !state.options.link_needs_bearer
        && request.header("authorization").is_none();
    if !is_open_link && user(state, request).is_none() {
        return Err(unknown_token(shape));
    }
    let accepts = |value: &str| value.to_ascii_lowercase().contains("application/json");
    let is_acd = route.version > 0 && !is_open_link;
    if is_acd && !request.header("accept").is_some_and(accepts) {
        return Err(Shape::Header.refuse(
            406,
            "not_acceptable",
            "Accept: application/json is missing",
        ));
    }
    Ok(())
}

/// Who a request's bearer token belongs to; the published APIs take the scheme in any case.
fn user<'s>(state: &'s State, request: &Request) -> Option<&'s str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| state.user(token.trim()))?
}

fn record(
    state: &mut State,
    route: &Route,
    moment: &Moment,
    request: &Request,
    reply: &Reply,
    faults: &[Fault],
) {
    let by_number = || {
        moment
            .run
            .and_then(|number| state.runs.get(usize::try_from(number).ok()? - 1))
    };
    let run = match route.kind {
        Kind::StartRun if !reply.is_success() => None,
        Kind::StartRun | Kind::Download => by_number().map(|run| run.plan.id.clone()),
        Kind::Page if route.api != Some(Api::Analytics) => {
            by_number().map(|run| run.plan.id.clone())
        }
        Kind::Look | Kind::Page | Kind::Cancel => Some(route.id.clone()),
        _ => None,
    };
    let silent = matches!(
        reply.delivery,
        Delivery::Nothing { .. } | Delivery::Stalled(_) | Delivery::Raw(_)
    );
    let entry = Entry {
        method: request.method.clone(),
        path: request.path.clone(),
        kind: route.kind,
        api: moment.api,
        run,
        page: moment.page,
        status: if silent { 0 } else { reply.status },
        at: state.now(),
        authorized: request.header("authorization").is_some(),
        faults: faults.iter().map(ToString::to_string).collect(),
    };
    state.journal.push(entry);
}
