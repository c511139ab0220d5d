//! `/_sim/…`: calls for tests in other languages. Faults never act on them, and they are not in the journal.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::data_extraction::{count_spacing_violations, list_calls};
use crate::fault::{ActiveFault, Fault};
use crate::reply::Reply;
use crate::request::Request;
use crate::rows::{csv_of, rows_of};
use crate::shape::Shape;
use crate::state::{State, lock_state};
use crate::window::Window;

pub(super) fn answer_admin(state: &Mutex<State>, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_sim/faults") => Reply::json(200, &list_faults(&lock_state(state))),
        ("POST", "/_sim/faults") => set_faults(&mut lock_state(state), &request.body),
        ("GET", "/_sim/journal") => Reply::json(200, &json!(lock_state(state).journal)),
        ("GET", "/_sim/runs") => Reply::json(200, &list_runs(&lock_state(state))),
        ("GET", "/_sim/extraction") => Reply::json(200, &extraction_pace(&lock_state(state))),
        ("GET", "/_sim/rows") => expected_rows(&lock_state(state), request)
            .unwrap_or_else(|why| Reply::error(400, "invalid_request", why)),
        _ => Reply::error(
            404,
            "not_found",
            "GET or POST /_sim/faults; GET /_sim/journal, /_sim/runs, /_sim/rows, /_sim/extraction",
        ),
    }
}

fn list_faults(state: &State) -> Value {
    let shown = |active: &ActiveFault| json!({ "fault": active.fault.to_string(), "seen": active.seen, "fired": active.fired });
    state.active.iter().map(shown).collect()
}

/// Replaces the faults by those in the body: one a line, or a JSON array of texts.
fn set_faults(state: &mut State, body: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(body);
    let lines: Vec<String> = serde_json::from_slice(body).unwrap_or_else(|_| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(String::from)
            .collect()
    });
    match lines
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<Fault>, _>>()
    {
        Ok(faults) => {
            state.active = faults.into_iter().map(ActiveFault::new).collect();
            Reply::json(200, &list_faults(state))
        }
        Err(error) => Reply::error(400, "invalid_fault", &error.to_string()),
    }
}

fn list_runs(state: &State) -> Value {
    let now = state.now();
    let reports = state.runs.iter().map(|run| run.to_report(now));
    reports
        .map(|run| {
            json!({
                "id": run.id, "number": run.number, "api": run.api, "schedule": run.schedule, "state": run.state, "rows": run.rows,
                "start": run.window.start, "end": run.window.end, "started": run.started,
            })
        })
        .collect()
}

fn extraction_pace(state: &State) -> Value {
    json!({ "calls": list_calls(state), "violations": count_spacing_violations(state) })
}

/// The rows that the tenant serves without faults: those of `?runId=`, or of `?name=&dimensions=&metrics=&grouping=&start=&end=`, one a line;
/// `from` and `to` select by index, `format=csv` gives records without the header.
fn expected_rows(state: &State, request: &Request) -> Result<Reply, &'static str> {
    let (shape, window) = match request.query("runId") {
        Some(id) => {
            let plan = &state
                .runs
                .iter()
                .find(|run| run.plan.id == id)
                .ok_or("no such run")?
                .plan;
            ((*plan.shape).clone(), plan.window)
        }
        None => parse_selection(request)?,
    };
    let all = window.rows(state.options.rows);
    let index = |name, default| {
        request.query(name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| "from and to are numbers")
        })
    };
    let range = index("from", 0)?..index("to", all)?;
    let seed = state.options.seed;
    if request.query("format") == Some("csv") {
        return Ok(Reply::streamed(
            "text/csv",
            Box::new(csv_of(seed, &shape, window, range)),
        ));
    }
    let lines = rows_of(seed, &shape, window, range).map(|mut row| {
        row.push(b'\n');
        row
    });
    Ok(Reply::streamed("application/x-ndjson", Box::new(lines)))
}

fn parse_selection(request: &Request) -> Result<(Shape, Window), &'static str> {
    let list = |name| {
        request
            .query(name)
            .unwrap_or_default()
            .split(',')
            .filter(|item| !item.is_empty())
            .map(String::from)
            .collect()
    };
    let time = |name| {
        request
            .query(name)
            .and_then(|text| text.parse().ok())
            .ok_or("start and end are times in UTC")
    };
    let shape = Shape {
        name: request.query("name").ok_or("name is missing")?.to_owned(),
        dimensions: list("dimensions"),
        metrics: list("metrics"),
        grouping: list("grouping"),
    };
    Ok((
        shape,
        Window {
            start: time("start")?,
            end: time("end")?,
        },
    ))
}
