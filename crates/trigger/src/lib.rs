#![doc = include_str!("../README.md")]

use std::time::Instant;

use aws_config::SdkConfig;
use definition::{Definition, Dialect, RunId, ScheduleId, TenantId};
use delivery::effects::{Answered, Fault, StartRequest, TriggerEffect, run_flow};
use delivery::flow;
use delivery::{Environment, Failure, FailureName, Next, TriggerIn, TriggerOut};
use handler::metrics::{Metric, MetricContext, MetricsRecorder};
use lambda_runtime::LambdaEvent;
use landing::{Config, Store};
use tokens::{CallPermit, Error, Session, Tenants};
use tracing::{info, warn};

/// Answers "what next for this window?".
#[derive(Debug)]
pub struct TriggerHandler {
    tenants: Tenants,
    store: Store,
    metrics: MetricsRecorder,
}

impl TriggerHandler {
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

    /// Decides from what is stored, and stores the decision.
    ///
    /// # Errors
    /// `Cxone.Config`, `Cxone.Auth`, `Cxone.Contract`, `Cxone.RunsExhausted`, `Cxone.Overdue`, and the transient ones.
    pub async fn handle(&self, event: LambdaEvent<TriggerIn>) -> Result<TriggerOut, Failure> {
        let context = metric_context(&event.payload);
        // What an operator cancelled did not end by itself.
        let is_cancellation = event.payload.event.detail.cancel.is_some();
        let ended = event.payload.ended.is_some() && !is_cancellation;
        let session = find_tenant(&event.payload).map(|tenant| self.tenants.open_session(&tenant));
        let answer = self.decide_next(session.as_ref(), event.payload).await;
        if let Some(session) = &session {
            self.metrics
                .add(Metric::Throttles, session.take_throttles());
            self.metrics
                .add(Metric::TokensNotStored, session.take_unstored_tokens());
        }
        self.count_outcome(&answer, ended);
        self.metrics.emit(
            context
                .map(|context| context.with_failure(&answer))
                .as_ref(),
        );
        answer
    }

    async fn decide_next(
        &self,
        session: Option<&Session>,
        message: TriggerIn,
    ) -> Result<TriggerOut, Failure> {
        let prefix = self.store.prefix();
        let asked = Instant::now();
        let answer = run_flow(
            async |ask| Box::pin(flow::trigger(ask, prefix, message)).await,
            async |effect| self.execute(session, effect, asked).await,
        )
        .await?;
        log_decision(&answer.next);
        Ok(answer)
    }

    fn count_outcome(&self, answer: &Result<TriggerOut, Failure>, ended: bool) {
        // A transient failure is retried with the same `ended`; count the ended run once, on the final attempt.
        let is_final = answer
            .as_ref()
            .err()
            .is_none_or(|failure| !failure.name.is_transient());
        self.metrics
            .add(Metric::RunsEnded, (ended && is_final).into());
        // The next execution does not know of a run that was started but not recorded.
        let is_unbound = answer.is_err() && self.metrics.get(Metric::RunsStarted) > 0;
        self.metrics.add(Metric::OrphanedRuns, is_unbound.into());
    }

