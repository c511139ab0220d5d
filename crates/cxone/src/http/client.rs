//! The client that every call is a method of.

use std::sync::Arc;

use url::Url;

use super::config::{ClientConfig, Limits};
use super::host_guard::{CheckedUrl, HostGuard, UrlRefusal};
use crate::error::Error;

/// A client of CXone's report APIs. Cheap to clone; keeps its connections.
///
/// Each method makes the requests that it names, once: it does not wait, retry or refresh a token.
#[derive(Debug, Clone)]
pub struct Client(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    http: reqwest::Client,
    config: ClientConfig,
    limits: Limits,
    host_guard: HostGuard,
}

impl Client {
    /// A client with the default limits.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        Self::with_limits(config, Limits::default())
    }

    /// A client with other limits than the default ones.
    pub fn with_limits(config: ClientConfig, limits: Limits) -> Result<Self, Error> {
        config.check_urls()?;
        let http = config.build_http(&limits)?;
        let host_guard = HostGuard::new(&config.base_url, &config.api_hosts, &config.allowed_hosts);
        Ok(Self(Arc::new(Connection {
            http,
            config,
            limits,
            host_guard,
        })))
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.0.config
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn host_guard(&self) -> &HostGuard {
        &self.0.host_guard
    }

    /// The URL at which an answer says that the API is, if calls with the access token may be made there: at the base URL's
    /// own host, or at one that is listed for the token.
    pub(crate) fn check_api_url(&self, text: &str) -> Result<Url, UrlRefusal> {
        let CheckedUrl { url, gets_token } = self.0.host_guard.check_url(text)?;
        let host = url.host_str().unwrap_or_default();
        if gets_token || self.0.config.base_url.host_str() == Some(host) {
            return Ok(url);
        }
        Err(UrlRefusal::NotListed(host.to_owned()))
    }

    /// The URL of a path below the base. The parts are ids and fixed words, so that none of them can climb out.
    pub(crate) fn build_url(&self, root: &[&str], parts: &[&str]) -> Url {
        let mut url = self.0.config.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(root).extend(parts);
        }
        url
    }
}
