//! The guide's API: schedules, runs, pages.

mod page;
pub(super) mod results;
pub(super) mod schedules;

use super::admission;
use super::error_shape::ErrorShape;
use super::route::{Found, Route, only_method};
use super::spec::{ApiSpec, Target};
use crate::apis::Api;
use crate::fault::CallContext;
use crate::journal::Kind;
use crate::page::page_count;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::Phase;
use crate::state::State;
use crate::token;

pub(super) const SPEC: ApiSpec = ApiSpec {
    find_route,
    locate,
    admit,
    handle,
    error_shape: |_| ErrorShape::Described,
};

fn find_route(request: &Request) -> Option<Route> {
    if let Some(file) = request.path.strip_prefix("/download/") {
        let found = only_method(&request.method, "GET", Kind::Download, file);
        return Some(Route::new(Some(Api::Analytics), 0, Some(found)));
    }
    let rest = request.path.strip_prefix("/api/v2/analytics/reports/")?;
    Some(Route::new(
        Some(Api::Analytics),
        0,
        find_call(rest, request),
    ))
}

fn find_call<'r>(rest: &'r str, request: &Request) -> Found<'r> {
    let segments: Vec<&str> = rest.split('/').collect();
    Some(match (segments.as_slice(), request.method.as_str()) {
        (["schedules"], "GET") => Ok((Kind::ListSchedules, "")),
        (["schedules"], "POST") => Ok((Kind::CreateSchedule, "")),
        (["schedules"], _) => Err("GET, POST"),
        (["schedules", id], "PUT") => Ok((Kind::UpdateSchedule, id)),
        (["schedules", _], _) => Err("PUT"),
        (["schedules", id, "runs"], "POST") => Ok((Kind::StartRun, id)),
        (["schedules", _, "runs"], _) => Err("POST"),
        (["results", id], "GET") if request.query("pageToken").is_some() => Ok((Kind::Page, id)),
        (["results", id], "GET") => Ok((Kind::Look, id)),
        (["results", id], "DELETE") => Ok((Kind::Cancel, id)),
        (["results", _], _) => Err("GET, DELETE"),
        _ => return None,
    })
}

fn locate(state: &State, route: &Route, request: &Request) -> Target {
    if route.kind == Kind::Download {
        return Target {
            run: results::download_number(&route.id),
            ..Target::default()
        };
    }
    let target = Target::named_run(state, route);
    let Some(run) = state.known_run(&route.id) else {
        return target;
    };
    let completed = run.phase(state.now()) == Phase::Completed;
    let page = match route.kind {
        // A poll of a completed run answers with its first page.
        Kind::Look if run.plan.api == Api::Analytics && completed => Some(0),
        Kind::Page => request
            .query("pageToken")
            .and_then(|text| token::read_token(&run.plan, text))
            .filter(|page| *page < page_count(&run.plan)),
        _ => None,
    };
    Target { page, ..target }
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
    admission::admit_scoped(state, context, shape, request)
}

fn handle(state: &mut State, route: &Route, request: &Request) -> Reply {
    match route.kind {
        Kind::ListSchedules => schedules::list_schedules(state, request),
        Kind::CreateSchedule => schedules::create_schedule(state, request),
        Kind::UpdateSchedule => schedules::update_schedule(state, &route.id, request),
        Kind::StartRun => schedules::start_run(state, &route.id, request),
        Kind::Download => results::download_file(state, &route.id, request),
        Kind::Cancel => results::cancel_run(state, &route.id),
        _ => results::poll_run(state, &route.id, request),
    }
}
