//! Carries out what [`token_state`](crate::token_state) asks for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cxone::{Client, SignIn, TokenGrant};
use definition::tenant::{Credentials, TenantSecret};
use secrecy::ExposeSecret as _;
use tokio::sync::MutexGuard;
use tracing::{info, warn};

use crate::credentials::{kind_of, remedy_for};
use crate::error::{AuthError, ConfigError, Error, Problem, UnavailableError, retry_after};
use crate::expiry::{Life, Now};
use crate::secrets;
use crate::shared::{SharedTokens, State, Tenant};
use crate::stored;
use crate::token_state::{
    CachedRefreshToken, CachedToken, ClientIdentity, LookupState, NextStep, Reason, Snapshot,
    WriteBack, fingerprint,
};

/// A tenant's secret that was read longer ago is read again, so that a change shows where nothing fails.
const TENANT_FRESH: Duration = Duration::from_mins(15);

/// A token, how it came to the one who asked, and the client to use it with.
pub(crate) struct Found {
    pub(crate) client: Client,
    pub(crate) held: CachedToken,
    pub(crate) origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was there before.
    Kept,
    /// It was asked for with a refresh token.
    Refreshed,
    /// It was asked for with all that the tenant's secret holds.
    Granted,
}

/// One request for a token that is being served.
pub(crate) struct TokenLookup<'a> {
    inner: &'a SharedTokens,
    state: MutexGuard<'a, State>,
    search: LookupState,
    /// Why the last grant came to nothing.
    failed: Option<cxone::Error>,
    origin: Origin,
}

impl<'a> TokenLookup<'a> {
    pub(crate) fn new(
        inner: &'a SharedTokens,
        state: MutexGuard<'a, State>,
        search: LookupState,
    ) -> Self {
        Self {
            inner,
            state,
            search,
            failed: None,
            origin: Origin::Kept,
        }
    }

    pub(crate) async fn run(mut self) -> Result<Found, Error> {
        self.read_tenant_if_due().await?;
        // Without an API there is nothing to do with a token.
        self.connect().await?;
        let held = self.search().await?;
        Ok(Found {
            client: self.connect().await?,
            held,
            origin: self.origin,
        })
    }

    async fn search(&mut self) -> Result<CachedToken, Error> {
        loop {
            match self.search.next_step(&self.state.memory, self.inner.now()) {
                NextStep::Use(held) => return Ok(self.use_token(held)),
                NextStep::ReadClient => self.read_tenant().await?,
                NextStep::ReadStore => self.read_store().await,
                NextStep::Refresh(refresh) => self.request_refresh(refresh).await,
                NextStep::Grant => self.request_grant().await?,
                NextStep::Fail(reason) => return Err(self.explain_failure(reason)),
            }
        }
    }

    fn use_token(&mut self, held: CachedToken) -> CachedToken {
        if let Some(error) = self.failed.take() {
            warn!(error = %error, "no new token was granted; the old one is still valid");
        }
        self.state.memory.token = Some(held.clone());
        held
    }

    /// Reads the tenant's secret for the first time, after a failure, and now and then.
    async fn read_tenant_if_due(&mut self) -> Result<(), Error> {
        let is_suspect = self.inner.is_suspect.swap(false, Ordering::Relaxed);
        let Some(tenant) = &self.state.tenant else {
            return self.read_tenant().await;
        };
        if !is_suspect && self.inner.now().since(tenant.read_at) < TENANT_FRESH {
            return Ok(());
        }
        match self.read_tenant().await {
            Err(Error::Unavailable(error)) => {
                warn!(error = %error, "the tenant's secret can't be read again; what it said before is used");
                Ok(())
            }
            answer => answer,
        }
    }

