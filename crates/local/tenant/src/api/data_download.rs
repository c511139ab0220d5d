//! Data download: the file at once, in the answer or behind a link.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::errors::Shape;
use super::files::{FOLDER, around, encoded};
use super::parameters::Parameters;
use super::{dates, report_jobs};
use crate::apis::Api;
use crate::definition::Format;
use crate::reply::{Pieces, Reply};
use crate::request::{self, Request};
use crate::run::{FileTerms, Order, Plan};
use crate::spoil;
use crate::state::State;

/// The longest window.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back it may lie.
const REACH: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// `POST …/report-jobs/datadownload/{reportId}`
pub(super) fn download(state: &mut State, version: u16, id: &str, request: &Request) -> Reply {
    let refused = |status, text: &str| Shape::Message.refuse(status, "", text);
    let Some(given) = Parameters::of(request) else {
        return refused(400, "the body is not an object");
    };
    match order(state, version, id, &given) {
        Ok(order) => {
            let save = given.switch("saveAsFile", false).unwrap_or(false);
            let plan = Arc::clone(&state.start(order).plan);
            answer(&plan, save)
        }
        Err((status, text)) => refused(status, &text),
    }
}

fn order(
    state: &State,
    version: u16,
    id: &str,
    given: &Parameters,
) -> Result<Order, (u16, String)> {
    let invalid = |text: &str| (400, text.to_owned());
    let template = report_jobs::template(state, id).ok_or((404, "no such report".to_owned()))?;
    let text = |name: &str| {
        given
            .get(name)
            .ok_or_else(|| invalid(&format!("{name} is missing")))
    };
    let on_the_wall = |text: &str| dates::on_the_wall(text, state.options.user_offset);
    let window = dates::window(text("startDate")?, text("endDate")?, on_the_wall)
        .map_err(|text| (400, text))?;
    let now = state.now();
    if window.end.duration_since(window.start) > LONGEST {
        return Err(invalid("at most 30 days"));
    }
    if now.duration_since(window.start) > REACH {
        return Err(invalid("at most two years back"));
    }
    let switch = |name: &str, default| {
        given
            .switch(name, default)
            .ok_or_else(|| invalid(&format!("{name} is true or false")))
    };
    let (headers, _) = (
        switch("includeHeaders", true)?,
        switch("saveAsFile", false)?,
    );
    let name = text("fileName")?;
    let name = format!("{}.csv", name.strip_suffix(".csv").unwrap_or(name));
    let taken = state.runs.iter().any(|run| {
        let file = run.plan.file.as_ref();
        run.plan.api == Api::DataDownload && file.is_some_and(|file| file.name == name)
    });
    if taken {
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
        file: Some(FileTerms {
            version,
            name,
            headers,
            deleted: Timestamp::MAX,
        }),
    })
}

fn answer(plan: &Plan, save: bool) -> Reply {
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
        link(plan, name)
    } else {
        json!("")
    };
    let others = format!(
        "\"errorMessage\":{},\"fileName\":{},\"fileType\":\"CSV\",\"URI\":{link}",
        json!(failure.map_or("", |fault| fault.text("text"))),
        json!(format!("{FOLDER}{name}")),
    );
    let file: Pieces = if inline && has_file {
        around("\"file\":\"", encoded(plan), "\"")
    } else {
        text("\"file\":\"\"")
    };
    let pieces = match plan.fault("file-shape").map(|fault| fault.text("as")) {
        Some("file-first") => around("{", file, &format!(",{others}}}")),
        Some("missing") => text(&format!("{{{others}}}")),
        Some("null") => text(&format!("{{{others},\"file\":null}}")),
        Some("empty") => text(&format!("{{{others},\"file\":\"\"}}")),
        Some("array") => around(&format!("[{{{others},"), file, "}]"),
        _ => around(&format!("{{{others},"), file, "}"),
    };
    Reply::pieces("application/json", pieces)
}

fn text(text: &str) -> Pieces {
    Box::new(std::iter::once(text.as_bytes().to_vec()))
}

/// Where a saved file is: at the cluster's own host and at another version, as it has been seen in the wild.
fn link(plan: &Plan, name: &str) -> serde_json::Value {
    let version = plan.file.as_ref().map_or(34, |file| file.version) + 1;
    let name = request::encode(&format!("{FOLDER}{name}"));
    spoil::link(
        plan,
        &format!("/inContactAPI/services/v{version}.0/files?fileName={name}"),
    )
}
