//! The generation that an execution works for: found or opened, and what it needs next.

use definition::text::clean_detail;

use crate::documents::{EndRecord, GenerationRecord, RunRecord};
use crate::effects::{Claimed, Effects, TriggerEffect};
use crate::flow::commit_log::CommitLog;
use crate::flow::plan::{Plan, SegmentState, has_last_page};
use crate::flow::stored::{StoredError, V, parse, serialise};
use crate::flow::trigger::Question;
use crate::flow::trigger::request::{SCHEDULE, WindowRequest};
use crate::keys::{GenerationKeys, generation_of};
use crate::{EndReason, Ended, Failure, FinalizeWork, Next, Work};

/// How long a run may take, counted from its start.
const RUN_LIMIT: jiff::SignedDuration = jiff::SignedDuration::from_mins(45);

impl Question<'_> {
    /// Finds or opens the generation that this execution works for.
    pub(super) async fn join_generation(self) -> Result<Generation, Failure> {
        let WindowRequest { keys, window, .. } = self.request;
        if let Some(number) = self.message.generation {
            let keys = keys.generation(window, number);
            let joined = Generation::read(self.effects, keys, number).await?;
            return Ok(joined.ok_or(StoredError::GenerationGone {
                generation: number,
                window: *window,
            })?);
        }
        loop {
            let newest = self.newest_generation().await?;
            if let Some(generation) = self.find_existing(newest).await? {
                return Ok(generation);
            }
            if let Some(generation) = self.open_generation(newest + 1).await? {
                return Ok(generation);
            }
            // Another request opened that generation at this moment: look again.
        }
    }

    /// The number of the newest generation; 0 if there is none.
    async fn newest_generation(self) -> Result<u32, Failure> {
        let prefix = self.request.keys.window(&self.request.window);
        let listed = self.effects.list(prefix.clone(), None).await?;
        Ok(listed
            .iter()
            .filter_map(|key| generation_of(&prefix, key))
            .max()
            .unwrap_or(0))
    }

    /// The generation that was opened for the same request: the newest one serves every scheduled
    /// execution, and a replay is served by its own alone.
    async fn find_existing(self, newest: u32) -> Result<Option<Generation>, Failure> {
        let request = self.request;
        let candidates = if request.key == SCHEDULE {
            newest.max(1)..=newest
        } else {
            1..=newest
        };
        for number in candidates {
            let keys = request.keys.generation(&request.window, number);
            if let Some(found) = Generation::read(self.effects, keys, number).await?
                && (request.key == SCHEDULE || found.record.request_key == request.key)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Opens a generation; `None` if another request was first.
    async fn open_generation(self, number: u32) -> Result<Option<Generation>, Failure> {
        let request = self.request;
        let keys = request.keys.generation(&request.window, number);
        let detail = &self.message.event.detail;
        let audit = detail.replay.as_ref().or(detail.withdraw.as_ref());
        let record = GenerationRecord {
            v: V,
            request_key: request.key.clone(),
            reason: audit.map(|audit| clean_detail(&audit.reason)),
            requested_by: audit.map(|audit| clean_detail(&audit.requested_by)),
            withdrawn: detail.withdraw.is_some(),
            execution: self.message.execution.id.clone(),
            opened_at: request.now,
            window: request.window,
            base_version: CommitLog::read_head(self.effects, &request.keys).await?,
            definition_hash: request.definition.hash(),
            definition: request.definition.clone(),
        };
        let claimed = self.effects.claim(keys.open(), serialise(&record)?).await?;
        let record = match claimed {
            Claimed::Ours => record,
            Claimed::Theirs(bytes) => {
                let theirs: GenerationRecord = parse(&keys.open(), &bytes)?;
                if theirs.request_key != request.key {
                    return Ok(None);
                }
                theirs
            }
        };
        Ok(Some(Generation {
            number,
            keys,
            record,
        }))
    }
}

/// The generation that this execution works for.
pub(super) struct Generation {
    pub(super) number: u32,
    pub(super) keys: GenerationKeys,
    pub(super) record: GenerationRecord,
}

impl Generation {
    async fn read(
        effects: &Effects<TriggerEffect>,
        keys: GenerationKeys,
        number: u32,
    ) -> Result<Option<Self>, Failure> {
        let Some(bytes) = effects.read(keys.open()).await? else {
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
        if let Some(ended) = &message.ended {
            self.record_run_end(effects, ended, request.now).await?;
        }
        let plan = Plan::read_claims(effects, &self.keys, &self.record).await?;
        for segment in &plan.segments {
            if let Some(next) = self.next_for_segment(question, segment).await? {
                return Ok(next);
            }
        }
        Ok(Next::Ready {
            work: FinalizeWork {
                tenant: self.record.definition.pipeline.tenant.clone(),
                report: self.record.definition.name.clone(),
                window: self.record.window,
                generation: self.number,
            },
        })
    }

    /// Whether this generation, or a newer one, is committed already.
    async fn settled_by_log(&self, question: Question<'_>) -> Result<Option<Next>, Failure> {
        let (window, base) = (&self.record.window, self.record.base_version);
        let keys = &question.request.keys;
        let log = CommitLog::read_since(question.effects, keys, window, base).await?;
        Ok(log.settling_commit(self.number).map(|commit| {
            if commit.generation == self.number {
                Next::Delivered {
                    version: commit.version,
                    rows: commit.unique,
                    note: None,
                }
            } else {
                Next::Superseded {
                    version: commit.version,
                    note: None,
                }
            }
        }))
    }

    /// Stores how a run ended. A run whose pages are all stored did not end without its data,
    /// whatever the message says, unless Finalize itself doubts the pages.
    async fn record_run_end(
        &self,
        effects: &Effects<TriggerEffect>,
        ended: &Ended,
        now: jiff::Timestamp,
    ) -> Result<(), Failure> {
        let keys = self.keys.run(&ended.segment, ended.run);
        let judged_whole = matches!(ended.reason, EndReason::Unstable | EndReason::Unsettled);
        if !judged_whole {
            let listed = effects.list(format!("{}b", keys.claims()), None).await?;
            let slots = u32::try_from(listed.len()).unwrap_or(u32::MAX);
            if has_last_page(effects, &keys, slots).await? {
                return Ok(());
            }
        }
        let end = EndRecord {
            v: V,
            reason: ended.reason,
            detail: clean_detail(&ended.detail),
            at: now,
        };
        // It does not matter which of several endings is stored: the first one stays.
        effects.claim(keys.end(), serialise(&end)?).await?;
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
            Some(run) if !whole => Some(self.poll_run(segment, run)?),
            _ => None,
        })
    }

    /// Hands a run to the states that poll it and fetch its pages.
    pub(super) fn poll_run(
        &self,
        segment: &SegmentState,
        run: &RunRecord,
    ) -> Result<Next, StoredError> {
        let dialect = self.record.definition.dialect();
        let number = segment.current_run();
        let deadline_at = run.triggered_at.checked_add(RUN_LIMIT).map_err(|_| {
            let key = self.keys.run(&segment.segment, number).run();
            StoredError::ImpossibleStart { key }
        })?;
        Ok(Next::Run {
            work: Work {
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
            },
        })
    }
}
