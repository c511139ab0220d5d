//! Data extraction.

use definition::Api;

use super::{
    Assumption, Judged, NOT_ASKED, Ruling, judge_access, judge_deep, judge_job, judge_link,
    judge_nothing, judge_states, judge_unknown_job,
};
use crate::evidence::Evidence;
use crate::kind::{Plain, ValueKind};
use crate::observation::{Observation, SeenAnswer};
use crate::question::Question;

const API: Option<Api> = Some(Api::DataExtraction);

pub(super) const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "P-40",
        api: API,
        what: "jobs can be listed",
        judge: |it| judge_access(it, Question::Extractions),
    },
    Assumption {
        id: "P-41",
        api: API,
        what: "the states of jobs are the five that are documented",
        judge: |it| {
            judge_states(
                it,
                Api::DataExtraction,
                [Question::Extractions, Question::Extraction],
            )
        },
    },
    Assumption {
        id: "P-42",
        api: API,
        what: "a job is a jobStatus with a status and a result",
        judge: |it| judge_job(it, Question::Extraction, judge_form),
    },
    Assumption {
        id: "P-43",
        api: API,
        what: "a job that is not there is answered with 404",
        judge: |it| judge_unknown_job(it, Question::Extraction),
    },
    Assumption {
        id: "P-44",
        api: API,
        what: "a 403 may be the rate limit, and passes",
        judge: judge_rate,
    },
    Assumption {
        id: "P-45",
        api: API,
        what: "a job is started and answered with its id",
        judge: |it| judge_deep(it, Api::DataExtraction, |run| Some(run.started)),
    },
    Assumption {
        id: "P-46",
        api: API,
        what: "the file is at its link, without the access token",
        judge: |it| judge_deep(it, Api::DataExtraction, |run| run.rows),
    },
    Assumption {
        id: "P-47",
        api: API,
        what: "endDate does not belong to the window",
        judge: judge_nothing,
    },
    Assumption {
        id: "P-48",
        api: API,
        what: "polling again gives a fresh link",
        judge: judge_fresh_link,
    },
    Assumption {
        id: "P-49",
        api: API,
        what: "the host of a job's file is listed",
        judge: |it| judge_link(it, Question::Extraction),
    },
];

fn judge_form(answer: &SeenAnswer) -> Judged {
    let Some(job @ ValueKind::Object(_)) = answer.body.at("jobStatus") else {
        return Judged::differs("no jobStatus");
    };
    let is_text = |kind: Option<&ValueKind>| {
        kind.is_none_or(|kind| kind.is_among(&[Plain::Text, Plain::EmptyText, Plain::Null]))
    };
    match job.at("status") {
        Some(status) if !status.is(Plain::Text) => Judged::differs(format!("status is {status}")),
        None => Judged::differs("no status"),
        _ if !is_text(job.at("result.url")) => Judged::differs("result.url is no text"),
        _ => Judged::as_assumed("jobStatus with a status"),
    }
}

fn judge_fresh_link(evidence: &Evidence) -> Judged {
    let link = evidence.observation(Question::Extraction);
    match link.and_then(|it| it.link?.is_fresh) {
        Some(is_fresh) => Judged::is_as_assumed_if(
            is_fresh,
            if is_fresh {
                "another link"
            } else {
                "the same link: it may have expired by then"
            },
        ),
        None => Judged::not_tried("no job shows two links to compare"),
    }
}

/// A 403 that stays after the pause is a missing permission; one that does not was the rate limit.
fn judge_rate(evidence: &Evidence) -> Judged {
    let questions = [Question::Extractions, Question::Extraction];
    let asked: Vec<&Observation> = questions
        .iter()
        .filter_map(|it| evidence.observation(*it))
        .collect();
    let passed = asked
        .iter()
        .any(|it| it.tries_before.contains(&403) && it.seen.status() != 403);
    match (
        asked.is_empty(),
        passed,
        asked.iter().any(|it| it.seen.status() == 403),
    ) {
        (true, ..) => Judged::not_tried(NOT_ASKED),
        (_, true, _) => Judged::as_assumed("a 403 that passed after a pause"),
        (_, false, true) => Judged {
            ruling: Ruling::Refused,
            saw: "a 403 that stays after a pause is a missing permission".to_owned(),
        },
        (_, false, false) => Judged::not_tried("no 403 came"),
    }
}
