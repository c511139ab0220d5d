#![doc = include_str!("../README.md")]

use aws_config::SdkConfig;
use cxone::Look;
use lambda_runtime::LambdaEvent;
use tokens::{Error, Session};
use tracing::{info, instrument, warn};
use workflow::{EndReason, Environment, Failure, PollOut, RunIn, Saw, Version};

/// A run that is not known this soon after its start may just not have arrived everywhere.
const ARRIVAL_SECONDS: i64 = 60;

/// Looks at a run once.
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

    /// Says what it saw.
    ///
    /// # Errors
    /// `Cxone.Auth`, `Cxone.Contract`, and the transient ones.
    #[instrument(skip_all, fields(tenant = %event.payload.work.tenant, run.id = %event.payload.work.run_id))]
    pub async fn handle(&self, event: LambdaEvent<RunIn>) -> Result<PollOut, Failure> {
        let message = event.payload;
        let run = &message.work.run_id;
        let looked = self
            .session
            .call(async |client, token| client.look(token, run).await)
            .await;
        let seen = judge(&message, looked)?;
        info!(run.state = %seen.state, saw = ?seen.saw, wait_seconds = seen.wait_seconds, "looked at the run");
        Ok(seen)
    }
}

fn judge(message: &RunIn, looked: Result<Look, Error>) -> Result<PollOut, Failure> {
    match looked {
        Ok(Look::Completed) => Ok(seen(Saw::Completed, "completed")),
        Ok(Look::Pending { state, known }) => {
            if !known {
                warn!(run.state = %state, "CXone names a state that is not documented; it is taken for pending");
            }
            Ok(seen(Saw::Pending, &state))
        }
        Ok(Look::Failed { message: said }) => Ok(PollOut {
            ended: Some(message.work.ended(EndReason::Failed, &said)),
            ..seen(Saw::Ended, "failed")
        }),
        Err(Error::Call(cxone::Error::NotFound { .. })) => {
            let age = message.now.duration_since(message.work.triggered_at);
            if age.as_secs() < ARRIVAL_SECONDS {
                return Ok(seen(Saw::Pending, "not found yet"));
            }
            Ok(PollOut {
                ended: Some(message.work.ended(EndReason::Vanished, "")),
                ..seen(Saw::Ended, "not found")
            })
        }
        Err(Error::Call(cxone::Error::Throttled { retry_after, .. })) => Ok(PollOut {
            wait_seconds: retry_after.map_or(0, |wait| wait.as_secs()),
            ..seen(Saw::Pending, "throttled")
        }),
        Err(error) => Err(error.into()),
    }
}

fn seen(saw: Saw, state: &str) -> PollOut {
    PollOut {
        v: Version,
        saw,
        state: state.chars().take(40).collect(),
        wait_seconds: 0,
        ended: None,
    }
}
