//! Where a tenant's API is: configured, or asked of the tenant's issuer once.

use std::fmt;
use std::sync::Arc;

use definition::tenant::{ApiAddress, TenantSecret};
use reqwest::Method;
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use crate::error::Error;
use crate::http::{Call, Client, ClientConfig, Limits, Repetition};

const STEP: &str = "discover the tenant";

/// The machine that knows where a tenant's API is. Government and sovereign clouds differ in their issuers alone.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The issuer, to which `/.well-known/cxone-configuration` is appended; https unless the host is loopback.
    pub url: Url,
    /// The tenant's id, as the issuer knows it.
    pub tenant: String,
    /// Where tokens are granted.
    pub token_url: Url,
    /// Domains (and their subdomains) at which the API may turn out to be, and files; they get the access token.
    pub api_hosts: Vec<String>,
    /// Domains (and their subdomains) that files may be at, and that never get the access token.
    pub allowed_hosts: Vec<String>,
    /// Where a person corrects these settings, for errors.
    pub source: String,
}

/// A tenant's API, wherever that is. Cheap to clone; all clones ask the issuer once.
#[derive(Clone)]
pub struct TenantApi(Arc<Discovery>);

struct Discovery {
    issuer: Option<Issuer>,
    client: OnceCell<Client>,
}

impl From<Client> for TenantApi {
    fn from(client: Client) -> Self {
        Self(Arc::new(Discovery {
            issuer: None,
            client: OnceCell::new_with(Some(client)),
        }))
    }
}

impl fmt::Debug for TenantApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.0.issuer.as_ref().map(|issuer| issuer.url.as_str());
        f.debug_tuple("TenantApi").field(&issuer).finish()
    }
}

impl TenantApi {
    /// The tenant of a secret. `source` says where a person corrects it, for errors. Nothing is called yet.
    pub fn open(secret: &TenantSecret, source: String) -> Result<Self, Error> {
        let token_url = secret.address.token_url.clone();
        let api_hosts = secret.api_hosts.clone();
        let allowed_hosts = secret.allowed_hosts.clone();
        match secret.address.api.clone() {
            ApiAddress::Known(base_url) => Ok(Self::from(Client::new(ClientConfig {
                base_url,
                token_url,
                api_hosts,
                allowed_hosts,
                source,
            })?)),
            ApiAddress::Discovered { issuer, tenant_id } => Self::find_by(Issuer {
                url: issuer,
                tenant: tenant_id,
                token_url,
                api_hosts,
                allowed_hosts,
                source,
            }),
        }
    }

    /// A tenant whose issuer is asked at the first call. Nothing is called yet.
    pub fn find_by(issuer: Issuer) -> Result<Self, Error> {
        issuer.client_config(issuer.url.clone()).check_urls()?;
        Ok(Self(Arc::new(Discovery {
            issuer: Some(issuer),
            client: OnceCell::new(),
        })))
    }

    /// A client of the tenant's API. The issuer's answer is kept; after an error the issuer is asked again.
    ///
    /// # Errors
    /// [`Error::Throttled`] and [`Error::Unavailable`] are transient; [`Error::Config`] where the issuer does not know the tenant
    /// or names a host that is not allowed; [`Error::Contract`] for an answer without an endpoint.
    pub async fn connect(&self) -> Result<Client, Error> {
        let found = self.0.client.get_or_try_init(|| async {
            match &self.0.issuer {
                Some(issuer) => issuer.discover_api().await,
                None => Err(Error::Config {
                    step: STEP,
                    what: "neither the API nor its issuer is known".to_owned(),
                }),
            }
        });
        found.await.cloned()
    }
}

#[derive(Deserialize)]
struct IssuerAnswer {
    api_endpoint: String,
}

impl Issuer {
    fn client_config(&self, base_url: Url) -> ClientConfig {
        ClientConfig {
            base_url,
            token_url: self.token_url.clone(),
            api_hosts: self.api_hosts.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
            source: self.source.clone(),
        }
    }

    async fn discover_api(&self) -> Result<Client, Error> {
        let limits = Limits::default();
        let issuer = Client::with_limits(self.client_config(self.url.clone()), limits)?;
        let named = self.request_endpoint(&issuer).await?;
        // The URL comes from an answer, so it has to meet the rules of a file that wants the token. The issuer's own host is
        // allowed.
        let base_url = issuer.check_api_url(&named).map_err(|_| {
            self.config_error("the issuer names an API for the tenant of tenant_id at a host that is not listed; if it is right, add its domain to api_hosts")
        })?;
        let client = Client::with_limits(self.client_config(base_url), limits)?;
        tracing::info!("the issuer said where the API is");
        Ok(client)
    }

    async fn request_endpoint(&self, issuer: &Client) -> Result<String, Error> {
        let mut url = append_path(&self.url, &[".well-known", "cxone-configuration"]);
        url.query_pairs_mut().append_pair("tenantId", &self.tenant);
        let call = Call {
            step: STEP,
            repetition: Repetition::Harmless,
            token: None,
            secrets: &[],
        };
        let request = issuer.build_request(Method::GET, url);
        let response = issuer
            .send_request(&call, request)
            .await
            .map_err(|error| self.describe_refusal(error))?;
        let body = issuer.read_small_json(&call, response).await?;
        let answer: IssuerAnswer = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(STEP, "the answer has no api_endpoint"))?;
        Ok(answer.api_endpoint)
    }

    /// An issuer's refusal as an error of the configuration: no run and no token are involved.
    fn describe_refusal(&self, error: Error) -> Error {
        match error {
            Error::NotFound { .. } => self.config_error(
                "the issuer does not know the tenant of tenant_id; correct tenant_id or issuer",
            ),
            Error::Unauthorized { .. } | Error::Forbidden { .. } | Error::Rejected { .. } => self
                .config_error(
                    "the issuer does not say where the tenant of tenant_id is; correct tenant_id or issuer",
                ),
            other => other,
        }
    }

    fn config_error(&self, what: &str) -> Error {
        Error::Config {
            step: STEP,
            what: format!("{}: {what}", self.source),
        }
    }
}

fn append_path(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_issuer(url: &str) -> Issuer {
        let url: Url = url.parse().unwrap();
        Issuer {
            token_url: append_path(&url, &["auth", "token"]),
            url,
            tenant: "t/1?x=&".to_owned(),
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the test".to_owned(),
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
            assert_eq!(test_issuer(url).token_url.as_str(), token_url);
        }
    }

    #[test]
    fn an_issuer_is_https_or_nothing() {
        assert!(TenantApi::find_by(test_issuer("https://issuer.example")).is_ok());
        assert!(TenantApi::find_by(test_issuer("http://127.0.0.1:1")).is_ok());
        for bad in [
            "http://issuer.example",
            "https://u@issuer.example",
            "https://issuer.example?a=b",
        ] {
            assert!(TenantApi::find_by(test_issuer(bad)).is_err(), "{bad}");
        }
    }
}
