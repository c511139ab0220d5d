//! "What next for this window?"

use std::time::Duration;

use crate::{
    EndReason, Ended, Failure, FailureName, FinalizeWork, Next, TriggerIn, TriggerOut, Version,
    Work,
};
use definition::text::clean_detail;
use definition::{Definition, RunId, ScheduleId, SourceRange, Window};
use jiff::{SignedDuration, Timestamp};

use super::commits::Log;
use super::pace::{Lane, Turn};
use super::plan::{Leaf, Plan, last_slot};
use super::stall::Stall;
use super::{V, body, contract, parse};
use crate::documents::{EndRecord, GenerationRecord, RunRecord};
use crate::effects::{Claimed, Effects, Fault, StartRequest, TriggerEffect};
use crate::keys::{GenerationKeys, ReportKeys, generation_of};

/// How long a run may take, counted from its start.
const RUN_LIMIT: SignedDuration = SignedDuration::from_mins(45);

/// A window that becomes final later than this is a mistake, not something to wait for.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The wish of every execution that does not replay.
const SCHEDULE: &str = "schedule";

/// Answers from what is stored, and stores what it decides, so that asking twice is harmless.
///
/// `prefix` is where in the bucket reports live.
pub async fn trigger(
    ask: Effects<TriggerEffect>,
    prefix: &str,
    message: TriggerIn,
) -> Result<TriggerOut, Failure> {
    let request = Request::read(prefix, &message)?;
    let answer = |generation, next| TriggerOut {
        v: Version,
        generation,
        next,
    };
    if let Some(until) = request.not_before(&request.definition)? {
        return Ok(answer(message.generation, not_before(until)));
    }
    let joined = request.join(&ask, &message).await?;
    let next = joined.next(&ask, &request, &message).await?;
    Ok(answer(Some(joined.generation), next))
}

/// What the event asks for.
struct Request {
    definition: Definition,
    window: Window,
    keys: ReportKeys,
    prefix: String,
    request_key: String,
    now: Timestamp,
}

impl Request {
    fn read(prefix: &str, message: &TriggerIn) -> Result<Self, Failure> {
        let detail = &message.event.detail;
        let definition = Definition::from_value(&detail.definition)
            .map_err(|findings| config(format!("the definition is refused: {findings}")))?
            .definition;
        let window = match detail.window {
            Some(window) => {
                check_range(&definition, &window, message)?;
                window
            }
            None => scheduled_window(&definition, message)?,
        };
        let request_key = match &detail.replay {
            None => SCHEDULE.to_owned(),
            Some(_) => match message.event.id.as_deref() {
                Some(id) if !id.is_empty() && id.len() <= 200 => id.to_owned(),
                _ => {
                    return Err(config(
                        "a replay needs an `id` of its own in the event (1 to 200 characters), so that a repeated request is known as the same",
                    ));
                }
            },
        };
        Ok(Self {
            keys: ReportKeys::new(prefix, &definition.pipeline.tenant, &definition.name),
            prefix: prefix.to_owned(),
            definition,
            window,
            request_key,
            now: message.now,
        })
    }

    /// When the window is final, if it is not yet.
    fn not_before(&self, definition: &Definition) -> Result<Option<Timestamp>, Failure> {
        let until = definition.settled_at(&self.window);
        if until <= self.now {
            return Ok(None);
        }
        if until.duration_since(self.now) > LONGEST_WAIT {
            return Err(config(format!(
                "the window {} is final only at {until}, more than 7 days from now; check `detail.window` and the event's `time`",
                self.window
            )));
        }
        Ok(Some(until))
    }

    /// Finds or opens the generation that this execution works for.
    async fn join(
        &self,
        ask: &Effects<TriggerEffect>,
        message: &TriggerIn,
    ) -> Result<Joined, Failure> {
        if let Some(generation) = message.generation {
            let keys = self.keys.generation(&self.window, generation);
            return Joined::read(ask, keys, generation).await?.ok_or_else(|| {
                contract(format!(
                    "generation {generation} of {} was joined before and is gone",
                    self.window
                ))
            });
        }
        loop {
            let newest = self.newest(ask).await?;
            if let Some(joined) = self.adopt(ask, newest).await? {
                return Ok(joined);
            }
            if let Some(joined) = self.open(ask, newest + 1, message).await? {
                return Ok(joined);
            }
            // Somebody else opened that generation at this moment: look again.
        }
    }

