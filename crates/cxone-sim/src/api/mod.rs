//! From a request to an answer.

mod auth;
mod control;
mod refusals;
mod results;
mod schedules;

pub(crate) use refusals::IMF;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::{Fault, Layer, Moment};
use crate::journal::{Entry, Kind};
use crate::reply::{Delivery, Reply};
use crate::request::{self, Request};
use crate::state::{Access, State};
use crate::{page, token};

const REPORTS: &str = "/api/v2/analytics/reports/";
const READ: &str = "analytics:reports:read";
const WRITE: &str = "analytics:reports:write";

/// A call as its path and method say.
pub(crate) struct Route {
    kind: Kind,
    /// The schedule, run or download that the path names.
    id: String,
    /// The methods that the path takes, where it wasn't one of them.
    allowed: Option<&'static str>,
}

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
        Some(fault) => refusals::answer(&state, fault, request),
        None => process(&mut state, &route, request, &faults),
    };
    let reply = faults
        .iter()
        .filter(|fault| fault.layer() == Layer::Wire)
        .fold(reply, refusals::spoil);
    record(&mut state, &route, &moment, request, &reply, &faults);
    reply
}

impl Route {
    fn of(request: &Request) -> Self {
        let method = request.method.as_str();
        let route = |kind, id: &str| Self {
            kind,
            id: request::decode(id.as_bytes(), false),
            allowed: None,
        };
        let wrong = |allowed| Self {
            kind: Kind::Unknown,
            id: String::new(),
            allowed: Some(allowed),
        };
        if request.path == "/auth/token" {
            return if method == "POST" {
                route(Kind::Token, "")
            } else {
                wrong("POST")
            };
        }
        if let Some(file) = request.path.strip_prefix("/download/") {
            return if method == "GET" {
                route(Kind::Download, file)
            } else {
                wrong("GET")
            };
        }
        let path = request.path.strip_prefix(REPORTS).unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        match (segments.as_slice(), method) {
            (["schedules"], "GET") => route(Kind::ListSchedules, ""),
            (["schedules"], "POST") => route(Kind::CreateSchedule, ""),
            (["schedules"], _) => wrong("GET, POST"),
            (["schedules", id], "PUT") => route(Kind::UpdateSchedule, id),
            (["schedules", _], _) => wrong("PUT"),
            (["schedules", id, "runs"], "POST") => route(Kind::StartRun, id),
            (["schedules", _, "runs"], _) => wrong("POST"),
            (["results", id], "GET") if request.query("pageToken").is_some() => {
                route(Kind::Page, id)
            }
            (["results", id], "GET") => route(Kind::Look, id),
            (["results", id], "DELETE") => route(Kind::Cancel, id),
            (["results", _], _) => wrong("GET, DELETE"),
            _ => Self {
                kind: Kind::Unknown,
                id: String::new(),
                allowed: None,
            },
        }
    }
}

/// What faults may look at, before anything is processed.
fn moment(state: &mut State, route: &Route, request: &Request) -> Moment {
    let mut moment = Moment {
        kind: route.kind,
        run: None,
        page: None,
        reused: request.reused,
    };
    let now = state.now();
    match route.kind {
        Kind::StartRun => moment.run = Some(state.runs.len() as u64 + 1),
        Kind::Download => moment.run = results::download_number(&route.id),
        _ => {}
    }
    if let Some(run) = state.run(&route.id) {
        moment.run = Some(run.plan.number);
        moment.page = match route.kind {
            Kind::Look if run.phase(now) == crate::run::Phase::Completed => Some(0),
            Kind::Page => request
                .query("pageToken")
                .and_then(|text| token::read(&run.plan, text))
                .filter(|page| *page < page::count(&run.plan)),
            _ => None,
        };
    }
    moment
}

fn process(state: &mut State, route: &Route, request: &Request, faults: &[Fault]) -> Reply {
    if let Some(allowed) = route.allowed {
        return Reply::error(405, "method_not_allowed", "this path has no such method")
            .header("Allow", allowed);
    }
    match route.kind {
        Kind::Token => return auth::token(state, request, faults),
        Kind::Download => return results::download(state, &route.id, request),
        Kind::Unknown => return Reply::error(404, "not_found", "there is nothing here"),
        _ => {}
    }
    if let Err(refusal) = admit(state, route.kind, request) {
        return refusal;
    }
    match route.kind {
        Kind::ListSchedules => schedules::list(state, request),
        Kind::CreateSchedule => schedules::create(state, request),
        Kind::UpdateSchedule => schedules::update(state, &route.id, request),
        Kind::StartRun => schedules::start(state, &route.id, request),
        Kind::Cancel => results::cancel(state, &route.id),
        _ => results::look(state, &route.id, request),
    }
}

/// What holds for all calls: the rate, the token, its scope, the headers.
fn admit(state: &mut State, kind: Kind, request: &Request) -> Result<(), Reply> {
    if let Err(seconds) = state.take_call() {
        return Err(Reply::error(429, "rate_limited", "too many calls")
            .header("Retry-After", seconds.to_string()));
    }
    let scope = if matches!(kind, Kind::ListSchedules | Kind::Look | Kind::Page) {
        READ
    } else {
        WRITE
    };
    let token = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    let challenge =
        |reply: Reply| reply.header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    match token.map(|token| state.access(token, scope)) {
        Some(Access::Granted) => {}
        Some(Access::Missing(scope)) => {
            return Err(Reply::error(
                403,
                "insufficient_scope",
                &format!("{scope} is missing"),
            ));
        }
        _ => {
            return Err(challenge(Reply::error(
                401,
                "invalid_token",
                "the token is missing, unknown or expired",
            )));
        }
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
        run,
        page: moment.page,
        status: if silent { 0 } else { reply.status },
        at: state.now(),
        authorized: request.header("authorization").is_some(),
        faults: faults.iter().map(ToString::to_string).collect(),
    };
    state.journal.push(entry);
}
