//! The calls of the guide's API, one method each.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::definition::Definition;
use crate::error::Error;
use crate::ids::{PageToken, RunId, ScheduleId};
use crate::page::Page;
use crate::window::Window;

/// Where CXone is.
#[derive(Debug, Clone)]
pub struct Config {
    /// The API's base, to which `/api/v2/…` is appended; https unless the host is loopback.
    pub base_url: Url,
    /// The token endpoint; https unless the host is loopback.
    pub token_url: Url,
    /// Domains (and their subdomains) from which results may be downloaded, beside the base URL's own host.
    pub allowed_hosts: Vec<String>,
}

/// How long and how much a client takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {}
impl Default for Limits {
    fn default() -> Self {
        Self {}
    }
}

/// What the client signs in with.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
}

/// An OAuth access token that fits into a header. Never shown.
#[derive(Clone)]
pub struct AccessToken(SecretString);
impl AccessToken {
    /// Takes a token if it fits into a header and is at most 8 KiB.
    pub fn new(token: impl Into<String>) -> Result<Self, Error> {
        Ok(Self(SecretString::from(token.into())))
    }
    /// The token, to be stored where secrets are kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        use secrecy::ExposeSecret as _;
        self.0.expose_secret()
    }
}
impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken([REDACTED])")
    }
}

/// A token and how long it lives, counted from before the request for it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub token: AccessToken,
    /// How long it lives, 0 s to 86,400 s; 300 s if the answer did not say.
    pub lifetime: Duration,
    /// Whether it lives long enough (120 s) to be kept for another request.
    pub cacheable: bool,
}

/// What a run looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Not done yet.
    Pending {
        /// The state's word, sanitised; empty if there was none.
        state: String,
        /// Whether it is a word of the guide. An unknown word is waited on like `processing`.
        known: bool,
    },
    /// Its pages may be fetched.
    Completed,
    /// It failed.
    Failed {
        /// The API's explanation, at most 1 KiB, possibly empty.
        message: String,
    },
}

/// What came of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It will end.
    Accepted,
    /// It had ended already (409).
    AlreadyEnded,
    /// It is not known (404, 410).
    Unknown,
    /// This tenant can't cancel runs (405, 501).
    NotSupported,
}

/// A client of the guide's API. Cheap to clone; keeps its connections.
#[derive(Debug, Clone)]
pub struct Client {}

impl Client {
    /// A client with the default limits.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::with_limits(config, Limits::default())
    }
    /// A client with limits of one's own.
    pub fn with_limits(_config: Config, _limits: Limits) -> Result<Self, Error> {
        Ok(Self {})
    }
    /// Signs in.
    pub async fn grant(&self, _credentials: &ClientCredentials) -> Result<Grant, Error> {
        unimplemented!()
    }
    /// Registers the schedule: creates it, or updates it only if it differs.
    pub async fn register(
        &self,
        _token: &AccessToken,
        _definition: &Definition,
    ) -> Result<ScheduleId, Error> {
        unimplemented!()
    }
    /// Starts a run over a window.
    pub async fn start_run(
        &self,
        _token: &AccessToken,
        _schedule: &ScheduleId,
        _window: &Window,
    ) -> Result<RunId, Error> {
        unimplemented!()
    }
    /// Looks at a run once.
    pub async fn look(&self, _token: &AccessToken, _run: &RunId) -> Result<Look, Error> {
        unimplemented!()
    }
    /// Opens a page of a run's rows; the first one without a page token.
    pub async fn page(
        &self,
        _token: &AccessToken,
        _run: &RunId,
        _at: Option<&PageToken>,
        _definition: &Definition,
    ) -> Result<Page, Error> {
        unimplemented!()
    }
    /// Cancels a run.
    pub async fn cancel(&self, _token: &AccessToken, _run: &RunId) -> Result<Cancelled, Error> {
        unimplemented!()
    }
}
