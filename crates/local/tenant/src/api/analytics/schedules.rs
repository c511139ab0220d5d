//! Schedules, and the runs that are started from them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::apis::Api;
use crate::corrupt;
use crate::definition::{Definition, RunBody};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{Order, Timing};
use crate::state::{Schedule, State};

/// Schedules in one answer.
const PAGE: usize = 100;

/// `GET …/schedules?name=`: the filter finds every name that contains the one asked for, in any case.
pub(super) fn list_schedules(state: &State, request: &Request) -> Reply {
    let wanted = request.query("name").unwrap_or_default().to_lowercase();
    let found: Vec<&Schedule> = state
        .schedules
        .iter()
        .filter(|known| known.definition.name.to_lowercase().contains(&wanted))
        .collect();
    let from = match request.query("pageToken").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(from)) if from < found.len() => from,
        Some(_) => return Reply::error(400, "invalid_page_token", "the page token is malformed"),
    };
    let fired = |name: &str| {
        let mut active = state.active.iter();
        active.find(|active| active.fault.name() == name && active.fired > 0)
    };
    let size = fired("schedules-paged").map_or(PAGE, |active| {
        usize::try_from(active.fault.number("size"))
            .unwrap_or(PAGE)
            .max(1)
    });
    let next = (from + size < found.len()).then(|| (from + size).to_string());
    let shown: Vec<Value> = found
        .into_iter()
        .skip(from)
        .take(size)
        .map(describe_schedule)
        .collect();
    let list = match fired("schedules-form").map(|active| active.fault.text("as")) {
        Some("bare") => json!(shown),
        Some(_) => json!({ "items": shown, "nextPageToken": next }),
        None => json!({ "schedules": shown, "nextPageToken": next }),
    };
    Reply::json(200, &list)
}

fn describe_schedule(schedule: &Schedule) -> Value {
    let mut value: Value = serde_json::from_str(schedule.definition.echo.get()).unwrap_or_default();
    value["scheduleId"] = json!(schedule.id);
    value
}

/// `POST …/schedules`: as in the guide, a name that exists already is accepted and makes a second schedule.
pub(super) fn create_schedule(state: &mut State, request: &Request) -> Reply {
    match Definition::parse(&request.body) {
        Ok(definition) => Reply::json(201, &schedule_reply(state.create_schedule(definition))),
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

pub(super) fn update_schedule(state: &mut State, id: &str, request: &Request) -> Reply {
    let Some(schedule) = state
        .schedules
        .iter_mut()
        .find(|schedule| schedule.id == id)
    else {
        return Reply::error(404, "not_found", "no such schedule");
    };
    match Definition::parse(&request.body) {
        Ok(definition) => {
            schedule.definition = definition.into();
            Reply::json(200, &schedule_reply(schedule))
        }
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

fn schedule_reply(schedule: &Schedule) -> Value {
    json!({ "scheduleId": schedule.id, "name": schedule.definition.name })
}

pub(super) fn start_run(state: &mut State, id: &str, request: &Request) -> Reply {
    let Some(schedule) = state
        .schedules
        .iter()
        .find(|schedule| schedule.id == id)
        .cloned()
    else {
        return Reply::error(404, "not_found", "no such schedule");
    };
    let body = if request.body.is_empty() {
        b"{}"
    } else {
        request.body.as_slice()
    };
    let body: RunBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Reply::error(400, "invalid_request", &error.to_string()),
    };
    match schedule
        .definition
        .window(body.date_range.as_ref(), state.now())
    {
        Ok(window) => {
            let run = state.start_run(Order {
                api: Api::Analytics,
                user: String::new(),
                source: schedule.id.clone(),
                shape: Arc::new(schedule.definition.shape.clone()),
                format: schedule.definition.format,
                window,
                page_size: u64::from(state.options.page_size),
                file: None,
                timing: Timing::Concurrent,
                make_id: |bits, number| format!("run-{:06x}-{number}", bits >> 40),
            });
            let id = corrupt::run_id(&run.plan);
            Reply::json(202, &json!({ "runId": id, "state": "queued" }))
        }
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

/// Changes the tenant as a fault asks, before the request is processed.
pub(in crate::api) fn apply_fault(state: &mut State, fault: &Fault, request: &Request) {
    match fault.name() {
        "token-expires" => state.revoke_tokens(),
        "token-young" => state.ripe_after = Duration::from_secs(fault.number("seconds")),
        "duplicate-schedules" => add_schedules(state, request, fault.number("count"), |name, _| {
            name.to_owned()
        }),
        "similar-schedules" => {
            add_schedules(state, request, fault.number("count"), |name, at| match at {
                0 => name.to_uppercase(),
                _ => format!("{name} (copy {at})"),
            });
        }
        _ => {}
    }
}

/// Adds schedules named after the one that is asked for.
fn add_schedules(
    state: &mut State,
    request: &Request,
    count: u64,
    name: impl Fn(&str, u64) -> String,
) {
    let Some(wanted) = request.query("name").filter(|wanted| !wanted.is_empty()) else {
        return;
    };
    for at in 0..count {
        let definition = json!({
            "name": name(wanted, at),
            "schedule": { "type": "daily", "time": "06:00", "timezone": "UTC" },
            "report": {
                "type": "queue",
                "metrics": ["callsHandled"],
                "dimensions": ["queueId"],
                "dateRange": { "type": "relative", "value": "previousDay" },
            },
            "delivery": { "type": "api" },
        });
        if let Ok(definition) = Definition::parse(definition.to_string().as_bytes()) {
            state.create_schedule(definition);
        }
    }
}
