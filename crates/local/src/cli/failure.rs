//! The errors of the command, each with its place and what to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use asl::Description;
use definition::tenant::Problem;
use definition::{Finding, Findings, IdError, TypedWindowError};
use local::world::{LandedError, SECRET_PREFIX};
use local::{HandlersError, WorldError};
use serde::Deserialize;

use crate::run::api_of;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "CXL001: the definition {path} can't be read: {source}\n  name another file with --definition"
    )]
    DefinitionFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("CXL002: the definition {path} can't be used\n{}", list_findings(.findings))]
    Definition { path: PathBuf, findings: Findings },
    #[error(
        "CXL003: --window {text}: {reason}\n  give a day like 2026-11-20, or START/END, both as 2026-11-20T00:00:00Z or as 2026-11-20"
    )]
    Window {
        text: String,
        reason: TypedWindowError,
    },
    #[error(
        "CXL004: --fault {text}: {reason}\n  `local faults` lists the faults and their parameters"
    )]
    Fault { text: String, reason: String },
    #[error(
        "CXL005: the tenant's file {path} can't be read: {source}\n  name a file with the JSON of the tenant's secret with --tenant; crates/tokens/README.md lists its fields"
    )]
    TenantFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "CXL007: the tenant in {path} is not usable: {source}\n  crates/tokens/README.md lists the fields"
    )]
    Tenant { path: PathBuf, source: Problem },
    #[error(
        "CXL008: the file {path} can't give a tenant its name: {source}\n  `serve` calls the tenant like the file, without its ending, so rename the file"
    )]
    TenantName { path: PathBuf, source: IdError },
    #[error(
        "CXL006: {0} is not a loopback address\n  anybody who reaches the port could do everything, because no signature is verified; listen on 127.0.0.1 or ::1"
    )]
    NotLoopback(std::net::SocketAddr),
    #[error(
        "CXL009: --restate can't be shown with {0}\n  its window is the range of the report's template, and an older window can't be asked for; choose another API with --api, such as analytics or contacts"
    )]
    RestateOfTemplate(PathBuf),
    #[error(transparent)]
    Handlers(#[from] HandlersError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Landed(#[from] LandedError),
    #[error("{}", explain_execution(.0, .1.as_ref()))]
    Execution(Box<Description>, Option<TenantFile>),
    #[error(
        "CXL303: the execution {0} succeeded, but there is no commit of it\n  see the state machine's Choice states and the handlers' log"
    )]
    NoCommit(String),
}

/// A real tenant, whose secret is a file here.
#[derive(Clone, Debug)]
pub(crate) struct TenantFile {
    path: PathBuf,
    /// What the handlers call its secret.
    secret: String,
}

impl TenantFile {
    pub(crate) fn new(path: &Path, tenant: &str) -> Self {
        Self {
            path: path.to_owned(),
            secret: format!("{SECRET_PREFIX}{tenant}"),
        }
    }
}

fn list_findings(findings: &Findings) -> String {
    let lines: Vec<String> = findings.iter().map(describe_finding).collect();
    lines.join("\n")
}

/// A finding in two lines: what and where, then what to do.
pub(crate) fn describe_finding(finding: &Finding) -> String {
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

/// An execution that did not succeed. The handlers know the tenant's secret and not the file that it was read from.
fn explain_execution(ended: &Description, tenant: Option<&TenantFile>) -> String {
    let error = ended.error.as_deref().unwrap_or("no error name");
    let api = api_of(&ended.input["detail"]["definition"]);
    let advice = delivery::advice(error, Some(api));
    let cause = read_message(ended.cause.as_deref().unwrap_or("none given"));
    let mut action = advice.action.to_owned();
    let mut told = cause.clone();
    if let Some(TenantFile { path, secret }) = tenant {
        told = cause.replace(
            &format!("secret {secret}"),
            &format!("file {}", path.display()),
        );
        if told != cause {
            action = format!("Correct {} as the cause says.", path.display());
        }
    }
    format!(
        "CXL302: the execution {} {} in the state {}\n  error       {error}: {}\n  cause       {told}\n  what to do  {action}\n  here        run the same command again in place of a redrive, with --replay REASON in place of `cxr replay`; it goes on from what is stored",
        ended.name,
        ended.status.as_str(),
        ended.state,
        advice.meaning,
    )
}

/// The message of a function's error, or the cause as it is.
fn read_message(cause: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reported {
        error_message: String,
    }
    let reported: Option<Reported> = serde_json::from_str(cause).ok();
    reported.map_or_else(|| cause.to_owned(), |reported| reported.error_message)
}

#[cfg(test)]
mod tests {
    use asl::Status;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn failed(error: &str, cause: &str) -> Box<Description> {
        Box::new(Description {
            execution_arn: "arn".into(),
            state_machine_arn: "arn".to_owned(),
            name: "run".to_owned(),
            status: Status::Failed,
            state: "Trigger".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            stopped: None,
            input: json!({"detail": {"definition": {"pipeline": {"api": "contacts"}}}}),
            output: None,
            error: Some(error.to_owned()),
            cause: Some(json!({"errorMessage": cause}).to_string()),
            redrive_count: 0,
            redriven: None,
            not_redrivable: None,
        })
    }

    #[test]
    fn a_tenant_that_is_a_file_is_called_by_its_file() {
        let file = TenantFile::new(Path::new("my/tenant.json"), "acme");
        let remedy = "store a client_id and a client_secret that are valid there";
        let refused =
            format!("the token endpoint refuses the credentials in secret cxone/acme; {remedy}");
        for (error, cause, file, has, lacks) in [
            (
                "Cxone.Auth",
                &*refused,
                Some(&file),
                &[
                    "in file my/tenant.json",
                    remedy,
                    "Correct my/tenant.json as the cause says.",
                ][..],
                &["cxone/acme", "access key", "then redrive"][..],
            ),
            (
                "Cxone.Config",
                "secret cxone/acme: the issuer does not know the tenant of tenant_id",
                Some(&file),
                &["file my/tenant.json: the issuer", "Correct my/tenant.json"],
                &["cxone/acme", "deployment"],
            ),
            // Nothing is wrong with the file.
            (
                "Cxone.Auth",
                "get contacts: forbidden",
                Some(&file),
                &["credentials", "read contacts"],
                &["my/tenant.json"],
            ),
            ("Cxone.Auth", &*refused, None, &["secret cxone/acme"], &[]),
        ] {
            let said = Failure::Execution(failed(error, cause), file.cloned()).to_string();
            assert!(has.iter().all(|it| said.contains(it)), "{said}");
            assert!(!lacks.iter().any(|it| said.contains(it)), "{said}");
        }
    }
}
