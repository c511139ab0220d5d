//! Why S3 refuses a request, and which requests are repeated.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use delivery::effects::Fault;
use uuid::Uuid;

use super::client::Store;
use super::owner;

/// How often a request is made while S3 is busy. The SDK repeats each of these a few times as well.
const ATTEMPTS: u32 = 5;

/// The longest pause after the first of them; it doubles with each one.
const LONGEST_FIRST_PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    ListObjects,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::ListObjects => "ListObjectsV2",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
        }
    }

    /// The rights that a role needs for it.
    const fn required_rights(self) -> &'static str {
        match self {
            Self::PutObject
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload => {
                "s3:PutObject on the key, and kms:GenerateDataKey and kms:Decrypt if the bucket has a KMS key"
            }
            Self::GetObject | Self::HeadObject => {
                "s3:GetObject on the key, s3:ListBucket on the bucket (without it S3 denies what is absent), \
                 and kms:Decrypt if the bucket has a KMS key"
            }
            Self::ListObjects => "s3:ListBucket on the bucket for this prefix",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload on the key",
        }
    }
}

/// What S3 says to a signature with a key that it does not know, or with the secret of another one.
const OF_NO_KEY: [&str; 2] = ["InvalidAccessKeyId", "SignatureDoesNotMatch"];

/// A request that S3 refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct S3Error {
    pub(super) kind: ErrorKind,
    operation: Operation,
    /// The bucket and key, or prefix, of the request.
    location: String,
    /// The account that the bucket has to be in; empty if any will do.
    owner: String,
}

/// Why S3 refused a request. The texts are S3's error code, or the HTTP status if there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    /// There is no such object.
    NotFound,
    /// There is an object already.
    AlreadyExists,
    /// The multipart upload does not exist, or not any more.
    NoSuchUpload,
    /// The same request may succeed in a moment.
    Busy(String),
    /// No connection, and whoever made the client says that a moment later there would be none either.
    Unreachable(String),
    /// The credentials have expired; the next invocation has others.
    CredentialsExpired(String),
    /// The role's rights, the KMS key or the bucket have to be corrected.
    Denied(String),
    /// The object is in an archive.
    Archived,
    Other(String),
}

impl ErrorKind {
    fn from_answer(status: u16, code: Option<&str>) -> Self {
        let code_or_status = || code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
        match (status, code.unwrap_or_default()) {
            (_, "NoSuchBucket") => Self::Denied(code_or_status()),
            (_, "NoSuchUpload") => Self::NoSuchUpload,
            (_, "NoSuchKey" | "NotFound") | (404, _) => Self::NotFound,
            (_, "PreconditionFailed") | (412, _) => Self::AlreadyExists,
            (_, "InvalidObjectState") => Self::Archived,
            (
                _,
                "ExpiredToken"
                | "ExpiredTokenException"
                | "InvalidToken"
                | "TokenRefreshRequired"
                | "RequestTimeTooSkewed"
                | "RequestExpired",
            ) => Self::CredentialsExpired(code_or_status()),
            (
                _,
                "SlowDown"
                | "RequestTimeout"
                | "InternalError"
                | "ServiceUnavailable"
                | "ThrottlingException"
                | "KMS.ThrottlingException"
                | "ConditionalRequestConflict"
                | "OperationAborted"
                | "BadDigest"
                | "XAmzContentSHA256Mismatch"
                | "InvalidDigest"
                | "IncompleteBody",
            )
            | (408 | 409 | 429 | 500.., _) => Self::Busy(code_or_status()),
            // 301 and 307 say that the bucket is in another region.
            (301 | 307 | 401 | 403, _) | (_, "AuthorizationHeaderMalformed") => {
                Self::Denied(code_or_status())
            }
            (_, code) if code.starts_with("KMS.") => Self::Denied(code_or_status()),
            _ => Self::Other(code_or_status()),
        }
    }
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for ErrorKind {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => Self::Other("the request can't be made".to_owned()),
            SdkError::ServiceError(answer) => {
                Self::from_answer(answer.raw().status().as_u16(), answer.err().code())
            }
            SdkError::TimeoutError(_) => Self::Busy("no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) => {
                let reason = failure.as_connector_error().map(|error| innermost(error));
                let reason = reason.unwrap_or_else(|| "no connection".to_owned());
                if failure.is_user() {
                    Self::Unreachable(reason)
                } else {
                    Self::Busy(format!("no answer: {reason}"))
                }
            }
            _ => Self::Busy("no readable answer".to_owned()),
        }
    }
}

/// What was wrong in the end: the errors around it say only that something was. It is of a connection or of credentials, and has
/// nothing of a request in it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

impl From<ByteStreamError> for ErrorKind {
    fn from(_: ByteStreamError) -> Self {
        Self::Busy("the body broke off or does not match its checksum".to_owned())
    }
}