    /// The number of the newest generation; 0 if there is none.
    async fn newest(&self, ask: &Effects<TriggerEffect>) -> Result<u32, Failure> {
        let prefix = self.keys.window(&self.window);
        let listed = ask.list(prefix.clone(), None).await?;
        Ok(listed
            .iter()
            .filter_map(|key| generation_of(&prefix, key))
            .max()
            .unwrap_or(0))
    }

    /// The generation that was opened for the same wish: any wish of the schedule is served by
    /// the newest there is, a replay only by its own.
    async fn adopt(
        &self,
        ask: &Effects<TriggerEffect>,
        newest: u32,
    ) -> Result<Option<Joined>, Failure> {
        let candidates = if self.request_key == SCHEDULE {
            newest.max(1)..=newest
        } else {
            1..=newest
        };
        for generation in candidates {
            let keys = self.keys.generation(&self.window, generation);
            if let Some(joined) = Joined::read(ask, keys, generation).await?
                && (self.request_key == SCHEDULE || joined.open.request_key == self.request_key)
            {
                return Ok(Some(joined));
            }
        }
        Ok(None)
    }

    /// Opens a generation; `None` if somebody with another wish was first.
    async fn open(
        &self,
        ask: &Effects<TriggerEffect>,
        generation: u32,
        message: &TriggerIn,
    ) -> Result<Option<Joined>, Failure> {
        let keys = self.keys.generation(&self.window, generation);
        let replay = message.event.detail.replay.as_ref();
        let open = GenerationRecord {
            v: V,
            request_key: self.request_key.clone(),
            reason: replay.map(|replay| clean_detail(&replay.reason)),
            requested_by: replay.map(|replay| clean_detail(&replay.requested_by)),
            execution: message.execution.id.clone(),
            opened_at: self.now,
            window: self.window,
            base_version: Log::head(ask, &self.keys).await?,
            definition_hash: self.definition.hash(),
            definition: self.definition.clone(),
        };
        let open = match ask.claim(keys.open(), body(&open)?).await? {
            Claimed::Ours => open,
            Claimed::Theirs(bytes) => {
                let theirs: GenerationRecord = parse(&keys.open(), &bytes)?;
                if theirs.request_key != self.request_key {
                    return Ok(None);
                }
                theirs
            }
        };
        Ok(Some(Joined {
            generation,
            keys,
            open,
        }))
    }
}

/// The generation that this execution works for.
struct Joined {
    generation: u32,
    keys: GenerationKeys,
    open: GenerationRecord,
}

impl Joined {
    async fn read(
        ask: &Effects<TriggerEffect>,
        keys: GenerationKeys,
        generation: u32,
    ) -> Result<Option<Self>, Failure> {
        let Some(bytes) = ask.read(keys.open()).await? else {
            return Ok(None);
        };
        let open = parse(&keys.open(), &bytes)?;
        Ok(Some(Self {
            generation,
            keys,
            open,
        }))
    }

    async fn next(
        &self,
        ask: &Effects<TriggerEffect>,
        request: &Request,
        message: &TriggerIn,
    ) -> Result<Next, Failure> {
        let base = self.open.base_version;
        let log = Log::since(ask, &request.keys, &self.open.window, base).await?;
        if let Some(commit) = log.settles(self.generation) {
            return Ok(if commit.generation == self.generation {
                Next::Delivered {
                    version: commit.version,
                    rows: commit.unique,
                }
            } else {
                Next::Superseded {
                    version: commit.version,
                }
            });
        }
        if let Some(ended) = &message.ended {
            self.record(ask, ended, request.now).await?;
        }
        let plan = Plan::read(ask, &self.keys, &self.open).await?;
        for leaf in &plan.leaves {
            if let Some(next) = self.leaf(ask, request, message, leaf).await? {
                return Ok(next);
            }
        }
        Ok(Next::Ready {
            work: FinalizeWork {
                tenant: self.open.definition.pipeline.tenant.clone(),
                report: self.open.definition.name.clone(),
                window: self.open.window,
                generation: self.generation,
            },
        })
    }

    /// Stores how a run ended. A run whose pages are all there did not end without its data,
    /// whatever the message says, unless Finalize itself won't trust it.
    async fn record(
        &self,
        ask: &Effects<TriggerEffect>,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let keys = self.keys.run(&ended.segment, ended.run);
        let judged_whole = matches!(ended.reason, EndReason::Unstable | EndReason::Unsettled);
        if !judged_whole {
            let listed = ask.list(format!("{}b", keys.claims()), None).await?;
            let slots = u32::try_from(listed.len()).unwrap_or(u32::MAX);
            if last_slot(ask, &keys, slots)
                .await?
                .is_some_and(|slot| slot.next.is_none())
            {
                return Ok(());
            }
        }
        let end = EndRecord {
            v: V,
            reason: ended.reason,
            detail: clean_detail(&ended.detail),
            at: now,
        };
        // Whoever was first is right: one ending is as good as another.
        ask.claim(keys.end(), body(&end)?).await?;
        Ok(())
    }

