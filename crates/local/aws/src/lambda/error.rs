//! Why an invocation gave no answer, in Lambda's and in Step Functions' words.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

/// An invocation that gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// The function ran, or tried to, and failed.
    #[error("{0}")]
    Function(FunctionError),
    /// As many processes as the function may have are busy.
    #[error("rate exceeded: {0} instances are busy")]
    TooManyRequests(usize),
    /// No function has this name.
    #[error("function not found: {0}")]
    NotFound(String),
    /// The payload is larger than Lambda takes, 6 MB.
    #[error(
        "{0} byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"
    )]
    TooLarge(usize),
    /// The function's process can't be started.
    #[error("the process can't be started: {0}")]
    Service(String),
}

impl InvokeError {
    /// The name under which Step Functions shows the error, which Retry and Catch match.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Function(error) if error.error_type.is_empty() => "Lambda.Unknown",
            Self::Function(error) => &error.error_type,
            Self::TooManyRequests(_) => "Lambda.TooManyRequestsException",
            Self::NotFound(_) => "Lambda.ResourceNotFoundException",
            Self::TooLarge(_) => "Lambda.RequestTooLargeException",
            Self::Service(_) => "Lambda.ServiceException",
        }
    }

    /// The cause that Step Functions shows with it.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Function(error) if error.error_type.is_empty() => format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {}",
                String::from_utf8_lossy(&error.payload)
            ),
            Self::Function(error) => String::from_utf8_lossy(&error.payload).into_owned(),
            other => other.to_string(),
        }
    }
}

/// How an invocation of a function failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// The handler's own name for it, or Lambda's: `Runtime.ExitError`, `Sandbox.Timedout`, ….
    pub error_type: String,
    pub message: String,
    /// The JSON that Invoke answers with.
    pub payload: Bytes,
}

impl FunctionError {
    /// The error as the handler reported it to the Runtime API.
    pub(super) fn reported(payload: Bytes) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Reported {
            error_type: String,
            error_message: String,
        }
        let reported: Reported = serde_json::from_slice(&payload).unwrap_or_default();
        Self {
            error_type: reported.error_type,
            message: reported.error_message,
            payload,
        }
    }

    /// An error that Lambda itself reports.
    pub(super) fn sandbox(error_type: &str, message: String) -> Self {
        let payload = json!({"errorType": error_type, "errorMessage": message});
        Self {
            error_type: error_type.to_owned(),
            message,
            payload: payload.to_string().into(),
        }
    }
}
