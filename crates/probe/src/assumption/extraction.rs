//! What the client assumes of the data extraction API.

use definition::Api;

use super::ShownBy::{Access, All, Deep, Job, Link, Nothing, States, UnknownJob};
use super::{Assumption, Judged, LINK, NO_JOB, NOT_ASKED, ONLY_ROWS};
use crate::evidence::Evidence;
use crate::kind::{Plain, ValueKind};
use crate::observation::{Observation, SeenAnswer};
use crate::question::Question;

pub(super) const ASSUMPTIONS: &[Assumption] = table! {
    Some(Api::DataExtraction);
    "P-40" "jobs can be listed" => Access(Question::Extractions),
    "P-41" "the states of jobs are the five that are documented" => States(Question::Extractions, Question::Extraction),
    "P-42" "a job is a jobStatus with a status and a result" => Job(Question::Extraction, judge_form),
    "P-43" "a job that is not there is answered with 404" => UnknownJob(Question::Extraction),
    "P-44" "a 403 may be the rate limit, and passes after a pause" => All(judge_rate),
    "P-45" "a job is started and answered with its id" => Deep(|run| Some(run.started)),
    "P-46" "the file is at its link, without the access token" => Deep(|run| run.rows),
    "P-47" "endDate does not belong to the window" => Nothing(ONLY_ROWS),
    "P-48" "polling again gives a fresh link" => All(judge_fresh_link),
    "P-49" "the host of a job's file is listed" => Link(Question::Extraction),
};

fn judge_form(answer: &SeenAnswer) -> Judged {
    let Some(job @ ValueKind::Object(_)) = answer.body.at("jobStatus") else {
        return Judged::differs("no jobStatus");
    };
    let is_link = |kind: Option<&ValueKind>| kind.is_none_or(|kind| kind.is_among(&LINK));
    match job.at("status") {
        Some(status) if !status.is(Plain::Text) => Judged::differs(format!("status is {status}")),
        None => Judged::differs("no status"),
        _ if !is_link(job.at("result.url")) => Judged::differs("result.url is no text"),
        _ => Judged::as_assumed("jobStatus with a status"),
    }
}

fn judge_fresh_link(evidence: &Evidence) -> Judged {
    let Some(observation) = evidence.observation(Question::Extraction) else {
        return Judged::not_tried(NOT_ASKED);
    };
    match observation.link.and_then(|link| link.is_fresh) {
        Some(true) => Judged::as_assumed("another link"),
        Some(false) => Judged::differs("the same link: it may have expired by then"),
        None if observation.lacks_job() => Judged::not_tried(NO_JOB),
        None => Judged::not_tried("the job shows no two links to compare"),
    }
}

/// A 403 that stays after the pause is a missing permission; one that does not was the rate limit.
fn judge_rate(evidence: &Evidence) -> Judged {
    let questions = [Question::Extractions, Question::Extraction];
    let asked = questions.iter().filter_map(|it| evidence.observation(*it));
    let asked: Vec<&Observation> = asked.collect();
    let is_refused = |it: &&Observation| it.seen.status() == 403;
    let has_passed = |it: &&Observation| it.tries_before.contains(&403) && !is_refused(it);
    if asked.is_empty() {
        Judged::not_tried(NOT_ASKED)
    } else if asked.iter().any(has_passed) {
        Judged::as_assumed("a 403 that passed after a pause")
    } else if asked.iter().any(is_refused) {
        Judged::refused("a 403 that stays after a pause: a missing permission")
    } else {
        Judged::not_tried("no 403 came")
    }
}
