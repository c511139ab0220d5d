//! Report jobs, and data download beside them.

use definition::Api;

use super::{
    Assumption, Judged, judge_access, judge_answer, judge_deep, judge_job, judge_link,
    judge_nothing, judge_states, judge_unknown_job,
};
use crate::evidence::Evidence;
use crate::kind::{Plain, ValueKind};
use crate::observation::SeenAnswer;
use crate::question::Question;

const JOBS: Option<Api> = Some(Api::ReportJobs);
const DOWNLOAD: Option<Api> = Some(Api::DataDownload);

pub(super) const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "P-20",
        api: JOBS,
        what: "jobs can be listed",
        judge: |it| judge_access(it, Question::ReportJobs),
    },
    Assumption {
        id: "P-21",
        api: JOBS,
        what: "the states of jobs are known words",
        judge: |it| {
            judge_states(
                it,
                Api::ReportJobs,
                [Question::ReportJobs, Question::ReportJob],
            )
        },
    },
    Assumption {
        id: "P-22",
        api: JOBS,
        what: "a job has a state and a resultFileURL, flat or in jobResult",
        judge: |it| judge_job(it, Question::ReportJob, judge_form),
    },
    Assumption {
        id: "P-23",
        api: JOBS,
        what: "a job that is not there is answered with 404",
        judge: |it| judge_unknown_job(it, Question::ReportJob),
    },
    Assumption {
        id: "P-24",
        api: JOBS,
        what: "a job is started and answered with its jobId",
        judge: |it| judge_deep(it, Api::ReportJobs, |run| Some(run.started)),
    },
    Assumption {
        id: "P-25",
        api: JOBS,
        what: "the file is base64 in JSON, behind resultFileURL",
        judge: |it| judge_deep(it, Api::ReportJobs, |run| run.rows),
    },
    Assumption {
        id: "P-26",
        api: JOBS,
        what: "a job whose state is never a known one failed",
        judge: |_| {
            Judged::not_tried("it takes a job that failed; P-21 tells words that are not known")
        },
    },
    Assumption {
        id: "P-27",
        api: JOBS,
        what: "the host of a job's file is listed",
        judge: |it| judge_link(it, Question::ReportJob),
    },
    Assumption {
        id: "P-30",
        api: DOWNLOAD,
        what: "reports can be listed",
        judge: judge_reports,
    },
    Assumption {
        id: "P-31",
        api: DOWNLOAD,
        what: "a download answers with a file or its URI",
        judge: |it| judge_deep(it, Api::DataDownload, |run| run.rows),
    },
    Assumption {
        id: "P-32",
        api: DOWNLOAD,
        what: "dates are on the user's clock, without daylight saving",
        judge: judge_nothing,
    },
];

/// Before a job is done, its link is empty.
const LINKS: [Plain; 3] = [Plain::Text, Plain::EmptyText, Plain::Null];

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
        (_, Some(link)) if !link.is_among(&LINKS) => {
            Judged::differs(format!("resultFileURL is {link}"))
        }
        (_, None) => Judged::differs("no resultFileURL"),
        _ => Judged::as_assumed(form),
    }
}

/// That reports can be listed says that they have ids, and not that they may be downloaded.
fn judge_reports(evidence: &Evidence) -> Judged {
    let access = judge_access(evidence, Question::Reports);
    if access.ruling != super::Ruling::AsAssumed {
        return access;
    }
    let judged = judge_answer(evidence, Question::Reports, |answer| {
        let ids = answer.body.at("reports.reportId");
        let is_empty = answer.body.at("reports") == Some(&ValueKind::List(None));
        match ids {
            None if is_empty => Judged::as_assumed("an empty list"),
            None => Judged::differs("no reports with a reportId"),
            Some(kind) => Judged::is_as_assumed_if(
                kind.is_among(&[Plain::WholeNumber, Plain::Text, Plain::NumberInText]),
                format!("reportId is {kind}"),
            ),
        }
    });
    if judged.ruling == super::Ruling::NotTried {
        access
    } else {
        judged
    }
}
