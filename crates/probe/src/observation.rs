//! What was seen of one request and its answer, without any value.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use cxone::{Error, RawAnswer};
use serde::Serialize;
use serde_json::Value;

use crate::kind::{Plain, ValueKind};
use crate::names::{Names, tell_state};
use crate::question::Question;
use crate::usability::Usability;

/// A larger difference between the clocks is told.
const CLOCKS: Duration = Duration::from_mins(1);
/// The headers that say how often one may call, and that servers and networks spell in many ways.
const RATE_HEADERS: [&str; 2] = ["retry-after", "ratelimit"];

/// A request and what came of it, at the last of its tries.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Observation {
    pub(crate) question: Question,
    pub(crate) path: String,
    pub(crate) parameters: Vec<&'static str>,
    /// Whether the path named a job that the list before has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_known_job: Option<bool>,
    /// The link to a job's file, if its answer has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<SeenLink>,
    /// The statuses of the tries before, 0 for one without an answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tries_before: Vec<u16>,
    #[serde(flatten)]
    pub(crate) seen: Seen,
}

/// A link to a job's file. It was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeenLink {
    /// Whether the settings allow its host.
    pub(crate) allowed: Usability,
    /// Whether another look at the job gave another link; `None` where that was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_fresh: Option<bool>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "came", rename_all = "kebab-case")]
pub(crate) enum Seen {
    Answer(SeenAnswer),
    /// Nothing, or an answer that broke off.
    NoAnswer,
    /// An answer that can't be read: it is damaged or too large.
    Unreadable,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeenAnswer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) headers: Vec<String>,
    pub(crate) clock: Clock,
    /// Whether a refusal explains itself where the client looks for it.
    pub(crate) explains: bool,
    pub(crate) body: ValueKind,
    /// The words of jobs' states.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) states: BTreeSet<String>,
}

/// What an answer's header says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Content {
    None,
    Json,
    Html,
    Xml,
    Text,
    Other,
}

/// The clock of whoever answered, against the one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Clock {
    Unknown,
    Agrees,
    Ahead,
    Behind,
}

/// What an answer says of its API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It answers as it should.
    Open,
    /// Whoever asks may not: 401 or 403.
    Refused(u16),
    /// There is nothing at this path.
    Absent(u16),
    /// It refuses what was asked, or the answer is none that the client takes.
    Odd,
    /// No answer, or one that asks for patience.
    Silent,
}

impl Observation {
    /// Whether it is about a job that no tenant has, because there was no other one to ask about.
    pub(crate) fn lacks_job(&self) -> bool {
        self.is_known_job == Some(false)
    }

    pub(crate) fn access(&self) -> Access {
        let answer = match &self.seen {
            Seen::Answer(answer) => answer,
            Seen::NoAnswer => return Access::Silent,
            Seen::Unreadable => return Access::Odd,
        };
        match answer.status {
            // An empty list. A job is not empty.
            204 if self.question != Question::Extraction => Access::Open,
            // Nobody has asked for a part of anything.
            205 | 206 => Access::Odd,
            200..300 if answer.is_json() => Access::Open,
            401 | 403 => Access::Refused(answer.status),
            404 | 405 | 410 | 501 => Access::Absent(answer.status),
            408 | 429 | 500..600 => Access::Silent,
            _ => Access::Odd,
        }
    }
}

