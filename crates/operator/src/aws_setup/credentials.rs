//! Credentials are asked for before the first call, so that their absence is not taken for a network that is down.

use std::error::Error;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_sdk_sfn::config::{ProvideCredentials as _, SharedCredentialsProvider};
use jiff::Timestamp;

use crate::error::CommandError;
use crate::output::one_line;

/// What the SDK says where there is nothing to sign in with at all.
const NOT_ANY: &str = "no credentials found in chain";

/// What it says of a profile that it was built without code for.
const NOT_BUILT: &str = "cargo feature";

/// The configuration, if it has credentials. They are not asked for twice: a profile may start a program that asks a person.
pub(super) async fn require_credentials(config: SdkConfig) -> Result<SdkConfig, CommandError> {
    let Some(provider) = config.credentials_provider() else {
        return Err(no_credentials("the configuration names none"));
    };
    let first = provider.provide_credentials().await;
    let first = first.map_err(|error| no_credentials(&describe(&error)))?;
    let later = provide_credentials_fn(move || {
        let is_over = first.expiry().is_some_and(|at| at <= SystemTime::now());
        let known = (!is_over).then(|| first.clone());
        let provider = provider.clone();
        async move {
            match known {
                Some(known) => Ok(known),
                None => provider.provide_credentials().await,
            }
        }
    });
    let provider = SharedCredentialsProvider::new(later);
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// What the credentials themselves say of whose they are. AWS is not asked.
pub(crate) async fn describe_credentials(config: &SdkConfig) -> Option<String> {
    let provider = config.credentials_provider()?;
    let credentials = provider.provide_credentials().await.ok()?;
    let mut text = format!("access key {}", credentials.access_key_id());
    if let Some(account) = credentials.account_id() {
        text.extend([" of account ", account.as_str()]);
    }
    let until = credentials
        .expiry()
        .and_then(|at| Timestamp::try_from(at).ok());
    if let Some(until) = until {
        text.extend([
            ", until ",
            &until.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ]);
    }
    Some(one_line(&text))
}

pub(crate) fn no_credentials(reason: &str) -> CommandError {
    CommandError::NoCredentials {
        reason: one_line(reason),
    }
}

/// Why there are none, from what the SDK's error wraps: the outer ones say only that there are none.
fn describe(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    if texts.iter().any(|text| text.contains(NOT_ANY)) {
        return "there are none in the environment, in the profile or on this machine".to_owned();
    }
    if texts.iter().any(|text| text.contains(NOT_BUILT)) {
        return "cxr can't sign in the way that the profile says; run: eval \"$(aws configure export-credentials --format env)\""
            .to_owned();
    }
    if texts.len() > 1 {
        texts.remove(0);
    }
    texts.dedup();
    texts.join(": ")
}
