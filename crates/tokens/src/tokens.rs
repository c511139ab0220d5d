//! Carries out what [`token_state`](crate::token_state) asks for.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_secretsmanager::Client as SecretsManager;
use cxone::{AccessToken, SignIn, TenantApi, TokenGrant};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex, MutexGuard};
use tracing::{info, warn};

use crate::credentials::Credentials;
use crate::error::{AuthError, ConfigError, Error, Problem, UnavailableError, retry_after};
use crate::expiry::{Life, Now};
use crate::secrets;
use crate::stored;
use crate::token_state::{
    CachedRefreshToken, CachedToken, ClientIdentity, LookupState, Memory, NextStep, Reason,
    WriteBack,
};

/// How often a call is made at most: with the token at hand, with one that another process
/// had stored meanwhile, and with one granted for it.
const MAX_CALLS: usize = 3;

/// Which secrets there are.
#[derive(Clone, Debug)]
pub struct Config {
    /// The secret with the OAuth client, `{"client_id", "client_secret"}`, an access key,
    /// `{"access_key_id", "access_key_secret"}`, or both. Only read.
    pub client_secret_id: String,
    /// The secret that keeps the access token for the next process. Read and written.
    pub token_secret_id: String,
}

/// The access token: in memory first, then in Secrets Manager, then granted. Cheap to clone;
/// all clones share one token, and one of them at a time looks for another.
#[derive(Clone, Debug)]
pub struct Tokens {
    inner: Arc<SharedTokens>,
}

#[derive(Debug)]
struct SharedTokens {
    config: Config,
    secrets: SecretsManager,
    site: TenantApi,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    memory: Memory,
    client: Option<Credentials>,
}

/// A token, and how it came to the one who asked.
struct Found {
    held: CachedToken,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was there before.
    Kept,
    /// It was asked for with a refresh token.
    Refreshed,
    /// It was asked for with all that the client secret holds.
    Granted,
}

impl Tokens {
    /// Nothing is read before the first token is wanted.
    #[must_use]
    pub fn new(config: Config, secrets: SecretsManager, site: impl Into<TenantApi>) -> Self {
        let inner = SharedTokens {
            config,
            secrets,
            site: site.into(),
            started: Instant::now(),
            state: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A token that is valid for some time: by the clocks for the last tenth of its life or a
    /// minute, whichever is longer, unless no new one is to be had.
    pub async fn bearer(&self) -> Result<AccessToken, Error> {
        let found = self.inner.find_token(LookupState::any_token()).await?;
        Ok(found.held.token().clone())
    }

    /// Makes a call with a token; on a 401 the same call again with another token.
    ///
    /// A token that another process stored meanwhile is tried, or one that comes for a refresh token, and if that one is
    /// refused too, one from a full grant. A 401 to a token granted for this call is [`Error::Auth`]. So a call
    /// is made at most three times.
    pub async fn call<T, F, Fut>(&self, mut call: F) -> Result<T, Error>
    where
        F: FnMut(AccessToken) -> Fut,
        Fut: Future<Output = Result<T, cxone::Error>>,
    {
        let mut found = self.inner.find_token(LookupState::any_token()).await?;
        let mut calls = 1;
        loop {
            let source = match call(found.held.token().clone()).await {
                Err(error @ cxone::Error::Unauthorized { .. }) => error,
                answer => return answer.map_err(Error::Call),
            };
            let is_last = calls > 1 && found.origin == Origin::Granted;
            if calls == MAX_CALLS || is_last {
                return Err(AuthError::Token { source }.into());
            }
            let from_scratch = calls > 1 || found.origin == Origin::Refreshed;
            calls += 1;
            info!(
                call.step = source.step(),
                call.count = calls,
                "the API refused the token"
            );
            let mut search = LookupState::other_than(found.held);
            if from_scratch {
                search = search.from_scratch();
            }
            found = self.inner.find_token(search).await?;
        }
    }
}

impl SharedTokens {
    fn now(&self) -> Now {
        Now {
            wall: Timestamp::now(),
            monotonic: self.started.elapsed(),
        }
    }

    /// Asks the token endpoint, wherever that is.
    async fn request_grant(&self, with: SignIn<'_>) -> Result<TokenGrant, cxone::Error> {
        self.site.connect().await?.sign_in(with).await
    }

    /// The lock is held throughout: whoever comes meanwhile wants the same token.
    async fn find_token(&self, search: LookupState) -> Result<Found, Error> {
        let state = self.state.lock().await;
        let mut lookup = TokenLookup {
            inner: self,
            state,
            search,
            failed: None,
            origin: Origin::Kept,
        };
        lookup.run().await
    }
}

/// One request for a token that is being served.
struct TokenLookup<'a> {
    inner: &'a SharedTokens,
    state: MutexGuard<'a, State>,
    search: LookupState,
    /// Why the last grant came to nothing.
    failed: Option<cxone::Error>,
    origin: Origin,
}

impl TokenLookup<'_> {
    async fn run(&mut self) -> Result<Found, Error> {
        loop {
            match self.search.next_step(&self.state.memory, self.inner.now()) {
                NextStep::Use(held) => return Ok(self.use_token(held)),
                NextStep::ReadClient => self.read_client().await?,
                NextStep::ReadStore => self.read_store().await,
                NextStep::Refresh(refresh) => self.request_refresh(refresh).await,
                NextStep::Grant => self.request_grant().await?,
                NextStep::Fail(reason) => return Err(self.explain_failure(reason)),
            }
        }
    }

