//! What CXone says of a run that failed, where another run would fail the same.
//!
//! CXone's APIs give a failed run no code, only a text. So the words decide, and only words that say what is wrong with the
//! question itself; whatever sounds as if it may pass is worth another run.

use crate::FailureName;

/// Why another run would end as the last one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The question is not one that CXone answers.
    Definition,
    /// The user may not ask it.
    Permission,
    /// The time is not one that CXone answers for.
    Window,
}

/// Words of what passes by itself; they outweigh all others.
const PASSING: &[&str] = &[
    "timeout",
    "timed out",
    "try again",
    "retry",
    "temporar",
    "busy",
    "unavailable",
    "overload",
    "internal",
    "limit",
    "session",
    "token",
    "throttl",
    "concurren",
];

const PERMISSION: &[&str] = &[
    "forbidden",
    "denied",
    "permission",
    "not permitted",
    "unauthorized",
    "unauthorised",
    "not authorized",
    "not authorised",
    "not licensed",
    "no license",
    "no licence",
    "not entitled",
    "privilege",
    "not allowed to",
];

const WINDOW: &[&str] = &[
    "date range",
    "daterange",
    "time range",
    "start date",
    "end date",
    "startdate",
    "enddate",
    "retention",
    "in the future",
    "too far back",
];

/// What is wrong with a date range; its name alone may stand in any message.
const WRONG: &[&str] = &[
    "invalid",
    "not valid",
    "exceed",
    "outside",
    "beyond",
    "must ",
    "may not",
    "cannot",
    "can't",
    "too long",
    "too large",
    "older",
    "not allowed",
    "not supported",
    "unsupported",
    "future",
    "too far",
];

const DEFINITION: &[&str] = &[
    "invalid",
    "not valid",
    "malformed",
    "bad request",
    "validation",
    "unsupported",
    "not supported",
    "unrecognized",
    "unrecognised",
    "does not exist",
    "do not exist",
    "unknown metric",
    "unknown dimension",
    "unknown column",
    "unknown field",
    "unknown filter",
    "unknown report",
    "unknown entity",
    "unknown skill",
    "no such",
];

impl Refusal {
    /// Reads what CXone said of a failed run; `None` if another run may do better.
    pub(super) fn find(said: &str) -> Option<Self> {
        let said = said.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if has(PASSING) {
            return None;
        }
        if has(PERMISSION) {
            return Some(Self::Permission);
        }
        if has(WINDOW) && has(WRONG) {
            return Some(Self::Window);
        }
        has(DEFINITION).then_some(Self::Definition)
    }

    /// What the state machine sees.
    pub(super) const fn failure_name(self) -> FailureName {
        match self {
            Self::Permission => FailureName::Auth,
            Self::Definition | Self::Window => FailureName::Config,
        }
    }

    /// What was refused and what to do, for a sentence that begins with "It refuses".
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::Definition => {
                "what the definition asks for. Correct the definition and `cxr replay` the window with it"
            }
            Self::Permission => {
                "this report to the user that it is asked with. Grant the permission, then redrive this execution"
            }
            Self::Window => {
                "this window. Ask for another window, or correct the definition and `cxr replay` the window with it"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_run_can_not_mend_is_a_refusal() {
        for (said, refusal) in [
            ("Invalid metric 'handelTime'", Some(Refusal::Definition)),
            ("Report 4711 does not exist", Some(Refusal::Definition)),
            ("Unknown dimension: queueNme", Some(Refusal::Definition)),
            (
                "Validation failed for field grouping",
                Some(Refusal::Definition),
            ),
            ("Access is denied", Some(Refusal::Permission)),
            (
                "User is not authorized to run this report",
                Some(Refusal::Permission),
            ),
            ("403 FORBIDDEN", Some(Refusal::Permission)),
            ("The date range exceeds 31 days", Some(Refusal::Window)),
            ("startDate must not be in the future", Some(Refusal::Window)),
            ("Data outside the retention period", Some(Refusal::Window)),
            ("query exceeded the execution limit", None),
            ("Unknown error", None),
            ("Internal error: invalid state", None),
            ("invalid session, try again", None),
            ("the query for this date range timed out", None),
            ("reading the date range was interrupted", None),
            ("cancelled at CXone", None),
            ("", None),
        ] {
            assert_eq!(Refusal::find(said), refusal, "{said}");
        }
    }
}
