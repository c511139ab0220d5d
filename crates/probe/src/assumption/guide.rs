//! The guide's API.

use definition::Api;

use super::{Assumption, Judged, judge_access, judge_answer, judge_deep};
use crate::evidence::Evidence;
use crate::kind::Plain;
use crate::observation::SeenAnswer;
use crate::question::Question;

const API: Option<Api> = Some(Api::Analytics);

pub(super) const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "P-10",
        api: API,
        what: "the guide's API is there",
        judge: |it| judge_access(it, Question::Schedules),
    },
    Assumption {
        id: "P-11",
        api: API,
        what: "the list of schedules is called schedules",
        judge: |it| judge_answer(it, Question::Schedules, judge_list),
    },
    Assumption {
        id: "P-12",
        api: API,
        what: "nextPageToken is a text, null or missing",
        judge: judge_page_token,
    },
    Assumption {
        id: "P-13",
        api: API,
        what: "a schedule is made, and a run of it takes a dateRange",
        judge: |it| judge_deep(it, Api::Analytics, |run| Some(run.started)),
    },
    Assumption {
        id: "P-14",
        api: API,
        what: "a run is queued, processing, completed or failed",
        judge: |it| judge_deep(it, Api::Analytics, |run| run.states),
    },
    Assumption {
        id: "P-15",
        api: API,
        what: "results are pages of rows, or a file",
        judge: |it| judge_deep(it, Api::Analytics, |run| run.rows),
    },
    Assumption {
        id: "P-16",
        api: API,
        what: "DELETE cancels a run",
        judge: |it| judge_deep(it, Api::Analytics, |run| run.cancelled),
    },
];

/// The client takes the list by another name as well, if it is the only one.
fn judge_list(answer: &SeenAnswer) -> Judged {
    let body = &answer.body;
    let named = body.at("schedules");
    if named.is_some_and(|kind| kind.is_list() || kind.is(Plain::Null)) {
        return Judged::as_assumed("a list called schedules");
    }
    match body.list_fields().as_slice() {
        _ if body.is_list() => {
            Judged::differs("the answer itself is the list, which is taken as well")
        }
        [other] => Judged::differs(format!(
            "the list is called {other}, which is taken as well"
        )),
        [] => Judged::differs("no list"),
        _ => Judged::differs("several lists, and none called schedules"),
    }
}

fn judge_page_token(evidence: &Evidence) -> Judged {
    judge_answer(evidence, Question::Schedules, |answer| {
        const TAKEN: [Plain; 5] = [
            Plain::Text,
            Plain::NumberInText,
            Plain::EmptyText,
            Plain::WholeNumber,
            Plain::Null,
        ];
        match answer.body.at("nextPageToken") {
            None => Judged::as_assumed("missing"),
            Some(kind) => Judged::is_as_assumed_if(kind.is_among(&TAKEN), kind.to_string()),
        }
    })
}
