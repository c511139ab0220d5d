//! Report jobs, and data download beside them.

use definition::Api;

use super::ShownBy::{Access, All, Deep, Job, Link, Nothing, States, UnknownJob};
use super::{Assumption, ID, Judged, LINK, ONLY_ROWS, Ruling, judge_access, judge_answer};
use crate::evidence::Evidence;
use crate::kind::{Plain, ValueKind};
use crate::observation::SeenAnswer;
use crate::question::Question;

pub(super) const ASSUMPTIONS: &[Assumption] = table! {
    Some(Api::ReportJobs);
    "P-20" "jobs can be listed" => Access(Question::ReportJobs),
    "P-21" "the states of jobs are known words" => States(Question::ReportJobs, Question::ReportJob),
    "P-22" "a job has a state and a resultFileURL, flat or in jobResult" => Job(Question::ReportJob, judge_form),
    "P-23" "a job that is not there is answered with 404" => UnknownJob(Question::ReportJob),
    "P-24" "a job is started and answered with its jobId" => Deep(|run| Some(run.started)),
    "P-25" "the file is base64 in JSON, behind resultFileURL" => Deep(|run| run.rows),
    "P-26" "a job that never gets a link has failed" => Nothing("only a job that fails shows it"),
    "P-27" "the host of a job's file is listed" => Link(Question::ReportJob),
};

pub(super) const DOWNLOADS: &[Assumption] = table! {
    Some(Api::DataDownload);
    "P-30" "reports can be listed" => All(judge_reports),
    "P-31" "a download answers with a file or its URI" => Deep(|run| run.rows),
    "P-32" "dates are on the user's clock, without daylight saving" => Nothing(ONLY_ROWS),
};

fn judge_form(answer: &SeenAnswer) -> Judged {
    let (job, form) = match answer.body.at("jobResult") {
        Some(job) => (job, "within jobResult"),
        None => (&answer.body, "flat"),
    };
    let state = job.at("state");
    let link = job.at("resultFileURL");
    match (state, link) {
        (Some(state), _) if !state.is(Plain::Text) => Judged::differs(format!("state is {state}")),
        (None, _) => Judged::differs("no state"),
        (_, Some(link)) if !link.is_among(&LINK) => {
            Judged::differs(format!("resultFileURL is {link}"))
        }
        (_, None) => Judged::differs("no resultFileURL"),
        _ => Judged::as_assumed(form),
    }
}

/// That reports can be listed says that they have ids, and not that they may be downloaded.
fn judge_reports(evidence: &Evidence) -> Judged {
    let access = judge_access(evidence, Question::Reports);
    if access.ruling != Ruling::AsAssumed {
        return access;
    }
    let judged = judge_answer(evidence, Question::Reports, |answer| {
        let ids = answer.body.at("reports.reportId");
        let is_empty = answer.body.at("reports") == Some(&ValueKind::List(None));
        match ids {
            None if is_empty => Judged::as_assumed("an empty list"),
            None => Judged::differs("no reports with a reportId"),
            Some(kind) => {
                Judged::is_as_assumed_if(kind.is_among(&ID), format!("reportId is {kind}"))
            }
        }
    });
    if judged.ruling == Ruling::NotTried {
        access
    } else {
        judged
    }
}
