//! Files in JSON: `files?fileName=` and the answers of data download.

use flate2::Compression;
use serde_json::json;

use super::error_shape::ErrorShape;
use crate::apis::Api;
use crate::corrupt;
use crate::encode;
use crate::page;
use crate::reply::{Pieces, Reply};
use crate::request::Request;
use crate::run::{Phase, Plan, Run};
use crate::state::State;

/// The prefix of the names of files that data download has saved.
pub(super) const FOLDER: &str = "Reports\\";

/// The latest run whose file has this name and exists.
pub(super) fn find_file<'s>(state: &'s State, name: &str) -> Option<&'s Run> {
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

pub(super) fn download_file(state: &State, request: &Request) -> Reply {
    let not_found = || ErrorShape::Header.refuse(404, "not_found", "File not found");
    let Some(run) = find_file(state, request.query("fileName").unwrap_or_default()) else {
        return not_found();
    };
    let is_late = run.plan.fault("uri-late").is_some_and(|fault| {
        state.now().duration_since(run.started).as_secs() < fault.number("seconds").cast_signed()
    });
    if is_late {
        return not_found();
    }
    if run.plan.fault("uri-raw").is_some() {
        let kind = "text/csv; charset=utf-8";
        return corrupt::file_reply(&run.plan, kind, file_content(&run.plan));
    }
    corrupt::file_reply(&run.plan, "application/json", wrap_in_json(&run.plan))
}

/// The file in base64 within JSON, in the shape that a fault asks for.
fn wrap_in_json(plan: &Plan) -> Pieces {
    let name = match plan.api {
        Api::DataDownload => format!("{FOLDER}{}", file_name(plan)),
        _ => file_name(plan).to_owned(),
    };
    let own = format!("\"fileName\":{}", json!(name));
    let text = |text: String| wrap_pieces(&text, no_pieces(), "");
    let file = || wrap_pieces("\"file\":\"", encode_file(plan), "\"");
    match plan.fault("file-shape").map(|fault| fault.text("as")) {
        Some("null") => text(format!("{{\"files\":{{{own},\"file\":null}}}}")),
        Some("missing") => text(format!("{{\"files\":{{{own}}}}}")),
        Some("empty") => text(format!("{{\"files\":{{{own},\"file\":\"\"}}}}")),
        Some("array") => wrap_pieces(&format!("{{\"files\":[{{{own},"), file(), "}]}"),
        Some("file-first") => wrap_pieces("{\"files\":{", file(), &format!(",{own}}}}}")),
        _ => wrap_pieces(&format!("{{\"files\":{{{own},"), file(), "}}"),
    }
}

fn file_name(plan: &Plan) -> &str {
    plan.file.as_ref().map_or("", |file| &file.name)
}

fn no_pieces() -> Pieces {
    Box::new(std::iter::empty())
}

/// Pieces with a text before and after them.
pub(super) fn wrap_pieces(before: &str, pieces: Pieces, after: &str) -> Pieces {
    let before = std::iter::once(before.as_bytes().to_vec());
    Box::new(
        before
            .chain(pieces)
            .chain(std::iter::once(after.as_bytes().to_vec())),
    )
}

/// A run's file as base64.
pub(super) fn encode_file(plan: &Plan) -> Pieces {
    let how = plan.fault("base64").map_or("", |fault| fault.text("as"));
    let content = file_content(plan);
    let content = match plan.fault("file-gzip").map(|fault| fault.text("of")) {
        Some("base64") => encode::compress_pieces(content, Compression::best()),
        _ => content,
    };
    encode::base64_pieces(content, how)
}

/// The file of a run; only CSV contains rows.
fn file_content(plan: &Plan) -> Pieces {
    if file_name(plan).strip_suffix(".csv").is_some() {
        page::csv_file(plan)
    } else {
        Box::new(std::iter::once(b"%PDF-1.4 not a table\n".to_vec()))
    }
}
