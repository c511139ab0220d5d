//! Calls with a token: made again with another one where it is refused.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_secretsmanager::Client as SecretsManager;
use cxone::{AccessToken, Client};
use definition::tenant::SecretNames;
use tracing::info;

use crate::error::{AuthError, Error};
use crate::lookup::{Found, Origin, TokenLookup};
use crate::shared::SharedTokens;
use crate::token_state::LookupState;

/// How often a call is made at most with tokens that differ: with the one at hand, with one that another process
/// had stored meanwhile, and with one granted for it.
const MAX_CALLS: usize = 3;

/// A token that is younger than this may be refused because the API's clock is behind the issuer's.
const YOUNG: Duration = Duration::from_secs(30);

/// How long such a token is left to ripen before the last call.
const RIPENING: Duration = Duration::from_secs(5);

/// A tenant's access token: in memory first, then in Secrets Manager, then granted. Cheap to clone;
/// all clones share one token, and one of them at a time looks for another.
#[derive(Clone, Debug)]
pub struct Tokens {
    inner: Arc<SharedTokens>,
}

impl Tokens {
    /// Nothing is read before the first token is wanted.
    #[must_use]
    pub fn new(names: SecretNames, secrets: SecretsManager) -> Self {
        Self {
            inner: Arc::new(SharedTokens::new(names, secrets)),
        }
    }

    /// A token that is valid for some time: by the clocks for the last tenth of its life or a
    /// minute, whichever is longer, unless no new one is to be had.
    pub async fn bearer(&self) -> Result<AccessToken, Error> {
        let found = self.find_token(LookupState::any_token()).await?;
        Ok(found.held.token().clone())
    }

    /// Makes a call with the tenant's client and a token; on a 401 the same call again with another token.
    ///
    /// A token that another process stored meanwhile is tried, or one that comes for a refresh token, and if that one is
    /// refused too, one from a full grant. If that is refused as well while it is young, the call is made once more after a
    /// pause. Then it is [`Error::Auth`]. So a call is made at most four times.
    ///
    /// After a failure that is no throttling the tenant's secret is read again before the next call.
    pub async fn call<T, F, Fut>(&self, call: F) -> Result<T, Error>
    where
        F: FnMut(Client, AccessToken) -> Fut,
        Fut: Future<Output = Result<T, cxone::Error>>,
    {
        let answer = self.call_with_tokens(call).await;
        if answer.as_ref().is_err_and(|error| !error.is_throttling()) {
            self.inner.is_suspect.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// How many tokens could not be stored since this function was called last.
    pub(crate) fn take_unstored(&self) -> u64 {
        self.inner.unstored.swap(0, Ordering::Relaxed)
    }

    async fn call_with_tokens<T, F, Fut>(&self, mut call: F) -> Result<T, Error>
    where
        F: FnMut(Client, AccessToken) -> Fut,
        Fut: Future<Output = Result<T, cxone::Error>>,
    {
        let mut found = self.find_token(LookupState::any_token()).await?;
        let mut calls = 1;
        let mut has_ripened = false;
        loop {
            let source = match call(found.client.clone(), found.held.token().clone()).await {
                Err(error @ cxone::Error::Unauthorized { .. }) => error,
                Err(source @ cxone::Error::Forbidden { .. }) => {
                    let secret = self.inner.names.tenant.clone();
                    return Err(AuthError::Permission { secret, source }.into());
                }
                answer => return answer.map_err(Error::Call),
            };
            calls += 1;
            info!(
                call.step = source.step(),
                call.count = calls,
                "the API refused the token"
            );
            let is_last = calls > MAX_CALLS || (calls > 2 && found.origin == Origin::Granted);
            if !is_last {
                found = self.find_another(found, calls > 2).await?;
            } else if has_ripened || found.held.life().age(self.inner.now()) >= YOUNG {
                let secret = self.inner.names.tenant.clone();
                return Err(AuthError::Token { secret, source }.into());
            } else {
                has_ripened = true;
                pause(RIPENING).await;
            }
        }
    }

    /// Another token than one that was refused.
    async fn find_another(&self, refused: Found, from_scratch: bool) -> Result<Found, Error> {
        let from_scratch = from_scratch || refused.origin == Origin::Refreshed;
        let mut search = LookupState::other_than(refused.held);
        if from_scratch {
            search = search.from_scratch();
        }
        self.find_token(search).await
    }

    /// The lock is held throughout: whoever comes meanwhile wants the same token.
    async fn find_token(&self, search: LookupState) -> Result<Found, Error> {
        let state = self.inner.state.lock().await;
        // The search is in a box, so that a call's own future stays small.
        Box::pin(TokenLookup::new(&self.inner, state, search).run()).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "some seconds, once, where the alternative is a person"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
