//! Finds the generation that an execution works for, or opens one, unless there is nothing to open.

use definition::text::clean_detail;

use crate::documents::{Commit, GenerationRecord};
use crate::effects::Claimed;
use crate::flow::commit_log::CommitLog;
use crate::flow::overlap::OverlapError;
use crate::flow::stored::{StoredError, V, parse, serialise};
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::Question;
use crate::flow::trigger::request::{RequestKind, WindowRequest};
use crate::keys::{GenerationKeys, generation_of};
use crate::{Failure, Next};

/// What there is to do for a request.
pub(super) enum Joined {
    /// Work for this generation.
    Generation(Box<Generation>),
    /// Nothing, and this says why.
    Nothing(Next),
}

impl Question<'_> {
    /// Finds or opens the generation that this execution works for.
    pub(super) async fn join_generation(self) -> Result<Joined, Failure> {
        let WindowRequest { keys, window, .. } = self.request;
        if let Some(number) = self.message.generation {
            let keys = keys.generation(window, number);
            let joined = Generation::read(self.effects, keys, number).await?;
            let joined = joined.ok_or(StoredError::GenerationGone {
                generation: number,
                window: *window,
            })?;
            return Ok(Joined::Generation(Box::new(joined)));
        }
        loop {
            let newest = self.newest_generation().await?;
            let mut generations = self.read_generations(newest).await?;
            let serves = |found: &Generation| self.is_served_by(found, newest);
            if let Some(at) = generations.iter().position(serves) {
                let found = generations.swap_remove(at);
                return Ok(Joined::Generation(Box::new(found)));
            }
            let log = CommitLog::read_all(self.effects, keys, window).await?;
            if let Some(nothing) = self.reason_to_open_none(newest, &generations, &log)? {
                return Ok(Joined::Nothing(nothing));
            }
            let source = self.find_source(&generations).await?;
            if let Some(generation) = self.open_generation(newest + 1, source, &log).await? {
                return Ok(Joined::Generation(Box::new(generation)));
            }
            // Another request opened that generation at this moment: look again.
        }
    }

    /// The number of the newest generation; 0 if there is none.
    pub(super) async fn newest_generation(self) -> Result<u32, Failure> {
        let prefix = self.request.keys.window(&self.request.window);
        let listed = self.effects.list(prefix.clone(), None).await?;
        Ok(listed
            .iter()
            .filter_map(|key| generation_of(&prefix, key))
            .max()
            .unwrap_or(0))
    }

    /// Reads the generations up to the newest; for a schedule's request the newest alone, because no other serves it.
    async fn read_generations(self, newest: u32) -> Result<Vec<Generation>, Failure> {
        let WindowRequest { keys, window, .. } = self.request;
        let oldest = match self.request.kind {
            RequestKind::Schedule => newest.max(1),
            _ => 1,
        };
        let numbers = (oldest..=newest).map(|number| (number, keys.generation(window, number)));
        let numbers: Vec<(u32, GenerationKeys)> = numbers.collect();
        let opened = numbers.iter().map(|(_, keys)| keys.open()).collect();
        let bodies = self.effects.read_all(opened).await?;
        let mut generations = Vec::new();
        for ((number, keys), bytes) in numbers.into_iter().zip(bodies) {
            generations.extend(Generation::parse(keys, number, bytes)?);
        }
        Ok(generations)
    }

    /// Whether the generation was opened for the same request. The newest one serves every scheduled execution; any other
    /// request is served by its own alone, except that a restatement joins a withdrawal that is under way.
    fn is_served_by(self, found: &Generation, newest: u32) -> bool {
        let request = self.request;
        let is_withdrawn = found.number == newest && found.record.withdrawn;
        request.kind == RequestKind::Schedule
            || found.record.request_key == request.key
            || (request.kind == RequestKind::Restatement && is_withdrawn)
    }

    /// Why no generation is opened, if there is nothing to do for the request.
    ///
    /// # Errors
    /// `Cxone.Config`, if what consumers hold forbids what is asked for.
    fn reason_to_open_none(
        self,
        newest: u32,
        generations: &[Generation],
        log: &CommitLog,
    ) -> Result<Option<Next>, Failure> {
        let window = self.request.window;
        match self.request.kind {
            RequestKind::Schedule | RequestKind::Replay | RequestKind::StoredReplay => {
                match log.not_covered() {
                    Some(held) => Err(OverlapError::beside(window, held).into()),
                    None => Ok(None),
                }
            }
            RequestKind::Withdrawal => self.reason_not_to_withdraw(newest, log),
            RequestKind::Restatement => Ok(self.reason_not_to_restate(generations.last(), log)),
            // They are answered before, and open nothing.
            RequestKind::Cancellation | RequestKind::Expectation => Ok(None),
        }
    }

    /// Only a window that consumers hold is withdrawn, or one that is under way.
    fn reason_not_to_withdraw(self, newest: u32, log: &CommitLog) -> Result<Option<Next>, Failure> {
        let window = self.request.window;
        if log.is_visible() {
            return Ok(None);
        }
        if let Some(error) = OverlapError::withdrawal(window, &log.others()) {
            return Err(error.into());
        }
        let last = log.last_over_window();
        let is_under_way = log
            .last_of_window()
            .map_or(newest > 0, |last| last.generation < newest);
        if is_under_way {
            return Ok(None);
        }
        let note = last.map_or_else(
            || format!("{window} was never asked for, so that there is nothing to withdraw; check the window"),
            |last| format!("version {} withdrew {} already", last.version, last.window),
        );
        Ok(Some(delivered_nothing(log, note)))
    }

    /// A restatement repeats what the schedule delivered. It does not bring back what an operator took away, and
    /// replaces no other window than its own, unless this window was asked for after those were delivered, which is under way or has failed.
    fn reason_not_to_restate(self, newest: Option<&Generation>, log: &CommitLog) -> Option<Next> {
        let window = self.request.window;
        let stays = |held: &&Commit| !newest.is_some_and(|newest| newest.replaces(held));
        if let Some(held) = log.others().into_iter().find(stays) {
            return Some(Next::Superseded {
                version: held.version,
                note: Some(format!(
                    "{window} is not stated anew, because version {} delivered {} in its place",
                    held.version, held.window
                )),
            });
        }
        let last = log.last_over_window().filter(|last| last.withdrawn)?;
        if newest.is_some_and(|newest| newest.brings_back(last)) {
            return None;
        }
        let note = format!(
            "{window} is not stated anew, because version {} withdrew {}; `cxr replay` brings it back",
            last.version, last.window
        );
        Some(delivered_nothing(log, note))
    }

    /// Opens a generation; `None` if another request was first.
    async fn open_generation(
        self,
        number: u32,
        source: Option<u32>,
        log: &CommitLog,
    ) -> Result<Option<Generation>, Failure> {
        let request = self.request;
        let keys = request.keys.generation(&request.window, number);
        let record = self.record_request(source, log);
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

    /// What a new generation says of the request that opens it.
    fn record_request(self, source: Option<u32>, log: &CommitLog) -> GenerationRecord {
        let request = self.request;
        let audit = request
            .audit
            .clone()
            .or_else(|| request.explain_restatement());
        GenerationRecord {
            v: V,
            request_key: request.key.clone(),
            reason: audit.as_ref().map(|audit| clean_detail(&audit.reason)),
            requested_by: audit.map(|audit| clean_detail(&audit.requested_by)),
            withdrawn: request.kind == RequestKind::Withdrawal,
            stored_from: source,
            execution: self.message.execution.id.clone(),
            opened_at: request.now,
            window: request.window,
            base_version: log.head,
            definition_hash: request.definition.hash(),
            definition: request.definition.clone(),
        }
    }
}

impl Generation {
    /// Whether this generation, the newest one, was asked for when consumers held this other window, which lies within its own.
    fn replaces(&self, held: &Commit) -> bool {
        !self.record.withdrawn
            && self.record.window.contains(&held.window)
            && self.record.base_version >= held.version
    }

    /// Whether this generation, the newest one, was asked for after the withdrawal, so that it brings the window back. What
    /// its run has read may be older than what there is now, so that the window is stated anew after it.
    pub(super) fn brings_back(&self, withdrawal: &Commit) -> bool {
        if withdrawal.window == self.record.window {
            return self.number > withdrawal.generation;
        }
        self.record.base_version >= withdrawal.version
    }
}

/// The window has no rows, and none are missing.
pub(super) fn delivered_nothing(log: &CommitLog, note: String) -> Next {
    Next::Delivered {
        version: log.last_over_window().map_or(0, |last| last.version),
        rows: 0,
        note: Some(note),
        table: None,
    }
}