impl Store {
    /// Makes a request, and makes it again while S3 is busy: at most five times.
    #[expect(
        clippy::disallowed_methods,
        reason = "short retries: less than a second in all, against an S3 that is busy right now"
    )]
    pub(super) async fn with_retry<T, E, F>(
        &self,
        operation: Operation,
        key: &str,
        request: impl Fn() -> F,
    ) -> Result<T, S3Error>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<ErrorKind>,
    {
        let mut attempt = 1;
        loop {
            let kind = match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error.into(),
            };
            match kind {
                ErrorKind::Busy(code) if attempt < ATTEMPTS => tracing::debug!(
                    s3.operation = operation.name(),
                    s3.key = key,
                    s3.code = code,
                    attempt,
                    "S3 is busy; the request is repeated"
                ),
                kind => {
                    return Err(S3Error {
                        kind,
                        operation,
                        location: format!("s3://{}/{key}", self.bucket()),
                        owner: self.owner().to_owned(),
                    });
                }
            }
            let (random, _) = Uuid::new_v4().as_u64_pair();
            tokio::time::sleep(jittered_pause(attempt, random)).await;
            attempt += 1;
        }
    }
}

impl From<S3Error> for Fault {
    fn from(error: S3Error) -> Self {
        let S3Error {
            kind,
            operation,
            location,
            owner,
        } = error;
        let what = format!("S3 {} on {location}", operation.name());
        match kind {
            ErrorKind::Busy(code) => Self::Unavailable(format!("{what}: {code}")),
            ErrorKind::Unreachable(reason) => Self::Unavailable(format!("{what}: {reason}")),
            ErrorKind::CredentialsExpired(code) => {
                Self::Expired(format!("{what}: the credentials have expired ({code})"))
            }
            ErrorKind::Denied(code) if OF_NO_KEY.contains(&code.as_str()) => {
                Self::Config(format!("{what}: AWS answers {code}; check the credentials"))
            }
            ErrorKind::Denied(code) if code == "NoSuchBucket" => Self::Config(format!(
                "{what}: there is no such bucket ({code}); correct its name"
            )),
            ErrorKind::Denied(code) => Self::Config(format!(
                "{what} was denied ({code}); the role needs {}{}",
                operation.required_rights(),
                owner::explain_denial(&owner, &code)
            )),
            ErrorKind::NotFound => Self::Contract(format!("{what}: the object is gone")),
            ErrorKind::AlreadyExists => {
                Self::Contract(format!("{what}: another object has this name"))
            }
            ErrorKind::NoSuchUpload => {
                Self::Unavailable(format!("{what}: the upload was aborted meanwhile"))
            }
            ErrorKind::Archived => Self::Contract(format!(
                "{what}: the object was archived; restore it and keep the bucket's lifecycle away from it"
            )),
            ErrorKind::Other(code) => Self::Contract(format!("{what}: {code}")),
        }
    }
}

/// The pause after an attempt, with full jitter.
fn jittered_pause(attempt: u32, random: u64) -> Duration {
    let most = LONGEST_FIRST_PAUSE * 2_u32.pow(attempt.min(8) - 1);
    let nanos = (most.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(nanos.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: &str, expected: &ErrorKind) {
        let code = (!code.is_empty()).then_some(code);
        assert_eq!(
            ErrorKind::from_answer(status, code),
            *expected,
            "{status} {code:?}"
        );
    }

    #[test]
    fn each_answer_has_its_meaning() {
        check(404, "NoSuchKey", &ErrorKind::NotFound);
        check(404, "", &ErrorKind::NotFound);
        check(
            404,
            "NoSuchBucket",
            &ErrorKind::Denied("NoSuchBucket".into()),
        );
        check(404, "NoSuchUpload", &ErrorKind::NoSuchUpload);
        check(412, "PreconditionFailed", &ErrorKind::AlreadyExists);
        check(
            403,
            "AccessDenied",
            &ErrorKind::Denied("AccessDenied".into()),
        );
        check(403, "", &ErrorKind::Denied("HTTP 403".into()));
        check(403, "InvalidObjectState", &ErrorKind::Archived);
        check(
            400,
            "ExpiredToken",
            &ErrorKind::CredentialsExpired("ExpiredToken".into()),
        );
        check(
            403,
            "RequestTimeTooSkewed",
            &ErrorKind::CredentialsExpired("RequestTimeTooSkewed".into()),
        );
        check(
            400,
            "KMS.DisabledException",
            &ErrorKind::Denied("KMS.DisabledException".into()),
        );
        check(
            409,
            "ConditionalRequestConflict",
            &ErrorKind::Busy("ConditionalRequestConflict".into()),
        );
        check(503, "SlowDown", &ErrorKind::Busy("SlowDown".into()));
        check(502, "", &ErrorKind::Busy("HTTP 502".into()));
        check(
            301,
            "PermanentRedirect",
            &ErrorKind::Denied("PermanentRedirect".into()),
        );
        check(
            400,
            "EntityTooSmall",
            &ErrorKind::Other("EntityTooSmall".into()),
        );
    }

    #[test]
    fn a_pause_doubles_and_is_jittered_from_nothing() {
        assert_eq!(jittered_pause(1, 0), Duration::ZERO);
        assert!(
            jittered_pause(1, u64::MAX) <= LONGEST_FIRST_PAUSE
                && jittered_pause(1, u64::MAX) > LONGEST_FIRST_PAUSE.mul_f64(0.99)
        );
        assert!(jittered_pause(4, u64::MAX) > LONGEST_FIRST_PAUSE.mul_f64(7.9));
    }
}
