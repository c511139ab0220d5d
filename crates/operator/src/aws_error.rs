//! The errors of the SDK, as errors of `cxr`.

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};

use crate::aws_setup::{ConnectionError, NOT_AWS, no_credentials, wrong_endpoint};
use crate::error::CommandError;

/// What the SDK says first of an endpoint that is no URL, before it dumps the request.
const NO_ENDPOINT: &str = "failed to apply endpoint `";

/// The same of S3, in the end.
const NO_ENDPOINT_OF_S3: &str = "Custom endpoint `";

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
        return from_transport(operation, error);
    };
    match code_of(error).unwrap_or_default() {
        "" => CommandError::NotAws {
            operation,
            reason: format!(
                "an answer that is not AWS's (HTTP {})",
                service.raw().status()
            ),
        },
        code if code.starts_with("ExpiredToken") => expired(),
        "ExecutionDoesNotExist" => CommandError::NotFound {
            what: what.to_owned(),
            hint: "cxr list shows the executions, and cxr show REPORT DAY a window of a report",
        },
        "StateMachineDoesNotExist" | "ResourceNotFound" => CommandError::NotFound {
            what: what.to_owned(),
            hint: "correct STATE_MACHINE_ARN or --state-machine",
        },
        code if service.raw().status().is_server_error() || asks_too_often(code) => {
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

/// Whoever was signed in is not any more.
pub(crate) fn expired() -> CommandError {
    no_credentials("those there are have expired")
}

/// An error of a connection, of which only the text is known.
pub(crate) fn from_connection(operation: &'static str, reason: String) -> CommandError {
    if let Some((_, url)) = reason.split_once(NO_ENDPOINT_OF_S3) {
        return wrong_endpoint(url.split('`').next().unwrap_or(url));
    }
    if reason.contains(NOT_AWS) {
        CommandError::NotAws { operation, reason }
    } else {
        CommandError::Unavailable { operation, reason }
    }
}

/// Whether AWS says only that there were too many calls.
fn asks_too_often(code: &str) -> bool {
    let words = [
        "Throttl",
        "TooManyRequests",
        "RequestLimitExceeded",
        "SlowDown",
    ];
    words.iter().any(|word| code.contains(word))
}

/// Why no usable response arrived, with the causes that the SDK's error wraps.
fn from_transport<E>(operation: &'static str, error: &SdkError<E>) -> CommandError {
    let (text, source) = match error {
        SdkError::ConstructionFailure(_) => ("the request can't be made", None),
        SdkError::TimeoutError(_) => ("no answer in time", None),
        SdkError::DispatchFailure(failure) => ("no connection", failure.as_connector_error()),
        _ => ("an unreadable response", None),
    };
    let mut texts = vec![text.to_owned()];
    let mut source = source.and_then(std::error::Error::source);
    while let Some(error) = source {
        let reason = error.to_string();
        // One that is set for a single service is seen only here.
        if let Some((url, _)) = reason
            .strip_prefix(NO_ENDPOINT)
            .and_then(|it| it.split_once('`'))
        {
            return wrong_endpoint(url);
        }
        match error.downcast_ref() {
            Some(ConnectionError::NotAws { .. }) => {
                return CommandError::NotAws { operation, reason };
            }
            Some(ConnectionError::NotReached { .. } | ConnectionError::NoAnswer { .. }) => {
                return CommandError::Unavailable { operation, reason };
            }
            None => texts.push(reason),
        }
        source = error.source();
    }
    CommandError::Unavailable {
        operation,
        reason: texts.join(": "),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::operation::list_executions::ListExecutionsError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    #[test]
    fn a_host_that_never_answers_is_named_and_may_be_asked_later() {
        let silent = ConnectionError::NoAnswer {
            host: "host:1".to_owned(),
        };
        let error: SdkError<ListExecutionsError> =
            SdkError::dispatch_failure(ConnectorError::user(silent.into()));
        let error = from_sdk("ListExecutions", "arn", &error);
        assert_eq!((error.code(), error.exit_code()), ("CXO012", 4));
        let told = "ListExecutions: host:1 takes the connection, and gives no answer within 30 s; check the network";
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(error.is_passing());
    }
}
