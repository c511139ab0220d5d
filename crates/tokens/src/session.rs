//! A tenant, ready to be called: the client, a token for it, and the patience to try again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use cxone::AccessToken;
use tracing::info;
use workflow::{Environment, Failure};

use crate::patience::Patience;
use crate::{Config, Error, Tokens, UnavailableError};

/// A tenant's API with its token. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    client: cxone::Client,
    tokens: Tokens,
}

impl Session {
    /// Reads the tenant's part of a handler's environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(
        env: &Environment,
        secrets: aws_sdk_secretsmanager::Client,
    ) -> Result<Self, Failure> {
        let config = cxone::Config {
            base_url: env.url("CXONE_BASE_URL")?,
            token_url: env.url("CXONE_TOKEN_URL")?,
            allowed_hosts: env
                .optional("CXONE_ALLOWED_HOSTS")
                .split(',')
                .map(|host| host.trim().to_owned())
                .filter(|host| !host.is_empty())
                .collect(),
        };
        let client = cxone::Client::new(config)?;
        let ids = Config {
            client_secret_id: env.require("CXONE_CLIENT_SECRET_ID")?,
            token_secret_id: env.require("CXONE_TOKEN_SECRET_ID")?,
        };
        let tokens = Tokens::new(ids, secrets, client.clone());
        Ok(Self { client, tokens })
    }

    /// Makes a call. A refused token is replaced once, a short pause is kept, an unanswered
    /// request is repeated a few times; everything else is the caller's to decide.
    pub async fn call<T>(
        &self,
        call: impl AsyncFn(&cxone::Client, &AccessToken) -> Result<T, cxone::Error>,
    ) -> Result<T, Error> {
        let mut patience = Patience::default();
        loop {
            let call = &call;
            let answer = self
                .tokens
                .call(|token| async move { call(&self.client, &token).await })
                .await;
            let error = match answer {
                // A pause is kept as long as it was asked for, whoever asked for it.
                Err(
                    Error::Call(error)
                    | Error::Unavailable(UnavailableError::Grant(
                        error @ cxone::Error::Throttled { .. },
                    )),
                ) => error,
                answer => return answer,
            };
            let Some(pause) = patience.pause(&error, random()) else {
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

/// From 0 to 1. The standard library's hash keys are random, and good enough to spread retries.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}
