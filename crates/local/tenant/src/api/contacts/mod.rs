//! Completed contacts: pages of JSON, by `top` and `skip`.

mod page;

use std::sync::Arc;

use jiff::SignedDuration;

use super::error_shape::ErrorShape;
use super::route::{Route, only_method, split_acd_path};
use super::spec::{ApiSpec, Target};
use super::{admission, dates};
use crate::apis::Api;
use crate::definition::Format;
use crate::journal::Kind;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{Order, Plan, Run, Timing};
use crate::state::State;
use crate::window::Window;

/// The most rows of a page.
const TOP: u64 = 10_000;
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) const SPEC: ApiSpec = ApiSpec {
    find_route,
    locate: locate_page,
    admit: admission::admit_acd,
    handle: |state, route, request| read_page(state, route.version, request),
    error_shape: |_| ErrorShape::Result,
};

fn find_route(request: &Request) -> Option<Route> {
    let (version, rest) = split_acd_path(&request.path)?;
    let found = only_method(&request.method, "GET", Kind::Page, "");
    (rest == "contacts/completed").then(|| Route::new(Some(Api::Contacts), version, Some(found)))
}

struct PageRequest {
    window: Window,
    size: u64,
    skip: u64,
}

/// The run that a request belongs to, which may be the next one, and the page, if `skip` is the start of one.
fn locate_page(state: &State, _: &Route, request: &Request) -> Target {
    let Ok(wanted) = parse_request(state, request) else {
        return Target::default();
    };
    let run = find_run(state, &wanted).map_or(state.runs.len() as u64 + 1, |run| run.plan.number);
    let page = wanted.skip.is_multiple_of(wanted.size);
    Target {
        run: Some(run),
        page: page.then_some(wanted.skip / wanted.size),
        ..Target::default()
    }
}

/// The first page begins a run; the others belong to the latest of the same window and size.
fn find_run<'s>(state: &'s State, wanted: &PageRequest) -> Option<&'s Run> {
    let is_it = |run: &&Run| {
        run.plan.api == Api::Contacts
            && run.plan.window == wanted.window
            && run.plan.page_size == wanted.size
    };
    let known = state.runs.iter().rev().find(is_it);
    known.filter(|_| wanted.skip > 0)
}

fn read_page(state: &mut State, version: u16, request: &Request) -> Reply {
    let wanted = match parse_request(state, request) {
        Ok(wanted) => wanted,
        Err(text) => return ErrorShape::Result.refuse(400, "InvalidParameter", &text),
    };
    let known = find_run(state, &wanted).map(|run| Arc::clone(&run.plan));
    let plan = known.unwrap_or_else(|| start_run(state, &wanted));
    if wanted.skip >= plan.rows {
        return Reply::empty(204);
    }
    let now = state.now();
    let Some(run) = state.known_run_mut(&plan.id) else {
        return Reply::empty(204);
    };
    let reads = run.reads.entry(wanted.skip).or_default();
    let read = *reads;
    *reads += 1;
    let pieces = page::contacts_page(&plan, version, wanted.skip, read, now);
    Reply::streamed("application/json", pieces)
}

fn start_run(state: &mut State, wanted: &PageRequest) -> Arc<Plan> {
    let order = Order {
        api: Api::Contacts,
        user: String::new(),
        source: "contacts".to_owned(),
        shape: Arc::new(state.options.contacts.clone()),
        format: Format::Json,
        window: wanted.window,
        page_size: wanted.size,
        file: None,
        timing: Timing::Immediate,
        make_id: |_, number| format!("contacts-{number}"),
    };
    Arc::clone(&state.start_run(order).plan)
}

fn parse_request(state: &State, request: &Request) -> Result<PageRequest, String> {
    let asked = |name: &str| request.query(name).filter(|value| !value.is_empty());
    let window = match (asked("updatedSince"), asked("startDate"), asked("endDate")) {
        (Some(since), None, None) => Window {
            start: dates::parse_utc(since).ok_or("updatedSince is not in UTC with a Z")?,
            end: state.now(),
        },
        (None, Some(start), Some(end)) => dates::parse_window(start, end, dates::parse_utc)?,
        _ => return Err("startDate and endDate, or updatedSince".to_owned()),
    };
    if window.end.duration_since(window.start) > LONGEST {
        return Err("at most 30 days".to_owned());
    }
    let number = |name: &str, default: u64| {
        asked(name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| format!("{name} is not a number"))
        })
    };
    let top: u64 = number("top", TOP)?;
    if top == 0 || top > TOP {
        return Err("top is 1 to 10000".to_owned());
    }
    Ok(PageRequest {
        window,
        size: top.min(u64::from(state.options.page_size.max(1))),
        skip: number("skip", 0)?,
    })
}
