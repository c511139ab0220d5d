//! Where CXone is, and the limits of a client.

use std::time::Duration;

use definition::tenant::{check_endpoint, is_loopback};
use reqwest::redirect::Policy;
use reqwest::tls::Version;
use url::Url;

use super::host_guard::PublicOnly;
use crate::error::Error;

const STEP: &str = "configure";

#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The API's base, to which `/api/v2/…` is appended; https unless the host is loopback.
    pub base_url: Url,
    /// The token endpoint; https unless the host is loopback.
    pub token_url: Url,
    /// Domains (and their subdomains) of CXone's that files may be at, beside the base URL's own host, and that get the
    /// access token.
    pub api_hosts: Vec<String>,
    /// Domains (and their subdomains) that files may be at, and that never get the access token: their links are keys by
    /// themselves. A host that both lists name belongs to the longer name, and of two equal ones to this.
    pub allowed_hosts: Vec<String>,
    /// Where a person corrects these settings, for errors: such as `secret cxone/acme`.
    pub source: String,
}

/// How long a client waits and how much it reads. Only tests need others than the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To connect: 5 s.
    pub connect: Duration,
    /// Between two pieces of an answer: 30 s.
    pub read: Duration,
    /// For a call that has no rows, from start to end: 60 s.
    pub call: Duration,
    /// For a page of rows, from start to end, the time that its rows are worked on included: 300 s.
    pub page: Duration,
    /// For a downloaded file, likewise: 600 s.
    pub download: Duration,
    /// The slowest answer, in bytes a second over half a minute of waiting: 1,024.
    pub min_rate: u64,
    /// The largest page, in bytes after decoding: 256 MiB.
    pub page_bytes: u64,
    /// The largest downloaded file, in bytes after decoding: 4 GiB.
    pub download_bytes: u64,
    /// How many times its size a compressed body may unpack to: 200.
    pub ratio: u64,
    /// From how many unpacked bytes on the ratio counts: 1 MiB.
    pub ratio_after: u64,
    /// The largest row, in bytes, and so the bound on memory: 16 MiB.
    pub row_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            call: Duration::from_mins(1),
            page: Duration::from_mins(5),
            download: Duration::from_mins(10),
            min_rate: 1024,
            page_bytes: 256 << 20,
            download_bytes: 4 << 30,
            ratio: 200,
            ratio_after: 1 << 20,
            row_bytes: 16 << 20,
        }
    }
}

impl ClientConfig {
    /// Refuses URLs that a secret must not be sent to.
    pub(crate) fn check_urls(&self) -> Result<(), Error> {
        let wrong = |field: &str, what: &str| Error::Config {
            step: STEP,
            what: format!("{}: its field {field} {what}", self.source),
        };
        for (field, url) in [("base_url", &self.base_url), ("token_url", &self.token_url)] {
            check_endpoint(url).map_err(|what| wrong(field, what))?;
        }
        if self.base_url.query().is_some() {
            return Err(wrong("base_url", "has a query"));
        }
        Ok(())
    }

    /// The HTTP client: no redirects, no proxy from the environment, no old TLS, no retries of its own.
    pub(super) fn build_http(&self, limits: &Limits) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("cxone-report-pipeline/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .tls_version_min(Version::TLS_1_2)
            .connect_timeout(limits.connect)
            .read_timeout(limits.read)
            .pool_idle_timeout(Duration::from_secs(20));
        if !is_loopback(&self.base_url) {
            builder = builder.dns_resolver(PublicOnly);
        } else if [&self.base_url, &self.token_url]
            .iter()
            .all(|url| url.scheme() == "http")
            && self.allowed_hosts.is_empty()
            && self.api_hosts.is_empty()
        {
            // Nothing here is https, so the machine's root certificates need not be read, which is the slowest part of a start.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|_| Error::Config {
            step: STEP,
            what: "the HTTP client can't be made: no TLS or no root certificates".to_owned(),
        })
    }
}
