//! What S3 says instead of doing it, and what follows.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher as _;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;

use super::Store;
use delivery::effects::Fault;

/// How often a request is made that S3 has no time for; the SDK repeats each of them, too.
const ATTEMPTS: u32 = 5;

/// The longest first pause between two of them; it doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// What is asked of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    PutObject,
    GetObject,
    HeadObject,
    ListObjects,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

impl Action {
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

    /// What a role needs for it.
    const fn needs(self) -> &'static str {
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

/// Why S3 did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such object.
    Absent,
    /// There is an object already.
    Exists,
    /// There is no such multipart upload (any more).
    NoUpload,
    /// Not now.
    Busy(String),
    /// Not with these credentials, but others are on their way.
    Expired(String),
    /// Not with these rights, this key or this bucket.
    Denied(String),
    /// The object is in an archive.
    Archived,
    /// Something else is wrong.
    Other(String),
}

impl Refusal {
    fn from_answer(status: u16, code: Option<&str>) -> Self {
        let said = || code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
        match (status, code.unwrap_or_default()) {
            (_, "NoSuchBucket") => Self::Denied(said()),
            (_, "NoSuchUpload") => Self::NoUpload,
            (_, "NoSuchKey" | "NotFound") | (404, _) => Self::Absent,
            (_, "PreconditionFailed") | (412, _) => Self::Exists,
            (_, "InvalidObjectState") => Self::Archived,
            (
                _,
                "ExpiredToken"
                | "ExpiredTokenException"
                | "InvalidToken"
                | "TokenRefreshRequired"
                | "RequestTimeTooSkewed"
                | "RequestExpired",
            ) => Self::Expired(said()),
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
            | (408 | 409 | 429 | 500.., _) => Self::Busy(said()),
            // 301 and 307 say that the bucket is in another region.
            (301 | 307 | 401 | 403, _) | (_, "AuthorizationHeaderMalformed") => {
                Self::Denied(said())
            }
            (_, code) if code.starts_with("KMS.") => Self::Denied(said()),
            _ => Self::Other(said()),
        }
    }
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for Refusal {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => Self::Other("the request can't be made".to_owned()),
            SdkError::ServiceError(answer) => {
                Self::from_answer(answer.raw().status().as_u16(), answer.err().code())
            }
            SdkError::TimeoutError(_) => Self::Busy("no answer in time".to_owned()),
            SdkError::DispatchFailure(_) => Self::Busy("no connection or credentials".to_owned()),
            _ => Self::Busy("no readable answer".to_owned()),
        }
    }
}

impl From<ByteStreamError> for Refusal {
    fn from(_: ByteStreamError) -> Self {
        Self::Busy("the body broke off or does not match its checksum".to_owned())
    }
}

impl Store {
    /// Makes a request until S3 has time for it, at most five times.
    #[expect(
        clippy::disallowed_methods,
        reason = "a short retry: less than a second in all, against an S3 that is busy right now"
    )]
    pub(crate) async fn attempt<T, R, F>(
        &self,
        action: Action,
        key: &str,
        request: impl Fn() -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, R>>,
        R: Into<Refusal>,
    {
        let mut attempt = 1;
        loop {
            let refusal = match request().await.map_err(Into::into) {
                Err(Refusal::Busy(code)) if attempt < ATTEMPTS => code,
                done => return done,
            };
            tracing::debug!(
                s3.action = action.name(),
                s3.key = key,
                s3.code = refusal,
                attempt,
                "S3 has no time"
            );
            tokio::time::sleep(pause(attempt, random_u64())).await;
            attempt += 1;
        }
    }

    /// The fault that a refusal is for whoever can't live with it.
    pub(crate) fn fault(&self, action: Action, key: &str, refusal: Refusal) -> Fault {
        let what = format!("S3 {} on s3://{}/{key}", action.name(), self.bucket());
        match refusal {
            Refusal::Busy(code) => Fault::Unavailable(format!("{what}: {code}")),
            Refusal::Expired(code) => {
                Fault::Unavailable(format!("{what}: the credentials have expired ({code})"))
            }
            Refusal::Denied(code) => Fault::Config(format!(
                "{what} was denied ({code}); the role needs {}",
                action.needs()
            )),
            Refusal::Absent => Fault::Contract(format!("{what}: the object is gone")),
            Refusal::Exists => Fault::Contract(format!("{what}: another object has this name")),
            Refusal::NoUpload => {
                Fault::Unavailable(format!("{what}: the upload was given up meanwhile"))
            }
            Refusal::Archived => Fault::Contract(format!(
                "{what}: the object was archived; restore it and keep the bucket's lifecycle away from it"
            )),
            Refusal::Other(code) => Fault::Contract(format!("{what}: {code}")),
        }
    }
}

/// The pause after an attempt, with full jitter.
fn pause(attempt: u32, random: u64) -> Duration {
    let most = PAUSE * 2_u32.pow(attempt.min(8) - 1);
    let nanos = (most.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(nanos.try_into().unwrap_or_default())
}

/// A number that nobody can foresee, from the operating system's randomness.
fn random_u64() -> u64 {
    RandomState::new().hash_one(0)
}

/// 128 such bits as 32 hexadecimal digits: no two are ever the same.
pub(crate) fn unique_id() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: &str, expected: &Refusal) {
        let code = (!code.is_empty()).then_some(code);
        assert_eq!(
            Refusal::from_answer(status, code),
            *expected,
            "{status} {code:?}"
        );
    }

    #[test]
    fn each_answer_has_its_meaning() {
        check(404, "NoSuchKey", &Refusal::Absent);
        check(404, "", &Refusal::Absent);
        check(404, "NoSuchBucket", &Refusal::Denied("NoSuchBucket".into()));
        check(404, "NoSuchUpload", &Refusal::NoUpload);
        check(412, "PreconditionFailed", &Refusal::Exists);
        check(403, "AccessDenied", &Refusal::Denied("AccessDenied".into()));
        check(403, "", &Refusal::Denied("HTTP 403".into()));
        check(403, "InvalidObjectState", &Refusal::Archived);
        check(
            400,
            "ExpiredToken",
            &Refusal::Expired("ExpiredToken".into()),
        );
        check(
            403,
            "RequestTimeTooSkewed",
            &Refusal::Expired("RequestTimeTooSkewed".into()),
        );
        check(
            400,
            "KMS.DisabledException",
            &Refusal::Denied("KMS.DisabledException".into()),
        );
        check(
            409,
            "ConditionalRequestConflict",
            &Refusal::Busy("ConditionalRequestConflict".into()),
        );
        check(503, "SlowDown", &Refusal::Busy("SlowDown".into()));
        check(502, "", &Refusal::Busy("HTTP 502".into()));
        check(
            301,
            "PermanentRedirect",
            &Refusal::Denied("PermanentRedirect".into()),
        );
        check(
            400,
            "EntityTooSmall",
            &Refusal::Other("EntityTooSmall".into()),
        );
    }

    #[test]
    fn a_pause_doubles_and_is_jittered_from_nothing() {
        assert_eq!(pause(1, 0), Duration::ZERO);
        assert!(pause(1, u64::MAX) <= PAUSE && pause(1, u64::MAX) > PAUSE.mul_f64(0.99));
        assert!(pause(4, u64::MAX) > PAUSE.mul_f64(7.9));
    }
}
