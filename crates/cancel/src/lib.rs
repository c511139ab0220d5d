#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use cxone::CancelOutcome;
use delivery::{
    CancelOut, Environment, Failure, RunIn, classify_cancel_poll, ignore_unless_operator_error,
    report_abandoned, report_completed, report_cut_off,
};
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use tokens::{Session, Tenants};
use tracing::{info, warn};

/// Cancels a run that took too long, or that an operator wants to be rid of.
#[derive(Debug)]
pub struct CancelHandler {
    tenants: Tenants,
    metrics: MetricsRecorder,
}

impl CancelHandler {
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

    /// Looks, cancels, looks again: a run that is done after all is used.
    ///
    /// # Errors
    /// `Cxone.Auth` and `Cxone.Config` only. Whatever else goes wrong must not hide that the
    /// run was cut off.
    pub async fn handle(&self, event: LambdaEvent<RunIn>) -> Result<CancelOut, Failure> {
        let message = event.payload;
        let session = self.tenants.open_session(&message.work.tenant);
        let answer = cut_off(&session, &message).await;
        // Before that an operator cancels it.
        let is_late = message.now >= message.work.deadline_at;
        let has_ended = answer.as_ref().is_ok_and(|answer| answer.ended.is_some());
        let is_cut_off = is_late && has_ended;
        self.metrics.add(Metric::RunsCutOff, is_cut_off.into());
        self.metrics
            .add(Metric::Throttles, session.take_throttles());
        self.metrics
            .add(Metric::TokensNotStored, session.take_unstored_tokens());
        let work = &message.work;
        let context = MetricContext::for_window(&work.tenant, &work.report, work.window);
        self.metrics.emit(Some(&context.with_failure(&answer)));
        answer
    }
}

async fn cut_off(session: &Session, message: &RunIn) -> Result<CancelOut, Failure> {
    if message.work.direct {
        // A direct API has no run to poll or cancel: FetchPage has just asked for the report itself.
        warn!("the run took too long and is abandoned");
        return Ok(report_abandoned(message, None));
    }
    let Some(state) = look(session, message).await? else {
        return Ok(report_completed());
    };
    if !message.work.dialect.can_cancel() {
        warn!(run.state = %state, "the API can't cancel; the run is abandoned");
        return Ok(report_abandoned(message, Some(&state)));
    }
    let is_over = cancel(session, message).await?;
    if look(session, message).await?.is_none() {
        return Ok(report_completed());
    }
    if !is_over {
        return Ok(report_abandoned(message, Some(&state)));
    }
    info!(run.state = %state, "cancelled the run");
    Ok(report_cut_off(message, &state))
}

async fn look(session: &Session, message: &RunIn) -> Result<Option<String>, Failure> {
    let (dialect, run) = (message.work.dialect, &message.work.run_id);
    let look = session
        .call(async |client, token| client.poll_run(token, dialect, run).await)
        .await;
    classify_cancel_poll(look.map_err(Failure::from))
}

/// Whether the run is over at CXone now.
async fn cancel(session: &Session, message: &RunIn) -> Result<bool, Failure> {
    let (dialect, run) = (message.work.dialect, &message.work.run_id);
    let cancelled = session
        .call(async |client, token| client.cancel_run(token, dialect, run).await)
        .await;
    match cancelled {
        Ok(outcome) => {
            info!(cancelled = ?outcome, "asked CXone to cancel the run");
            Ok(outcome != CancelOutcome::Unsupported)
        }
        Err(error) => {
            warn!(%error, "the run could not be cancelled and is abandoned");
            ignore_unless_operator_error(error.into()).map(|()| false)
        }
    }
}
