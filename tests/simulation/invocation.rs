//! One invocation of a handler: the deployed decisions, polled by hand, one effect at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use std::time::Duration;

use cxone::Error;
use definition::RunId;
use definition::RunStatus;
use delivery::columns::{ColumnCount, ColumnCounts, ValueKind};
use delivery::effects::{
    self, Claimed, ClosedParts, Effects, Elapsed, Fault, FetchEffect, FinalizeEffect, StoreEffect,
    TriggerEffect,
};
use delivery::{
    Failure, FailureName, FetchIn, FetchOut, FinalizeIn, FinalizeOut, RunIn, TriggerIn, TriggerOut,
    classify_cancel_poll, classify_poll, report_abandoned, report_completed, report_cut_off,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokens::{failure_of_call, fault_of_call};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::rng::Rng;
use crate::session::{Session, Signing, Vault};
use crate::store::Store;
use crate::tenant::{Tenant, pause};

type Flow<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

/// The deployed decisions, or a copy of them with a bug planted.
#[derive(Clone, Copy)]
pub(crate) struct Flows {
    pub(crate) trigger: fn(Effects<TriggerEffect>, TriggerIn) -> Flow<TriggerOut>,
    pub(crate) fetch: fn(Effects<FetchEffect>, FetchIn) -> Flow<FetchOut>,
    pub(crate) finalize: fn(Effects<FinalizeEffect>, FinalizeIn) -> Flow<FinalizeOut>,
}

/// Builds [`Flows`] from a module that holds the three.
#[macro_export]
macro_rules! flows {
    ($module:path) => {{
        use $module as flow;
        $crate::invocation::Flows {
            trigger: |ask, message| Box::pin(async move { flow::trigger(ask, "p", message).await }),
            fetch: |ask, message| Box::pin(async move { flow::fetch(ask, "p", message).await }),
            finalize: |ask, message| {
                Box::pin(async move { flow::finalize(ask, "p", "bucket", message).await })
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
    Poll(RunIn),
    Cancel(RunIn, CancelStep),
}

enum CancelStep {
    Look,
    Delete(String),
    LookAgain(String),
}

/// What one step of an invocation came to.
pub(crate) enum Progress {
    /// There is more to do.
    Goes,
    /// It has answered.
    Answered(Result<Value, Failure>),
    /// Its process is gone.
    Killed,
}

/// What goes wrong with one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    None,
    /// Killed before it happens.
    KillBefore,
    /// Killed after it has happened.
    KillAfter,
    /// It happens, and nobody is told.
    LoseAnswer,
    /// It does not happen, and somebody says so.
    Unavailable,
    /// The tenant asks for a pause; only where it can.
    Throttled,
    /// The tenant takes no token.
    Refused,
}

/// The open parts of an invocation.
#[derive(Default)]
struct Open {
    rows: Vec<String>,
    prefix: String,
}

pub(crate) struct Invocation {
    pub(crate) execution: usize,
    /// Whether the state machine still waits for its answer.
    pub(crate) awaited: bool,
    pub(crate) busy_until: Timestamp,
    asked: Timestamp,
    running: Running,
    open: Open,
    session: Session,
}

/// What an invocation acts on.
pub(crate) struct Outside<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) tenant: &'a mut Tenant,
    pub(crate) vault: &'a mut Vault,
    /// What the handlers would have written to their logs.
    pub(crate) journal: &'a mut String,
    pub(crate) rng: &'a mut Rng,
    pub(crate) now: Timestamp,
    /// How long the invocation is under way.
    pub(crate) elapsed: SignedDuration,
    /// How often, of 1,000 pages, one breaks off.
    pub(crate) torn: u64,
}

impl Outside<'_> {
    /// What happens to the next thing that is done: a call of the tenant needs a token, whatever else it is none.
    /// `None` if there is more to do for the token.
    fn sign_in(&mut self, session: &mut Session, calls: bool, mishap: Mishap) -> Option<Mishap> {
        if !calls {
            return Some(mishap);
        }
        self.note(&*session);
        match session.sign_in(self.vault, self.rng, self.now, mishap) {
            Signing::In => Some(mishap),
            Signing::Out(instead) => Some(instead),
            Signing::Busy => None,
        }
    }

    /// Writes something to the log.
    fn note(&mut self, what: &dyn std::fmt::Debug) {
        writeln!(self.journal, "{what:?}").unwrap();
    }
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
            "poll-once" => Running::Poll(serde_json::from_value(payload).unwrap()),
            "cancel" => Running::Cancel(serde_json::from_value(payload).unwrap(), CancelStep::Look),
            other => panic!("no function {other}"),
        };
        Self {
            execution,
            awaited: true,
            busy_until: now,
            asked: now,
            running,
            open: Open::default(),
            session: Session::default(),
        }
    }

    /// Runs up to the next effect and carries that out, with this mishap.
    pub(crate) fn step(&mut self, outside: &mut Outside<'_>, mishap: Mishap) -> Progress {
        let progress = self.one_step(outside, mishap);
        if let Progress::Answered(answer) = &progress {
            outside.note(answer);
            self.session.rest(outside.vault);
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

fn value<T: serde::Serialize>(message: T) -> Value {
    serde_json::to_value(message).unwrap()
}

/// Carries an effect out, or not, and tells about it, or not.
fn with<T>(
    mishap: Mishap,
    responder: effects::Responder<T>,
    effect: impl FnOnce() -> Result<T, Fault>,
) -> Progress {
    let lost = || Err(Fault::Unavailable("no answer".to_owned()));
    let answer = match mishap {
        Mishap::None | Mishap::Throttled => effect(),
        Mishap::KillBefore => return Progress::Killed,
        Mishap::KillAfter => {
            let _ = effect();
            return Progress::Killed;
        }
        Mishap::LoseAnswer => {
            let _ = effect();
            lost()
        }
        Mishap::Unavailable => lost(),
        Mishap::Refused => Err(Fault::Auth("no token is taken".to_owned())),
    };
    let _ = responder.send(answer);
    Progress::Goes
}

/// What the tenant answers to whom it does not want to hear.
fn refusal(outside: &mut Outside<'_>) -> Fault {
    if outside.tenant.dialect.spacing().is_some() {
        return Fault::MaybeForbidden("403".to_owned());
    }
    Fault::Throttled(pause(outside.rng))
}

/// What the handlers' `Turn` does.
fn in_time(outside: &Outside<'_>, within: Option<Duration>) -> Result<(), Fault> {
    let late = within.is_some_and(|within| outside.elapsed.unsigned_abs() > within);
    if late {
        return Err(Fault::TooEarly(Duration::ZERO));
    }
    Ok(())
}

/// Looking at a clock does not fail.
fn elapsed(outside: &Outside<'_>, mishap: Mishap, effect: Elapsed) -> Progress {
    let mishap = match mishap {
        Mishap::KillBefore | Mishap::KillAfter => mishap,
        _ => Mishap::None,
    };
    with(mishap, effect.0, || Ok(outside.elapsed))
}

fn store_effect(store: &mut Store, mishap: Mishap, effect: StoreEffect) -> Progress {
    match effect {
        StoreEffect::Claim(key, body, responder) => with(mishap, responder, || {
            Ok(store.claim(key, body)) as Result<Claimed, Fault>
        }),
        StoreEffect::Find(key, responder) => with(mishap, responder, || Ok(store.find(&key))),
        StoreEffect::CompareAndSwap {
            key,
            body,
            found,
            responder,
        } => with(mishap, responder, || {
            Ok(store.swap(key, body, found.as_deref()))
        }),
        StoreEffect::Read(keys, responder) => with(mishap, responder, || {
            Ok(keys.iter().map(|key| store.read(key)).collect())
        }),
        StoreEffect::List {
            prefix,
            after,
            responder,
        } => with(mishap, responder, || {
            Ok(store.list(&prefix, after.as_deref()))
        }),
        StoreEffect::ListFolders {
            prefix,
            after,
            before,
            responder,
        } => with(mishap, responder, || {
            Ok(store.list_folders(&prefix, &after, &before))
        }),
    }
}

fn trigger_effect(outside: &mut Outside<'_>, mishap: Mishap, effect: TriggerEffect) -> Progress {
    let throttled = (mishap == Mishap::Throttled).then(|| refusal(outside));
    match effect {
        TriggerEffect::Elapsed(effect) => elapsed(outside, mishap, effect),
        TriggerEffect::Store(effect) => store_effect(outside.store, mishap, effect),
        TriggerEffect::Register(definition, responder) => with(mishap, responder, || {
            if !outside.tenant.dialect.can_cancel() {
                return Ok(None);
            }
            throttled.map_or(Ok(()), Err)?;
            let id = outside.tenant.register(definition.name.as_str());
            Ok(Some(id))
        }),
        TriggerEffect::StartRun(request, responder) => with(mishap, responder, || {
            in_time(outside, request.within)?;
            outside.tenant.called(outside.now);
            throttled.map_or(Ok(()), Err)?;
            Ok(outside.tenant.start(
                outside.rng,
                outside.now,
                request.schedule.as_ref(),
                request.window,
            ))
        }),
        TriggerEffect::CancelRun(_, run, responder) => with(mishap, responder, || {
            outside.tenant.cancel(outside.now, &run);
            Ok(())
        }),
    }
}

fn fetch_effect(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    open: &mut Open,
    effect: FetchEffect,
) -> Progress {
    let throttled = (mishap == Mishap::Throttled).then(|| refusal(outside));
    match effect {
        FetchEffect::Elapsed(effect) => elapsed(outside, mishap, effect),
        FetchEffect::Store(effect) => store_effect(outside.store, mishap, effect),
        FetchEffect::Page(request, responder) => {
            // A page whose answer is lost is a page that broke off.
            let mishap = if mishap == Mishap::LoseAnswer {
                Mishap::None
            } else {
                mishap
            };
            with(mishap, responder, || {
                in_time(outside, request.within)?;
                outside.tenant.called(outside.now);
                throttled.map_or(Ok(()), Err)?;
                let (rows, mut page) =
                    outside
                        .tenant
                        .page(outside.now, &request.run_id, request.token.as_ref())?;
                open.prefix = request.part_prefix;
                if outside.rng.chance(outside.torn) {
                    let some = outside.rng.index(rows.len() + 1);
                    open.rows.extend(rows.into_iter().take(some));
                    let why = Fault::Unavailable("the page broke off".to_owned());
                    return Err(Fault::Torn(Box::new(why)));
                }
                open.rows.extend(rows);
                page.close = outside.rng.chance(200);
                page.stop = outside.rng.chance(200) || outside.tenant.page_size.is_some();
                Ok(page)
            })
        }
        FetchEffect::Close(responder) => with(mishap, responder, || {
            let rows = std::mem::take(&mut open.rows);
            if rows.is_empty() {
                return Ok(ClosedParts::default());
            }
            let half = rows.len() / 2;
            let (first, second) = rows.split_at(half);
            Ok(ClosedParts {
                columns: count_columns(&rows),
                parts: [first, second]
                    .into_iter()
                    .filter(|rows| !rows.is_empty())
                    .map(|rows| outside.store.put_part(&open.prefix, rows.to_vec()))
                    .collect(),
            })
        }),
        FetchEffect::Discard(responder) => with(mishap, responder, || {
            open.rows.clear();
            Ok(())
        }),
    }
}

/// What is counted of rows here: one column, so that the sum over all batches can be held against the commit's rows.
fn count_columns(rows: &[String]) -> ColumnCounts {
    let rows = rows.len() as u64;
    ColumnCounts {
        columns: vec![ColumnCount {
            name: "row".to_owned(),
            rows,
            kinds: BTreeMap::from([(ValueKind::Object, rows)]),
        }],
        unlisted: 0,
    }
}

fn finalize_effect(outside: &mut Outside<'_>, mishap: Mishap, effect: FinalizeEffect) -> Progress {
    let store = &mut *outside.store;
    match effect {
        FinalizeEffect::Store(effect) => store_effect(store, mishap, effect),
        FinalizeEffect::Check(parts, responder) => with(mishap, responder, || {
            Ok(parts
                .iter()
                .find(|part| !store.check(part))
                .map(|part| part.key.clone()))
        }),
        FinalizeEffect::Merge(parts, responder) => {
            with(mishap, responder, || Ok(store.merge(&parts)))
        }
        FinalizeEffect::Rewrite(request, responder) => with(mishap, responder, || {
            let rows = store.rows(&request.part.key).to_vec();
            let stay = (0..)
                .zip(rows)
                .filter(|(number, _)| !request.without.contains(number))
                .map(|(_, row)| row)
                .collect();
            Ok(store.put_part(&request.part_prefix, stay))
        }),
    }
}

/// A look, as PollOnce and Cancel take it.
fn look(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    run: &RunId,
) -> Result<Result<RunStatus, Error>, Progress> {
    match mishap {
        Mishap::KillBefore | Mishap::KillAfter => Err(Progress::Killed),
        Mishap::LoseAnswer | Mishap::Unavailable => Ok(Err(no_answer())),
        Mishap::Throttled => Ok(Err(Error::Throttled {
            step: "look at the run",
            retry_after: pause(outside.rng),
        })),
        Mishap::Refused => Ok(Err(Error::Unauthorized {
            step: "look at the run",
            code: String::new(),
        })),
        Mishap::None => Ok(outside.tenant.look(outside.now, run)),
    }
}

fn no_answer() -> Error {
    Error::unavailable("look at the run", "no answer")
}

/// The three steps of the Cancel handler.
fn cancel(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    message: &RunIn,
    step: &mut CancelStep,
) -> Progress {
    let run = &message.work.run_id;
    if message.work.direct {
        return Progress::Answered(Ok(value(report_abandoned(message, None))));
    }
    if let CancelStep::Delete(state) = step {
        if mishap == Mishap::KillBefore {
            return Progress::Killed;
        }
        if !matches!(mishap, Mishap::Unavailable | Mishap::Refused) {
            outside.tenant.cancel(outside.now, run);
        }
        *step = CancelStep::LookAgain(std::mem::take(state));
        return if mishap == Mishap::KillAfter {
            Progress::Killed
        } else {
            Progress::Goes
        };
    }
    let look = match look(outside, mishap, run) {
        Ok(look) => classify_cancel_poll(look.map_err(|error| failure_of_call(&error))),
        Err(progress) => return progress,
    };
    match (look, step) {
        (Err(failure), _) => Progress::Answered(Err(failure)),
        (Ok(None), _) => Progress::Answered(Ok(value(report_completed()))),
        (Ok(Some(state)), CancelStep::Look) if !message.work.dialect.can_cancel() => {
            Progress::Answered(Ok(value(report_abandoned(message, Some(&state)))))
        }
        (Ok(Some(state)), step @ CancelStep::Look) => {
            *step = CancelStep::Delete(state);
            Progress::Goes
        }
        (Ok(Some(_)), CancelStep::LookAgain(state) | CancelStep::Delete(state)) => {
            Progress::Answered(Ok(value(report_cut_off(message, state))))
        }
    }
}

/// The name that the state machine sees when a handler's process is gone.
pub(crate) fn killed(rng: &mut Rng) -> Failure {
    Failure::new(
        FailureName::Unavailable,
        if rng.chance(500) {
            "Lambda.Unknown"
        } else {
            "Sandbox.Timedout"
        },
    )
}
