#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use cxone::Look;
use lambda_runtime::LambdaEvent;
use tokens::Session;
use tracing::{info, instrument, warn};
use workflow::{CancelOut, EndReason, Environment, Failure, FailureName, RunIn, Saw, Version};

/// Cancels a run that took too long.
#[derive(Debug)]
pub struct Handler {
    session: Session,
}

impl Handler {
    /// Reads the environment. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn new(env: &Environment, aws: &SdkConfig) -> Result<Self, Failure> {
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        Ok(Self {
            session: Session::new(env, secrets)?,
        })
    }

    /// Looks, cancels, looks again: a run that is done after all is used.
    ///
    /// # Errors
    /// `Cxone.Auth` and `Cxone.Config` only. Whatever else goes wrong must not hide that the
    /// run was cut off.
    #[instrument(skip_all, fields(tenant = %event.payload.work.tenant, run.id = %event.payload.work.run_id))]
    pub async fn handle(&self, event: LambdaEvent<RunIn>) -> Result<CancelOut, Failure> {
        let message = event.payload;
        let before = self.look(&message).await?;
        if before.is_none() {
            return Ok(completed());
        }
        self.cancel(&message).await?;
        let after = self.look(&message).await?;
        if after.is_none() {
            return Ok(completed());
        }
        let state = before.unwrap_or_default();
        info!(run.state = %state, "cancelled the run");
        let detail = format!("its last state was {state}");
        Ok(CancelOut {
            v: Version,
            saw: Saw::Ended,
            state,
            wait_seconds: 0,
            ended: Some(message.work.ended(EndReason::TimedOut, &detail)),
        })
    }

    /// The run's state as a word for operators; none if it is completed.
    async fn look(&self, message: &RunIn) -> Result<Option<String>, Failure> {
        let run = &message.work.run_id;
        let looked = self
            .session
            .call(async |client, token| client.look(token, run).await)
            .await;
        match looked {
            Ok(Look::Completed) => Ok(None),
            Ok(Look::Pending { state, .. }) => Ok(Some(state.chars().take(40).collect())),
            Ok(Look::Failed { .. }) => Ok(Some("failed".to_owned())),
            Err(error) => tolerate(error.into()).map(|()| Some("unknown".to_owned())),
        }
    }

    async fn cancel(&self, message: &RunIn) -> Result<(), Failure> {
        let run = &message.work.run_id;
        let cancelled = self
            .session
            .call(async |client, token| client.cancel(token, run).await)
            .await;
        match cancelled {
            Ok(how) => {
                info!(cancelled = ?how, "asked CXone to cancel the run");
                Ok(())
            }
            Err(error) => tolerate(error.into()),
        }
    }
}

/// Only what an operator has to mend stops the work; a run that can't be cancelled is left behind.
fn tolerate(failure: Failure) -> Result<(), Failure> {
    match failure.name {
        FailureName::Auth | FailureName::Config => Err(failure),
        _ => {
            warn!(error.name = %failure.name, error = %failure, "the run is given up all the same");
            Ok(())
        }
    }
}

fn completed() -> CancelOut {
    CancelOut {
        v: Version,
        saw: Saw::Completed,
        state: "completed".to_owned(),
        wait_seconds: 0,
        ended: None,
    }
}
