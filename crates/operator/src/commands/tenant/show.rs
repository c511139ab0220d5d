//! `cxr tenant show`: what a tenant's secrets say, without what is secret.

use std::fmt;

use clap::Args;
use definition::TenantId;
use definition::tenant::{Field, TenantSecret};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::render;
use super::parse_tenant;
use crate::error::CommandError;
use crate::output::Output;
use crate::secrets_manager::Secrets;

/// Show a tenant's fields, which secret ones it has, and until when its stored token is valid.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The tenant, as `pipeline.tenant` names it.
    name: String,
}

impl ShowArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        secrets: &Secrets,
        prefix: &str,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let (tenant, names) = parse_tenant(&self.name, prefix)?;
        let found = secrets.describe(&names.tenant).await?;
        let value = secrets.read(&names.tenant).await?;
        let (Some(found), Some(value)) = (found, value) else {
            return Err(CommandError::NoTenant {
                tenant,
                secret: names.tenant,
            });
        };
        let read =
            TenantSecret::parse(value.expose_secret()).map_err(|problem| CommandError::Tenant {
                place: format!("secret {}", found.name),
                problem,
            })?;
        let token = read_token(secrets, &names.token, &read, now).await?;
        output.print(&TenantReport {
            tenant,
            secret: found.name,
            changed_at: found.changed_at,
            kms_key: found.kms_key,
            fields: read.fields().iter().map(ShownField::new).collect(),
            token,
        })?;
        Ok(0)
    }
}

/// What is said of the token; the token itself never is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum TokenState {
    /// There is no secret for it.
    NoSecret,
    /// There is none in its secret.
    None,
    /// It was granted to another client or user than those of today, and is not used.
    OfAnother,
    #[serde(rename_all = "camelCase")]
    Valid { until: Timestamp },
    #[serde(rename_all = "camelCase")]
    Expired { since: Timestamp },
}

/// What counts here of a stored token.
#[derive(Deserialize)]
struct StoredToken {
    expires_at: Timestamp,
    /// The SHA-256 of whom it was granted to, in hex.
    client: String,
}

async fn read_token(
    secrets: &Secrets,
    secret: &str,
    tenant: &TenantSecret,
    now: Timestamp,
) -> Result<TokenState, CommandError> {
    if secrets.describe(secret).await?.is_none() {
        return Ok(TokenState::NoSecret);
    }
    let stored = secrets.read(secret).await?.and_then(|value| {
        let stored: Result<StoredToken, _> = serde_json::from_str(value.expose_secret());
        stored.ok()
    });
    Ok(match stored {
        None => TokenState::None,
        Some(stored) if !is_granted_to(&stored, tenant) => TokenState::OfAnother,
        Some(StoredToken { expires_at, .. }) if expires_at <= now => {
            TokenState::Expired { since: expires_at }
        }
        Some(StoredToken { expires_at, .. }) => TokenState::Valid { until: expires_at },
    })
}

fn is_granted_to(stored: &StoredToken, tenant: &TenantSecret) -> bool {
    stored.client == hex::encode(tenant.credentials.fingerprint())
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct TenantReport {
    #[schemars(with = "String")]
    tenant: TenantId,
    secret: String,
    changed_at: Option<Timestamp>,
    kms_key: Option<String>,
    fields: Vec<ShownField>,
    token: TokenState,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownField {
    field: &'static str,
    /// `None` for a secret one.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

impl ShownField {
    fn new(field: &Field) -> Self {
        Self {
            field: field.name,
            value: field.value.plain().cloned(),
        }
    }
}

impl fmt::Display for TokenState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => f.write_str(
                "no secret for it, so that each process signs in for itself; cxr tenant set makes it",
            ),
            Self::None => f.write_str("none is stored"),
            Self::OfAnother => f.write_str("one of another client or user is stored, and not used"),
            Self::Valid { until } => write!(f, "stored, valid until {until}"),
            Self::Expired { since } => write!(f, "stored, expired at {since}"),
        }
    }
}

impl fmt::Display for TenantReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: &str| writeln!(f, "{name:<17}  {text}");
        line("tenant", self.tenant.as_str())?;
        line("secret", &self.secret)?;
        if let Some(at) = self.changed_at {
            line("changed", &at.to_string())?;
        }
        line(
            "KMS key",
            self.kms_key.as_deref().unwrap_or("the account's own"),
        )?;
        for field in &self.fields {
            let value = field.value.as_ref();
            line(field.field, &value.map_or_else(|| "set".to_owned(), render))?;
        }
        line("token", &self.token.to_string())
    }
}
