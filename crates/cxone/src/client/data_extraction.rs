//! `POST /data-extraction/v1/jobs`, `GET /data-extraction/v1/jobs/{id}`, and the link that lives half a minute.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::acd::{run_id, word};
use super::transport::Call;
use super::{AccessToken, Client, PageOf};
use crate::error::Error;
use crate::page::Page;
use crate::redact::redacted;
use crate::state::sanitised;
use definition::RunId;
use definition::RunStatus;
use definition::Window;
use definition::{DataExtractionReport, EndDate};

const START: &str = "start data extraction";
const LOOK: &str = "look at data extraction";
const ROOT: &[&str] = &["data-extraction", "v1", "jobs"];
const DAY: i64 = 24 * 60 * 60;
/// The longest explanation of a failure that is kept.
const MESSAGE: usize = 1024;

/// What has become of a job.
enum Job {
    Running {
        word: String,
        known: bool,
    },
    /// Its link is a key by itself, good for 30 s.
    Succeeded {
        url: Option<String>,
    },
    Failed {
        message: String,
    },
}

impl Client {
    /// Starts an extraction. A 403 may mean that the call came too soon.
    pub(super) async fn start_extraction(
        &self,
        token: &AccessToken,
        report: &DataExtractionReport,
        window: &Window,
    ) -> Result<RunId, Error> {
        let call = Call::creates(START, token);
        let (start, end) = dates(window, report.end_date);
        let order = json!({
            "entityName": report.entity_name,
            "version": report.entity_version,
            "startDate": start,
            "endDate": end,
        });
        let request = self
            .request(Method::POST, self.url(ROOT, &[]))
            .header(CONTENT_TYPE, "application/json")
            .body(order.to_string());
        let response = self.send(&call, request).await.map_err(maybe_forbidden)?;
        let body = self.small_json(&call, response).await?;
        bare_id(&body).ok_or_else(|| Error::contract(START, "the answer is not a valid job id"))
    }

    /// Looks at an extraction once. This counts as a call of those that have to be far apart.
    pub(super) async fn look_at_extraction(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        Ok(match self.extraction(token, run).await? {
            Job::Running { word, known } => RunStatus::Pending { state: word, known },
            Job::Succeeded { .. } => RunStatus::Completed,
            Job::Failed { message } => RunStatus::Failed { message },
        })
    }

    /// Looks, and opens the file at once, because the link lives 30 s.
    pub(super) async fn extraction_page(
        &self,
        token: &AccessToken,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        let url = match self.extraction(token, page.run).await? {
            Job::Succeeded { url: Some(url) } => self.file_url(LOOK, &url)?,
            Job::Succeeded { url: None } => return Err(not_completed("SUCCEEDED without a URL")),
            Job::Running { word, .. } => return Err(not_completed(&word)),
            Job::Failed { message } => {
                return Err(Error::RunFailed {
                    step: LOOK,
                    message,
                });
            }
        };
        let opened = self.file(None, url, page.definition).await;
        opened.map_err(|error| match error {
            // Too late, or not there yet: the next look brings another link, or says EXPIRED.
            Error::NotFound { .. } => not_completed("SUCCEEDED, and its link was refused"),
            other => other,
        })
    }

    async fn extraction(&self, token: &AccessToken, run: &RunId) -> Result<Job, Error> {
        let call = Call::asks(LOOK, token);
        let request = self.request(Method::GET, self.url(ROOT, &[run.as_str()]));
        let response = self.send(&call, request).await.map_err(maybe_forbidden)?;
        let body = self.small_json(&call, response).await?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(LOOK, "the answer is not JSON"))?;
        job(&answer, run, token)
    }
}

fn job(answer: &Value, run: &RunId, token: &AccessToken) -> Result<Job, Error> {
    let job = &answer["jobStatus"];
    if !job.is_object() {
        return Err(Error::contract(LOOK, "the answer is not a job's status"));
    }
    if word(job, "id").is_some_and(|id| id != run.as_str()) {
        return Err(Error::contract(LOOK, "the answer is about another job"));
    }
    let state = word(job, "status").unwrap_or_default();
    let said = || word(&job["result"], "errorMessage").unwrap_or_default();
    let said = || redacted(&said(), &[token.expose()], MESSAGE);
    Ok(match state.to_ascii_uppercase().as_str() {
        "SUCCEEDED" => Job::Succeeded {
            url: word(&job["result"], "url"),
        },
        "FAILED" => Job::Failed { message: said() },
        "CANCELLED" => Job::Failed {
            message: format!("cancelled at CXone {}", said())
                .trim_end()
                .to_owned(),
        },
        // The file is gone after a day; a new job makes a new one.
        "EXPIRED" => {
            return Err(Error::NotFound {
                step: LOOK,
                status: 410,
            });
        }
        known => Job::Running {
            word: sanitised(Some(&state)),
            known: known == "RUNNING",
        },
    })
}

/// Whole days as days, which is all that has been seen in use; anything else as times.
fn dates(window: &Window, end_date: Option<EndDate>) -> (String, String) {
    let (start, end) = (window.start(), window.end());
    if [start, end].iter().any(|time| time.as_second() % DAY != 0) {
        return (start.to_string(), end.to_string());
    }
    let last = match end_date {
        // A second before its end is the last day that the window has.
        Some(EndDate::Inclusive) => end.saturating_sub(SignedDuration::from_secs(1)),
        _ => Ok(end),
    };
    let date = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    (date(start), date(last.unwrap_or(end)))
}

/// The id is a JSON text by itself; one without quotes, a number, or one within an object has the same meaning.
fn bare_id(body: &[u8]) -> Option<RunId> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(answer)) => ["jobId", "id"]
            .iter()
            .find_map(|name| answer.get(*name).and_then(run_id)),
        Ok(value) => run_id(&value).filter(|_| !value.is_null()),
        Err(_) => RunId::new(std::str::from_utf8(body).ok()?.trim()).ok(),
    }
}

/// Whether the call came too soon or a permission is missing is not said.
fn maybe_forbidden(error: Error) -> Error {
    match error {
        Error::Forbidden { step, .. } => Error::MaybeForbidden { step },
        other => other,
    }
}

fn not_completed(state: &str) -> Error {
    Error::NotCompleted {
        step: LOOK,
        state: state.to_owned(),
    }
}
