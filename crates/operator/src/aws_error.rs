//! The errors of the SDK, as errors of `cxr`.

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};

use crate::error::CommandError;

pub(crate) fn code_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error()?.code()
}

pub(crate) fn message_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let message = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::message);
    message.unwrap_or_default().to_owned()
}

/// Sorts an error by what the operator can do about it.
pub(crate) fn from_sdk<E: ProvideErrorMetadata>(
    operation: &'static str,
    what: &str,
    error: &SdkError<E>,
) -> CommandError {
    let SdkError::ServiceError(service) = error else {
        return CommandError::Unavailable {
            operation,
            reason: describe_transport(error),
        };
    };
    match code_of(error).unwrap_or_default() {
        "ExecutionDoesNotExist" => CommandError::NotFound {
            what: what.to_owned(),
            hint: "cxr list shows the executions, and cxr show REPORT DAY a window of a report",
        },
        "StateMachineDoesNotExist" | "ResourceNotFound" => CommandError::NotFound {
            what: what.to_owned(),
            hint: "correct STATE_MACHINE_ARN or --state-machine",
        },
        code if service.raw().status().is_server_error() || code.contains("Throttl") => {
            CommandError::Unavailable {
                operation,
                reason: format!("AWS answers {code} again and again"),
            }
        }
        code => CommandError::Refused {
            operation,
            code: code.to_owned(),
            message: message_of(error),
        },
    }
}

/// Why no usable response arrived, with the causes that the SDK's error wraps.
fn describe_transport<E>(error: &SdkError<E>) -> String {
    let (text, source) = match error {
        SdkError::ConstructionFailure(_) => ("the request can't be made", None),
        SdkError::TimeoutError(_) => ("no answer in time", None),
        SdkError::DispatchFailure(failure) => ("no connection", failure.as_connector_error()),
        _ => ("an unreadable response", None),
    };
    let mut texts = vec![text.to_owned()];
    let mut source = source.and_then(std::error::Error::source);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts.join(": ")
}