    /// What a segment needs; `None` if it has all its pages.
    async fn leaf(
        &self,
        ask: &Effects<TriggerEffect>,
        request: &Request,
        message: &TriggerIn,
        leaf: &Leaf,
    ) -> Result<Option<Next>, Failure> {
        let number = leaf.current();
        let Some(state) = leaf.live() else {
            return self.start(ask, request, message, leaf).await.map(Some);
        };
        let keys = self.keys.run(&leaf.segment, number);
        let whole = last_slot(ask, &keys, state.slots)
            .await?
            .is_some_and(|slot| slot.next.is_none());
        Ok(match &state.run {
            Some(run) if !whole => Some(self.look_after(leaf, number, run)?),
            _ => None,
        })
    }

    /// Starts the next run of a segment and binds it.
    async fn start(
        &self,
        ask: &Effects<TriggerEffect>,
        request: &Request,
        message: &TriggerIn,
        leaf: &Leaf,
    ) -> Result<Next, Failure> {
        self.allow(message, leaf)?;
        if let Some(until) = request.not_before(&self.open.definition)? {
            return Ok(not_before(until));
        }
        self.still_the_templates(request.now)?;
        let within = match self.turn(ask, request).await? {
            None => None,
            Some(Turn::Mine(within)) => Some(within),
            Some(Turn::Later { until, .. }) => return Ok(later(until, message)),
        };
        let fallback = self
            .open
            .definition
            .simplified()
            .filter(|_| leaf.was_cut_off());
        let simplified = fallback.is_some();
        let definition = fallback.unwrap_or_else(|| self.open.definition.clone());
        let (schedule_id, run_id) = match start_run(ask, definition, leaf.window, within).await {
            Ok(started) => started,
            Err(fault) => return put_off(fault, request.now, message),
        };
        let number = leaf.current();
        let run = RunRecord {
            v: V,
            run_id,
            schedule_id,
            window: leaf.window,
            triggered_at: request.now,
            settled: self.open.definition.settled_at(&self.open.window) <= request.now,
            simplified,
            execution: message.execution.id.clone(),
            redrive_count: message.execution.redrive_count,
        };
        let key = self.keys.run(&leaf.segment, number).run();
        let run = match ask.claim(key.clone(), body(&run)?).await? {
            Claimed::Ours => run,
            Claimed::Theirs(bytes) => {
                let theirs: RunRecord = parse(&key, &bytes)?;
                let dialect = self.open.definition.dialect();
                if theirs.run_id != run.run_id && dialect.can_cancel() {
                    // Best effort: nobody will ever look at it, and it ends by itself.
                    let _ = ask
                        .request(|reply| TriggerEffect::CancelRun(dialect, run.run_id, reply))
                        .await;
                }
                theirs
            }
        };
        self.look_after(leaf, number, &run)
    }

    /// Whether a run may be started now; none where the API doesn't mind.
    async fn turn(
        &self,
        ask: &Effects<TriggerEffect>,
        request: &Request,
    ) -> Result<Option<Turn>, Failure> {
        let definition = &self.open.definition;
        let tenant = &definition.pipeline.tenant;
        match Lane::of(&request.prefix, tenant, definition.dialect()) {
            None => Ok(None),
            Some(lane) => lane
                .turn(ask, request.now, &definition.name)
                .await
                .map(Some),
        }
    }

