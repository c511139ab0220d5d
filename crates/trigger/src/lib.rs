#![doc = include_str!("../README.md")]

use std::time::Instant;

use aws_config::SdkConfig;
use definition::{Definition, Dialect, RunId, ScheduleId};
use delivery::effects::{Answered, Fault, StartRequest, TriggerEffect, run_flow};
use delivery::flow;
use delivery::{Environment, Failure, TriggerIn, TriggerOut};
use handler::metrics::{About, Metric, Tally};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store};
use tokens::{CallPermit, Error, Session};
use tracing::{info, instrument, warn};

/// Answers "what next for this window?".
#[derive(Debug)]
pub struct Handler {
    session: Session,
    store: Store,
    tally: Tally,
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
            store: Store::new(aws_sdk_s3::Client::new(aws), Config::from_environment(env)?),
            tally: Tally::default(),
        })
    }

    /// Answers from what is stored, and stores what it decides.
    ///
    /// # Errors
    /// `Cxone.Config`, `Cxone.Auth`, `Cxone.Contract`, `Cxone.RunsExhausted`, and the transient ones.
    #[instrument(skip_all, fields(execution.id = %event.payload.execution.id))]
    pub async fn handle(&self, event: LambdaEvent<TriggerIn>) -> Result<TriggerOut, Failure> {
        let (about, ended) = (about(&event.payload), event.payload.ended.is_some());
        let answer = self.answer(event.payload).await;
        self.count(&answer, ended);
        self.tally
            .emit(about.map(|about| about.failed(&answer)).as_ref());
        answer
    }

    async fn answer(&self, message: TriggerIn) -> Result<TriggerOut, Failure> {
        let prefix = self.store.prefix();
        let asked = Instant::now();
        let answer = run_flow(
            async |ask| Box::pin(flow::trigger(ask, prefix, message)).await,
            async |effect| self.execute(effect, asked).await,
        )
        .await?;
        info!(next = ?answer.next, "answered");
        Ok(answer)
    }

    fn count(&self, answer: &Result<TriggerOut, Failure>, ended: bool) {
        self.tally
            .add(Metric::Throttles, self.session.take_throttles());
        // What passes is tried again with the same ending, which is one ending all the same.
        let is_final = answer
            .as_ref()
            .err()
            .is_none_or(|failure| !failure.name.is_transient());
        self.tally
            .add(Metric::RunsEnded, (ended && is_final).into());
        // Whoever asks next does not know of a run that could not be bound.
        let is_unbound = answer.is_err() && self.tally.get(Metric::RunsStarted) > 0;
        self.tally.add(Metric::OrphanedRuns, is_unbound.into());
    }

    /// A reply that nobody takes belongs to a flow that is gone.
    async fn execute(&self, effect: TriggerEffect, asked: Instant) {
        match effect {
            TriggerEffect::Store(effect) => self.store.execute(effect).await,
            TriggerEffect::Elapsed(effect) => effect.answer(asked.elapsed()),
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

    async fn register(&self, definition: &Definition) -> Answered<Option<ScheduleId>> {
        let registered = self
            .session
            .call(async |client, token| client.register(token, definition).await)
            .await;
        registered.map_err(fault)
    }

    async fn start_run(&self, request: &StartRequest, asked: Instant) -> Answered<RunId> {
        let (schedule, window) = (request.schedule.as_ref(), &request.window);
        let permit = CallPermit::new(asked, request.within);
        let started = self
            .session
            .call(async |client, token| {
                let start = client.start_run(token, &request.definition, schedule, window);
                permit.call(Box::pin(start)).await
            })
            .await;
        let run = started
            .inspect_err(|error| self.count_lost_start(error))
            .map_err(fault)?
            .into_answer("start run")?;
        self.tally.add(Metric::RunsStarted, 1);
        info!(run.id = %run, schedule.id = schedule.map(ScheduleId::as_str), window = %window, "started a run");
        Ok(run)
    }

    /// A start whose answer was lost may have started a run that nobody knows of.
    fn count_lost_start(&self, error: &Error) {
        let is_lost = matches!(error, Error::Call(cxone::Error::Ambiguous { .. }));
        self.tally.add(Metric::OrphanedRuns, is_lost.into());
    }

    async fn cancel_run(&self, dialect: Dialect, run: &RunId) -> Answered<()> {
        self.tally.add(Metric::OrphanedRuns, 1);
        warn!(run.id = %run, "somebody else bound a run first; this one is cancelled");
        self.session
            .call(async |client, token| client.cancel(token, dialect, run).await)
            .await
            .map(|_| ())
            .map_err(fault)
    }
}

/// What the figures are about: the definition's own names, if it has such names. They are read here because a refused
/// definition is not.
fn about(message: &TriggerIn) -> Option<About> {
    let definition = &message.event.detail.definition;
    let tenant = definition["pipeline"]["tenant"].as_str()?.parse().ok()?;
    let report = definition["name"].as_str()?.parse().ok()?;
    let about = About::new(&tenant, &report).with("execution", &message.execution.id);
    Some(match &message.ended {
        Some(ended) => about.with("reason", ended.reason.as_str()),
        None => about,
    })
}

/// Nothing that Trigger asks for by id may be unknown: what it registered a moment ago is.
fn fault(error: Error) -> Fault {
    match error {
        Error::Call(cxone::Error::NotFound { step, .. }) => Fault::Contract(format!(
            "{step}: CXone does not know what it has just registered"
        )),
        error => error.into(),
    }
}