    fn use_token(&mut self, held: CachedToken) -> Found {
        if let Some(error) = self.failed.take() {
            warn!(error = %error, "no new token was granted; the old one is still valid");
        }
        self.state.memory.token = Some(held.clone());
        Found {
            held,
            origin: self.origin,
        }
    }

    async fn read_client(&mut self) -> Result<(), Error> {
        let secret = &self.inner.config.client_secret_id;
        let config = |problem| ConfigError {
            secret: secret.clone(),
            problem,
        };
        let value = match secrets::read_secret(&self.inner.secrets, secret).await {
            Ok(value) => value,
            Err(error) if error.is_absent() => return Err(config(Problem::Absent).into()),
            Err(error) if error.is_transient => {
                return Err(UnavailableError::Secrets(error).into());
            }
            Err(error) => return Err(config(Problem::Refused(error.code)).into()),
        };
        let client = Credentials::parse(value.text.expose_secret()).map_err(config)?;
        let same = self
            .state
            .client
            .as_ref()
            .is_some_and(|known| known.is_same_as(&client));
        let read = ClientIdentity {
            id: client.fingerprint(),
            same,
        };
        if !same {
            self.failed = None;
        }
        let State {
            memory,
            client: known,
        } = &mut *self.state;
        self.search.client_read(memory, read);
        *known = Some(client);
        Ok(())
    }

    /// A token secret that can't be read is a miss: it only saves a grant.
    async fn read_store(&mut self) {
        let secret = &self.inner.config.token_secret_id;
        let snapshot = match secrets::read_secret(&self.inner.secrets, secret).await {
            Ok(value) => Some(stored::parse_token(
                value.version,
                value.created,
                &value.text,
                self.inner.now(),
            )),
            Err(error) if error.is_absent() => Some(crate::token_state::Snapshot::default()),
            Err(error) => {
                warn!(secret.id = secret, error = %error, "the stored token can't be read");
                None
            }
        };
        self.search.store_read(snapshot);
    }

    /// A refused refresh token is no failure: a full grant follows.
    async fn request_refresh(&mut self, refresh: CachedRefreshToken) {
        let Some(client) = self.state.client.as_ref().and_then(Credentials::client) else {
            return self.search.refresh_refused(&mut self.state.memory, refresh);
        };
        let asked = self.inner.now();
        let answer = self
            .inner
            .request_grant(SignIn::Refresh(client, refresh.token()))
            .await;
        match answer {
            Ok(grant) => self.accept_grant(grant, asked, Some(refresh)).await,
            Err(error) if is_transient(&error) => self.note_unavailable(error),
            Err(error) => {
                info!(error = %error, "the refresh token is refused");
                self.search.refresh_refused(&mut self.state.memory, refresh);
            }
        }
    }

