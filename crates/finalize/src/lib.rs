#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use delivery::effects::{FinalizeEffect, run_flow};
use delivery::flow;
use delivery::{Environment, Failure, FinalizeIn, FinalizeOut, Outcome};
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store, compare, merge, rewrite};
use tracing::{info, warn};

/// Verifies, merges, commits. Knows neither CXone nor a secret.
#[derive(Debug)]
pub struct FinalizeHandler {
    store: Store,
    metrics: MetricsRecorder,
}

impl FinalizeHandler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        Ok(Self {
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::from_environment(env)?),
            metrics: MetricsRecorder::new(env, env!("CARGO_PKG_NAME")),
        })
    }

    /// Commits a generation, or says why not.
    ///
    /// # Errors
    /// `Cxone.Contract`, `Cxone.Conflict`, and the transient ones.
    pub async fn handle(&self, event: LambdaEvent<FinalizeIn>) -> Result<FinalizeOut, Failure> {
        let work = &event.payload.work;
        let context = MetricContext::for_window(&work.tenant, &work.report, work.window);
        let answer = self.commit(event.payload).await;
        self.count_outcome(&answer);
        self.metrics.emit(Some(&context.with_failure(&answer)));
        answer
    }

    async fn commit(&self, message: FinalizeIn) -> Result<FinalizeOut, Failure> {
        let (prefix, bucket) = (self.store.prefix(), self.store.bucket());
        let answer = run_flow(
            async |ask| flow::finalize(ask, prefix, bucket, message).await,
            async |effect| self.execute(effect).await,
        )
        .await?;
        log_outcome(&answer.outcome);
        Ok(answer)
    }

    /// Carries out one effect and answers it.
    async fn execute(&self, effect: FinalizeEffect) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            FinalizeEffect::Store(effect) => self.store.execute(effect).await,
            FinalizeEffect::Check(parts, responder) => {
                let _ = responder.send(self.store.check_parts(parts).await);
            }
            FinalizeEffect::Merge(parts, responder) => {
                let _ = responder.send(merge(&self.store, &parts).await);
            }
            FinalizeEffect::Compare(request, responder) => {
                let _ = responder.send(compare(&self.store, &request).await);
            }
            FinalizeEffect::Rewrite(request, responder) => {
                let _ = responder.send(rewrite(&self.store, request).await);
            }
        }
    }

    /// Zero commits are recorded as well, so that a day without one is a point of the chart and not a gap.
    fn count_outcome(&self, answer: &Result<FinalizeOut, Failure>) {
        self.metrics.set(Metric::Commits, 0);
        let Ok(FinalizeOut {
            outcome: Outcome::Committed(committed),
            ..
        }) = answer
        else {
            return;
        };
        let first_deliveries = u64::from(committed.first_delivery);
        self.metrics.set(Metric::Commits, first_deliveries);
        self.metrics.add(Metric::CommittedRows, committed.rows);
        self.metrics.add(Metric::Duplicates, committed.duplicates);
        self.metrics.add(Metric::Replaced, committed.replaced);
        let warnings = committed.warnings.len() as u64;
        self.metrics.add(Metric::DataWarnings, warnings);
        self.metrics.add(Metric::RunSeconds, committed.run_seconds);
    }
}

fn log_outcome(outcome: &Outcome) {
    let word = outcome.as_str();
    match outcome {
        Outcome::Committed(committed) => {
            for warning in &committed.warnings {
                warn!(commit.version = committed.version, "{warning}");
            }
            info!(
                outcome = word,
                commit.version = committed.version,
                row.count = committed.rows,
                "finalized"
            );
        }
        Outcome::Delivered(committed) => {
            info!(
                outcome = word,
                commit.version = committed.version,
                "finalized"
            );
        }
        Outcome::Superseded { version, note } => info!(
            outcome = word,
            commit.version = version,
            note = note.as_deref(),
            "finalized"
        ),
        Outcome::Again { ended } => {
            let why = ended.as_ref().map(|ended| ended.reason.describe());
            info!(outcome = word, note = why, "finalized");
        }
    }
}
