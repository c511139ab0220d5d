//! What the client assumes of the guide's API.

use definition::Api;

use super::ShownBy::{Access, Answer, Deep};
use super::{Assumption, Judged};
use crate::kind::Plain;
use crate::observation::SeenAnswer;
use crate::question::Question;

pub(super) const ASSUMPTIONS: &[Assumption] = table! {
    Some(Api::Analytics);
    "P-10" "the guide's API is there" => Access(Question::Schedules),
    "P-11" "the list of schedules is called schedules" => Answer(Question::Schedules, judge_list),
    "P-12" "nextPageToken is a text, null or missing" => Answer(Question::Schedules, judge_page_token),
    "P-13" "a schedule is made, and a run of it takes a dateRange" => Deep(|run| Some(run.started)),
    "P-14" "a run is queued, processing, completed or failed" => Deep(|run| run.states),
    "P-15" "results are pages of rows, or a file" => Deep(|run| run.rows),
    "P-16" "DELETE cancels a run" => Deep(|run| run.cancelled),
};

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

fn judge_page_token(answer: &SeenAnswer) -> Judged {
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
}
