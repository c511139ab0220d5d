//! The two calls to Secrets Manager. Its errors are reduced to a code: the SDK's own may carry
//! the raw answer, and with it a secret.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// A secret's current value.
pub(crate) struct SecretValue {
    pub(crate) version: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) text: SecretString,
}

/// Why a call to Secrets Manager failed, without anything that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Secrets Manager answered {code} for secret {secret}")]
pub struct SecretsError {
    /// The id of the secret that was asked for.
    pub secret: String,
    /// AWS's error code, or the stage of the call that failed.
    pub code: String,
    /// Whether the same call may succeed later.
    pub is_transient: bool,
}

impl SecretsError {
    /// Neither the secret nor a current value of it exists: AWS says the same for both.
    pub(crate) fn is_absent(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }

    /// Another value was written with the same request token: somebody was first.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code == "ResourceExistsException"
    }

    fn from_sdk<E: ProvideErrorMetadata>(secret: &str, error: &SdkError<E>) -> Self {
        let code = match error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or("an unnamed error"),
            SdkError::TimeoutError(_) => "nothing in time",
            SdkError::DispatchFailure(_) => "nothing",
            SdkError::ResponseError(_) => "something that is no answer",
            _ => "nothing, as the request could not be made,",
        };
        // What AWS refuses with a code stays refused, unless the code is of a transient kind.
        let is_refusal = matches!(error, SdkError::ServiceError(service)
            if !service.raw().status().is_server_error() && !TRANSIENT_CODES.contains(&code));
        Self {
            secret: secret.to_owned(),
            code: code.to_owned(),
            is_transient: !is_refusal,
        }
    }
}

/// AWS's error codes for throttling, and for credentials or a clock that were valid until a moment ago: the
/// next invocation has others.
const TRANSIENT_CODES: [&str; 8] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidSignatureException",
];

/// Reads the version that is `AWSCURRENT`.
pub(crate) async fn read_secret(
    client: &Client,
    secret: &str,
) -> Result<SecretValue, SecretsError> {
    let answer = client
        .get_secret_value()
        .secret_id(secret)
        .send()
        .await
        .map_err(|error| SecretsError::from_sdk(secret, &error))?;
    Ok(SecretValue {
        version: answer.version_id,
        created: answer
            .created_date
            .and_then(|date| Timestamp::new(date.secs(), 0).ok()),
        // A binary secret has no text, and reads as an empty one.
        text: answer.secret_string.unwrap_or_default().into(),
    })
}

/// Writes a new current version under `request_token`, which becomes its version id.
pub(crate) async fn write_secret(
    client: &Client,
    secret: &str,
    request_token: String,
    text: &SecretString,
) -> Result<(), SecretsError> {
    client
        .put_secret_value()
        .secret_id(secret)
        .client_request_token(request_token)
        .secret_string(text.expose_secret())
        .send()
        .await
        .map(drop)
        .map_err(|error| SecretsError::from_sdk(secret, &error))
}
