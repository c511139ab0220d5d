//! What the client assumes of the API of completed contacts.

use definition::Api;

use super::ShownBy::{Access, Answer, Deep};
use super::{Assumption, ID, Judged, LINK};
use crate::kind::{Plain, ValueKind};
use crate::observation::SeenAnswer;
use crate::question::Question;

pub(super) const ASSUMPTIONS: &[Assumption] = table! {
    Some(Api::Contacts);
    "P-50" "contacts take dates with a Z, top, skip and orderBy=contactId" => Access(Question::Contacts),
    "P-51" "the rows are completedContacts" => Answer(Question::Contacts, judge_rows),
    "P-52" "totalRecords is a whole number" => Answer(Question::Contacts, judge_total),
    "P-53" "_links.next is a text, null or missing" => Answer(Question::Contacts, judge_link),
    "P-54" "a row has a contactId" => Answer(Question::Contacts, judge_key),
    "P-55" "a page of 10,000 can be read to its end" => Deep(|run| run.rows),
};

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
        Some(kind) => Judged::is_as_assumed_if(kind.is_among(&LINK), kind.to_string()),
    }
}

fn judge_key(answer: &SeenAnswer) -> Judged {
    let rows = answer.body.at("completedContacts");
    if rows.is_none_or(|rows| !rows.is_list() || *rows == ValueKind::List(None)) {
        return Judged::not_tried("there was no row");
    }
    match answer.body.at("completedContacts.contactId") {
        Some(kind) => Judged::is_as_assumed_if(kind.is_among(&ID), kind.to_string()),
        None => Judged::differs("missing"),
    }
}
