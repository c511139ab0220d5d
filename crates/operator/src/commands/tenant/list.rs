//! `cxr tenant list`: the tenants that have a secret.

use std::fmt;

use clap::Args;
use definition::TenantId;
use definition::tenant::SecretNames;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CommandError;
use crate::output::{Output, count_of};
use crate::secrets_manager::Secrets;

/// List the tenants, and when their secrets were changed.
#[derive(Debug, Args)]
pub(super) struct ListArgs {}

impl ListArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        secrets: &Secrets,
        prefix: &str,
    ) -> Result<u8, CommandError> {
        let found = secrets.list(prefix).await?;
        let mut lines: Vec<ListedTenant> = found
            .iter()
            .filter_map(|secret| {
                // What else there is below the prefix can't be the secret of a tenant, by its name.
                let tenant: TenantId = secret.name.strip_prefix(prefix)?.parse().ok()?;
                let token = SecretNames::new(prefix, &tenant).token;
                Some(ListedTenant {
                    tenant,
                    changed_at: secret.changed_at,
                    has_value: secret.has_value,
                    has_token_secret: found.iter().any(|other| other.name == token),
                })
            })
            .collect();
        lines.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        output.print(&TenantList { tenants: lines })?;
        Ok(0)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct ListedTenant {
    #[schemars(with = "String")]
    tenant: TenantId,
    changed_at: Option<Timestamp>,
    has_value: bool,
    has_token_secret: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct TenantList {
    tenants: Vec<ListedTenant>,
}

impl fmt::Display for TenantList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self
            .tenants
            .iter()
            .map(|line| line.tenant.as_str().len())
            .max();
        let widest = widest.unwrap_or_default();
        for line in &self.tenants {
            write!(f, "{:<widest$}", line.tenant.as_str())?;
            if let Some(at) = line.changed_at {
                write!(f, "  changed {at}")?;
            }
            if !line.has_value {
                write!(f, "  has no value")?;
            }
            if !line.has_token_secret {
                write!(f, "  has no secret for its token")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "{}", count_of(self.tenants.len(), "tenant"))
    }
}
