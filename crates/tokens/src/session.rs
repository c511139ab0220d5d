//! A tenant that is ready to be called: the client, its token, and the policy for retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cxone::AccessToken;
use tracing::info;
use uuid::Uuid;

use crate::retry_policy::RetryPolicy;
use crate::{Error, Tokens, UnavailableError};

/// A tenant's API with its token. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    tokens: Tokens,
    throttles: Arc<AtomicU64>,
}

impl Session {
    /// Nothing is read before the first call.
    #[must_use]
    pub fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            throttles: Arc::default(),
        }
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
        let answer = self
            .tokens
            .call(|client, token| async move { call(&client, &token).await });
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

    /// How many tokens could not be stored since this function was called last.
    #[must_use]
    pub fn take_unstored_tokens(&self) -> u64 {
        self.tokens.take_unstored()
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

/// A random number from 0 to 1.
fn random_fraction() -> f64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
