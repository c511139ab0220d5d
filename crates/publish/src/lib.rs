#![doc = include_str!("../README.md")]

mod rows;

use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use delivery::effects::run_flow;
use delivery::{Environment, Failure, PublishIn, PublishOut};
use delta_table::effects::{PublishEffect, PublishedVersion};
use delta_table::publish;
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store};
use tracing::{info, warn};

/// An invocation begins no version after this long, which bounds what a kill costs.
const TIME_BUDGET: Duration = Duration::from_mins(5);

/// An invocation begins no version this long before its Lambda timeout: that one has to be done by then.
const CLOSING_TIME: Duration = Duration::from_mins(8);

/// Publishes commits in a table. Knows neither CXone nor a secret.
#[derive(Debug)]
pub struct PublishHandler {
    store: Store,
    metrics: MetricsRecorder,
}

impl PublishHandler {
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

    /// Publishes a version and those that are missing before it, or some of them.
    ///
    /// # Errors
    /// `Cxone.Conflict`, `Cxone.Contract`, and the transient ones.
    pub async fn handle(&self, event: LambdaEvent<PublishIn>) -> Result<PublishOut, Failure> {
        let work = &event.payload.work;
        let context = MetricContext::new(&work.tenant, &work.report);
        let answer = self.publish(event).await;
        self.metrics.emit(Some(&context.with_failure(&answer)));
        answer
    }

    async fn publish(&self, event: LambdaEvent<PublishIn>) -> Result<PublishOut, Failure> {
        let prefix = self.store.prefix();
        let stop_at = find_stop(event.context.deadline());
        let answer = run_flow(
            async |ask| Box::pin(publish::publish(ask, prefix, event.payload)).await,
            async |effect| Box::pin(self.execute(effect, stop_at)).await,
        )
        .await?;
        info!(
            next = ?answer.next,
            table.version = answer.table_version,
            "published"
        );
        Ok(answer)
    }

    /// Carries out one effect and answers it.
    async fn execute(&self, effect: PublishEffect, stop_at: Instant) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            PublishEffect::Store(effect) => self.store.execute(effect).await,
            PublishEffect::WriteRows(request, responder) => {
                let _ = responder.send(rows::write_rows(&self.store, &request).await);
            }
            PublishEffect::IsSpent(responder) => {
                let _ = responder.send(Ok(Instant::now() >= stop_at));
            }
            PublishEffect::Record(published, responder) => {
                self.record(published);
                let _ = responder.send(Ok(()));
            }
        }
    }

    fn record(&self, published: PublishedVersion) {
        self.metrics.add(Metric::PublishedVersions, 1);
        self.metrics.add(Metric::ValuesNulled, published.nulled);
        let (version, rows, nulled) = (published.version, published.rows, published.nulled);
        if nulled > 0 {
            warn!(
                table.version = version,
                value.count = nulled,
                "values are null in the table because they don't fit their column's type; `_extra` has them"
            );
        }
        if published.rows_gone {
            warn!(
                table.version = version,
                "the rows of the version were gone from the bucket, so that the table has none of them"
            );
        }
        info!(
            table.version = version,
            row.count = rows,
            "published a version"
        );
    }
}

/// When the invocation begins no other version.
fn find_stop(deadline: SystemTime) -> Instant {
    let left = deadline
        .duration_since(SystemTime::now())
        .unwrap_or_default()
        .saturating_sub(CLOSING_TIME);
    Instant::now() + left.min(TIME_BUDGET)
}