    async fn request_grant(&mut self) -> Result<(), Error> {
        let Some(client) = &self.state.client else {
            return self.read_client().await;
        };
        // The token's clock starts before the request for it.
        let asked = self.inner.now();
        match self.inner.request_grant(client.sign_in()).await {
            Ok(grant) => self.accept_grant(grant, asked, None).await,
            Err(error) if is_refusal(&error) => {
                let now = self.inner.now();
                self.search.refused(&mut self.state.memory, now);
                self.failed = Some(error);
            }
            Err(error) => self.note_unavailable(error),
        }
        Ok(())
    }

    /// An answer without a refresh token leaves the one that was `used` as it is.
    async fn accept_grant(
        &mut self,
        grant: TokenGrant,
        asked: Now,
        used: Option<CachedRefreshToken>,
    ) {
        let Some(client) = &self.state.client else {
            return;
        };
        let now = self.inner.now();
        self.origin = match used {
            Some(_) => Origin::Refreshed,
            None => Origin::Granted,
        };
        let fresh = grant.refresh.map(|refresh| {
            let ends = refresh
                .lifetime
                .and_then(|life| asked.wall.checked_add(life).ok());
            CachedRefreshToken::new(refresh.token, ends)
        });
        // Where nobody knows how to use it, it is not kept either.
        let refresh = fresh.or(used).filter(|_| client.client().is_some());
        let life = Life::granted(asked, grant.lifetime);
        let held = CachedToken::new(grant.token, client.fingerprint(), life).renewed_by(refresh);
        let took = now.monotonic.saturating_sub(asked.monotonic);
        info!(
            token.origin = ?self.origin,
            token.granted_to = client.kind(),
            token.life_s = life.total().as_secs(),
            // JSON logs write a 128-bit number as a text.
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "a token was granted"
        );
        self.search.granted(&mut self.state.memory, held.clone());
        self.write_back(&held, now).await;
    }

    fn note_unavailable(&mut self, error: cxone::Error) {
        let now = self.inner.now();
        let wait = retry_after(&error);
        self.search.unavailable(&mut self.state.memory, wait, now);
        self.failed = Some(error);
    }

    /// Stores the token for other processes. Failing to do so costs them a grant and nobody anything else.
    async fn write_back(&self, held: &CachedToken, now: Now) {
        let version = match self.search.write_back(now) {
            WriteBack::Store(version) => version,
            WriteBack::InMemory(reason) => {
                return info!(reason, "the token is kept in memory alone");
            }
        };
        let secret = &self.inner.config.token_secret_id;
        let request_token = stored::request_token(version);
        let Ok(text) = stored::render_token(held) else {
            return;
        };
        match secrets::write_secret(&self.inner.secrets, secret, request_token, &text).await {
            Ok(()) => info!(secret.id = secret, "the token was stored"),
            Err(error) if error.is_conflict() => {
                info!(secret.id = secret, "another process stored its token first");
            }
            Err(error) => {
                warn!(secret.id = secret, error = %error, "the token could not be stored");
            }
        }
    }

    fn explain_failure(&mut self, reason: Reason) -> Error {
        let secret = self.inner.config.client_secret_id.clone();
        match (self.failed.take(), reason) {
            (Some(source), Reason::Refused) => AuthError::Client {
                secret,
                remedy: self.state.client.as_ref().map_or("", Credentials::remedy),
                source,
            }
            .into(),
            (Some(source), Reason::Unavailable) if is_transient(&source) => {
                UnavailableError::Grant(source).into()
            }
            (Some(source), Reason::Unavailable) => Error::Call(source),
            // A search fails after a failed grant only.
            (None, _) => UnavailableError::Grant(cxone::Error::unavailable(
                "grant",
                "no token was asked for",
            ))
            .into(),
        }
    }
}

/// The token endpoint's answer was no, whatever status it chose.
fn is_refusal(error: &cxone::Error) -> bool {
    matches!(
        error,
        cxone::Error::Unauthorized { .. }
            | cxone::Error::Forbidden { .. }
            | cxone::Error::Rejected { .. }
    )
}

/// A grant changes nothing, so that one whose answer was lost is simply asked for again.
fn is_transient(error: &cxone::Error) -> bool {
    error.is_transient() || matches!(error, cxone::Error::Ambiguous { .. })
}
