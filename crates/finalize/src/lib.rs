#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use lambda_runtime::LambdaEvent;
use landing::ask::drive;
use landing::{Config, Store, flow};
use tracing::{info, instrument};
use workflow::{Environment, Failure, FinalizeIn, FinalizeOut};

/// Verifies, merges, commits. Knows neither CXone nor a secret.
#[derive(Debug)]
pub struct Handler {
    store: Store,
}

impl Handler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        Ok(Self {
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::read(env)?),
        })
    }

    /// Commits a generation, or says why not.
    ///
    /// # Errors
    /// `Cxone.Contract`, `Cxone.Conflict`, and the transient ones.
    #[instrument(skip_all, fields(tenant = %event.payload.work.tenant, window = %event.payload.work.window))]
    pub async fn handle(&self, event: LambdaEvent<FinalizeIn>) -> Result<FinalizeOut, Failure> {
        let (prefix, bucket) = (self.store.prefix(), self.store.bucket());
        let answer = drive(
            async |ask| flow::finalize(ask, prefix, bucket, event.payload).await,
            async |effect| self.store.perform_finalize(effect).await,
        )
        .await?;
        info!(outcome = ?answer.outcome, "finalized");
        Ok(answer)
    }
}
