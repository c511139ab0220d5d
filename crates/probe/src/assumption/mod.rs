//! What the client assumes of a tenant, row by row, as `APIS.md` of the crate `cxone` lists it; and what was seen of each.

mod contacts;
mod extraction;
mod guide;
mod report_jobs;
mod sign_in;

use definition::Api;
use serde::Serialize;

use crate::deep::DeepRun;
use crate::evidence::{Access, Evidence, Found};
use crate::observation::{Observation, SeenAnswer};
use crate::question::Question;

/// One row.
pub(crate) struct Assumption {
    pub(crate) id: &'static str,
    /// `None` for signing in and what all APIs have in common.
    pub(crate) api: Option<Api>,
    /// In a few words, for the screen; APIS.md has the rest.
    pub(crate) what: &'static str,
    pub(crate) judge: fn(&Evidence) -> Judged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    AsAssumed,
    Differs,
    Refused,
    /// Not asked, or nothing came that could tell.
    NotTried,
}

/// What became of an assumption, and what it was seen by. The text has no value of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) ruling: Ruling,
    pub(crate) saw: String,
}

impl Judged {
    fn as_assumed(saw: impl Into<String>) -> Self {
        Self {
            ruling: Ruling::AsAssumed,
            saw: saw.into(),
        }
    }

    fn differs(saw: impl Into<String>) -> Self {
        Self {
            ruling: Ruling::Differs,
            saw: saw.into(),
        }
    }

    fn refused(status: u16) -> Self {
        Self {
            ruling: Ruling::Refused,
            saw: format!("status {status}"),
        }
    }

    fn not_tried(saw: impl Into<String>) -> Self {
        Self {
            ruling: Ruling::NotTried,
            saw: saw.into(),
        }
    }

    fn is_as_assumed_if(condition: bool, saw: impl Into<String>) -> Self {
        if condition {
            Self::as_assumed(saw)
        } else {
            Self::differs(saw)
        }
    }
}

/// All rows, in the order of their ids.
pub(crate) fn assumptions() -> impl Iterator<Item = &'static Assumption> {
    let lists = [
        sign_in::ASSUMPTIONS,
        guide::ASSUMPTIONS,
        report_jobs::ASSUMPTIONS,
        extraction::ASSUMPTIONS,
        contacts::ASSUMPTIONS,
    ];
    lists.into_iter().flatten()
}

const NOT_ASKED: &str = "not asked";
const SILENT: &str = "asked, and no answer of use came";

/// Whether an API is there, by the question that is asked first.
fn judge_access(evidence: &Evidence, question: Question) -> Judged {
    let Some(observation) = evidence.observation(question) else {
        return Judged::not_tried(NOT_ASKED);
    };
    let status = observation.seen.status();
    match observation.access() {
        Access::Open => Judged::as_assumed(format!("status {status}")),
        Access::Refused(status) => Judged::refused(status),
        Access::Absent(status) => Judged::differs(format!("status {status}")),
        Access::Odd => Judged::differs(describe_oddity(observation)),
        Access::Silent => Judged::not_tried(SILENT),
    }
}

/// What is wrong with an answer that the client would not take.
pub(crate) fn describe_oddity(observation: &Observation) -> String {
    use crate::observation::Content;
    match observation.seen.answer() {
        None => "an answer that can't be read".to_owned(),
        Some(answer) if answer.content == Content::Html => {
            format!("status {} with a web page", answer.status)
        }
        Some(answer) if (200..300).contains(&answer.status) => {
            format!("status {} without JSON", answer.status)
        }
        Some(answer) => format!("status {}", answer.status),
    }
}

/// What an answer with a body shows.
fn judge_answer(
    evidence: &Evidence,
    question: Question,
    judge: impl FnOnce(&SeenAnswer) -> Judged,
) -> Judged {
    let observation = evidence.observation(question);
    let access = observation.map(Observation::access);
    match (access, observation.and_then(|it| it.seen.answer())) {
        (Some(Access::Open), Some(answer)) if answer.status == 204 => {
            Judged::not_tried("an empty answer (204) does not show it")
        }
        (Some(Access::Open), Some(answer)) => judge(answer),
        (Some(Access::Refused(status)), _) => Judged::refused(status),
        (Some(Access::Silent), _) => Judged::not_tried(SILENT),
        (Some(_), _) => Judged::not_tried("the API did not answer as it should"),
        (None, _) => Judged::not_tried(NOT_ASKED),
    }
}

