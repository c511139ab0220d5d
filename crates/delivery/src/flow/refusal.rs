//! What CXone says of a run that failed, where another run would fail the same.
//!
//! CXone's APIs give a failed run no code, only a text. So the words decide, and only words that say what is wrong with the
//! question itself. Whatever sounds as if it may pass, or as if CXone spoke of its own machines, is worth another run: runs that
//! fail the same cost minutes, and a window that was ended too early is missing until somebody looks.

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

/// Parts of words of what passes by itself; they outweigh all others.
const PASSING: &[&str] = &[
    "timeout",
    "timed out",
    "again",
    "retry",
    "retri",
    "temporar",
    "transient",
    "busy",
    "unavailable",
    "overload",
    "internal",
    "unexpected",
    "limit",
    "session",
    "token",
    "throttl",
    "concurren",
    "at this time",
    "at the moment",
    "right now",
    "currently",
    "try later",
    "not ready",
    "maintenance",
    "restart",
    "shutting down",
    "in progress",
    "checking",
    "verify",
    "permission check",
    "load permission",
];

/// What CXone itself is made of, in the singular. Where a text names one of these, the trouble is there and not with the question.
const SYSTEM: &[&str] = &[
    "backend",
    "bucket",
    "cache",
    "certificate",
    "cluster",
    "connection",
    "database",
    "datasource",
    "db",
    "deadlock",
    "disk",
    "engine",
    "exception",
    "executor",
    "gateway",
    "heap",
    "host",
    "instance",
    "lease",
    "lock",
    "login",
    "machine",
    "memory",
    "network",
    "node",
    "partition",
    "password",
    "pool",
    "process",
    "provider",
    "proxy",
    "relation",
    "replica",
    "scheduler",
    "server",
    "shard",
    "socket",
    "sql",
    "state",
    "storage",
    "table",
    "tablespace",
    "task",
    "thread",
    "transaction",
    "upstream",
    "worker",
];

/// What CXone is made of, unless it stands behind the words of a missing permission: then it is what the user may not do.
const SYSTEM_OR_ASKED: &[&str] = &["operation", "service"];

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
const WRONG_WINDOW: &[&str] = &[
    "invalid",
    "not valid",
    "exceed",
    "outside",
    "beyond",
    "must ",
    "be after",
    "be before",
    "be between",
    "be earlier",
    "be greater",
    "be later",
    "be less",
    "be longer",
    "be more",
    "be within",
    "too long",
    "too large",
    "older",
    "not allowed",
    "not supported",
    "unsupported",
    "future",
    "too far",
];

/// Beginnings of the names of what a definition asks with, and `report` and `request` themselves.
const QUESTION: &[&str] = &[
    "attribute",
    "column",
    "dimension",
    "entity",
    "field",
    "filter",
    "grouping",
    "metric",
    "parameter",
    "reportid",
    "skill",
    "template",
];

/// What is wrong with a part of the question; the words alone may be said of anything.
const WRONG_PART: &[&str] = &[
    "invalid",
    "not valid",
    "malformed",
    "bad request",
    "validation",
    "unsupported",
    "not supported",
    "unrecognized",
    "unrecognised",
    "unknown",
    "does not exist",
    "do not exist",
    "no such",
];

impl Refusal {
    /// Reads what CXone said of a failed run; `None` if another run may do better.
    pub(super) fn find(said: &str) -> Option<Self> {
        let said = said.to_lowercase();
        let plain = leave_out_quoted_names(&said);
        let place = |parts: &[&str]| parts.iter().filter_map(|part| plain.find(part)).min();
        let denied = place(PERMISSION);
        let before = &plain[..denied.unwrap_or(plain.len())];
        if place(PASSING).is_some()
            || names_any(&plain, SYSTEM)
            || names_any(before, SYSTEM_OR_ASKED)
        {
            return None;
        }
        if denied.is_some() {
            return Some(Self::Permission);
        }
        let has = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        if has(WINDOW) && has(WRONG_WINDOW) {
            return Some(Self::Window);
        }
        let is_definition = has(WRONG_PART) && split_words(&said).any(is_of_the_question);
        is_definition.then_some(Self::Definition)
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

/// A name in quotes is somebody's choice, such as a metric called `sessions`, and says nothing by its letters.
fn leave_out_quoted_names(said: &str) -> String {
    let pieces: Vec<&str> = said.split(['\'', '"', '`']).collect();
    let last = pieces.len() - 1;
    let is_name = |at: usize, piece: &str| {
        at > 0 && at < last && !piece.is_empty() && !piece.contains(char::is_whitespace)
    };
    let kept = (pieces.iter().enumerate()).filter(|(at, piece)| !is_name(*at, piece));
    kept.map(|(_, piece)| *piece).collect::<Vec<_>>().join(" ")
}

fn split_words(said: &str) -> impl Iterator<Item = &str> {
    said.split(|c: char| !c.is_alphabetic())
}

/// Whether the text has one of these nouns, in the singular or with an `s`.
fn names_any(said: &str, nouns: &[&str]) -> bool {
    split_words(said).any(|word| {
        nouns.contains(&word)
            || word
                .strip_suffix('s')
                .is_some_and(|word| nouns.contains(&word))
    })
}

fn is_of_the_question(word: &str) -> bool {
    matches!(word, "report" | "reports" | "request" | "requests")
        || QUESTION.iter().any(|name| word.starts_with(name))
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
            ("The field 'queueNme' is unknown", Some(Refusal::Definition)),
            ("reportId 4711: no such report", Some(Refusal::Definition)),
            ("400 Bad Request", Some(Refusal::Definition)),
            (
                "No permission to view this report",
                Some(Refusal::Permission),
            ),
            ("End date must be after start date", Some(Refusal::Window)),
            (
                "The date range cannot be longer than 31 days",
                Some(Refusal::Window),
            ),
            // A name in quotes says nothing by its letters.
            ("Invalid metric 'sessions'", Some(Refusal::Definition)),
            ("Unknown field \"service_state\"", Some(Refusal::Definition)),
            ("Unknown metric `deniedCalls`", Some(Refusal::Definition)),
            // What the user may not do.
            (
                "User is not authorized to perform this operation",
                Some(Refusal::Permission),
            ),
            (
                "You don't have permission to use the reporting service",
                Some(Refusal::Permission),
            ),
            ("Operation not permitted", None),
            ("the reporting service was denied", None),
            // CXone speaks of its own machines.
            ("invalid state of worker node 4", None),
            ("Invalid response from reporting-node17", None),
            (
                "Connection to reporting db: access denied for pool user",
                None,
            ),
            (
                "Access denied for user 'rpt'@'10.0.0.3' (using password: YES)",
                None,
            ),
            ("permission denied for relation agent_day", None),
            ("Report storage: 403 Forbidden", None),
            ("upstream servers: unsupported report version", None),
            ("Report is in an invalid state", None),
            ("unauthorized: the identity provider did not answer", None),
            ("could not load permissions", None),
            ("no such shard: metrics-2026-11", None),
            ("Invalid data in block 7", None),
            ("cannot read this date range", None),
            ("Data for this date range may not be complete", None),
            // And of what passes.
            ("The operation is not valid at this time", None),
            ("Reports are not supported right now", None),
            ("The metric is unknown while indexing is in progress", None),
            ("Access denied, come again in an hour", None),
            ("This report is currently not permitted", None),
        ] {
            assert_eq!(Refusal::find(said), refusal, "{said}");
        }
    }
}
