//! The account that the bucket has to be in. S3 refuses a request that expects another one, so that rows never land in
//! a bucket that somebody else made under a name that was given up.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use delivery::{Environment, Failure, FailureName};

const VARIABLE: &str = "LANDING_BUCKET_OWNER";

/// Reads the account from the environment; empty if it is not set.
pub(super) fn read(env: Environment) -> Result<String, Failure> {
    let owner = env.optional(VARIABLE);
    let is_account = owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
    if owner.is_empty() || is_account {
        return Ok(owner);
    }
    Err(Failure::new(
        FailureName::Config,
        format!(
            "the environment variable {VARIABLE} is {owner:?}; set it to the 12 digits of the account that owns the bucket, or to nothing"
        ),
    ))
}

/// What S3 does not say of a request that it denies. An answer to HEAD has no code.
pub(super) fn explain_denial(owner: &str, code: &str) -> String {
    if owner.is_empty() || !["AccessDenied", "HTTP 403"].contains(&code) {
        return String::new();
    }
    format!(
        "; S3 denies everything too if the bucket is not of account {owner}, as {VARIABLE} says (the stack's BucketOwner)"
    )
}

/// Names the account in every request.
#[derive(Debug)]
pub(super) struct ExpectedOwner(String);

impl ExpectedOwner {
    /// The client, which names the account from now on, unless it is empty.
    pub(super) fn ask_for(owner: &str, client: Client) -> Client {
        if owner.is_empty() {
            return client;
        }
        let config = client.config().to_builder();
        Client::from_conf(config.interceptor(Self(owner.to_owned())).build())
    }
}

impl Intercept for ExpectedOwner {
    fn name(&self) -> &'static str {
        "ExpectedOwner"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.try_insert("x-amz-expected-bucket-owner", self.0.clone())?;
        Ok(())
    }
}
