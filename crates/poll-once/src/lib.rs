#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use definition::RunStatus;
use delivery::{Environment, Failure, PollOut, RunIn, classify_poll};
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use tokens::{Error, Session, Tenants};
use tracing::{info, warn};

/// Looks at a run once.
#[derive(Debug)]
pub struct PollOnceHandler {
    tenants: Tenants,
    metrics: MetricsRecorder,
}

impl PollOnceHandler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        Ok(Self {
            tenants: Tenants::from_environment(env, secrets)?,
            metrics: MetricsRecorder::new(env, env!("CARGO_PKG_NAME")),
        })
    }

    /// Says what it saw.
    ///
    /// # Errors
    /// `Cxone.Auth`, `Cxone.Contract`, and the transient ones.
    pub async fn handle(&self, event: LambdaEvent<RunIn>) -> Result<PollOut, Failure> {
        let message = event.payload;
        let session = self.tenants.open_session(&message.work.tenant);
        let seen = look(&session, &message).await;
        self.metrics.add(Metric::Polls, 1);
        self.metrics
            .add(Metric::Throttles, session.take_throttles());
        self.metrics
            .add(Metric::TokensNotStored, session.take_unstored_tokens());
        let work = &message.work;
        let context = MetricContext::for_window(&work.tenant, &work.report, work.window);
        self.metrics.emit(Some(&context.with_failure(&seen)));
        seen
    }
}

async fn look(session: &Session, message: &RunIn) -> Result<PollOut, Failure> {
    let (dialect, run) = (message.work.dialect, &message.work.run_id);
    let looked = session
        .call(async |client, token| client.poll_run(token, dialect, run).await)
        .await;
    if let Ok(RunStatus::Pending {
        state,
        known: false,
    }) = &looked
    {
        warn!(run.state = %state, "CXone names a state that is not documented; it is taken for pending");
    }
    let seen = match looked {
        Ok(look) => classify_poll(message, Ok(look)),
        Err(error @ Error::Call(_)) => classify_poll(message, Err(error.into())),
        Err(error) => Err(error.into()),
    }?;
    info!(run.state = %seen.state, saw = ?seen.saw, wait_seconds = seen.wait_seconds, "looked at the run");
    Ok(seen)
}
