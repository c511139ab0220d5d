//! Where a tenant's API is: configured, or asked of the tenant's issuer once.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use super::transport::{Call, Effect};
use super::{Client, Config, Limits};
use crate::error::Error;
use definition::text::line;

const STEP: &str = "discover the tenant";
/// How much of a tenant's id is repeated in an error.
const SHOWN: usize = 64;

/// Who knows where a tenant's API is. Government and sovereign clouds have issuers of their own, and nothing else differs.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The issuer, to which `/.well-known/cxone-configuration` is appended; https unless the host is loopback.
    pub url: Url,
    /// The tenant's id, as the issuer knows it.
    pub tenant: String,
    /// Where tokens are granted.
    pub token_url: Url,
    /// Domains (and their subdomains) at which the API may turn out to be, and from which results may be downloaded.
    pub allowed_hosts: Vec<String>,
}

impl Issuer {
    /// Where an issuer grants tokens.
    #[must_use]
    pub fn token_url(issuer: &Url) -> Url {
        below(issuer, &["auth", "token"])
    }
}

/// A tenant's API, wherever that is. Cheap to clone; all clones ask the issuer once.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    issuer: Option<Issuer>,
    client: OnceCell<Client>,
}

impl From<Client> for Site {
    fn from(client: Client) -> Self {
        Self(Arc::new(Inner {
            issuer: None,
            client: OnceCell::new_with(Some(client)),
        }))
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.0.issuer.as_ref().map(|issuer| &issuer.tenant);
        f.debug_tuple("Site").field(&issuer).finish()
    }
}

impl Site {
    /// A tenant whose issuer is asked at the first call. Nothing is called yet.
    pub fn of(issuer: Issuer) -> Result<Self, Error> {
        issuer.config(issuer.url.clone()).check()?;
        Ok(Self(Arc::new(Inner {
            issuer: Some(issuer),
            client: OnceCell::new(),
        })))
    }

    /// The client of the tenant's API. What the issuer said is kept, what went wrong is not.
    ///
    /// # Errors
    /// [`Error::Throttled`] and [`Error::Unavailable`] pass; [`Error::Config`] where the issuer does not know the tenant
    /// or names a host that is not allowed; [`Error::Contract`] for an answer that is none.
    pub async fn client(&self) -> Result<Client, Error> {
        let found = self.0.client.get_or_try_init(|| async {
            match &self.0.issuer {
                Some(issuer) => issuer.discover().await,
                None => Err(config("neither the API nor its issuer is known".to_owned())),
            }
        });
        found.await.cloned()
    }
}

#[derive(Deserialize)]
struct Answer {
    api_endpoint: String,
}

impl Issuer {
    fn config(&self, base_url: Url) -> Config {
        Config {
            base_url,
            token_url: self.token_url.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
        }
    }

    async fn discover(&self) -> Result<Client, Error> {
        let limits = Limits::default();
        let issuer = Client::with_limits(self.config(self.url.clone()), limits)?;
        let told = self.ask(&issuer).await?;
        // The same rules as for a file that is downloaded: it was read from an answer. The issuer's own host is allowed.
        let base_url = issuer.guard().download(&told).map_err(|_| {
            config(format!(
                "the issuer names an API for tenant {} at a host that is not allowed; if it is right, add its domain to the allowed hosts",
                self.shown()
            ))
        })?;
        let client = Client::with_limits(self.config(base_url), limits)?;
        tracing::info!(tenant.id = %self.shown(), "the issuer said where the API is");
        Ok(client)
    }

    async fn ask(&self, issuer: &Client) -> Result<String, Error> {
        let mut url = below(&self.url, &[".well-known", "cxone-configuration"]);
        url.query_pairs_mut().append_pair("tenantId", &self.tenant);
        let call = Call {
            step: STEP,
            effect: Effect::None,
            token: None,
            secrets: &[],
        };
        let request = issuer.request(Method::GET, url);
        let response = issuer
            .send(&call, request)
            .await
            .map_err(|error| self.refusal(error))?;
        let body = issuer.small_json(&call, response).await?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(STEP, "the answer has no api_endpoint"))?;
        Ok(answer.api_endpoint)
    }

    /// Nothing was asked of a run or with a token, and so nothing is said of one.
    fn refusal(&self, error: Error) -> Error {
        let tenant = self.shown();
        match error {
            Error::NotFound { .. } => config(format!(
                "the issuer knows no tenant {tenant}; correct the tenant id or the issuer"
            )),
            Error::Unauthorized { .. } | Error::Forbidden { .. } | Error::Rejected { .. } => {
                config(format!(
                    "the issuer does not say where tenant {tenant} is; correct the tenant id or the issuer"
                ))
            }
            other => other,
        }
    }

    fn shown(&self) -> String {
        line(&self.tenant, SHOWN)
    }
}

fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

fn config(what: String) -> Error {
    Error::Config { step: STEP, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(url: &str) -> Issuer {
        let url: Url = url.parse().unwrap();
        Issuer {
            token_url: Issuer::token_url(&url),
            url,
            tenant: "t/1?x=&".to_owned(),
            allowed_hosts: Vec::new(),
        }
    }

    #[test]
    fn tokens_are_granted_at_the_issuer() {
        for (url, token_url) in [
            (
                "https://issuer.example",
                "https://issuer.example/auth/token",
            ),
            (
                "https://issuer.example/",
                "https://issuer.example/auth/token",
            ),
            (
                "https://issuer.example/gov",
                "https://issuer.example/gov/auth/token",
            ),
        ] {
            assert_eq!(issuer(url).token_url.as_str(), token_url);
        }
    }

    #[test]
    fn an_issuer_is_https_or_nothing() {
        assert!(Site::of(issuer("https://issuer.example")).is_ok());
        assert!(Site::of(issuer("http://127.0.0.1:1")).is_ok());
        for bad in [
            "http://issuer.example",
            "https://u@issuer.example",
            "https://issuer.example?a=b",
        ] {
            assert!(Site::of(issuer(bad)).is_err(), "{bad}");
        }
    }
}
