//! Signing in, and what all APIs have in common.

use super::ShownBy::All;
use super::{Assumption, Judged, NOT_ASKED, SILENT};
use crate::evidence::Evidence;
use crate::kind::Plain;
use crate::observation::{Clock, Seen, SeenAnswer};
use crate::usability::Usability;

pub(super) const ASSUMPTIONS: &[Assumption] = table! {
    None;
    "P-01" "the issuer says where the API is" => All(judge_issuer),
    "P-02" "the token endpoint grants a bearer token" => All(judge_grant),
    "P-03" "expires_in is a whole number of seconds" => All(judge_lifetime),
    "P-04" "the clocks agree to a minute" => All(judge_clocks),
    "P-05" "a refusal explains itself in a known place" => All(judge_explanations),
    "P-06" "a call too many is answered with 429" => All(judge_rate),
};

fn judge_issuer(evidence: &Evidence) -> Judged {
    let sign_in = &evidence.sign_in;
    match sign_in.found {
        _ if !sign_in.has_issuer => Judged::not_tried("base_url is given, so no issuer was asked"),
        Usability::Yes => Judged::as_assumed("an api_endpoint at a listed host"),
        Usability::Refused => {
            Judged::refused("the issuer does not know the tenant, or the host is not listed")
        }
        Usability::Differs => Judged::differs("an answer without a usable api_endpoint"),
        Usability::NoAnswer => Judged::not_tried(SILENT),
    }
}

fn judge_grant(evidence: &Evidence) -> Judged {
    let sign_in = &evidence.sign_in;
    match &sign_in.token {
        None => Judged::not_tried(NOT_ASKED),
        Some(_) if sign_in.is_granted => Judged::as_assumed("a token that can be sent"),
        Some(Seen::NoAnswer) => Judged::not_tried(SILENT),
        Some(Seen::Unreadable) => Judged::differs("an answer that can't be read"),
        Some(Seen::Answer(answer)) => match answer.status {
            status @ (400 | 401 | 403) => Judged::refused_by(status),
            429 | 500..600 => Judged::not_tried(SILENT),
            200..300 => Judged::differs("no bearer token that can be sent"),
            status => Judged::differs(format!("status {status}")),
        },
    }
}

fn judge_lifetime(evidence: &Evidence) -> Judged {
    let sign_in = &evidence.sign_in;
    let answer = sign_in.token.as_ref().and_then(Seen::answer);
    let Some(answer) = answer.filter(|_| sign_in.is_granted) else {
        return Judged::not_tried("no token was granted");
    };
    match answer.body.at("expires_in") {
        Some(kind) => Judged::is_as_assumed_if(kind.is(Plain::WholeNumber), kind.to_string()),
        None => Judged::differs("missing: five minutes are assumed"),
    }
}

fn judge_clocks(evidence: &Evidence) -> Judged {
    let mut clocks: Vec<Clock> = evidence.answers().map(|answer| answer.clock).collect();
    clocks.retain(|clock| *clock != Clock::Unknown);
    if clocks.is_empty() {
        return Judged::not_tried("no answer says what time it is");
    }
    match clocks.iter().find(|clock| **clock != Clock::Agrees) {
        None => Judged::as_assumed("the Date of every answer"),
        Some(Clock::Ahead) => {
            Judged::differs("the Date of an answer is ahead of this machine's clock")
        }
        Some(_) => Judged::differs("the Date of an answer is behind this machine's clock"),
    }
}

fn judge_explanations(evidence: &Evidence) -> Judged {
    let refusals: Vec<&SeenAnswer> = evidence
        .answers()
        .filter(|answer| answer.status >= 400)
        .collect();
    if refusals.is_empty() {
        Judged::not_tried("nothing was refused")
    } else if refusals.iter().all(|answer| answer.explains) {
        Judged::as_assumed("a code or a text")
    } else {
        Judged::differs("a refusal without a code and a text that the client finds")
    }
}

/// Nothing relies on Retry-After, so that an answer with it is as good as one without.
fn judge_rate(evidence: &Evidence) -> Judged {
    let is_throttled = evidence
        .observations
        .iter()
        .any(|it| it.seen.status() == 429 || it.tries_before.contains(&429));
    let names_rate = evidence.answers().any(SeenAnswer::has_rate_header);
    match (is_throttled, names_rate) {
        (true, _) => Judged::as_assumed("a 429"),
        (false, true) => Judged::not_tried("no 429; some headers speak of a rate"),
        (false, false) => Judged::not_tried("no 429, and no header that speaks of a rate"),
    }
}
