//! Report jobs: `POST …/report-jobs/{reportId}`, `GET …/report-jobs/{jobId}`, and the file that a finished job leaves.

use definition::text::line;
use definition::{RangeOf, ReportJobsReport, RunId, RunStatus, Window};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{find_id, join_said, read_text};
use super::file::{FileForm, FileRequest};
use super::incontact::{create_unique_name, file_rules};
use super::query::PageQuery;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client, FileLink, redact_secrets};
use crate::page::Page;

const START: &str = "start report job";
const POLL: &str = "look at report job";
/// The one word that is documented for the end of a job.
const FINISHED: &str = "Finished";
/// Words for a job that is not done, seen by clients or likely. Any other word counts as pending as well.
const PENDING: &[&str] = &["queued", "pending", "running", "processing", "in progress"];
/// The longest word of a state that is kept, in bytes.
const MAX_STATE: usize = 64;
/// The longest explanation that is kept, in bytes.
const MAX_MESSAGE: usize = 1024;
/// Parts of the names of fields that may explain an end without a file. No name is documented.
const EXPLAINING: &[&str] = &["error", "message", "reason"];
/// How many days a file is kept: the least that the API takes.
const KEPT_DAYS: u8 = 7;

struct ReportJob {
    state: String,
    url: Option<String>,
    file_name: Option<String>,
    /// What the answer says beside the state, as CXone sent it.
    message: String,
}

impl ReportJob {
    /// A URL is a surer sign than the word, which clients have seen in upper and lower case.
    fn is_done(&self) -> bool {
        self.url.is_some() || self.state.eq_ignore_ascii_case(FINISHED)
    }

    /// Whether the word is one of a job that is not done.
    fn is_known_pending(&self) -> bool {
        is_pending(&self.state)
    }
}

pub(super) fn is_known_state(word: &str) -> bool {
    is_pending(word) || word.eq_ignore_ascii_case(FINISHED)
}

fn is_pending(word: &str) -> bool {
    let mut words = PENDING.iter();
    words.any(|known| word.eq_ignore_ascii_case(known))
}

impl Client {
    /// Starts a job. Its file gets a name of its own, because a name that is taken is refused.
    pub(super) async fn start_report_job(
        &self,
        token: &AccessToken,
        report: &ReportJobsReport,
        window: &Window,
    ) -> Result<RunId, Error> {
        let call = Call::creating(START, token);
        let url = self.incontact_url(
            report.api_version,
            &["report-jobs", report.report_id.as_str()],
        );
        let mut order = json!({
            "fileType": "CSV",
            "includeHeaders": true,
            "appendDate": false,
            "overwrite": false,
            "deleteAfter": KEPT_DAYS,
            "fileName": format!("{}-{}", report.report_id, create_unique_name()),
        });
        if report.range == RangeOf::Dates {
            order["startDate"] = json!(window.start());
            order["endDate"] = json!(window.end());
        }
        let request = self
            .build_request(Method::POST, url)
            .header(CONTENT_TYPE, "application/json")
            .body(order.to_string());
        let response = self
            .send_request(&call, request)
            .await
            .map_err(describe_taken_name)?;
        let body = self.read_small_json(&call, response).await?;
        let id = find_id(&body, &["jobId"]);
        id.and_then(|id| RunId::new(id).ok())
            .ok_or_else(|| Error::contract(START, "the answer has no valid jobId"))
    }

    /// Polls a job once. The words for a failure are not documented, so that an unknown word counts as pending.
    pub(super) async fn poll_report_job(
        &self,
        token: &AccessToken,
        api_version: u16,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        let job = self.request_report_job(token, api_version, run).await?;
        if job.is_done() {
            return Ok(RunStatus::Completed);
        }
        Ok(RunStatus::Pending {
            known: job.is_known_pending(),
            state: job.state,
        })
    }

