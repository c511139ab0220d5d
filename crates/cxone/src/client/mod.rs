//! What a report is asked for over the wire, whichever API it is for.

mod acd;
mod analytics;
mod body;
mod calls;
mod config;
mod contacts;
mod data_download;
mod data_extraction;
mod discovery;
mod download;
mod explanation;
mod guard;
mod report_jobs;
mod retry_after;
mod token;
mod transport;

use std::sync::Arc;

use url::Url;

use crate::error::Error;
use guard::Guard;

pub(crate) use body::Body;
pub use calls::{Cancelled, PageOf};
pub use config::{Config, Limits};
pub use discovery::{Issuer, Site};
pub use token::{
    AccessKey, AccessToken, ClientCredentials, Grant, RefreshGrant, RefreshToken, SignIn,
};

/// A client of CXone's report APIs. Cheap to clone; keeps its connections.
///
/// Each method makes the requests that it names, once: no waiting, no second try, no refreshed token.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    config: Config,
    limits: Limits,
    guard: Guard,
}

impl Client {
    /// A client with the default limits.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::with_limits(config, Limits::default())
    }

    /// A client with limits of one's own.
    pub fn with_limits(config: Config, limits: Limits) -> Result<Self, Error> {
        config.check()?;
        let http = config.http(&limits)?;
        let guard = Guard::new(&config.base_url, &config.allowed_hosts);
        Ok(Self(Arc::new(Inner {
            http,
            config,
            limits,
            guard,
        })))
    }

    fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn limits(&self) -> &Limits {
        &self.0.limits
    }

    fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// The URL of something below the base. The parts are ids and fixed words, so that none of them can climb out.
    fn url(&self, root: &[&str], parts: &[&str]) -> Url {
        let mut url = self.0.config.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(root).extend(parts);
        }
        url
    }
}
