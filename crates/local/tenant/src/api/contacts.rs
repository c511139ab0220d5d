//! Completed contacts: pages of JSON by `top` and `skip`.

use std::sync::Arc;

use jiff::SignedDuration;

use super::dates;
use super::errors::Shape;
use crate::apis::Api;
use crate::definition::Format;
use crate::page;
use crate::reply::Reply;
use crate::request::Request;
use crate::rows::Window;
use crate::run::{Order, Plan, Run};
use crate::state::State;

/// The most rows of a page.
const TOP: u64 = 10_000;
/// The longest window.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is asked for.
struct Wanted {
    window: Window,
    size: u64,
    skip: u64,
}

/// The run that a request belongs to, which may be the next one, and the page, if it is a whole one.
pub(super) fn place(state: &State, request: &Request) -> (Option<u64>, Option<u64>) {
    let Ok(wanted) = wanted(state, request) else {
        return (None, None);
    };
    let run = known(state, &wanted).map_or(state.runs.len() as u64 + 1, |run| run.plan.number);
    let page = wanted.skip.is_multiple_of(wanted.size);
    (Some(run), page.then_some(wanted.skip / wanted.size))
}

/// The first page begins a run; the others belong to the latest of the same window and size.
fn known<'s>(state: &'s State, wanted: &Wanted) -> Option<&'s Run> {
    let is_it = |run: &&Run| {
        run.plan.api == Api::Contacts
            && run.plan.window == wanted.window
            && run.plan.page_size == wanted.size
    };
    let known = state.runs.iter().rev().find(is_it);
    known.filter(|_| wanted.skip > 0)
}

/// `GET …/contacts/completed`
pub(super) fn page(state: &mut State, version: u16, request: &Request) -> Reply {
    let wanted = match wanted(state, request) {
        Ok(wanted) => wanted,
        Err(text) => return Shape::Result.refuse(400, "InvalidParameter", &text),
    };
    let known = known(state, &wanted).map(|run| Arc::clone(&run.plan));
    let plan = known.unwrap_or_else(|| begin(state, &wanted));
    if wanted.skip >= plan.rows {
        return Reply::empty(204);
    }
    let now = state.now();
    let Some(run) = state.run(&plan.id) else {
        return Reply::empty(204);
    };
    let reads = run.reads.entry(wanted.skip).or_default();
    let read = *reads;
    *reads += 1;
    let pieces = page::contacts(&plan, version, wanted.skip, read, now);
    Reply::pieces("application/json", pieces)
}

fn begin(state: &mut State, wanted: &Wanted) -> Arc<Plan> {
    let order = Order {
        api: Api::Contacts,
        user: String::new(),
        source: "contacts".to_owned(),
        shape: Arc::new(state.options.contacts.clone()),
        format: Format::Json,
        window: wanted.window,
        page_size: wanted.size,
        file: None,
    };
    Arc::clone(&state.start(order).plan)
}

fn wanted(state: &State, request: &Request) -> Result<Wanted, String> {
    let asked = |name: &str| request.query(name).filter(|value| !value.is_empty());
    let window = match (asked("updatedSince"), asked("startDate"), asked("endDate")) {
        (Some(since), None, None) => Window {
            start: dates::literal(since).ok_or("updatedSince is not in UTC with a Z")?,
            end: state.now(),
        },
        (None, Some(start), Some(end)) => dates::window(start, end, dates::literal)?,
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
    Ok(Wanted {
        window,
        size: top.min(u64::from(state.options.page_size.max(1))),
        skip: number("skip", 0)?,
    })
}
