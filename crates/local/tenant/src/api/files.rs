//! Files in JSON: `files?fileName=` and the answers of data download.

use serde_json::json;

use super::errors::Shape;
use crate::apis::Api;
use crate::encode;
use crate::page;
use crate::reply::{Pieces, Reply};
use crate::request::Request;
use crate::run::{Phase, Plan, Run};
use crate::state::State;

/// What stands before the names of files that data download has saved.
pub(super) const FOLDER: &str = "Reports\\";

/// The latest run whose file has this name, if it is there.
pub(super) fn find<'s>(state: &'s State, name: &str) -> Option<&'s Run> {
    let now = state.now();
    let is_it = |run: &&Run| {
        let Some(file) = &run.plan.file else {
            return false;
        };
        let known = match run.plan.api {
            Api::ReportJobs => name == file.name,
            Api::DataDownload => name.strip_prefix(FOLDER) == Some(&file.name),
            _ => false,
        };
        known && !run.replaced && now < file.deleted && run.phase(now) == Phase::Completed
    };
    state.runs.iter().rev().find(is_it)
}

/// `GET …/files?fileName=`
pub(super) fn file(state: &State, request: &Request) -> Reply {
    let Some(run) = find(state, request.query("fileName").unwrap_or_default()) else {
        return Shape::Header.refuse(404, "not_found", "File not found");
    };
    let late = run.plan.fault("uri-late").is_some_and(|fault| {
        state.now().duration_since(run.started).as_secs() < fault.number("seconds").cast_signed()
    });
    if late {
        return Shape::Header.refuse(404, "not_found", "File not found");
    }
    let raw = run.plan.fault("uri-raw").is_some();
    if raw {
        return Reply::pieces("text/csv; charset=utf-8", content(&run.plan));
    }
    let name = match run.plan.api {
        Api::DataDownload => format!("{FOLDER}{}", name(&run.plan)),
        _ => name(&run.plan).to_owned(),
    };
    let own = format!("\"fileName\":{}", json!(name));
    let value = |pieces| around("\"file\":\"", pieces, "\"");
    let with = |before: String, pieces, after: String| {
        Reply::pieces("application/json", around(&before, pieces, &after))
    };
    let encoded = encoded(&run.plan);
    match run.plan.fault("file-shape").map(|fault| fault.text("as")) {
        Some("null") => with(
            format!("{{\"files\":{{{own},\"file\":null}}}}"),
            none(),
            String::new(),
        ),
        Some("missing") => with(format!("{{\"files\":{{{own}}}}}"), none(), String::new()),
        Some("empty") => with(
            format!("{{\"files\":{{{own},\"file\":\"\"}}}}"),
            none(),
            String::new(),
        ),
        Some("array") => with(
            format!("{{\"files\":[{{{own},"),
            value(encoded),
            "}]}".to_owned(),
        ),
        Some("file-first") => with(
            "{\"files\":{".to_owned(),
            value(encoded),
            format!(",{own}}}}}"),
        ),
        _ => with(
            format!("{{\"files\":{{{own},"),
            value(encoded),
            "}}".to_owned(),
        ),
    }
}

fn name(plan: &Plan) -> &str {
    plan.file.as_ref().map_or("", |file| &file.name)
}

fn none() -> Pieces {
    Box::new(std::iter::empty())
}

/// Pieces with something before and after them.
pub(super) fn around(before: &str, pieces: Pieces, after: &str) -> Pieces {
    let before = std::iter::once(before.as_bytes().to_vec());
    Box::new(
        before
            .chain(pieces)
            .chain(std::iter::once(after.as_bytes().to_vec())),
    )
}

/// A run's file as base64.
pub(super) fn encoded(plan: &Plan) -> Pieces {
    let how = plan.fault("base64").map_or("", |fault| fault.text("as"));
    encode::base64(content(plan), how)
}

/// A run's file. Only CSV has rows in it.
fn content(plan: &Plan) -> Pieces {
    if name(plan).strip_suffix(".csv").is_some() {
        page::csv(plan)
    } else {
        Box::new(std::iter::once(b"%PDF-1.4 not a table\n".to_vec()))
    }
}
