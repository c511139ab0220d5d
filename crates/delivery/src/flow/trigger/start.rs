//! Starts the next run of a segment and binds it.

use std::time::Duration;

use definition::{Definition, RunId, ScheduleId, Window};
use jiff::{SignedDuration, Timestamp};

use crate::documents::RunRecord;
use crate::effects::{Claimed, Effects, Fault, StartRequest, TriggerEffect};
use crate::flow::plan::SegmentState;
use crate::flow::rate_limit::Permit;
use crate::flow::stored::{V, parse, serialise};
use crate::flow::throttle_window::ThrottleWindow;
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::{Question, wait_until};
use crate::{Failure, Next, TriggerIn};

/// A run that CXone started and that is not bound yet.
struct Started {
    schedule_id: Option<ScheduleId>,
    run_id: RunId,
    simplified: bool,
}

impl Generation {
    /// Starts the next run of a segment and binds it, or says when to ask again.
    pub(super) async fn start_run(
        &self,
        question: Question<'_>,
        segment: &SegmentState,
    ) -> Result<Next, Failure> {
        let Question {
            effects,
            request,
            message,
        } = question;
        self.check_run_budget(&message.execution, segment)?;
        if let Some(until) = request.wait_for_final(&self.record.definition)? {
            return Ok(wait_until(until));
        }
        self.check_template_window(request.now)?;
        let within = match self.acquire_permit(question).await? {
            None => None,
            Some(Permit::Granted(within)) => Some(within),
            Some(Permit::Later { until, .. }) => return Ok(wait_for_permit(until, message)),
        };
        let fallback = self.record.definition.simplified();
        let fallback = fallback.filter(|_| segment.was_cut_off());
        let simplified = fallback.is_some();
        let definition = fallback.unwrap_or_else(|| self.record.definition.clone());
        let started = register_and_start(effects, definition, segment.window, within).await;
        match started {
            Ok((schedule_id, run_id)) => {
                let started = Started {
                    schedule_id,
                    run_id,
                    simplified,
                };
                let run = self.bind_run(question, segment, started).await?;
                Ok(self.poll_run(question, segment, &run)?)
            }
            Err(fault) => defer_start(fault, request.now, message),
        }
    }

    /// Claims the place of the segment's current run. If another invocation was first, its run counts, and
    /// ours is cancelled where the API can.
    async fn bind_run(
        &self,
        question: Question<'_>,
        segment: &SegmentState,
        started: Started,
    ) -> Result<RunRecord, Failure> {
        let (effects, now) = (question.effects, question.request.now);
        let execution = &question.message.execution;
        let definition = &self.record.definition;
        let run = RunRecord {
            v: V,
            run_id: started.run_id,
            schedule_id: started.schedule_id,
            window: segment.window,
            triggered_at: now,
            settled: definition.settled_at(&self.record.window) <= now,
            simplified: started.simplified,
            execution: execution.id.clone(),
            redrive_count: execution.redrive_count,
        };
        let key = self.keys.run(&segment.segment, segment.current_run()).run();
        Ok(match effects.claim(key.clone(), serialise(&run)?).await? {
            Claimed::Ours => run,
            Claimed::Theirs(bytes) => {
                let theirs: RunRecord = parse(&key, &bytes)?;
                let dialect = definition.dialect();
                if theirs.run_id != run.run_id && dialect.can_cancel() {
                    // Best effort: nothing will ever poll this run, and it ends by itself.
                    let _ = effects
                        .request(|responder| {
                            TriggerEffect::CancelRun(dialect, run.run_id, responder)
                        })
                        .await;
                }
                theirs
            }
        })
    }
}

/// Registers what a run needs, and starts it.
async fn register_and_start(
    effects: &Effects<TriggerEffect>,
    definition: Definition,
    window: Window,
    within: Option<Duration>,
) -> Result<(Option<ScheduleId>, RunId), Fault> {
    let definition = Box::new(definition);
    let schedule = effects
        .request(|responder| TriggerEffect::Register(definition.clone(), responder))
        .await?;
    let request = StartRequest {
        definition,
        schedule: schedule.clone(),
        window,
        within,
    };
    let run_id = effects
        .request(|responder| TriggerEffect::StartRun(request, responder))
        .await?;
    Ok((schedule, run_id))
}

/// When to ask again after a run that could not be started, if waiting can help.
fn defer_start(fault: Fault, now: Timestamp, message: &TriggerIn) -> Result<Next, Failure> {
    let since = message.stalled_since;
    let (throttled, pause) = match fault {
        Fault::TooEarly(wait) => {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            let until = now.saturating_add(wait).unwrap_or(now);
            return Ok(wait_for_permit(until, message));
        }
        Fault::Throttled(pause) => (ThrottleWindow::throttled(now, since)?, pause),
        Fault::MaybeForbidden(refusal) => {
            let window = ThrottleWindow::ambiguous_forbidden(now, since, &refusal)?;
            (window, None)
        }
        fault => return Err(fault.into()),
    };
    Ok(Next::NotBefore {
        until: throttled.pause_until(pause),
        stalled_since: Some(throttled.since),
    })
}

/// Waiting for our own rate limit does not count toward the 45 minutes: no request was sent, so that nothing
/// new is known about the tenant.
fn wait_for_permit(until: Timestamp, message: &TriggerIn) -> Next {
    Next::NotBefore {
        until,
        stalled_since: message.stalled_since,
    }
}
