//! One invocation of a handler: the deployed decisions, polled by hand, one effect at a time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use delivery::effects::{self, Effects, FetchEffect, FinalizeEffect, TriggerEffect};
use delivery::{
    Failure, FetchIn, FetchOut, FinalizeIn, FinalizeOut, PublishIn, PublishOut, RunIn, TriggerIn,
    TriggerOut, classify_poll,
};
use delta_table::effects::PublishEffect;
use jiff::Timestamp;
use serde_json::Value;
use tokens::fault_of_call;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::effects::{Open, fetch_effect, finalize_effect, publish_effect, trigger_effect};
use crate::expectation::{Asked, is_end, only_looks};
use crate::looks::{CancelStep, cancel, look};
use crate::outside::{Mishap, Outside, Progress};
use crate::session::Session;

type Flow<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

/// The deployed decisions, or a copy of them with a bug planted.
#[derive(Clone, Copy)]
pub(crate) struct Flows {
    pub(crate) trigger: fn(Effects<TriggerEffect>, TriggerIn) -> Flow<TriggerOut>,
    pub(crate) fetch: fn(Effects<FetchEffect>, FetchIn) -> Flow<FetchOut>,
    pub(crate) finalize: fn(Effects<FinalizeEffect>, FinalizeIn) -> Flow<FinalizeOut>,
    pub(crate) publish: fn(Effects<PublishEffect>, PublishIn) -> Flow<PublishOut>,
}

/// Builds [`Flows`] from a module that holds the three that lead to a commit, and one that publishes.
#[macro_export]
macro_rules! flows {
    ($module:path) => {
        $crate::flows!($module, delta_table::publish)
    };
    ($module:path, $publish:path) => {{
        use $module as flow;
        use $publish as publish;
        $crate::invocation::Flows {
            trigger: |ask, message| Box::pin(async move { flow::trigger(ask, "p", message).await }),
            fetch: |ask, message| Box::pin(async move { flow::fetch(ask, "p", message).await }),
            finalize: |ask, message| {
                Box::pin(async move { flow::finalize(ask, "p", "bucket", message).await })
            },
            publish: |ask, message| {
                Box::pin(async move { publish::publish(ask, "p", message).await })
            },
        }
    }};
}

enum Running {
    Trigger(
        Flow<TriggerOut>,
        UnboundedReceiver<TriggerEffect>,
        Option<TriggerEffect>,
    ),
    Fetch(
        Flow<FetchOut>,
        UnboundedReceiver<FetchEffect>,
        Option<FetchEffect>,
    ),
    Finalize(Flow<FinalizeOut>, UnboundedReceiver<FinalizeEffect>),
    Publish(Flow<PublishOut>, UnboundedReceiver<PublishEffect>),
    Poll(RunIn),
    Cancel(RunIn, CancelStep),
}

pub(crate) struct Invocation {
    pub(crate) execution: usize,
    /// Whether the state machine still waits for its answer.
    pub(crate) awaited: bool,
    pub(crate) busy_until: Timestamp,
    /// If it is asked whether a window was delivered.
    pub(crate) expects: Option<Asked>,
    /// Whether it is to have a run cancelled.
    pub(crate) cancels: bool,
    asked: Timestamp,
    running: Running,
    open: Open,
    session: Session,
}

impl Invocation {
    pub(crate) fn start(
        flows: Flows,
        execution: usize,
        function: &str,
        payload: Value,
        now: Timestamp,
    ) -> Self {
        let running = match function {
            "trigger" => {
                let (ask, effects) = effects::channel();
                let message = serde_json::from_value(payload).unwrap();
                Running::Trigger((flows.trigger)(ask, message), effects, None)
            }
            "fetch-page" => {
                let (ask, effects) = effects::channel();
                let message = serde_json::from_value(payload).unwrap();
                Running::Fetch((flows.fetch)(ask, message), effects, None)
            }
            "finalize" => {
                let (ask, effects) = effects::channel();
                let message = serde_json::from_value(payload).unwrap();
                Running::Finalize((flows.finalize)(ask, message), effects)
            }
            "publish" => {
                let (ask, effects) = effects::channel();
                let message = serde_json::from_value(payload).unwrap();
                Running::Publish((flows.publish)(ask, message), effects)
            }
            "poll-once" => Running::Poll(serde_json::from_value(payload).unwrap()),
            "cancel" => Running::Cancel(serde_json::from_value(payload).unwrap(), CancelStep::Look),
            other => panic!("no function {other}"),
        };
        Self {
            execution,
            awaited: true,
            busy_until: now,
            expects: None,
            cancels: false,
            asked: now,
            running,
            open: Open::default(),
            session: Session::default(),
        }
    }