    async fn read_tenant(&mut self) -> Result<(), Error> {
        let secret = &self.inner.names.tenant;
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
            Err(error) => return Err(config(Problem::Refused(error)).into()),
        };
        let text = value.text.expose_secret();
        let value = fingerprint(text);
        let read_at = self.inner.now();
        if let Some(tenant) = &mut self.state.tenant
            && tenant.value == value
        {
            tenant.read_at = read_at;
            self.note_client(true);
            return Ok(());
        }
        let read = TenantSecret::parse(text).map_err(|problem| config(Problem::Value(problem)))?;
        let tenant = Tenant::open(read, secret, value, read_at).map_err(Error::Call)?;
        let before = self.state.tenant.replace(tenant);
        self.forget_token_of(before);
        self.failed = None;
        self.note_client(false);
        Ok(())
    }

    /// A token that was granted at another address is another tenant's, even if the client is called the same.
    fn forget_token_of(&mut self, before: Option<Tenant>) {
        let State { memory, tenant } = &mut *self.state;
        let moved = before
            .zip(tenant.as_ref())
            .is_some_and(|(before, now)| before.address != now.address);
        if moved {
            memory.token = None;
        }
    }

    /// Tells the search whose tokens are wanted, and whether the secret says the same as before.
    fn note_client(&mut self, same: bool) {
        let State { memory, tenant } = &mut *self.state;
        if let Some(tenant) = tenant {
            let id = tenant.credentials.fingerprint();
            self.search.client_read(memory, ClientIdentity { id, same });
        }
    }

    fn tenant(&self) -> Result<&Tenant, Error> {
        let absent = || ConfigError {
            secret: self.inner.names.tenant.clone(),
            problem: Problem::Absent,
        };
        self.state.tenant.as_ref().ok_or_else(|| absent().into())
    }

    /// The tenant's client; its issuer is asked where the API is, if nobody did so yet.
    async fn connect(&self) -> Result<Client, Error> {
        self.tenant()?.api.connect().await.map_err(Error::Call)
    }

    /// A token secret that can't be read is a miss: it only saves a grant.
    async fn read_store(&mut self) {
        let secret = &self.inner.names.token;
        let snapshot = match secrets::read_secret(&self.inner.secrets, secret).await {
            Ok(value) => Some(stored::parse_token(
                value.version,
                value.created,
                &value.text,
                self.inner.now(),
            )),
            Err(error) if error.is_absent() => Some(Snapshot::default()),
            Err(error) => {
                warn!(secret.id = secret, error = %error, "the stored token can't be read");
                None
            }
        };
        self.search.store_read(snapshot);
    }

    /// A refused refresh token is no failure: a full grant follows.
    async fn request_refresh(&mut self, refresh: CachedRefreshToken) {
        let client = self.state.tenant.as_ref().map(|tenant| &tenant.credentials);
        let Some(client) = client.and_then(Credentials::client) else {
            return self.search.refresh_refused(&mut self.state.memory, refresh);
        };
        let asked = self.inner.now();
        let answer = self
            .request_token(SignIn::Refresh(client, refresh.token()))
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
        // The token's clock starts before the request for it.
        let asked = self.inner.now();
        let credentials = &self.tenant()?.credentials;
        match self.request_token(SignIn::from(credentials)).await {
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

    /// Asks the token endpoint, wherever that is.
    async fn request_token(&self, with: SignIn<'_>) -> Result<TokenGrant, cxone::Error> {
        match &self.state.tenant {
            Some(tenant) => tenant.api.connect().await?.sign_in(with).await,
            None => Err(cxone::Error::unavailable("sign in", "no tenant is known")),
        }
    }

    /// An answer without a refresh token leaves the one that was `used` as it is.
    async fn accept_grant(
        &mut self,
        grant: TokenGrant,
        asked: Now,
        used: Option<CachedRefreshToken>,
    ) {
        let Some(Tenant { credentials, .. }) = &self.state.tenant else {
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
        let refresh = fresh.or(used).filter(|_| credentials.client().is_some());
        let life = Life::granted(asked, grant.lifetime);
        let held =
            CachedToken::new(grant.token, credentials.fingerprint(), life).renewed_by(refresh);
        let took = now.monotonic.saturating_sub(asked.monotonic);
        info!(
            token.origin = ?self.origin,
            token.granted_to = kind_of(credentials),
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
        let secret = &self.inner.names.token;
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
                self.inner.unstored.fetch_add(1, Ordering::Relaxed);
                warn!(
                    secret.id = secret,
                    error = %error,
                    "the token could not be stored, so that each process signs in for itself; \
                     if there is no such secret, create it without a value"
                );
            }
        }
    }

    fn explain_failure(&mut self, reason: Reason) -> Error {
        let secret = self.inner.names.tenant.clone();
        match (self.failed.take(), reason) {
            (Some(source), Reason::Refused) => AuthError::Client {
                secret,
                remedy: self
                    .tenant()
                    .map_or("", |tenant| remedy_for(&tenant.credentials)),
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
