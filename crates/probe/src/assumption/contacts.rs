//! Completed contacts.

use definition::Api;

use super::{Assumption, Judged, judge_access, judge_answer, judge_deep};
use crate::kind::{Plain, ValueKind};
use crate::observation::SeenAnswer;
use crate::question::Question;

const API: Option<Api> = Some(Api::Contacts);

pub(super) const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "P-50",
        api: API,
        what: "contacts take dates with a Z, top, skip and orderBy=contactId",
        judge: |it| judge_access(it, Question::Contacts),
    },
    Assumption {
        id: "P-51",
        api: API,
        what: "the rows are completedContacts",
        judge: |it| judge_answer(it, Question::Contacts, judge_rows),
    },
    Assumption {
        id: "P-52",
        api: API,
        what: "totalRecords is a whole number",
        judge: |it| judge_answer(it, Question::Contacts, judge_total),
    },
    Assumption {
        id: "P-53",
        api: API,
        what: "_links.next is a text, null or missing",
        judge: |it| judge_answer(it, Question::Contacts, judge_link),
    },
    Assumption {
        id: "P-54",
        api: API,
        what: "a row has a contactId",
        judge: |it| judge_answer(it, Question::Contacts, judge_key),
    },
    Assumption {
        id: "P-55",
        api: API,
        what: "a page of 10,000 can be read to its end",
        judge: |it| judge_deep(it, Api::Contacts, |run| run.rows),
    },
];

fn judge_rows(answer: &SeenAnswer) -> Judged {
    match answer.body.at("completedContacts") {
        Some(rows) => Judged::is_as_assumed_if(rows.is_list(), rows.to_string()),
        None => Judged::differs("missing"),
    }
}

fn judge_total(answer: &SeenAnswer) -> Judged {
    match answer.body.at("totalRecords") {
        Some(kind) if kind.is(Plain::NumberInText) => {
            Judged::differs("a number in a text, which is taken as well")
        }
        Some(kind) => Judged::is_as_assumed_if(kind.is(Plain::WholeNumber), kind.to_string()),
        None => Judged::differs("missing: a full page is taken to be followed by another one"),
    }
}

fn judge_link(answer: &SeenAnswer) -> Judged {
    match answer.body.at("_links.next") {
        None => Judged::as_assumed("missing"),
        Some(kind) => Judged::is_as_assumed_if(
            kind.is_among(&[Plain::Text, Plain::EmptyText, Plain::Null]),
            kind.to_string(),
        ),
    }
}

fn judge_key(answer: &SeenAnswer) -> Judged {
    let rows = answer.body.at("completedContacts");
    if rows.is_none_or(|rows| !rows.is_list() || *rows == ValueKind::List(None)) {
        return Judged::not_tried("there was no row");
    }
    match answer.body.at("completedContacts.contactId") {
        Some(kind) => Judged::is_as_assumed_if(
            kind.is_among(&[Plain::WholeNumber, Plain::Text, Plain::NumberInText]),
            kind.to_string(),
        ),
        None => Judged::differs("missing"),
    }
}