    /// Opens the file of a finished job, which is its only page.
    pub(super) async fn open_report_job(
        &self,
        token: &AccessToken,
        report: &ReportJobsReport,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        let api_version = report.api_version;
        let job = self
            .request_report_job(token, api_version, query.run)
            .await?;
        let (link, is_named) = match (&job.url, &job.file_name) {
            (Some(url), _) => (self.find_file(POLL, url)?, true),
            (None, None) if job.is_done() => return Err(no_result_error(&job)),
            // Finished, and the link is late: the file is where the link would lead.
            (None, Some(name)) if job.is_done() => {
                let mut url = self.incontact_url(api_version, &["files"]);
                url.query_pairs_mut().append_pair("fileName", name);
                (FileLink::call(url), false)
            }
            _ => return Err(not_completed_error(job, token)),
        };
        let file = FileRequest {
            link,
            is_key: false,
            token,
            untyped: FileForm::Base64,
            rules: file_rules(query.definition),
        };
        let opened = self.open_file(file).await;
        opened.map_err(|error| match error {
            Error::NotFound { .. } if !is_named => no_result_error(&job),
            other => describe_gone_result(other),
        })
    }

    async fn request_report_job(
        &self,
        token: &AccessToken,
        api_version: u16,
        run: &RunId,
    ) -> Result<ReportJob, Error> {
        let call = Call::repeatable(POLL, token);
        let url = self.incontact_url(api_version, &["report-jobs", run.as_str()]);
        let sent = self
            .send_request(&call, self.build_request(Method::GET, url))
            .await;
        let response = sent.map_err(describe_gone_result)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(ReportJob {
                state: String::new(),
                url: None,
                file_name: None,
                message: String::new(),
            });
        }
        let body = self.read_small_json(&call, response).await?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(POLL, "the answer is not JSON"))?;
        parse_job(&answer, run)
    }
}

/// The job, which clients of versions 13 to 17 have seen within a `jobResult`.
fn parse_job(answer: &Value, run: &RunId) -> Result<ReportJob, Error> {
    let job = answer.get("jobResult").unwrap_or(answer);
    let job = job.get(0).unwrap_or(job);
    if !job.is_object() {
        return Err(Error::contract(POLL, "the answer is not a job"));
    }
    if read_text(job, "jobId").is_some_and(|id| id != run.as_str()) {
        return Err(Error::contract(POLL, "the answer is about another job"));
    }
    Ok(ReportJob {
        state: line(&read_text(job, "state").unwrap_or_default(), MAX_STATE),
        url: read_text(job, "resultFileURL"),
        file_name: read_text(job, "fileName"),
        message: read_explanation(job),
    })
}

/// The texts of all fields that may explain the state.
fn read_explanation(job: &Value) -> String {
    let explains = |name: &String| {
        let name = name.to_lowercase();
        EXPLAINING.iter().any(|part| name.contains(part))
    };
    let names = job.as_object().into_iter().flat_map(|job| job.keys());
    let texts = names
        .filter(|name| explains(name))
        .filter_map(|name| read_text(job, name));
    texts.collect::<Vec<_>>().join(" ")
}

/// The next try has another name, so that it can succeed.
fn describe_taken_name(error: Error) -> Error {
    match error {
        Error::Rejected { status: 409, .. } => {
            Error::unavailable(START, "a file of that name was there already")
        }
        other => other,
    }
}

/// A 409 means that the job was there and that its result is gone.
fn describe_gone_result(error: Error) -> Error {
    match error {
        Error::Rejected {
            step, status: 409, ..
        } => Error::NotFound { step, status: 409 },
        other => other,
    }
}

fn no_result_error(job: &ReportJob) -> Error {
    Error::NoResult {
        step: POLL,
        what: format!("{} without a link", job.state),
    }
}

fn not_completed_error(job: ReportJob, token: &AccessToken) -> Error {
    let said = if job.is_known_pending() {
        String::new()
    } else {
        let message = redact_secrets(&job.message, &[token.expose()], MAX_MESSAGE);
        join_said(&job.state, &message)
    };
    Error::NotCompleted {
        step: POLL,
        state: job.state,
        said,
    }
}
