//! From a request to an answer.

mod admin;
mod admission;
mod analytics;
mod contacts;
mod data_download;
mod data_extraction;
mod dates;
mod error_responses;
mod error_shape;
mod files;
mod parameters;
mod report_jobs;
mod route;
mod sign_in;
mod spec;
mod state_names;

use std::sync::Mutex;
use std::time::Duration;

use crate::apis::Api;
use crate::fault::{CallContext, Fault, Layer};
use crate::journal::{Entry, Kind};
use crate::reply::{Delivery, Reply};
use crate::request::Request;
use crate::state::{State, lock_state};
use error_shape::ErrorShape;
use route::Route;
use spec::ApiSpec;

pub(crate) use crate::api::data_extraction::{count_spacing_violations, list_calls};

/// Answers a request under one lock, so that calls never interleave.
pub(crate) fn answer_request(state: &Mutex<State>, request: &Request) -> Reply {
    if request.path.starts_with("/_sim/") {
        return admin::answer_admin(state, request);
    }
    let mut state = lock_state(state);
    let route = find_route(request);
    let context = call_context(&state, &route, request);
    let faults = state.fire_faults(&context);
    state.ripe_after = Duration::ZERO;
    for fault in faults.iter().filter(|fault| fault.layer() == Layer::Tenant) {
        analytics::schedules::apply_fault(&mut state, fault, request);
    }
    let refusal = faults.iter().find(|fault| fault.layer() == Layer::Answer);
    let shape = error_shape(&context);
    let reply = match refusal {
        Some(fault) => error_responses::fault_reply(&state, fault, shape, request),
        None => handle_call(&mut state, &route, &context, request, &faults),
    };
    let reply = faults
        .iter()
        .filter(|fault| fault.layer() == Layer::Wire)
        .fold(reply, error_responses::corrupt_delivery);
    record_call(&mut state, &route, &context, request, &reply, &faults);
    reply
}

/// Starts the jobs that the tenant has from its start, each over the day before.
pub(crate) fn start_jobs(state: &mut State) {
    for api in state.options.jobs.clone() {
        let order = match api {
            Api::ReportJobs => report_jobs::order::old_order(state),
            Api::DataExtraction => data_extraction::old_order(state),
            Api::Analytics | Api::DataDownload | Api::Contacts => None,
        };
        if let Some(order) = order {
            state.start_run(order);
        }
    }
}

fn spec_of(api: Api) -> &'static ApiSpec {
    match api {
        Api::Analytics => &analytics::SPEC,
        Api::ReportJobs => &report_jobs::SPEC,
        Api::DataExtraction => &data_extraction::SPEC,
        Api::DataDownload => &data_download::SPEC,
        Api::Contacts => &contacts::SPEC,
    }
}

fn find_route(request: &Request) -> Route {
    Api::ALL
        .iter()
        .find_map(|api| (spec_of(*api).find_route)(request))
        .unwrap_or_else(|| route::find_sign_in(request))
}

fn error_shape(context: &CallContext) -> ErrorShape {
    match (context.kind, context.api) {
        (Kind::Discovery, _) => ErrorShape::Problem,
        (_, Some(api)) => (spec_of(api).error_shape)(context.kind),
        (_, None) => ErrorShape::Described,
    }
}

/// What faults match against; computed before the request is processed.
fn call_context(state: &State, route: &Route, request: &Request) -> CallContext {
    let target = route
        .api
        .map(|api| (spec_of(api).locate)(state, route, request))
        .unwrap_or_default();
    CallContext {
        kind: route.kind,
        api: target.api.or(route.api),
        run: target.run,
        page: target.page,
        reused: request.reused,
        refresh: route.kind == Kind::Token && sign_in::is_refresh(&route.id, request),
    }
}

fn handle_call(
    state: &mut State,
    route: &Route,
    context: &CallContext,
    request: &Request,
    faults: &[Fault],
) -> Reply {
    if let Some(allowed) = route.allowed {
        return Reply::error(405, "method_not_allowed", "this path has no such method")
            .header("Allow", allowed);
    }
    match (route.kind, route.api) {
        (Kind::Token, _) => sign_in::answer_token_request(state, &route.id, request, faults),
        (Kind::Discovery, _) => sign_in::discovery::tenant_configuration(state, request, faults),
        (Kind::Unknown, _) | (_, None) => {
            Reply::error(404, "not_found", "this path does not exist")
        }
        (_, Some(api)) => match admit_call(state, api, context, request) {
            Ok(()) => (spec_of(api).handle)(state, route, request),
            Err(refusal) => refusal,
        },
    }
}

/// Checks what every call needs: the rate, the token, the headers.
fn admit_call(
    state: &mut State,
    api: Api,
    context: &CallContext,
    request: &Request,
) -> Result<(), Reply> {
    let shape = error_shape(context);
    // Files do not count against the rate.
    let allowance = if context.kind == Kind::Download {
        Ok(())
    } else {
        state.take_call()
    };
    if let Err(seconds) = allowance {
        return Err(shape
            .refuse(429, "rate_limited", "too many calls")
            .header("Retry-After", seconds.to_string()));
    }
    (spec_of(api).admit)(state, context, shape, request)
}

fn record_call(
    state: &mut State,
    route: &Route,
    context: &CallContext,
    request: &Request,
    reply: &Reply,
    faults: &[Fault],
) {
    let by_number = || {
        context
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
        api: context.api,
        run,
        page: context.page,
        status: if silent { 0 } else { reply.status },
        at: state.now(),
        authorized: request.header("authorization").is_some(),
        faults: faults.iter().map(ToString::to_string).collect(),
    };
    state.journal.push(entry);
}