impl Seen {
    /// What of an answer may be told.
    pub(crate) fn describe(
        answer: &Result<RawAnswer, Error>,
        question: Option<Question>,
        names: &Names,
        now: SystemTime,
    ) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(Error::Unavailable { .. } | Error::Ambiguous { .. }) => return Self::NoAnswer,
            Err(_) => return Self::Unreadable,
        };
        let (code, text) = answer.explanation();
        let headers = answer.header_names().into_iter();
        Self::Answer(SeenAnswer {
            status: answer.status(),
            content: Content::of_type(answer.content_type().as_deref()),
            headers: headers.map(|name| names.clean(name).to_owned()).collect(),
            clock: Clock::compare(answer.date(), now),
            explains: answer.status() >= 400 && !(code.is_empty() && text.is_empty()),
            body: ValueKind::of_body(answer.body(), names),
            states: question.filter(|_| answer.status() < 300).map_or_else(
                BTreeSet::new,
                |question| {
                    let words = list_states(question, answer.body()).into_iter();
                    words
                        .map(|word| tell_state(question.api(), &word).to_owned())
                        .collect()
                },
            ),
        })
    }

    pub(crate) fn answer(&self) -> Option<&SeenAnswer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::NoAnswer | Self::Unreadable => None,
        }
    }

    /// 0 without an answer.
    pub(crate) fn status(&self) -> u16 {
        self.answer().map_or(0, |answer| answer.status)
    }
}

impl SeenAnswer {
    pub(crate) fn has_rate_header(&self) -> bool {
        self.headers
            .iter()
            .any(|name| RATE_HEADERS.iter().any(|part| name.contains(part)))
    }

    /// Whether it is JSON in both what it says and what it is.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.content, Content::Json | Content::None)
            && !self.body.is(Plain::NotJson)
            && !self.body.is(Plain::NoBody)
    }
}

impl Content {
    fn of_type(kind: Option<&str>) -> Self {
        match kind {
            None => Self::None,
            Some("application/json") => Self::Json,
            Some(kind) if kind.ends_with("+json") => Self::Json,
            Some(kind) if kind.contains("html") => Self::Html,
            Some(kind) if kind.ends_with("xml") => Self::Xml,
            Some(kind) if kind.starts_with("text/") => Self::Text,
            Some(_) => Self::Other,
        }
    }
}

impl Clock {
    fn compare(theirs: Option<SystemTime>, ours: SystemTime) -> Self {
        let Some(theirs) = theirs else {
            return Self::Unknown;
        };
        match (theirs.duration_since(ours), ours.duration_since(theirs)) {
            (Ok(ahead), _) if ahead > CLOCKS => Self::Ahead,
            (_, Ok(behind)) if behind > CLOCKS => Self::Behind,
            _ => Self::Agrees,
        }
    }
}

/// The words of the states in an answer, as they were sent.
pub(crate) fn list_states(question: Question, body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(field), Ok(value)) = (question.state_field(), serde_json::from_slice(body)) {
        collect_states(&value, field, &mut found);
    }
    found
}

fn collect_states(value: &Value, field: &str, into: &mut Vec<String>) {
    match value {
        Value::Array(elements) => {
            for element in elements {
                collect_states(element, field, into);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(word) if name == field && !word.trim().is_empty() => {
                        into.push(word.trim().to_owned());
                    }
                    other => collect_states(other, field, into),
                }
            }
        }
        _ => {}
    }
}

/// The link to a job's file.
pub(crate) fn find_link(body: &[u8]) -> Option<String> {
    const PLACES: [&str; 4] = [
        "/jobStatus/result/url",
        "/jobResult/0/resultFileURL",
        "/jobResult/resultFileURL",
        "/resultFileURL",
    ];
    let value: Value = serde_json::from_slice(body).ok()?;
    let link = PLACES
        .iter()
        .find_map(|at| value.pointer(at)?.as_str())?
        .trim();
    (!link.is_empty()).then(|| link.to_owned())
}

/// The first job of a list's answer that has an id, whatever the lists are called.
pub(crate) fn find_job(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let lists: Vec<&Vec<Value>> = match &value {
        Value::Array(jobs) => vec![jobs],
        Value::Object(fields) => fields.values().filter_map(Value::as_array).collect(),
        _ => Vec::new(),
    };
    let id = |job: &Value| match job.get("jobId").or_else(|| job.get("id"))? {
        Value::String(id) => Some(id.trim().to_owned()),
        Value::Number(id) if id.is_u64() => Some(id.to_string()),
        _ => None,
    };
    let mut ids = lists.into_iter().flatten().filter_map(id);
    ids.find(|id| definition::RunId::new(id.clone()).is_ok())
}
