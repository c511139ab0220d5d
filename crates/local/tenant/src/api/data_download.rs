//! Data download: the file at once, in the answer or behind a link.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::error_shape::ErrorShape;
use super::files::{FOLDER, encode_file, wrap_pieces};
use super::parameters::Parameters;
use super::route::{Route, only_method, split_acd_path};
use super::spec::{ApiSpec, Target};
use super::{admission, dates, report_jobs};
use crate::apis::Api;
use crate::corrupt;
use crate::definition::Format;
use crate::journal::Kind;
use crate::reply::{Pieces, Reply};
use crate::request::{self, Request};
use crate::run::{FileTerms, Order, Plan, Timing};
use crate::state::State;
use crate::window::Window;

const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The oldest start of a window.
const REACH: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

pub(super) const SPEC: ApiSpec = ApiSpec {
    find_route,
    locate: |state, _, _| Target {
        run: Some(state.next_number()),
        page: Some(0),
        ..Target::default()
    },
    admit: admission::admit_acd,
    handle: |state, route, request| download_report(state, route.version, &route.id, request),
    error_shape: |_| ErrorShape::Message,
};

fn find_route(request: &Request) -> Option<Route> {
    let (version, rest) = split_acd_path(&request.path)?;
    let id = rest.strip_prefix("report-jobs/datadownload/")?;
    let found = only_method(&request.method, "POST", Kind::Page, id);
    (!id.contains('/')).then(|| Route::new(Some(Api::DataDownload), version, Some(found)))
}

fn download_report(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    let refused = |status, text: &str| ErrorShape::Message.refuse(status, "", text);
    let Some(given) = Parameters::from_request(request) else {
        return refused(400, "the body is not an object");
    };
    match parse_order(state, version, id, &given) {
        Ok(order) => {
            let save = given.get_switch("saveAsFile", false).unwrap_or(false);
            let plan = Arc::clone(&state.start_run(order).plan);
            build_answer(&plan, save)
        }
        Err((status, text)) => refused(status, &text),
    }
}

fn parse_order(
    state: &State,
    version: u16,
    id: &str,
    given: &Parameters,
) -> Result<Order, (u16, String)> {
    let template =
        report_jobs::order::find_template(state, id).ok_or((404, "no such report".to_owned()))?;
    let window = parse_window(state, given).map_err(|text| (400, text))?;
    let file = parse_file_terms(version, given).map_err(|text| (400, text))?;
    let is_taken = state.runs.iter().any(|run| {
        let known = run.plan.file.as_ref();
        run.plan.api == Api::DataDownload && known.is_some_and(|known| known.name == file.name)
    });
    if is_taken {
        return Err((409, "a file of this name exists".to_owned()));
    }
    Ok(Order {
        api: Api::DataDownload,
        user: String::new(),
        source: id.to_owned(),
        shape: Arc::new(template.shape),
        format: Format::Csv,
        window,
        page_size: u64::from(state.options.page_size),
        file: Some(file),
        timing: Timing::Immediate,
        make_id: |_, number| format!("data-download-{number}"),
    })
}

/// A window by the clock of the user, of at most 30 days and no older than two years.
fn parse_window(state: &State, given: &Parameters) -> Result<Window, String> {
    let (start, end) = (given.require("startDate")?, given.require("endDate")?);
    let local = |text: &str| dates::parse_local(text, state.options.user_offset);
    let window = dates::parse_window(start, end, local)?;
    if window.end.duration_since(window.start) > LONGEST {
        return Err("at most 30 days".to_owned());
    }
    if state.now().duration_since(window.start) > REACH {
        return Err("at most two years back".to_owned());
    }
    Ok(window)
}

fn parse_file_terms(version: u16, given: &Parameters) -> Result<FileTerms, String> {
    let headers = given.require_switch("includeHeaders", true)?;
    given.require_switch("saveAsFile", false)?;
    let name = given.require("fileName")?;
    Ok(FileTerms {
        version,
        name: format!("{}.csv", name.strip_suffix(".csv").unwrap_or(name)),
        headers,
        deleted: Timestamp::MAX,
    })
}

fn build_answer(plan: &Plan, save: bool) -> Reply {
    let failure = plan.fault("error-message");
    if plan.rows == 0 && failure.is_none() {
        return Reply::empty(204);
    }
    let has_file = failure.is_none_or(|fault| fault.text("file") == "yes");
    let (inline, linked) = match plan.fault("answer-by").map(|fault| fault.text("as")) {
        Some("uri") => (false, true),
        Some("file") => (true, false),
        Some("both") => (true, true),
        Some(_) => (false, false),
        None => (!save, save),
    };
    let name = plan.file.as_ref().map_or("", |file| &file.name);
    let link = if linked && has_file {
        file_link(plan, name)
    } else {
        json!("")
    };
    let others = format!(
        "\"errorMessage\":{},\"fileName\":{},\"fileType\":\"CSV\",\"URI\":{link}",
        json!(failure.map_or("", |fault| fault.text("text"))),
        json!(format!("{FOLDER}{name}")),
    );
    let file: Pieces = if inline && has_file {
        wrap_pieces("\"file\":\"", encode_file(plan), "\"")
    } else {
        text_piece("\"file\":\"\"")
    };
    let pieces = match plan.fault("file-shape").map(|fault| fault.text("as")) {
        Some("file-first") => wrap_pieces("{", file, &format!(",{others}}}")),
        Some("missing") => text_piece(&format!("{{{others}}}")),
        Some("null") => text_piece(&format!("{{{others},\"file\":null}}")),
        Some("empty") => text_piece(&format!("{{{others},\"file\":\"\"}}")),
        Some("array") => wrap_pieces(&format!("[{{{others},"), file, "}]"),
        _ => wrap_pieces(&format!("{{{others},"), file, "}"),
    };
    Reply::streamed("application/json", pieces)
}

fn text_piece(text: &str) -> Pieces {
    Box::new(std::iter::once(text.as_bytes().to_vec()))
}

/// The link to a saved file. It names the next version of the API, as public clients have reported.
fn file_link(plan: &Plan, name: &str) -> serde_json::Value {
    let version = plan.file.as_ref().map_or(34, |file| file.version) + 1;
    let name = request::percent_encode(&format!("{FOLDER}{name}"));
    corrupt::file_link(
        plan,
        &format!("/inContactAPI/services/v{version}.0/files?fileName={name}"),
    )
}
