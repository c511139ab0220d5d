//! `POST …/report-jobs/{reportId}`, `GET …/report-jobs/{jobId}`, and the file that a finished job leaves.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::acd::{run_id, unique, word};
use super::transport::Call;
use super::{AccessToken, Client, PageOf};
use crate::error::Error;
use crate::page::Page;
use crate::state::sanitised;
use definition::RunId;
use definition::RunStatus;
use definition::Window;
use definition::{RangeOf, ReportJobsReport};

const START: &str = "start report job";
const LOOK: &str = "look at report job";
/// The one word that is documented for the end of a job.
const FINISHED: &str = "Finished";
/// Words that clients have seen, or that are likely. Any other one is waited on as well.
const PENDING: &[&str] = &["queued", "pending", "running", "processing", "in progress"];
/// How many days a file is kept, which is the least that there is.
const KEPT_DAYS: u8 = 7;

/// A job as far as it matters.
struct Job {
    state: String,
    url: Option<String>,
    file_name: Option<String>,
}

impl Job {
    /// A URL says more than a word: clients have seen words in any case.
    fn is_done(&self) -> bool {
        self.url.is_some() || self.state.eq_ignore_ascii_case(FINISHED)
    }
}

impl Client {
    /// Starts a job. Its file gets a name of its own, because a name that is taken is refused.
    pub(super) async fn start_report_job(
        &self,
        token: &AccessToken,
        report: &ReportJobsReport,
        window: &Window,
    ) -> Result<RunId, Error> {
        let call = Call::creates(START, token);
        let url = self.acd_url(
            report.api_version,
            &["report-jobs", report.report_id.as_str()],
        );
        let mut order = json!({
            "fileType": "CSV",
            "includeHeaders": true,
            "appendDate": false,
            "overwrite": false,
            "deleteAfter": KEPT_DAYS,
            "fileName": format!("{}-{}", report.report_id, unique()),
        });
        if report.range == RangeOf::Dates {
            order["startDate"] = json!(window.start());
            order["endDate"] = json!(window.end());
        }
        let request = self
            .request(Method::POST, url)
            .header(CONTENT_TYPE, "application/json")
            .body(order.to_string());
        let response = self.send(&call, request).await.map_err(name_is_taken)?;
        let body = self.small_json(&call, response).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        run_id(&answer["jobId"])
            .ok_or_else(|| Error::contract(START, "the answer has no valid jobId"))
    }

    /// Looks at a job once. What words there are for a failure is not documented, so that an unknown word is waited on.
    pub(super) async fn look_at_report_job(
        &self,
        token: &AccessToken,
        api_version: u16,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        let job = self.report_job(token, api_version, run).await?;
        if job.is_done() {
            return Ok(RunStatus::Completed);
        }
        let known = PENDING
            .iter()
            .any(|word| job.state.eq_ignore_ascii_case(word));
        Ok(RunStatus::Pending {
            state: job.state,
            known,
        })
    }

    /// Opens the file of a finished job, which is its only page.
    pub(super) async fn report_job_page(
        &self,
        token: &AccessToken,
        api_version: u16,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        let job = self.report_job(token, api_version, page.run).await?;
        let (url, is_named) = match (&job.url, &job.file_name) {
            (Some(url), _) => (self.file_url(LOOK, url)?, true),
            // Finished, and the link is late: the file is where the link would lead.
            (None, Some(name)) if job.is_done() => {
                let mut url = self.acd_url(api_version, &["files"]);
                url.query_pairs_mut().append_pair("fileName", name);
                (url, false)
            }
            _ => return Err(not_completed(job.state)),
        };
        let opened = self.file(Some(token), url, page.definition).await;
        opened.map_err(|error| match error {
            Error::NotFound { .. } if !is_named => not_completed(job.state),
            other => result_is_gone(other),
        })
    }

    async fn report_job(
        &self,
        token: &AccessToken,
        api_version: u16,
        run: &RunId,
    ) -> Result<Job, Error> {
        let call = Call::asks(LOOK, token);
        let url = self.acd_url(api_version, &["report-jobs", run.as_str()]);
        let sent = self.send(&call, self.request(Method::GET, url)).await;
        let response = sent.map_err(result_is_gone)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Job {
                state: String::new(),
                url: None,
                file_name: None,
            });
        }
        let body = self.small_json(&call, response).await?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(LOOK, "the answer is not JSON"))?;
        job(&answer, run)
    }
}

/// The job, which clients of versions 13 to 17 have seen within a `jobResult`.
fn job(answer: &Value, run: &RunId) -> Result<Job, Error> {
    let job = answer.get("jobResult").unwrap_or(answer);
    let job = job.get(0).unwrap_or(job);
    if !job.is_object() {
        return Err(Error::contract(LOOK, "the answer is not a job"));
    }
    if word(job, "jobId").is_some_and(|id| id != run.as_str()) {
        return Err(Error::contract(LOOK, "the answer is about another job"));
    }
    Ok(Job {
        state: sanitised(word(job, "state").as_deref()),
        url: word(job, "resultFileURL"),
        file_name: word(job, "fileName"),
    })
}

/// With another name, which the next try will have, nothing is in the way.
fn name_is_taken(error: Error) -> Error {
    match error {
        Error::Rejected { status: 409, .. } => {
            Error::unavailable(START, "a file of that name was there already")
        }
        other => other,
    }
}

/// 409 says that the job was there and that its result is gone.
fn result_is_gone(error: Error) -> Error {
    match error {
        Error::Rejected {
            step, status: 409, ..
        } => Error::NotFound { step, status: 409 },
        other => other,
    }
}

fn not_completed(state: String) -> Error {
    Error::NotCompleted { step: LOOK, state }
}
