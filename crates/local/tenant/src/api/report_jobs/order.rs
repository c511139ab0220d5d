//! What a request for a job asks for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::api::dates;
use crate::api::parameters::Parameters;
use crate::apis::Api;
use crate::definition::{self, Format};
use crate::fixtures::Template;
use crate::reply::Reply;
use crate::request::Request;
use crate::run::{FileTerms, Order, Phase, Run, Timing};
use crate::state::State;
use crate::window::Window;

/// The most jobs that wait or run at a time.
const QUEUE: usize = 12;
/// A version whose jobs take no dates.
const NEWEST: u16 = 34;
/// The versions whose jobs take dates.
const DATED: RangeInclusive<u16> = 10..=13;

pub(super) fn parse_order(
    state: &mut State,
    version: u16,
    id: &str,
    request: &Request,
) -> Result<Order, Reply> {
    let invalid = |text: &str| Reply::error(400, "invalid_request", text);
    let template =
        find_template(state, id).ok_or_else(|| Reply::error(404, "not_found", "no such report"))?;
    let given =
        Parameters::from_request(request).ok_or_else(|| invalid("the body is not an object"))?;
    let window = job_window(state, version, &template, &given).map_err(|text| invalid(&text))?;
    let file =
        parse_file_terms(state.now(), version, &template, &given).map_err(|text| invalid(&text))?;
    let overwrite = given
        .require_switch("overwrite", false)
        .map_err(|text| invalid(&text))?;
    check_queue(state)?;
    claim_file_name(state, &file.name, overwrite)?;
    Ok(Order {
        api: Api::ReportJobs,
        user: String::new(),
        source: id.to_owned(),
        shape: Arc::new(template.shape),
        format: Format::Csv,
        window,
        page_size: u64::from(state.options.page_size),
        file: Some(file),
        timing: Timing::Sequential,
        make_id: |bits, number| (70_000_000 + (bits >> 44) * 10 + number).to_string(),
    })
}

/// An order of nobody's, for a job that the tenant has from its start: one of its first report.
pub(in crate::api) fn old_order(state: &mut State) -> Option<Order> {
    let template = state.options.templates.first()?.id.to_string();
    parse_order(state, NEWEST, &template, &Request::default()).ok()
}

fn check_queue(state: &State) -> Result<(), Reply> {
    let now = state.now();
    let is_live = |run: &&Run| run.plan.api == Api::ReportJobs && !run.phase(now).is_over();
    if state.runs.iter().filter(is_live).count() >= QUEUE {
        return Err(Reply::error(
            429,
            "too_many_requests",
            "the job queue is full",
        ));
    }
    Ok(())
}

/// Refuses a name that is taken, or marks the files that have it as replaced.
fn claim_file_name(state: &mut State, name: &str, overwrite: bool) -> Result<(), Reply> {
    let now = state.now();
    let has_name = |run: &&mut Run| file_of(run, now).is_some_and(|file| file.name == name);
    for run in state.runs.iter_mut().filter(has_name) {
        if !overwrite {
            return Err(Reply::error(409, "conflict", "a file of this name exists"));
        }
        run.replaced = true;
    }
    Ok(())
}

pub(in crate::api) fn find_template(state: &State, id: &str) -> Option<Template> {
    let id: u64 = id.parse().ok()?;
    let mut templates = state.options.templates.iter();
    templates.find(|template| template.id == id).cloned()
}

/// The template's own range, or in old versions the dates of the request.
fn job_window(
    state: &State,
    version: u16,
    template: &Template,
    given: &Parameters,
) -> Result<Window, String> {
    match (given.get("startDate"), given.get("endDate")) {
        (None, None) => {
            let zone = TimeZone::get(&state.options.business_zone).unwrap_or(TimeZone::UTC);
            definition::relative_window(&template.range, &zone, state.now())
                .map_err(|refusal| refusal.to_string())
        }
        _ if !DATED.contains(&version) => {
            Err("startDate and endDate are not parameters of this version".to_owned())
        }
        (Some(start), Some(end)) => dates::parse_window(start, end, dates::parse_instant),
        _ => Err("startDate and endDate come together".to_owned()),
    }
}

fn parse_file_terms(
    now: Timestamp,
    version: u16,
    template: &Template,
    given: &Parameters,
) -> Result<FileTerms, String> {
    let extension = match given
        .get("fileType")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("csv") => "csv",
        Some("pdf") => "pdf",
        Some("xml") => "xml",
        Some("excel") => "xlsx",
        Some(_) => return Err("fileType is CSV, PDF, XML or Excel".to_owned()),
    };
    let days = given.get("deleteAfter").unwrap_or("7").parse().ok();
    let days: i64 = days
        .filter(|days| (7..=14).contains(days))
        .ok_or("deleteAfter is 7 to 14 days")?;
    let dated = given.require_switch("appendDate", false)?;
    let headers = given.require_switch("includeHeaders", true)?;
    let name = given.get("fileName").unwrap_or(&template.shape.name);
    let name = name.strip_suffix(&format!(".{extension}")).unwrap_or(name);
    let date = if dated {
        now.to_zoned(TimeZone::UTC)
            .strftime("_%Y%m%d_%H%M%S")
            .to_string()
    } else {
        String::new()
    };
    Ok(FileTerms {
        version,
        name: format!("{name}{date}.{extension}"),
        headers,
        deleted: now
            .checked_add(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MAX),
    })
}

/// The file of a job, if its name is taken: not replaced, not deleted, and the job did not fail.
fn file_of(run: &Run, now: Timestamp) -> Option<&FileTerms> {
    let file = run.plan.file.as_ref()?;
    let is_there = run.plan.api == Api::ReportJobs
        && !run.replaced
        && now < file.deleted
        && run.phase(now) != Phase::Failed;
    is_there.then_some(file)
}