    pub(crate) fn publishes(&self) -> bool {
        matches!(self.running, Running::Publish(..))
    }

    /// Runs up to the next effect and carries that out, with this mishap.
    pub(crate) fn step(&mut self, outside: &mut Outside<'_>, mishap: Mishap) -> Progress {
        let progress = self.one_step(outside, mishap);
        if let Progress::Answered(answer) = &progress {
            outside.note(answer);
            self.session.rest(outside.warm);
        }
        progress
    }

    fn one_step(&mut self, outside: &mut Outside<'_>, mishap: Mishap) -> Progress {
        let open = &mut self.open;
        outside.elapsed = outside.now.duration_since(self.asked);
        match &mut self.running {
            Running::Trigger(flow, effects, waits) => {
                let effect = match waits
                    .take()
                    .map_or_else(|| poll(flow, effects), Polled::Effect)
                {
                    Polled::Answer(answer) => return Progress::Answered(answer),
                    Polled::Effect(effect) => effect,
                };
                if self.cancels && !only_looks(&effect) && !is_end(&effect) {
                    *outside.stray = Some(format!("{effect:?} for a cancellation"));
                }
                if self.expects.is_some() && !only_looks(&effect) {
                    *outside.stray = Some(format!("{effect:?} for whether a window is there"));
                }
                let calls = matches!(
                    effect,
                    TriggerEffect::Register(..)
                        | TriggerEffect::StartRun(..)
                        | TriggerEffect::CancelRun(..)
                );
                let Some(mishap) = outside.sign_in(&mut self.session, calls, mishap) else {
                    *waits = Some(effect);
                    return Progress::Goes;
                };
                if calls {
                    outside.note(&effect);
                }
                trigger_effect(outside, mishap, effect)
            }
            Running::Fetch(flow, effects, waits) => {
                let effect = match waits
                    .take()
                    .map_or_else(|| poll(flow, effects), Polled::Effect)
                {
                    Polled::Answer(answer) => return Progress::Answered(answer),
                    Polled::Effect(effect) => effect,
                };
                let calls = matches!(effect, FetchEffect::Page(..));
                let Some(mishap) = outside.sign_in(&mut self.session, calls, mishap) else {
                    *waits = Some(effect);
                    return Progress::Goes;
                };
                if calls {
                    outside.note(&effect);
                }
                fetch_effect(outside, mishap, open, effect)
            }
            Running::Finalize(flow, effects) => match poll(flow, effects) {
                Polled::Answer(answer) => Progress::Answered(answer),
                Polled::Effect(effect) => finalize_effect(outside, mishap, effect),
            },
            Running::Publish(flow, effects) => match poll(flow, effects) {
                Polled::Answer(answer) => Progress::Answered(answer),
                Polled::Effect(effect) => publish_effect(outside, mishap, effect),
            },
            Running::Poll(message) => {
                let Some(mishap) = outside.sign_in(&mut self.session, true, mishap) else {
                    return Progress::Goes;
                };
                match look(outside, mishap, &message.work.run_id) {
                    Ok(look) => Progress::Answered(
                        classify_poll(message, look.map_err(fault_of_call)).map(value),
                    ),
                    Err(progress) => progress,
                }
            }
            Running::Cancel(message, step) => {
                let Some(mishap) = outside.sign_in(&mut self.session, true, mishap) else {
                    return Progress::Goes;
                };
                cancel(outside, mishap, message, step)
            }
        }
    }
}

enum Polled<E> {
    Answer(Result<Value, Failure>),
    Effect(E),
}

fn poll<T: serde::Serialize, E>(
    flow: &mut Flow<T>,
    effects: &mut UnboundedReceiver<E>,
) -> Polled<E> {
    let mut context = Context::from_waker(Waker::noop());
    match flow.as_mut().poll(&mut context) {
        Poll::Ready(answer) => Polled::Answer(answer.map(value)),
        Poll::Pending => Polled::Effect(effects.try_recv().expect("a flow waits for nothing else")),
    }
}

pub(crate) fn value<T: serde::Serialize>(message: T) -> Value {
    serde_json::to_value(message).unwrap()
}