    /// Each execution may start `maxRuns` runs of a segment, and as many again when it is redriven.
    fn allow(&self, message: &TriggerIn, leaf: &Leaf) -> Result<(), Failure> {
        let asking = &message.execution;
        let mine = leaf
            .runs
            .iter()
            .filter_map(|state| state.run.as_ref())
            .filter(|run| run.execution == asking.id && run.redrive_count == asking.redrive_count)
            .count();
        let allowed = self.open.definition.pipeline.max_runs;
        if mine < usize::try_from(allowed).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let last = leaf.runs.iter().rev().find_map(|state| state.end.as_ref());
        let why = last.map_or_else(String::new, |end| {
            let said = if end.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", end.detail)
            };
            format!("; the last one: {}{said}", end.reason.describe())
        });
        Err(Failure::new(
            FailureName::RunsExhausted,
            format!(
                "{} of {} ended {mine} times without its data, and the definition allows {allowed} runs{why}. Redrive this execution to allow {allowed} more",
                self.open.definition.name, leaf.window
            ),
        ))
    }

    /// Where the range is the template's, the API takes it from when the run is started: a run that is
    /// started on another day is about another window.
    fn still_the_templates(&self, now: Timestamp) -> Result<(), Failure> {
        let definition = &self.open.definition;
        if definition.source().range == SourceRange::Requested
            || definition.window_for(now) == Ok(self.open.window)
        {
            return Ok(());
        }
        Err(config(format!(
            "the range of this report is its template's, and what that means now, at {now}, is not {} any more: the API can't be asked for a window that is over. Ask for it with another report, or over an API that takes dates",
            self.open.window
        )))
    }

    fn look_after(&self, leaf: &Leaf, number: u32, run: &RunRecord) -> Result<Next, Failure> {
        let dialect = self.open.definition.dialect();
        let deadline_at = run
            .triggered_at
            .checked_add(RUN_LIMIT)
            .map_err(|_| contract("the run was started at a time that can not be"))?;
        Ok(Next::Run {
            work: Work {
                tenant: self.open.definition.pipeline.tenant.clone(),
                report: self.open.definition.name.clone(),
                window: self.open.window,
                generation: self.generation,
                segment: leaf.segment.clone(),
                run: number,
                run_id: run.run_id.clone(),
                triggered_at: run.triggered_at,
                deadline_at,
                dialect,
                direct: dialect.is_direct(),
            },
        })
    }
}

/// Registers what a run needs, and starts it.
async fn start_run(
    ask: &Effects<TriggerEffect>,
    definition: Definition,
    window: Window,
    within: Option<Duration>,
) -> Result<(Option<ScheduleId>, RunId), Fault> {
    let definition = Box::new(definition);
    let schedule = ask
        .request(|reply| TriggerEffect::Register(definition.clone(), reply))
        .await?;
    let request = StartRequest {
        definition,
        schedule: schedule.clone(),
        window,
        within,
    };
    let run_id = ask
        .request(|reply| TriggerEffect::StartRun(request, reply))
        .await?;
    Ok((schedule, run_id))
}

/// When to ask again after a run that could not be started, if that is only a matter of time.
fn put_off(fault: Fault, now: Timestamp, message: &TriggerIn) -> Result<Next, Failure> {
    let (stall, wait) = match fault {
        Fault::TooEarly(wait) => {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            return Ok(later(now.saturating_add(wait).unwrap_or(now), message));
        }
        Fault::Throttled(wait) => (Stall::at(now, message.stalled_since)?, wait),
        Fault::MaybeForbidden(said) => (Stall::in_doubt(now, message.stalled_since, &said)?, None),
        fault => return Err(fault.into()),
    };
    Ok(Next::NotBefore {
        until: stall.until(wait),
        stalled_since: Some(stall.since),
    })
}

/// It is not our turn, which says nothing about the tenant.
fn later(until: Timestamp, message: &TriggerIn) -> Next {
    Next::NotBefore {
        until,
        stalled_since: message.stalled_since,
    }
}

fn not_before(until: Timestamp) -> Next {
    Next::NotBefore {
        until,
        stalled_since: None,
    }
}

/// The window that the definition's range means at the scheduled time.
fn scheduled_window(definition: &Definition, message: &TriggerIn) -> Result<Window, Failure> {
    let scheduled = message
        .event
        .time
        .ok_or_else(|| config("the event has no `time`, and no `detail.window` either"))?;
    let scheduled = Timestamp::from_second(scheduled.timestamp())
        .map_err(|_| config("the event's `time` can not be"))?;
    definition.window_for(scheduled).map_err(|error| {
        config(format!(
            "the event's `time` {scheduled} gives no window: {error}"
        ))
    })
}

/// Refuses a window that the API can't be asked for, because it takes no dates.
fn check_range(
    definition: &Definition,
    window: &Window,
    message: &TriggerIn,
) -> Result<(), Failure> {
    if definition.source().range == SourceRange::Requested {
        return Ok(());
    }
    let own = scheduled_window(definition, message)?;
    if *window == own {
        return Ok(());
    }
    Err(config(format!(
        "the event asks for {window}, and the API can't be asked for it: it takes no dates, and the range of the report's template means {own} at the event's `time`. Only that window can be had, and only while it is the template's"
    )))
}

fn config(message: impl Into<String>) -> Failure {
    Failure::new(FailureName::Config, message)
}
