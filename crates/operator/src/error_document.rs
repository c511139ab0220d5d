//! How an error is told: as a line for people or as JSON for programs. Either goes to the standard error.

use schemars::JsonSchema;
use serde::Serialize;

use crate::definition_check::Remark;
use crate::error::CommandError;

/// The code of a command line that can't be understood.
const USAGE: &str = "CXO048";

/// What `kind` is of an error.
pub(crate) const ERROR_KIND: &str = "error";

/// An error as `--json` tells it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorDocument {
    v: u8,
    /// The word `error`, as other documents have theirs.
    kind: &'static str,
    /// Such as `CXO012`; cxr explain says what it means.
    code: &'static str,
    /// What is wrong and what to do, in words.
    message: String,
    /// The exit code of the process.
    exit_code: u8,
    /// What is wrong with a definition, if that is the error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Remark>,
}

/// Tells an error of a command.
#[must_use]
pub fn describe_error(error: &CommandError, is_json: bool) -> String {
    if !is_json {
        return format!("{}: {error}", error.code());
    }
    let (message, findings) = match error {
        CommandError::Definition { file, findings } => {
            let findings = findings.iter().cloned();
            let remarks = findings.map(|finding| Remark::new(file, finding));
            let message = format!("{}: the definition has errors", file.display());
            (message, remarks.collect())
        }
        other => (other.to_string(), Vec::new()),
    };
    to_json(&ErrorDocument {
        v: 1,
        kind: ERROR_KIND,
        code: error.code(),
        message,
        exit_code: error.exit_code(),
        findings,
    })
}

/// Tells that the command line can't be understood, in JSON. For people clap does it.
#[must_use]
pub fn describe_usage(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    to_json(&ErrorDocument {
        v: 1,
        kind: ERROR_KIND,
        code: USAGE,
        message: text.trim_end().to_owned(),
        exit_code: 2,
        findings: Vec::new(),
    })
}

fn to_json(document: &ErrorDocument) -> String {
    // Texts and numbers can always be JSON.
    serde_json::to_string(document).unwrap_or_default()
}
