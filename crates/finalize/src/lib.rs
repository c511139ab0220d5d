#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use delivery::effects::{FinalizeEffect, run_flow};
use delivery::flow;
use delivery::{Environment, Failure, FinalizeIn, FinalizeOut, Outcome};
use handler::metrics::{About, Metric, Tally};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store, merge, rewrite};
use tracing::{info, instrument};

/// Verifies, merges, commits. Knows neither CXone nor a secret.
#[derive(Debug)]
pub struct Handler {
    store: Store,
    tally: Tally,
}

impl Handler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        Ok(Self {
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::from_environment(env)?),
            tally: Tally::default(),
        })
    }

    /// Commits a generation, or says why not.
    ///
    /// # Errors
    /// `Cxone.Contract`, `Cxone.Conflict`, and the transient ones.
    #[instrument(skip_all, fields(tenant = %event.payload.work.tenant, window = %event.payload.work.window))]
    pub async fn handle(&self, event: LambdaEvent<FinalizeIn>) -> Result<FinalizeOut, Failure> {
        let work = &event.payload.work;
        let about = About::new(&work.tenant, &work.report).with("window", work.window);
        let answer = self.finalize(event.payload).await;
        self.count(&answer);
        self.tally.emit(Some(&about.failed(&answer)));
        answer
    }

    async fn finalize(&self, message: FinalizeIn) -> Result<FinalizeOut, Failure> {
        let (prefix, bucket) = (self.store.prefix(), self.store.bucket());
        let answer = run_flow(
            async |ask| flow::finalize(ask, prefix, bucket, message).await,
            async |effect| self.execute(effect).await,
        )
        .await?;
        info!(outcome = ?answer.outcome, "finalized");
        Ok(answer)
    }

    /// Carries out one effect and answers it.
    async fn execute(&self, effect: FinalizeEffect) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            FinalizeEffect::Store(effect) => self.store.execute(effect).await,
            FinalizeEffect::Check(parts, reply) => {
                let _ = reply.send(self.store.check_parts(parts).await);
            }
            FinalizeEffect::Merge(parts, reply) => {
                let _ = reply.send(merge(&self.store, &parts).await);
            }
            FinalizeEffect::Rewrite(request, reply) => {
                let _ = reply.send(rewrite(&self.store, request).await);
            }
        }
    }

    /// That nothing was committed is told too: an alarm waits for a commit.
    fn count(&self, answer: &Result<FinalizeOut, Failure>) {
        self.tally.set(Metric::Commits, 0);
        let Ok(FinalizeOut {
            outcome: Outcome::Committed(committed),
            ..
        }) = answer
        else {
            return;
        };
        self.tally.set(Metric::Commits, 1);
        self.tally.add(Metric::CommittedRows, committed.rows);
        self.tally.add(Metric::Duplicates, committed.duplicates);
        self.tally.add(Metric::RunSeconds, committed.run_seconds);
    }
}
