//! How AWS is reached: the profile, the region, the credentials and the connection.

mod connection;
mod credentials;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use clap::Args;

use crate::arn::MachineArn;
use crate::error::CommandError;

pub(crate) use connection::{ConnectionError, NOT_AWS};
pub(crate) use credentials::{describe_credentials, no_credentials};

/// No address of AWS takes longer to connect to than this, unless it can't be reached at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// What the command line says of how AWS is reached. The rest is in the SDK's own environment variables and profiles.
#[derive(Debug, Clone, Args)]
pub(crate) struct AwsArgs {
    /// The profile of the AWS configuration; without it, the one in `AWS_PROFILE`, or the default.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The region; without it, that of the state machine's ARN, or else of the environment or the profile.
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
}

impl AwsArgs {
    /// The SDK signs in with keys of the environment before any profile, also before one that is named here: that may be
    /// another account.
    pub(crate) fn check_profile(&self, has_keys: bool) -> Result<(), CommandError> {
        match &self.profile {
            Some(profile) if has_keys => Err(CommandError::AwsSetting {
                problem: format!(
                    "--profile {profile} would not count, because AWS_ACCESS_KEY_ID is set, perhaps for another account; unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN, or leave --profile out"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Loads the SDK's configuration. `is_quiet`: that AWS lets one wait is not told on the standard error.
    pub(crate) async fn load(&self, machine: Option<&str>, is_quiet: bool) -> SdkConfig {
        // ListExecutions allows five calls a second, so the SDK retries more often than by default.
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(8))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_LIMIT)
                    .build(),
            )
            .http_client(connection::watch_connections(is_quiet));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        // Where the region is known, nobody is asked for it.
        let machine = machine.and_then(|arn| arn.parse::<MachineArn>().ok());
        let of_machine = machine.as_ref().map(MachineArn::region);
        if let Some(region) = self.region.as_deref().or(of_machine) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        loader.load().await
    }

    /// The configuration for a state machine, or for none, once everything is there that each call needs.
    pub(crate) async fn prepare(
        &self,
        config: SdkConfig,
        machine: Option<&MachineArn>,
    ) -> Result<SdkConfig, CommandError> {
        let config = self.choose_region(config, machine)?;
        check_endpoint(config.endpoint_url())?;
        credentials::require_credentials(config).await
    }

    /// The region is that of the state machine, whatever the environment says.
    fn choose_region(
        &self,
        config: SdkConfig,
        machine: Option<&MachineArn>,
    ) -> Result<SdkConfig, CommandError> {
        let of_machine = machine.map(MachineArn::region).filter(|it| !it.is_empty());
        let wrong = |problem: String| Err(CommandError::AwsSetting { problem });
        match (of_machine, self.region.as_deref()) {
            (Some(region), Some(given)) if region != given => wrong(format!(
                "--region {given} is not that of the state machine, which is in {region}; leave it out"
            )),
            (Some(region), _) => {
                let region = Region::new(region.to_owned());
                Ok(config.into_builder().region(region).build())
            }
            _ if config.region().is_none() => wrong(
                "no AWS region is set; give --region, AWS_REGION or a profile that names one, or the ARN of the state machine"
                    .to_owned(),
            ),
            _ => Ok(config),
        }
    }
}

/// That an endpoint is none, which the SDK tells with a dump of the request.
pub(crate) fn wrong_endpoint(url: &str) -> CommandError {
    CommandError::AwsSetting {
        problem: format!(
            "AWS_ENDPOINT_URL (or endpoint_url of the profile) is {}, which is not a URL; write it as http://HOST:PORT, or unset it to reach AWS itself",
            definition::text::quote(url)
        ),
    }
}

fn check_endpoint(url: Option<&str>) -> Result<(), CommandError> {
    let Some(url) = url else {
        return Ok(());
    };
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = |host: &str| !host.is_empty() && !host.contains(char::is_whitespace);
    if host.is_some_and(is_host) {
        return Ok(());
    }
    Err(wrong_endpoint(url))
}
