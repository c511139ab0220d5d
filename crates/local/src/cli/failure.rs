//! What went wrong, where, and what to do about it.

use std::fmt::Write as _;
use std::path::PathBuf;

use asl::Description;
use definition::{Finding, Findings, WindowError};
use local::world::LandedError;
use local::{HandlersError, WorldError};
use serde::Deserialize;

/// A command that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "CXL001: the definition {path} can't be read: {source}\n  name another file with --definition"
    )]
    DefinitionFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("CXL002: the definition {path} can't be used\n{}", list(.findings))]
    Definition { path: PathBuf, findings: Findings },
    #[error(
        "CXL003: --window {text}: {reason}\n  give START/END, both as 2026-11-20T00:00:00Z or as 2026-11-20"
    )]
    Window { text: String, reason: WindowProblem },
    #[error(
        "CXL004: --fault {text}: {reason}\n  `local faults` lists the faults and their parameters"
    )]
    Fault { text: String, reason: String },
    #[error(
        "CXL005: {0} is not set\n  with --tenant the environment has to name the tenant's client: CXONE_CLIENT_ID, CXONE_CLIENT_SECRET, CXONE_TOKEN_URL and CXONE_ALLOWED_HOSTS"
    )]
    Variable(&'static str),
    #[error(
        "CXL006: {0} is not a loopback address\n  whoever reaches the port may do everything, because no signature is verified; listen on 127.0.0.1 or ::1"
    )]
    NotLoopback(std::net::SocketAddr),
    #[error(transparent)]
    Handlers(#[from] HandlersError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Landed(#[from] LandedError),
    #[error("{}", explain(.0))]
    Execution(Box<Description>),
    #[error(
        "CXL303: the execution {0} succeeded, but there is no commit of it\n  look at the state machine's Choice states and at the handlers' log"
    )]
    NoCommit(String),
}

/// Why a window is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WindowProblem {
    #[error("there is no / between start and end")]
    NoSlash,
    #[error(transparent)]
    Time(#[from] jiff::Error),
    #[error(transparent)]
    Window(#[from] WindowError),
}

fn list(findings: &Findings) -> String {
    let lines: Vec<String> = findings.iter().map(one).collect();
    lines.join("\n")
}

/// A finding in two lines: what and where, then what to do.
pub(crate) fn one(finding: &Finding) -> String {
    let mut line = format!(
        "  {} {} {}: {}",
        finding.severity,
        finding.code,
        if finding.pointer.is_empty() {
            "/"
        } else {
            &finding.pointer
        },
        finding.message
    );
    if !finding.hint.is_empty() {
        let _ = write!(line, "\n      {}", finding.hint);
    }
    line
}

/// An execution that did not succeed.
fn explain(ended: &Description) -> String {
    let error = ended.error.as_deref().unwrap_or("no error name");
    format!(
        "CXL302: the execution {} {} in the state {}\n  error  {error}\n  cause  {}\n  what to do  {}",
        ended.name,
        ended.status.as_str(),
        ended.state,
        message(ended.cause.as_deref().unwrap_or("none given")),
        remedy(error)
    )
}

/// The message of a function's error, or the cause as it is.
fn message(cause: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reported {
        error_message: String,
    }
    let reported: Option<Reported> = serde_json::from_str(cause).ok();
    reported.map_or_else(|| cause.to_owned(), |reported| reported.error_message)
}

fn remedy(error: &str) -> &'static str {
    match error {
        "Cxone.Config" => {
            "mend the definition or the handler's environment, then run it again; a redrive would fail the same way"
        }
        "Cxone.Auth" => {
            "look at the client's id, secret and scopes; then run it again (on AWS: redrive the execution)"
        }
        "Cxone.Contract" => {
            "the tenant answered what it should not; look into the handlers' log, and run it again when that is understood (on AWS: redrive)"
        }
        "Cxone.RunsExhausted" => {
            "all runs that the definition allows ended without data; a redrive on AWS, or another run here with --replay REASON, allows more"
        }
        "Cxone.Conflict" => {
            "rows with the same key differ; look at the definition's key, or set onConflict to keep-last, then --replay REASON"
        }
        "Cxone.Throttled" | "Cxone.Unavailable" => {
            "the tenant or AWS did not answer; run it again later (on AWS: redrive), it goes on behind what is stored"
        }
        _ => {
            "look into the handlers' log; then run it again (on AWS: redrive), it goes on behind what is stored"
        }
    }
}
