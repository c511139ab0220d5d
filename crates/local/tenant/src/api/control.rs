//! `/_sim/…`: what a test in another language asks of the tenant. It is never faulty and leaves no trace.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::lock;
use crate::fault::{Armed, Fault};
use crate::reply::Reply;
use crate::request::Request;
use crate::rows::{Shape, Window, csv_of, rows_of};
use crate::state::State;

pub(super) fn answer(state: &Mutex<State>, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_sim/faults") => Reply::json(200, &armed(&lock(state))),
        ("POST", "/_sim/faults") => set(&mut lock(state), &request.body),
        ("GET", "/_sim/journal") => Reply::json(200, &json!(lock(state).journal)),
        ("GET", "/_sim/runs") => Reply::json(200, &runs(&lock(state))),
        ("GET", "/_sim/extraction") => Reply::json(200, &extraction(&lock(state))),
        ("GET", "/_sim/rows") => rows(&lock(state), request)
            .unwrap_or_else(|why| Reply::error(400, "invalid_request", why)),
        _ => Reply::error(
            404,
            "not_found",
            "GET or POST /_sim/faults; GET /_sim/journal, /_sim/runs, /_sim/rows, /_sim/extraction",
        ),
    }
}

fn armed(state: &State) -> Value {
    let shown = |armed: &Armed| json!({ "fault": armed.fault.to_string(), "seen": armed.seen, "fired": armed.fired });
    state.armed.iter().map(shown).collect()
}

/// Replaces the faults by those in the body: one a line, or a JSON array of texts.
fn set(state: &mut State, body: &[u8]) -> Reply {
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
            state.armed = faults.into_iter().map(Armed::new).collect();
            Reply::json(200, &armed(state))
        }
        Err(error) => Reply::error(400, "invalid_fault", &error.to_string()),
    }
}

fn runs(state: &State) -> Value {
    let now = state.now();
    let reports = state.runs.iter().map(|run| run.report(now));
    reports
        .map(|run| {
            json!({
                "id": run.id, "number": run.number, "api": run.api, "schedule": run.schedule, "state": run.state, "rows": run.rows,
                "start": run.window.start, "end": run.window.end, "started": run.started,
            })
        })
        .collect()
}

fn extraction(state: &State) -> Value {
    json!({ "calls": state.extraction_calls(), "violations": state.spacing_violations() })
}

/// The truth: the rows of `?runId=`, or of `?name=&dimensions=&metrics=&grouping=&start=&end=`, one a line;
/// `from` and `to` select by index, `format=csv` gives records without the header.
fn rows(state: &State, request: &Request) -> Result<Reply, &'static str> {
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
        None => asked(request)?,
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
        return Ok(Reply::pieces(
            "text/csv",
            Box::new(csv_of(seed, &shape, window, range)),
        ));
    }
    let lines = rows_of(seed, &shape, window, range).map(|mut row| {
        row.push(b'\n');
        row
    });
    Ok(Reply::pieces("application/x-ndjson", Box::new(lines)))
}

fn asked(request: &Request) -> Result<(Shape, Window), &'static str> {
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