/// What the answer about a job of the tenant's shows.
fn judge_job(
    evidence: &Evidence,
    question: Question,
    judge: impl FnOnce(&SeenAnswer) -> Judged,
) -> Judged {
    let observation = evidence.observation(question);
    if observation.is_some_and(|it| it.is_known_job == Some(false)) {
        return Judged::not_tried("the tenant shows no job that can be asked for");
    }
    if let Some(status) = observation
        .map(|it| it.seen.status())
        .filter(|it| [404, 409, 410].contains(it))
    {
        return Judged::differs(format!(
            "a job that is listed is answered with status {status}"
        ));
    }
    judge_answer(evidence, question, judge)
}

/// Whether the settings allow the host of a job's file.
fn judge_link(evidence: &Evidence, question: Question) -> Judged {
    let link = evidence.observation(question).and_then(|it| it.link);
    match link.map(|link| link.allowed) {
        None => Judged::not_tried("no job shows a link"),
        Some(Found::Yes) => Judged::as_assumed("its own host, or one that is listed"),
        Some(Found::Refused) => Judged {
            ruling: Ruling::Refused,
            saw: "the link's host is not listed: add it to api_hosts or allowed_hosts".to_owned(),
        },
        Some(_) => Judged::differs("a link that is never followed"),
    }
}

/// What is answered about a job that no tenant has.
fn judge_unknown_job(evidence: &Evidence, question: Question) -> Judged {
    match evidence.observation(question) {
        None => Judged::not_tried(NOT_ASKED),
        Some(observation) if observation.is_known_job == Some(true) => {
            Judged::not_tried("asked about a job that is there")
        }
        Some(observation) => match (observation.access(), observation.seen.status()) {
            (_, status @ (404 | 410)) => Judged::as_assumed(format!("status {status}")),
            (Access::Refused(status), _) => Judged::refused(status),
            (Access::Silent, _) => Judged::not_tried(SILENT),
            _ => Judged::differs(describe_oddity(observation)),
        },
    }
}

/// Whether the states of an API's jobs have known words.
fn judge_states(evidence: &Evidence, api: Api, questions: [Question; 2]) -> Judged {
    let answers = questions.iter().filter_map(|it| evidence.observation(*it));
    let words: Vec<&str> = answers
        .filter_map(|it| it.seen.answer())
        .flat_map(|answer| answer.states.iter().map(String::as_str))
        .collect();
    let unknown: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !cxone::is_known_state(api, word))
        .collect();
    match (words.is_empty(), unknown.first()) {
        (true, _) if evidence.deep.iter().any(|run| run.api == api) => {
            judge_deep(evidence, api, |run| run.states)
        }
        (true, _) => judge_answer(evidence, questions[0], |_| {
            Judged::not_tried("the tenant shows no job")
        }),
        (false, None) => Judged::as_assumed("known words alone"),
        (false, Some(word)) => Judged::differs(format!(
            "\"{word}\" is not known: it counts as pending until the deadline"
        )),
    }
}

/// What `--deep` showed with a definition of this API.
fn judge_deep(evidence: &Evidence, api: Api, pick: fn(&DeepRun) -> Option<Found>) -> Judged {
    let runs: Vec<&DeepRun> = evidence.deep.iter().filter(|run| run.api == api).collect();
    if runs.is_empty() {
        return Judged::not_tried("it starts something: --deep with a definition of this API");
    }
    match runs.into_iter().find_map(pick) {
        Some(Found::Yes) => Judged::as_assumed("the client took it"),
        Some(Found::Refused) => Judged {
            ruling: Ruling::Refused,
            saw: "refused".to_owned(),
        },
        Some(Found::Differs) => Judged::differs("the client could not use it"),
        Some(Found::NoAnswer) => Judged::not_tried(SILENT),
        None => Judged::not_tried("the run did not come so far"),
    }
}

/// What no question can show.
fn judge_nothing(_: &Evidence) -> Judged {
    Judged::not_tried("only rows can tell: compare a day with CXone's own report")
}
