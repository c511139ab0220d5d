//! The client and the bucket.

use std::sync::Arc;

use aws_sdk_s3::Client;
use delivery::{Environment, Failure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::owner::{self, ExpectedOwner};

/// A handler has at most so many requests in flight.
pub(super) const MAX_REQUESTS: usize = 16;

/// Where the objects are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub bucket: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
    /// The account that S3 has to find the bucket in; empty if any will do.
    pub owner: String,
}

impl Config {
    /// Reads `LANDING_BUCKET`, and `LANDING_PREFIX` and `LANDING_BUCKET_OWNER`, which are optional.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn from_environment(env: &Environment) -> Result<Self, Failure> {
        Ok(Self {
            bucket: env.require("LANDING_BUCKET")?,
            prefix: env.optional("LANDING_PREFIX"),
            owner: owner::read(*env)?,
        })
    }
}

/// The bucket. Clones share one client.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) client: Client,
    config: Arc<Config>,
    /// Bounds the requests of callers that would start one for each of many objects at once.
    permits: Arc<Semaphore>,
}

impl Store {
    /// A store over a client, which brings its own region, credentials and retries.
    #[must_use]
    pub fn new(client: Client, config: Config) -> Self {
        Self {
            client: ExpectedOwner::ask_for(&config.owner, client),
            config: Arc::new(config),
            permits: Arc::new(Semaphore::new(MAX_REQUESTS)),
        }
    }

    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.config.bucket
    }

    /// What every key begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.config.prefix
    }

    pub(super) fn owner(&self) -> &str {
        &self.config.owner
    }

    /// Waits until one more request may be in flight. Each of them has a buffer of its own.
    pub(crate) async fn request_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}
