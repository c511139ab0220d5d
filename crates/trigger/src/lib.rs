#![doc = include_str!("../README.md")]

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use cxone::{Definition, Dialect, Registration, RunId, ScheduleId};
use lambda_runtime::LambdaEvent;
use landing::ask::{Answered, Fault, StartRequest, TriggerEffect, drive};
use landing::{Config, Store, flow};
use tokens::{Error, Session, Turn};
use tracing::{info, instrument, warn};
use workflow::{Environment, Failure, TriggerIn, TriggerOut};

/// Answers "what next for this window?".
#[derive(Debug)]
pub struct Handler {
    session: Session,
    store: Store,
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
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::read(env)?),
        })
    }

    /// Answers from what is stored, and stores what it decides.
    ///
    /// # Errors
    /// `Cxone.Config`, `Cxone.Auth`, `Cxone.Contract`, `Cxone.RunsExhausted`, and the transient ones.
    #[instrument(skip_all, fields(execution.id = %event.payload.execution.id))]
    pub async fn handle(&self, event: LambdaEvent<TriggerIn>) -> Result<TriggerOut, Failure> {
        let prefix = self.store.prefix();
        let asked = Instant::now();
        let answer = drive(
            async |ask| Box::pin(flow::trigger(ask, prefix, event.payload)).await,
            async |effect| self.perform(effect, asked).await,
        )
        .await?;
        info!(next = ?answer.next, "answered");
        Ok(answer)
    }

    /// A reply that nobody takes belongs to a flow that is gone.
    async fn perform(&self, effect: TriggerEffect, asked: Instant) {
        match effect {
            TriggerEffect::Store(effect) => self.store.perform(effect).await,
            TriggerEffect::Elapsed(effect) => effect.answer(asked),
            TriggerEffect::Register(definition, reply) => {
                let _ = reply.send(self.register(&definition).await);
            }
            TriggerEffect::StartRun(request, reply) => {
                let _ = reply.send(self.start_run(&request, asked).await);
            }
            TriggerEffect::CancelRun(dialect, run, reply) => {
                let _ = reply.send(self.cancel_run(dialect, &run).await);
            }
        }
    }

    async fn register(&self, definition: &Definition) -> Answered<Registration> {
        let registered = self
            .session
            .call(async |client, token| client.register(token, definition).await)
            .await;
        registered.map_err(fault)
    }

    async fn start_run(&self, request: &StartRequest, asked: Instant) -> Answered<RunId> {
        let (schedule, window) = (request.schedule.as_ref(), &request.window);
        let turn = Turn::new(asked, request.within);
        let started = self
            .session
            .call(async |client, token| {
                let start = client.start_run(token, &request.definition, schedule, window);
                turn.take("start run", Box::pin(start)).await
            })
            .await;
        if turn.was_missed() {
            return Err(Fault::TooEarly(Duration::ZERO));
        }
        let run = started.map_err(fault)?;
        info!(run.id = %run, schedule.id = schedule.map(ScheduleId::as_str), window = %window, "started a run");
        Ok(run)
    }

    async fn cancel_run(&self, dialect: Dialect, run: &RunId) -> Answered<()> {
        warn!(run.id = %run, "somebody else bound a run first; this one is cancelled");
        self.session
            .call(async |client, token| client.cancel(token, dialect, run).await)
            .await
            .map(|_| ())
            .map_err(fault)
    }
}

/// Nothing that Trigger asks for by id may be unknown: what it registered a moment ago is.
fn fault(error: Error) -> Fault {
    match error {
        Error::Call(cxone::Error::NotFound { step, .. }) => Fault::Contract(format!(
            "{step}: CXone does not know what it has just registered"
        )),
        Error::Call(error) => error.into(),
        other => Failure::from(other).into(),
    }
}
