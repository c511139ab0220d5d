//! What a process remembers of a tenant, and which secrets it is from.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;

use aws_sdk_secretsmanager::Client as SecretsManager;
use cxone::TenantApi;
use definition::tenant::{Address, Credentials, SecretNames, TenantSecret};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::expiry::Now;
use crate::token_state::{Fingerprint, Memory};

/// All that the clones of one [`Tokens`](crate::Tokens) share.
#[derive(Debug)]
pub(crate) struct SharedTokens {
    pub(crate) names: SecretNames,
    pub(crate) secrets: SecretsManager,
    started: Instant,
    /// The last call failed, so that another value of the tenant's secret may help.
    pub(crate) is_suspect: AtomicBool,
    /// Tokens that could not be stored for other processes.
    pub(crate) unstored: AtomicU64,
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
    pub(crate) address: Address,
    pub(crate) credentials: Credentials,
    /// Of the secret's whole value.
    pub(crate) value: Fingerprint,
    pub(crate) read_at: Now,
}

impl Tenant {
    /// The tenant of a secret, whose name is for errors. Nothing is called yet.
    pub(crate) fn open(
        read: TenantSecret,
        secret: &str,
        value: Fingerprint,
        read_at: Now,
    ) -> Result<Self, cxone::Error> {
        let api = TenantApi::open(&read, format!("secret {secret}"))?;
        Ok(Self {
            api,
            address: read.address,
            credentials: read.credentials,
            value,
            read_at,
        })
    }
}

impl SharedTokens {
    pub(crate) fn new(names: SecretNames, secrets: SecretsManager) -> Self {
        Self {
            names,
            secrets,
            started: Instant::now(),
            is_suspect: AtomicBool::new(false),
            unstored: AtomicU64::new(0),
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
