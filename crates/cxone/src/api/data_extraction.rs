//! Data extraction: `POST /data-extraction/v1/jobs`, `GET /data-extraction/v1/jobs/{id}`, and the link that lives half a minute.

use definition::text::line;
use definition::{DataExtractionReport, EndDate, RunId, RunStatus, Window};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::answer::{find_id, join_said, read_text};
use super::file::{FileForm, FileRequest};
use super::incontact::file_rules;
use super::query::PageQuery;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client, redact_secrets};
use crate::page::Page;

const START: &str = "start data extraction";
const POLL: &str = "look at data extraction";
const ROOT: &[&str] = &["data-extraction", "v1", "jobs"];
const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// The longest word of a state that is kept, in bytes.
const MAX_STATE: usize = 64;
/// The longest explanation of a failure that is kept, in bytes.
const MAX_MESSAGE: usize = 1024;

/// The documented states of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Expired,
}

impl JobState {
    /// The state of a word, in upper or lower case; `None` for a word that is not documented.
    fn from_word(word: &str) -> Option<Self> {
        [
            ("running", Self::Running),
            ("succeeded", Self::Succeeded),
            ("failed", Self::Failed),
            ("cancelled", Self::Cancelled),
            ("expired", Self::Expired),
        ]
        .into_iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known))
        .map(|(_, state)| state)
    }
}

enum Extraction {
    Running {
        word: String,
        known: bool,
        /// What the answer says beside a word that is not known.
        message: String,
    },
    /// Its link is a key by itself, good for 30 s.
    Succeeded {
        url: Option<String>,
    },
    Failed {
        message: String,
    },
}

pub(super) fn is_known_state(word: &str) -> bool {
    JobState::from_word(word).is_some()
}

impl Client {
    /// Starts an extraction. A 403 may mean that the call came too soon.
    pub(super) async fn start_extraction(
        &self,
        token: &AccessToken,
        report: &DataExtractionReport,
        window: &Window,
    ) -> Result<RunId, Error> {
        let call = Call::creating(START, token);
        let (start, end) = format_dates(window, report.end_date);
        let order = json!({
            "entityName": report.entity_name,
            "version": report.entity_version,
            "startDate": start,
            "endDate": end,
        });
        let request = self
            .build_request(Method::POST, self.build_url(ROOT, &[]))
            .header(CONTENT_TYPE, "application/json")
            .body(order.to_string());
        let response = self
            .send_request(&call, request)
            .await
            .map_err(describe_forbidden)?;
        let body = self.read_small_json(&call, response).await?;
        parse_id(&body).ok_or_else(|| Error::contract(START, "the answer is not a valid job id"))
    }

    /// Polls an extraction once. The call counts towards the rate limit of one call in 30 s.
    pub(super) async fn poll_extraction(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        Ok(match self.request_extraction(token, run).await? {
            Extraction::Running { word, known, .. } => RunStatus::Pending { state: word, known },
            Extraction::Succeeded { .. } => RunStatus::Completed,
            Extraction::Failed { message } => RunStatus::Failed { message },
        })
    }

    /// Polls, and opens the file at once, because its link lives 30 s.
    pub(super) async fn open_extraction(
        &self,
        token: &AccessToken,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        let link = match self.request_extraction(token, query.run).await? {
            Extraction::Succeeded { url: Some(url) } => self.find_file(POLL, &url)?,
            Extraction::Succeeded { url: None } => {
                return Err(no_result_error("SUCCEEDED without a link".to_owned()));
            }
            Extraction::Running {
                word,
                known,
                message,
            } => return Err(not_completed_error(word, known, &message)),
            Extraction::Failed { message } => {
                return Err(Error::RunFailed {
                    step: POLL,
                    message,
                });
            }
        };
        let file = FileRequest {
            link,
            is_key: true,
            token,
            untyped: FileForm::Csv,
            rules: file_rules(query.definition),
        };
        let opened = self.open_file(file).await;
        opened.map_err(|error| match error {
            Error::NotFound { status, .. } => no_result_error(format!(
                "SUCCEEDED, and no file at its link (status {status})"
            )),
            other => other,
        })
    }

    async fn request_extraction(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<Extraction, Error> {
        let call = Call::repeatable(POLL, token);
        let request = self.build_request(Method::GET, self.build_url(ROOT, &[run.as_str()]));
        let response = self
            .send_request(&call, request)
            .await
            .map_err(describe_forbidden)?;
        let body = self.read_small_json(&call, response).await?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(POLL, "the answer is not JSON"))?;
        parse_extraction(&answer, run, token)
    }
}

fn parse_extraction(answer: &Value, run: &RunId, token: &AccessToken) -> Result<Extraction, Error> {
    let job = &answer["jobStatus"];
    if !job.is_object() {
        return Err(Error::contract(POLL, "the answer is not a job's status"));
    }
    if read_text(job, "id").is_some_and(|id| id != run.as_str()) {
        return Err(Error::contract(POLL, "the answer is about another job"));
    }
    let word = read_text(job, "status").unwrap_or_default();
    let state = JobState::from_word(&word);
    let message = || {
        let text = read_text(&job["result"], "errorMessage").unwrap_or_default();
        redact_secrets(&text, &[token.expose()], MAX_MESSAGE)
    };
    Ok(match state {
        Some(JobState::Succeeded) => Extraction::Succeeded {
            url: read_text(&job["result"], "url"),
        },
        Some(JobState::Failed) => Extraction::Failed { message: message() },
        Some(JobState::Cancelled) => Extraction::Failed {
            message: join_said("cancelled at CXone", &message()),
        },
        // The file is gone after a day; a new job makes a new one.
        Some(JobState::Expired) => {
            return Err(Error::NotFound {
                step: POLL,
                status: 410,
            });
        }
        Some(JobState::Running) | None => Extraction::Running {
            word: line(&word, MAX_STATE),
            known: state.is_some(),
            message: message(),
        },
    })
}

/// Whole days as dates, which is all that has been seen in use; anything else as times.
fn format_dates(window: &Window, end_date: Option<EndDate>) -> (String, String) {
    let (start, end) = (window.start(), window.end());
    if [start, end]
        .iter()
        .any(|time| time.as_second() % SECONDS_A_DAY != 0)
    {
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

/// The id of a job. It comes as a JSON string; one without quotes, a number, or one within an object is taken as well.
fn parse_id(body: &[u8]) -> Option<RunId> {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let id = if is_json {
        find_id(body, &["jobId", "id"])
    } else {
        std::str::from_utf8(body)
            .ok()
            .map(|id| id.trim().to_owned())
    };
    RunId::new(id?).ok()
}

/// The API answers 403 both to a call that comes too soon and where a permission is missing.
fn describe_forbidden(error: Error) -> Error {
    match error {
        Error::Forbidden { step, .. } => Error::MaybeForbidden { step },
        other => other,
    }
}

fn no_result_error(what: String) -> Error {
    Error::NoResult { step: POLL, what }
}

fn not_completed_error(state: String, known: bool, message: &str) -> Error {
    Error::NotCompleted {
        step: POLL,
        said: if known {
            String::new()
        } else {
            join_said(&state, message)
        },
        state,
    }
}
