#![doc = include_str!("../README.md")]

mod pages;

use aws_config::SdkConfig;
use delivery::effects::run_flow;
use delivery::flow;
use delivery::{Environment, Failure, FetchIn, FetchOut};
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store};
use tokens::{Session, Tenants};
use tracing::info;

use crate::pages::Pages;

/// Takes pages and lands their rows.
#[derive(Debug)]
pub struct FetchPageHandler {
    tenants: Tenants,
    store: Store,
    metrics: MetricsRecorder,
}

impl FetchPageHandler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        Ok(Self {
            tenants: Tenants::from_environment(env, secrets)?,
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::from_environment(env)?),
            metrics: MetricsRecorder::new(env, env!("CARGO_PKG_NAME")),
        })
    }

    /// Takes pages until its budget is used up and stores one slot for them.
    ///
    /// # Errors
    /// `Cxone.Auth`, `Cxone.Contract`, and the transient ones.
    pub async fn handle(&self, event: LambdaEvent<FetchIn>) -> Result<FetchOut, Failure> {
        let work = &event.payload.work;
        let context = MetricContext::for_window(&work.tenant, &work.report, work.window);
        let session = self.tenants.open_session(&work.tenant);
        let answer = Box::pin(self.fetch_pages(&session, event)).await;
        self.metrics
            .add(Metric::Throttles, session.take_throttles());
        self.metrics
            .add(Metric::TokensNotStored, session.take_unstored_tokens());
        self.metrics.emit(Some(&context.with_failure(&answer)));
        answer
    }

    async fn fetch_pages(
        &self,
        session: &Session,
        event: LambdaEvent<FetchIn>,
    ) -> Result<FetchOut, Failure> {
        let (deadline, direct) = (event.context.deadline(), event.payload.work.direct);
        let collaborators = (session, &self.store, &self.metrics);
        let mut pages = Pages::new(collaborators, deadline, direct);
        let prefix = self.store.prefix();
        let answer = run_flow(
            async |ask| Box::pin(flow::fetch(ask, prefix, event.payload)).await,
            async |effect| pages.execute(effect).await,
        )
        .await?;
        info!(
            pages = ?answer.pages,
            batch.count = answer.batches,
            page.count = answer.page_count,
            row.count = answer.row_count,
            wait_seconds = answer.wait_seconds,
            "fetched pages"
        );
        Ok(answer)
    }
}
