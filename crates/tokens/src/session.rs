//! A tenant that is ready to be called: the client, its token, and the policy for retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cxone::{AccessToken, Issuer, TenantApi};
use delivery::{Environment, Failure, FailureName};
use tracing::info;
use url::Url;
use uuid::Uuid;

use crate::error::failure_of_call;
use crate::retry_policy::RetryPolicy;
use crate::{Config, Error, Tokens, UnavailableError};

/// A tenant's API with its token. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    site: TenantApi,
    tokens: Tokens,
    throttles: Arc<AtomicU64>,
}

impl Session {
    /// Reads the tenant's part of a handler's environment. Nothing is called yet; where the API is not
    /// configured, the tenant's issuer is asked at the first call.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(
        env: &Environment,
        secrets: aws_sdk_secretsmanager::Client,
    ) -> Result<Self, Failure> {
        let site = read_site(*env)?;
        let ids = Config {
            client_secret_id: env.require("CXONE_CLIENT_SECRET_ID")?,
            token_secret_id: env.require("CXONE_TOKEN_SECRET_ID")?,
        };
        let tokens = Tokens::new(ids, secrets, site.clone());
        Ok(Self {
            site,
            tokens,
            throttles: Arc::default(),
        })
    }

    /// Makes a call once, or again only because the token was refused. For callers that wait and repeat
    /// in a way of their own.
    ///
    /// # Errors
    /// The call's own, and whatever keeps a token from being had.
    pub async fn call_once<T>(
        &self,
        call: &impl AsyncFn(&cxone::Client, &AccessToken) -> Result<T, cxone::Error>,
    ) -> Result<T, Error> {
        let answer = async {
            let client = self.site.connect().await.map_err(Error::Call)?;
            let client = &client;
            self.tokens
                .call(|token| async move { call(client, &token).await })
                .await
        };
        answer.await.inspect_err(|error| {
            if error.is_throttling() {
                self.throttles.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// How often CXone asked for a pause since this function was called last.
    #[must_use]
    pub fn take_throttles(&self) -> u64 {
        self.throttles.swap(0, Ordering::Relaxed)
    }

    /// Makes a call. A refused token is replaced, a short `Retry-After` is waited for, an unanswered
    /// request is repeated a few times; everything else is the caller's to decide.
    pub async fn call<T>(
        &self,
        call: impl AsyncFn(&cxone::Client, &AccessToken) -> Result<T, cxone::Error>,
    ) -> Result<T, Error> {
        let mut policy = RetryPolicy::default();
        loop {
            let error = match self.call_once(&call).await {
                // A pause that the token endpoint asks for is kept as well.
                Err(
                    Error::Call(error)
                    | Error::Unavailable(UnavailableError::Grant(
                        error @ cxone::Error::Throttled { .. },
                    )),
                ) => error,
                answer => return answer,
            };
            let Some(pause) = policy.next_pause(&error, random_fraction()) else {
                return Err(Error::Call(error));
            };
            info!(
                call.step = error.step(),
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                error = %error,
                "the call is made again"
            );
            #[expect(
                clippy::disallowed_methods,
                reason = "a short pause is cheaper here than a turn of the state machine"
            )]
            tokio::time::sleep(pause).await;
        }
    }
}

/// Where the environment says that the tenant is. A URL that is given counts; the issuer says the rest.
fn read_site(env: Environment) -> Result<TenantApi, Failure> {
    let allowed_hosts = env
        .optional("CXONE_ALLOWED_HOSTS")
        .split(',')
        .map(|host| host.trim().to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    let issuer: Option<Url> = read_optional_url(env, "CXONE_ISSUER_URL")?;
    let issuer = issuer.as_ref();
    let base_url = read_optional_url(env, "CXONE_BASE_URL")?;
    let token_url = read_optional_url(env, "CXONE_TOKEN_URL")?
        .or_else(|| issuer.map(Issuer::token_url))
        .ok_or_else(|| missing_variable("CXONE_TOKEN_URL", "CXONE_ISSUER_URL is not"))?;
    if let Some(base_url) = base_url {
        let client = cxone::Client::new(cxone::ClientConfig {
            base_url,
            token_url,
            api_hosts: Vec::new(),
            allowed_hosts,
            source: "CXONE_ALLOWED_HOSTS".to_owned(),
        })
        .map_err(|error| failure_of_call(&error))?;
        return Ok(client.into());
    }
    let tenant = env.optional("CXONE_TENANT_ID");
    let (Some(issuer), false) = (issuer, tenant.is_empty()) else {
        return Err(missing_variable(
            "CXONE_BASE_URL",
            "CXONE_ISSUER_URL and CXONE_TENANT_ID are not both",
        ));
    };
    TenantApi::find_by(Issuer {
        url: issuer.clone(),
        tenant,
        token_url,
        allowed_hosts,
    })
    .map_err(|error| failure_of_call(&error))
}

fn read_optional_url(env: Environment, name: &str) -> Result<Option<Url>, Failure> {
    if env.optional(name).is_empty() {
        return Ok(None);
    }
    env.url(name).map(Some)
}

fn missing_variable(name: &str, instead: &str) -> Failure {
    Failure::new(
        FailureName::Config,
        format!(
            "the environment variable {name} is not set, and {instead}; set the one or the other on the function"
        ),
    )
}

/// A random number from 0 to 1.
fn random_fraction() -> f64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(lookup: fn(&str) -> Option<String>) -> Result<(), Failure> {
        let aws = aws_sdk_secretsmanager::Config::builder()
            .behavior_version_latest()
            .build();
        let secrets = aws_sdk_secretsmanager::Client::from_conf(aws);
        Session::new(&Environment::looked_up_by(lookup), secrets).map(drop)
    }

    fn of(variables: &[(&str, &str)], name: &str) -> Option<String> {
        if name.ends_with("_SECRET_ID") {
            return Some("cxone/secret".to_owned());
        }
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    }

    const ISSUER: (&str, &str) = ("CXONE_ISSUER_URL", "https://cxone-gov.example");
    const TENANT: (&str, &str) = ("CXONE_TENANT_ID", "11eb-t1");
    const BASE: (&str, &str) = ("CXONE_BASE_URL", "https://api.example");
    const TOKEN: (&str, &str) = ("CXONE_TOKEN_URL", "https://token.example/t");

    #[test]
    fn the_api_is_configured_or_discovered() {
        for good in [
            (|name| of(&[BASE, TOKEN], name)) as fn(&str) -> Option<String>,
            |name| of(&[ISSUER, TENANT], name),
            |name| of(&[ISSUER, TENANT, TOKEN], name),
            |name| of(&[ISSUER, BASE], name),
            |name| of(&[ISSUER, TENANT, ("CXONE_BASE_URL", "")], name),
        ] {
            assert_eq!(session(good), Ok(()));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (bad, named) in [
            (
                (|name| of(&[], name)) as fn(&str) -> Option<String>,
                "CXONE_TOKEN_URL is not set, and CXONE_ISSUER_URL is not",
            ),
            (|name| of(&[TOKEN], name), "CXONE_BASE_URL is not set"),
            (
                |name| of(&[TOKEN, TENANT], name),
                "CXONE_ISSUER_URL and CXONE_TENANT_ID",
            ),
            (
                |name| of(&[ISSUER], name),
                "CXONE_ISSUER_URL and CXONE_TENANT_ID",
            ),
            (
                |name| of(&[("CXONE_ISSUER_URL", "nowhere"), TENANT], name),
                "CXONE_ISSUER_URL is not a URL",
            ),
            (
                |name| of(&[("CXONE_ISSUER_URL", "http://gov.example"), TENANT], name),
                "not https",
            ),
        ] {
            let failure = session(bad).unwrap_err();
            assert_eq!(failure.name, FailureName::Config);
            assert!(failure.message.contains(named), "{failure}");
        }
    }
}
