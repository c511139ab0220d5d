//! What the client assumes of a tenant, row by row, as `APIS.md` of the crate `cxone` lists it; and what was seen of each.

/// Rows of one API: the id, what is assumed, and what shows it.
macro_rules! table {
    ($api:expr; $($id:literal $what:literal => $shown_by:expr,)+) => {
        &[$(Assumption { id: $id, api: $api, what: $what, shown_by: $shown_by }),+]
    };
}

mod contacts;
mod extraction;
mod guide;
mod report_jobs;
mod sign_in;

use definition::Api;
use serde::Serialize;

use crate::deep::DeepRun;
use crate::evidence::Evidence;
use crate::kind::Plain;
use crate::observation::{Access, Content, Observation, SeenAnswer};
use crate::question::Question;
use crate::usability::Usability;

/// A row of `APIS.md`.
pub(crate) struct Assumption {
    pub(crate) id: &'static str,
    /// `None` for signing in and what all APIs have in common.
    pub(crate) api: Option<Api>,
    /// In a few words, for the screen; APIS.md has the rest.
    pub(crate) what: &'static str,
    shown_by: ShownBy,
}

/// What shows whether an assumption is right.
enum ShownBy {
    /// That there is an answer to the question.
    Access(Question),
    /// What the answer to the question has in it.
    Answer(Question, fn(&SeenAnswer) -> Judged),
    /// What the answer about a job of the tenant's has in it.
    Job(Question, fn(&SeenAnswer) -> Judged),
    /// The answer about a job that no tenant has.
    UnknownJob(Question),
    /// The words for jobs' states in the answers to a list's question and to a job's.
    States(Question, Question),
    /// The link to a job's file.
    Link(Question),
    /// How far `--deep` came with a definition of the API.
    Deep(fn(&DeepRun) -> Option<Usability>),
    /// Everything that was seen.
    All(fn(&Evidence) -> Judged),
    /// Nothing that is ever asked: this text says what does.
    Nothing(&'static str),
}

impl Assumption {
    /// What was seen of it.
    pub(crate) fn judge(&self, evidence: &Evidence) -> Judged {
        match self.shown_by {
            ShownBy::Access(question) => judge_access(evidence, question),
            ShownBy::Answer(question, judge) => judge_answer(evidence, question, judge),
            ShownBy::Job(question, judge) => judge_job(evidence, question, judge),
            ShownBy::UnknownJob(question) => judge_unknown_job(evidence, question),
            ShownBy::States(list, job) => judge_states(evidence, list, job),
            ShownBy::Link(question) => judge_link(evidence, question),
            ShownBy::Deep(pick) => judge_deep(evidence, self.api, pick),
            ShownBy::All(judge) => judge(evidence),
            ShownBy::Nothing(else_shown_by) => Judged::not_tried(else_shown_by),
        }
    }
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
    fn new(ruling: Ruling, saw: impl Into<String>) -> Self {
        let saw = saw.into();
        Self { ruling, saw }
    }

    fn as_assumed(saw: impl Into<String>) -> Self {
        Self::new(Ruling::AsAssumed, saw)
    }

    fn differs(saw: impl Into<String>) -> Self {
        Self::new(Ruling::Differs, saw)
    }

    fn refused(saw: impl Into<String>) -> Self {
        Self::new(Ruling::Refused, saw)
    }

    fn refused_by(status: u16) -> Self {
        Self::refused(format!("status {status}"))
    }

    fn not_tried(saw: impl Into<String>) -> Self {
        Self::new(Ruling::NotTried, saw)
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
        report_jobs::DOWNLOADS,
        extraction::ASSUMPTIONS,
        contacts::ASSUMPTIONS,
    ];
    lists.into_iter().flatten()
}

const NOT_ASKED: &str = "not asked";
const SILENT: &str = "asked, and no answer of use came";
const NO_JOB: &str = "the tenant has no job to look at";
/// What no question can show.
const ONLY_ROWS: &str = "only rows show it: compare a day of yours with CXone's own report";

/// The kinds of ids that are taken.
const ID: [Plain; 3] = [Plain::WholeNumber, Plain::Text, Plain::NumberInText];
/// The kinds of links: before there is one, the field is empty or null.
const LINK: [Plain; 3] = [Plain::Text, Plain::EmptyText, Plain::Null];

/// Whether an API is there, by the question that is asked first.
fn judge_access(evidence: &Evidence, question: Question) -> Judged {
    let Some(observation) = evidence.observation(question) else {
        return Judged::not_tried(NOT_ASKED);
    };
    let status = observation.seen.status();
    match observation.access() {
        Access::Open => Judged::as_assumed(format!("status {status}")),
        Access::Refused(status) => Judged::refused_by(status),
        Access::Absent(status) => Judged::differs(format!("status {status}")),
        Access::Odd => Judged::differs(describe_oddity(observation)),
        Access::Silent => Judged::not_tried(SILENT),
    }
}

/// What is wrong with an answer that the client would not take.
pub(crate) fn describe_oddity(observation: &Observation) -> String {
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
        (Some(Access::Refused(status)), _) => Judged::refused_by(status),
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
    if observation.is_some_and(Observation::lacks_job) {
        return Judged::not_tried(NO_JOB);
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
    let Some(observation) = evidence.observation(question) else {
        return Judged::not_tried(NOT_ASKED);
    };
    match observation.link.map(|link| link.allowed) {
        None if observation.lacks_job() => Judged::not_tried(NO_JOB),
        None => Judged::not_tried("the job shows no link"),
        Some(Usability::Yes) => Judged::as_assumed("its own host, or one that is listed"),
        Some(Usability::Refused) => {
            Judged::refused("the link's host is not listed: add it to api_hosts or allowed_hosts")
        }
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
            (Access::Refused(status), _) => Judged::refused_by(status),
            (Access::Silent, _) => Judged::not_tried(SILENT),
            _ => Judged::differs(describe_oddity(observation)),
        },
    }
}

/// Whether the states of an API's jobs have known words.
fn judge_states(evidence: &Evidence, list: Question, job: Question) -> Judged {
    let api = list.api();
    let answers = [list, job].map(|it| evidence.observation(it));
    let answers = answers.into_iter().flatten();
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
            judge_deep(evidence, Some(api), |run| run.states)
        }
        // Without a job the list may be an answer without a body.
        (true, _) if evidence.observation(list).map(Observation::access) == Some(Access::Open) => {
            Judged::not_tried(NO_JOB)
        }
        (true, _) => judge_answer(evidence, list, |_| Judged::not_tried(NO_JOB)),
        (false, None) => Judged::as_assumed("known words alone"),
        (false, Some(word)) => Judged::differs(format!(
            "\"{word}\" is not known: it counts as pending until the deadline"
        )),
    }
}

/// What `--deep` showed with a definition of this API.
fn judge_deep(
    evidence: &Evidence,
    api: Option<Api>,
    pick: fn(&DeepRun) -> Option<Usability>,
) -> Judged {
    let mut runs = evidence.deep.iter().filter(|run| Some(run.api) == api);
    let Some(first) = runs.next() else {
        return Judged::not_tried(
            "it starts something: try it with --deep and a definition of that API",
        );
    };
    match pick(first).or_else(|| runs.find_map(pick)) {
        Some(Usability::Yes) => Judged::as_assumed("the client took it"),
        Some(Usability::Refused) => Judged::refused("refused"),
        Some(Usability::Differs) => Judged::differs("the client could not use it"),
        Some(Usability::NoAnswer) => Judged::not_tried(SILENT),
        None => Judged::not_tried("the run did not come so far"),
    }
}
