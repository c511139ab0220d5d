//! The landing bucket, of which `cxr` reads the log and the claims, and rows where a command asks for them. It writes nothing.
//! The only module that uses `landing`.

mod cache;
mod claims;
mod parts;
mod reports;

use std::path::PathBuf;

use aws_config::SdkConfig;
use delivery::Failure;
use delivery::effects::Fault;
use delivery::keys::tenants;
use jiff::SignedDuration;
use landing::Store;

use crate::aws_error;
use crate::error::CommandError;
use crate::place::Place;

pub(crate) use cache::ObjectCache;
pub(crate) use claims::{StoredGeneration, StoredRun};
pub(crate) use landing::{PartPresence, RowExport, format_of};
pub(crate) use parts::PartFault;

/// The bucket, and where what was read of it is kept.
pub(crate) struct Bucket {
    store: Store,
    /// The user's cache folder; without one, everything is read each time.
    cache: Option<PathBuf>,
    /// How long rows are kept.
    pub(crate) rows_kept: SignedDuration,
    /// After how many days the stack lets rows expire, if it says so; 0 for never.
    pub(crate) retention_days: Option<u32>,
}

impl Bucket {
    /// The SDK's configuration decides about endpoint, region, credentials and retries.
    pub(crate) fn new(config: &SdkConfig, place: Place, cache: Option<PathBuf>) -> Self {
        Self {
            store: Store::new(aws_sdk_s3::Client::new(config), place.config),
            cache,
            rows_kept: place.rows_kept,
            retention_days: place.retention_days,
        }
    }

    /// What is said where there is no report, which a wrong prefix may be the reason of.
    pub(crate) fn describe_empty(&self) -> String {
        let folder = tenants(self.store.prefix());
        let bucket = self.store.bucket();
        format!(
            "nothing was ever asked for: s3://{bucket}/{folder} holds no report; cxr list --failed shows executions that failed before anything was stored"
        )
    }

    pub(crate) fn name(&self) -> &str {
        self.store.bucket()
    }

    pub(crate) fn prefix(&self) -> &str {
        self.store.prefix()
    }

    /// What was read below a folder of the bucket before.
    pub(crate) fn open_cache(&self, folder: &str) -> ObjectCache {
        let place = format!("s3://{}/{folder}", self.store.bucket());
        ObjectCache::open(self.cache.as_deref(), &place)
    }
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        let (is_transient, is_expired) = (
            matches!(fault, Fault::Unavailable(_)),
            matches!(fault, Fault::Expired(_)),
        );
        let reason = Failure::from(fault).message;
        if is_expired {
            return aws_error::expired();
        }
        if !is_transient {
            return Self::Storage { reason };
        }
        let reason = reason.strip_prefix("S3 ").unwrap_or(&reason).to_owned();
        aws_error::from_connection("S3", reason)
    }
}
