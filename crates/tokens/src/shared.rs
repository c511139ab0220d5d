//! What a process remembers of a tenant, and which secrets it is from.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use aws_sdk_secretsmanager::Client as SecretsManager;
use cxone::TenantApi;
use definition::TenantId;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::credentials::Credentials;
use crate::expiry::Now;
use crate::token_state::{Fingerprint, Memory};

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

/// All that the clones of one [`Tokens`](crate::Tokens) share.
#[derive(Debug)]
pub(crate) struct SharedTokens {
    pub(crate) names: SecretNames,
    pub(crate) secrets: SecretsManager,
    started: Instant,
    /// The last call failed, so that another value of the tenant's secret may help.
    pub(crate) is_suspect: AtomicBool,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) memory: Memory,
    pub(crate) tenant: Option<Tenant>,
}

/// What the tenant's secret said when it was read.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) api: TenantApi,
    pub(crate) credentials: Credentials,
    /// Of the secret's whole value.
    pub(crate) value: Fingerprint,
    pub(crate) read_at: Now,
}

impl SharedTokens {
    pub(crate) fn new(names: SecretNames, secrets: SecretsManager) -> Self {
        Self {
            names,
            secrets,
            started: Instant::now(),
            is_suspect: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            wall: Timestamp::now(),
            monotonic: self.started.elapsed(),
        }
    }
}
