//! A tenant's secret: everything that reaches the tenant, as JSON. The functions read it from Secrets Manager, and whoever
//! keeps tenants checks the same JSON as a file. What is said of it names fields, and never the value of a secret one.

mod endpoint;
mod fields;
mod sign_in;

use url::Url;

pub use endpoint::{check_endpoint, is_loopback};
pub use fields::{Field, FieldValue, Problem};
pub use sign_in::{AccessKey, ClientAuth, ClientCredentials, Credentials};

use crate::ids::TenantId;
use fields::Fields;

/// The names of a tenant's two secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretNames {
    /// What reaches the tenant. Only read.
    pub tenant: String,
    /// The access token, kept for the next process. Read and written.
    pub token: String,
}

impl SecretNames {
    /// The names below a prefix. A tenant's id has no slash, so that no tenant's secret is another one's token.
    #[must_use]
    pub fn new(prefix: &str, tenant: &TenantId) -> Self {
        let tenant = format!("{prefix}{tenant}");
        Self {
            token: format!("{tenant}/token"),
            tenant,
        }
    }
}

/// A tenant's secret, read and checked.
#[derive(Debug)]
pub struct TenantSecret {
    pub address: Address,
    /// Domains (and their subdomains) of CXone's that get the access token.
    pub api_hosts: Vec<String>,
    /// Domains (and their subdomains) that files may be at, and that never get the access token.
    pub allowed_hosts: Vec<String>,
    pub credentials: Credentials,
    fields: Vec<Field>,
}

/// Where a tenant is. A token that was granted at another address is another tenant's, whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub api: ApiAddress,
    /// Where tokens are granted.
    pub token_url: Url,
}

/// Where a tenant's API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiAddress {
    /// At the address that the secret's `base_url` gives.
    Known(Url),
    /// Where its `issuer` says.
    Discovered { issuer: Url, tenant_id: String },
}

impl TenantSecret {
    /// Reads and checks the JSON of a tenant's secret, wherever it is kept.
    ///
    /// # Errors
    /// What is wrong with it: the field, and never its value.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let fields = Fields::parse(text)?;
        let credentials = sign_in::read_credentials(&fields)?;
        Ok(Self {
            address: read_address(&fields)?,
            api_hosts: fields.read_hosts("api_hosts")?,
            allowed_hosts: fields.read_hosts("allowed_hosts")?,
            credentials,
            fields: fields.into_list(),
        })
    }

    /// The fields that it has, always in the same order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// A URL that is given counts; the issuer says the rest.
fn read_address(fields: &Fields) -> Result<Address, Problem> {
    let issuer = fields.read_base("issuer")?;
    let token_url = fields
        .read_url("token_url")?
        .or_else(|| issuer.clone().map(token_url_of))
        .ok_or(Problem::NeitherOf("token_url", "issuer"))?;
    let tenant_id = fields.read_id("tenant_id")?;
    let api = match (fields.read_base("base_url")?, issuer, tenant_id) {
        (Some(base_url), ..) => ApiAddress::Known(base_url),
        (None, Some(issuer), Some(tenant_id)) => ApiAddress::Discovered { issuer, tenant_id },
        _ => return Err(Problem::NeitherOf("base_url", "issuer with tenant_id")),
    };
    Ok(Address { api, token_url })
}

/// Where an issuer grants tokens.
fn token_url_of(mut issuer: Url) -> Url {
    if let Ok(mut path) = issuer.path_segments_mut() {
        path.pop_if_empty().extend(["auth", "token"]);
    }
    issuer
}

#[cfg(test)]
mod tests;