    /// Carries out one effect and answers it.
    async fn execute(&self, session: Option<&Session>, effect: TriggerEffect, asked: Instant) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            TriggerEffect::Store(effect) => self.store.execute(effect).await,
            TriggerEffect::Elapsed(effect) => effect.answer(asked.elapsed()),
            TriggerEffect::Register(definition, responder) => {
                let _ = responder.send(register_schedule(session, &definition).await);
            }
            TriggerEffect::StartRun(request, responder) => {
                let _ = responder.send(self.start_run(session, &request, asked).await);
            }
            TriggerEffect::RecordFreshness(hours, responder) => {
                self.metrics.set(Metric::FreshnessHours, hours);
                let _ = responder.send(Ok(()));
            }
            TriggerEffect::CancelRun(dialect, run, responder) => {
                let _ = responder.send(self.cancel_run(session, dialect, &run).await);
            }
        }
    }

    async fn start_run(
        &self,
        session: Option<&Session>,
        request: &StartRequest,
        asked: Instant,
    ) -> Answered<RunId> {
        let (schedule, window) = (request.schedule.as_ref(), &request.window);
        let permit = CallPermit::new(asked, request.within);
        let started = require_tenant(session)?
            .call(async |client, token| {
                let start = client.start_run(token, &request.definition, schedule, window);
                permit.call(Box::pin(start)).await
            })
            .await;
        let run = started
            .inspect_err(|error| self.count_lost_start(error))
            .map_err(fault_of_call)?
            .into_answer("start run")?;
        self.metrics.add(Metric::RunsStarted, 1);
        info!(run = %run, schedule.id = schedule.map(ScheduleId::as_str), run.window = %window, "started a run");
        Ok(run)
    }

    /// A start whose answer was lost may have started a run that nobody knows of.
    fn count_lost_start(&self, error: &Error) {
        let is_lost = matches!(error, Error::Call(cxone::Error::Ambiguous { .. }));
        self.metrics.add(Metric::OrphanedRuns, is_lost.into());
    }

    async fn cancel_run(
        &self,
        session: Option<&Session>,
        dialect: Dialect,
        run: &RunId,
    ) -> Answered<()> {
        self.metrics.add(Metric::OrphanedRuns, 1);
        warn!(run = %run, "somebody else bound a run first; this one is cancelled");
        require_tenant(session)?
            .call(async |client, token| client.cancel_run(token, dialect, run).await)
            .await
            .map(|_| ())
            .map_err(fault_of_call)
    }
}

fn log_decision(next: &Next) {
    let word = next.as_str();
    match next {
        Next::Run { work, .. } | Next::Cancel { work } => {
            info!(next = word, run = %work.run_id, "decided what is next");
        }
        Next::Delivered { version, note, .. } | Next::Superseded { version, note } => info!(
            next = word,
            commit.version = version,
            note = note.as_deref(),
            "decided what is next"
        ),
        Next::NotBefore { until, .. } => info!(next = word, until = %until, "decided what is next"),
        Next::Nothing { note } => {
            info!(next = word, note = note.as_deref(), "decided what is next");
        }
        Next::Overdue(overdue) => {
            warn!(
                next = word,
                overdue.windows = overdue.windows,
                "decided what is next"
            );
        }
        Next::Ready { .. } => info!(next = word, "decided what is next"),
    }
}

async fn register_schedule(
    session: Option<&Session>,
    definition: &Definition,
) -> Answered<Option<ScheduleId>> {
    let registered = require_tenant(session)?
        .call(async |client, token| client.register_schedule(token, definition).await)
        .await;
    registered.map_err(fault_of_call)
}

/// The session of the definition's tenant. A definition without a valid one is refused before anything is called.
fn require_tenant(session: Option<&Session>) -> Answered<&Session> {
    session
        .ok_or_else(|| Failure::new(FailureName::Config, "the definition names no tenant").into())
}

fn find_tenant(message: &TriggerIn) -> Option<TenantId> {
    let tenant = &message.event.detail.definition["pipeline"]["tenant"];
    tenant.as_str()?.parse().ok()
}

/// What the figures belong to: the definition's own names, if they are valid. They are read here, because a definition
/// that is refused is not parsed.
fn metric_context(message: &TriggerIn) -> Option<MetricContext> {
    let tenant = find_tenant(message)?;
    let definition = &message.event.detail.definition;
    let report = definition["name"].as_str()?.parse().ok()?;
    let context =
        MetricContext::new(&tenant, &report).with_property("execution", &message.execution.id);
    Some(match &message.ended {
        Some(ended) => context.with_property("reason", ended.reason.as_str()),
        None => context,
    })
}

/// A 404 breaks the contract: Trigger asks only for ids that it registered a moment ago.
fn fault_of_call(error: Error) -> Fault {
    match error {
        Error::Call(cxone::Error::NotFound { step, .. }) => Fault::Contract(format!(
            "{step}: CXone does not know what it has just registered"
        )),
        error => error.into(),
    }
}
