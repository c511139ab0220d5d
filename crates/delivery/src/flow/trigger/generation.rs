//! The generation that an execution works for, and what it needs next.

use definition::text::clean_detail;

use crate::documents::{EndRecord, GenerationRecord, RunRecord};
use crate::effects::{Effects, TriggerEffect};
use crate::flow::plan::{Plan, SegmentState, has_last_page};
use crate::flow::stored::{StoredError, V, parse, serialise};
use crate::flow::trigger::question::Question;
use crate::keys::GenerationKeys;
use crate::{EndReason, Ended, Failure, FinalizeWork, Next, Work};

/// How long a run may take, counted from its start.
const RUN_LIMIT: jiff::SignedDuration = jiff::SignedDuration::from_mins(45);

/// The generation that this execution works for.
pub(super) struct Generation {
    pub(super) number: u32,
    pub(super) keys: GenerationKeys,
    pub(super) record: GenerationRecord,
}

impl Generation {
    pub(super) async fn read(
        effects: &Effects<TriggerEffect>,
        keys: GenerationKeys,
        number: u32,
    ) -> Result<Option<Self>, Failure> {
        let bytes = effects.read(keys.open()).await?;
        Ok(Self::parse(keys, number, bytes)?)
    }

    /// Reads what is stored of a generation; `None` where nothing is.
    pub(super) fn parse(
        keys: GenerationKeys,
        number: u32,
        bytes: Option<Vec<u8>>,
    ) -> Result<Option<Self>, StoredError> {
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let record = parse(&keys.open(), &bytes)?;
        Ok(Some(Self {
            number,
            keys,
            record,
        }))
    }

    /// What the generation needs next.
    pub(super) async fn next_step(&self, question: Question<'_>) -> Result<Next, Failure> {
        let Question {
            effects,
            request,
            message,
        } = question;
        if let Some(settled) = self.settled_by_log(question).await? {
            return Ok(settled);
        }
        if self.record.withdrawn {
            return Ok(self.ready());
        }
        if let Some(source) = self.record.stored_from {
            self.check_source(question, source).await?;
            return Ok(self.ready());
        }
        if let Some(ended) = &message.ended {
            let end = EndRecord {
                v: V,
                reason: ended.reason,
                detail: clean_detail(&ended.detail),
                at: request.now,
                cancelled: None,
            };
            self.record_run_end(effects, ended, &end).await?;
        }
        let plan = Plan::read_claims(effects, &self.keys, &self.record).await?;
        for segment in &plan.segments {
            if let Some(next) = self.next_for_segment(question, segment).await? {
                return Ok(next);
            }
        }
        Ok(self.ready())
    }

    fn ready(&self) -> Next {
        Next::Ready {
            work: FinalizeWork {
                tenant: self.record.definition.pipeline.tenant.clone(),
                report: self.record.definition.name.clone(),
                window: self.record.window,
                generation: self.number,
            },
        }
    }

    /// Stores how a run ended. A run whose pages are all stored did not end without its data,
    /// whatever the message says, unless Finalize itself doubts the pages.
    pub(super) async fn record_run_end(
        &self,
        effects: &Effects<TriggerEffect>,
        ended: &Ended,
        end: &EndRecord,
    ) -> Result<(), Failure> {
        let keys = self.keys.run(&ended.segment, ended.run);
        let judged_whole = matches!(end.reason, EndReason::Unstable | EndReason::Unsettled);
        if !judged_whole {
            let listed = effects.list(format!("{}b", keys.claims()), None).await?;
            let slots = u32::try_from(listed.len()).unwrap_or(u32::MAX);
            if has_last_page(effects, &keys, slots).await? {
                return Ok(());
            }
        }
        // It does not matter which of several endings is stored: the first one stays.
        effects.claim(keys.end(), serialise(end)?).await?;
        Ok(())
    }

    /// What a segment needs; `None` if it has all its pages.
    async fn next_for_segment(
        &self,
        question: Question<'_>,
        segment: &SegmentState,
    ) -> Result<Option<Next>, Failure> {
        let Some(state) = segment.live_run() else {
            return self.start_run(question, segment).await.map(Some);
        };
        let keys = self.keys.run(&segment.segment, segment.current_run());
        let whole = has_last_page(question.effects, &keys, state.slots).await?;
        Ok(match &state.run {
            Some(run) if !whole => Some(self.poll_run(question, segment, run)?),
            _ => None,
        })
    }

    /// Hands a run to the states that poll it and fetch its pages.
    pub(super) fn poll_run(
        &self,
        question: Question<'_>,
        segment: &SegmentState,
        run: &RunRecord,
    ) -> Result<Next, StoredError> {
        let asking = &question.message.execution;
        Ok(Next::Run {
            count: self.count_run(asking, segment, run),
            work: self.describe_work(segment, run)?,
        })
    }

    /// What the states are told of a segment's current run.
    pub(super) fn describe_work(
        &self,
        segment: &SegmentState,
        run: &RunRecord,
    ) -> Result<Work, StoredError> {
        let dialect = self.record.definition.dialect();
        let number = segment.current_run();
        let deadline_at = run.triggered_at.checked_add(RUN_LIMIT).map_err(|_| {
            let key = self.keys.run(&segment.segment, number).run();
            StoredError::ImpossibleStart { key }
        })?;
        Ok(Work {
            tenant: self.record.definition.pipeline.tenant.clone(),
            report: self.record.definition.name.clone(),
            window: self.record.window,
            generation: self.number,
            segment: segment.segment.clone(),
            run: number,
            run_id: run.run_id.clone(),
            triggered_at: run.triggered_at,
            deadline_at,
            dialect,
            direct: dialect.is_direct(),
            may_be_empty: !self.record.definition.empty_messages().is_empty(),
        })
    }
}
