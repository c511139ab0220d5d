//! Carries out what flows ask of storage.
//!
//! Every write is a create: `PutObject` and `CompleteMultipartUpload` carry `If-None-Match: *`, so
//! a bucket policy may demand it. The one exception is [`swap`], which replaces the object that it
//! names, and that only, with `If-Match`. There is no delete in this module.

mod check;
mod checksum;
mod object;
mod range;
mod refusal;
mod swap;

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use delivery::effects::{Answered, Claimed, Fault, FinalizeEffect, StoreEffect};
use delivery::{Environment, Failure};

pub(crate) use checksum::{Checksum, Sha256};
pub(crate) use object::DataMark;
pub(crate) use range::RangeReader;
pub(crate) use refusal::{Action, Refusal, unique_id};

/// How many requests a handler has in flight at most.
const CONCURRENCY: usize = 16;

/// No claim is larger; a larger object was not written by us.
const OBJECT_CAP: u64 = 16 * 1024 * 1024;

/// Where the objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
}

impl Config {
    /// Reads `LANDING_BUCKET` and `LANDING_PREFIX`; the prefix may be left out.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn from_environment(env: &Environment) -> Result<Self, Failure> {
        Ok(Self {
            bucket: env.require("LANDING_BUCKET")?,
            prefix: env.optional("LANDING_PREFIX"),
        })
    }
}

/// The bucket. Clones share one client.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    config: Arc<Config>,
    /// Holds down the number of requests of those who start one for each of many objects.
    slots: Arc<Semaphore>,
}

impl Store {
    /// A store over a client, which brings its own region, credentials and retries.
    #[must_use]
    pub fn new(client: Client, config: Config) -> Self {
        Self {
            client,
            config: Arc::new(config),
            slots: Arc::new(Semaphore::new(CONCURRENCY)),
        }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.config.bucket
    }

    /// What every key begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.config.prefix
    }

    /// Waits until few enough requests of this kind are in flight: each has a buffer of its own.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Carries out one effect and answers it.
    pub async fn execute(&self, effect: StoreEffect) {
        // Whoever does not wait for the answer any more does not need it either.
        match effect {
            StoreEffect::Find(key, reply) => {
                let _ = reply.send(self.find(&key).await);
            }
            StoreEffect::CompareAndSwap {
                key,
                body,
                found,
                reply,
            } => {
                let _ = reply.send(self.swap(&key, body, found).await);
            }
            StoreEffect::Claim(key, body, reply) => {
                let _ = reply.send(self.claim(&key, body).await);
            }
            StoreEffect::Read(keys, reply) => {
                let _ = reply.send(self.read(keys).await);
            }
            StoreEffect::List {
                prefix,
                after,
                reply,
            } => {
                let _ = reply.send(self.list(&prefix, after).await);
            }
        }
    }

    /// Carries out one effect of Finalize and answers it.
    pub async fn execute_finalize(&self, effect: FinalizeEffect) {
        match effect {
            FinalizeEffect::Store(effect) => self.execute(effect).await,
            FinalizeEffect::Check(parts, reply) => {
                let _ = reply.send(self.check(parts).await);
            }
            FinalizeEffect::Merge(parts, reply) => {
                let _ = reply.send(crate::merge::merge(self, &parts).await);
            }
            FinalizeEffect::Rewrite(request, reply) => {
                let _ = reply.send(crate::part::rewrite(self, request).await);
            }
        }
    }

    /// Stores the bytes unless something is there, then says what is there. A 412 is never
    /// believed: the SDK's own retry after a lost answer meets our own object.
    async fn claim(&self, key: &str, body: Vec<u8>) -> Answered<Claimed> {
        let body = Bytes::from(body);
        let checksum = Checksum::of(&body);
        let put = || {
            self.client
                .put_object()
                .bucket(self.bucket())
                .key(key)
                .if_none_match("*")
                .content_type("application/json")
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()))
                .send()
        };
        match self.attempt(Action::PutObject, key, put).await {
            Ok(_) => return Ok(Claimed::Ours),
            Err(Refusal::Exists) => {}
            Err(refusal) => return Err(self.fault(Action::PutObject, key, refusal)),
        }
        match self.get(key).await? {
            Some(stored) if stored == body => Ok(Claimed::Ours),
            Some(stored) => Ok(Claimed::Theirs(stored)),
            None => Err(Fault::Unavailable(format!(
                "S3 said that {key} exists and then that it does not"
            ))),
        }
    }

    async fn read(&self, keys: Vec<String>) -> Answered<Vec<Option<Vec<u8>>>> {
        futures_util::stream::iter(keys)
            .map(|key| async move { self.get(&key).await })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn list(&self, prefix: &str, after: Option<String>) -> Answered<Vec<String>> {
        let mut keys = Vec::new();
        let mut after = after;
        loop {
            let page = || {
                self.client
                    .list_objects_v2()
                    .bucket(self.bucket())
                    .prefix(prefix)
                    .set_start_after(after.clone())
                    .send()
            };
            let page = self
                .attempt(Action::ListObjects, prefix, page)
                .await
                .map_err(|refusal| self.fault(Action::ListObjects, prefix, refusal))?;
            let truncated = page.is_truncated() == Some(true);
            let before = keys.len();
            keys.extend(page.contents.into_iter().flatten().filter_map(|o| o.key));
            if !truncated {
                return Ok(keys);
            }
            // The last key says where to go on as well as a continuation token does, and it
            // can be asked for again however long ago the answer came.
            if keys.len() == before {
                return Err(Fault::Unavailable(format!(
                    "S3 gave an empty page of the listing of {prefix}"
                )));
            }
            after = keys.last().cloned();
        }
    }

    async fn get(&self, key: &str) -> Answered<Option<Vec<u8>>> {
        Ok(self.find(key).await?.map(|found| found.bytes))
    }
}
