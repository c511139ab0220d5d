//! Schedules, and the runs that are started from them.

use serde_json::{Value, json};

use crate::definition::{Definition, RunBody};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::request::Request;
use crate::state::{Schedule, State};

/// Schedules in one answer.
const PAGE: usize = 100;

/// `GET …/schedules?name=`: the filter finds every name that contains the one asked for, in any case.
pub(super) fn list(state: &State, request: &Request) -> Reply {
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
    let paged = state
        .armed
        .iter()
        .find(|armed| armed.fault.name() == "schedules-paged" && armed.fired > 0);
    let size = paged.map_or(PAGE, |armed| {
        usize::try_from(armed.fault.number("size"))
            .unwrap_or(PAGE)
            .max(1)
    });
    let next = (from + size < found.len()).then(|| (from + size).to_string());
    let shown: Vec<Value> = found.into_iter().skip(from).take(size).map(shown).collect();
    Reply::json(200, &json!({ "schedules": shown, "nextPageToken": next }))
}

fn shown(schedule: &Schedule) -> Value {
    let mut value: Value = serde_json::from_str(schedule.definition.echo.get()).unwrap_or_default();
    value["scheduleId"] = json!(schedule.id);
    value
}

/// `POST …/schedules`: a name that exists already is no reason to refuse, which is how schedules bloat.
pub(super) fn create(state: &mut State, request: &Request) -> Reply {
    match Definition::parse(&request.body) {
        Ok(definition) => Reply::json(201, &confirmation(state.create_schedule(definition))),
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

/// `PUT …/schedules/{id}`
pub(super) fn update(state: &mut State, id: &str, request: &Request) -> Reply {
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
            Reply::json(200, &confirmation(schedule))
        }
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

fn confirmation(schedule: &Schedule) -> Value {
    json!({ "scheduleId": schedule.id, "name": schedule.definition.name })
}

/// `POST …/schedules/{id}/runs`
pub(super) fn start(state: &mut State, id: &str, request: &Request) -> Reply {
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
            let run = state.start_run(&schedule, window);
            Reply::json(202, &json!({ "runId": run.plan.id, "state": "queued" }))
        }
        Err(refusal) => Reply::error(400, "invalid_request", &refusal.to_string()),
    }
}

/// Changes the tenant as a fault wants it, before the request is looked at.
pub(super) fn prepare(state: &mut State, fault: &Fault, request: &Request) {
    match fault.name() {
        "token-expires" => state.revoke_tokens(),
        "duplicate-schedules" => add(state, request, fault.number("count"), |name, _| {
            name.to_owned()
        }),
        "similar-schedules" => add(state, request, fault.number("count"), |name, at| match at {
            0 => name.to_uppercase(),
            _ => format!("{name} (copy {at})"),
        }),
        _ => {}
    }
}

/// Adds schedules named after the one that is asked for.
fn add(state: &mut State, request: &Request, count: u64, name: impl Fn(&str, u64) -> String) {
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
