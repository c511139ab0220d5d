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
use crate::keys::generation_of;
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
            if let Some(generation) = self.find_existing(newest).await? {
                return Ok(Joined::Generation(Box::new(generation)));
            }
            let log = CommitLog::read_all(self.effects, keys, window).await?;
            if let Some(nothing) = self.reason_to_open_none(newest, &log).await? {
                return Ok(Joined::Nothing(nothing));
            }
            if let Some(generation) = self.open_generation(newest + 1, &log).await? {
                return Ok(Joined::Generation(Box::new(generation)));
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

    /// The generation that was opened for the same request. The newest one serves every scheduled execution; any other
    /// request is served by its own alone, except that a restatement joins a withdrawal that is under way.
    async fn find_existing(self, newest: u32) -> Result<Option<Generation>, Failure> {
        let request = self.request;
        let is_scheduled = request.kind == RequestKind::Schedule;
        let candidates = if is_scheduled {
            newest.max(1)..=newest
        } else {
            1..=newest
        };
        for number in candidates {
            let keys = request.keys.generation(&request.window, number);
            let Some(found) = Generation::read(self.effects, keys, number).await? else {
                continue;
            };
            let is_withdrawn = number == newest && found.record.withdrawn;
            if is_scheduled
                || found.record.request_key == request.key
                || (request.kind == RequestKind::Restatement && is_withdrawn)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Why no generation is opened, if there is nothing to do for the request.
    ///
    /// # Errors
    /// `Cxone.Config`, if what consumers hold forbids what is asked for.
    async fn reason_to_open_none(
        self,
        newest: u32,
        log: &CommitLog,
    ) -> Result<Option<Next>, Failure> {
        let window = self.request.window;
        match self.request.kind {
            RequestKind::Schedule | RequestKind::Replay => match log.not_covered() {
                Some(held) => Err(OverlapError::beside(window, held).into()),
                None => Ok(None),
            },
            RequestKind::Withdrawal => self.reason_not_to_withdraw(newest, log),
            RequestKind::Restatement => self.reason_not_to_restate(newest, log).await,
        }
    }

    /// Only a window that consumers hold is withdrawn, or one that is under way.
    fn reason_not_to_withdraw(self, newest: u32, log: &CommitLog) -> Result<Option<Next>, Failure> {
        let window = self.request.window;
        if log.is_visible() {
            return Ok(None);
        }
        if let Some(held) = log.other() {
            return Err(OverlapError::withdrawal(window, held).into());
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
    /// replaces no other window than its own.
    async fn reason_not_to_restate(
        self,
        newest: u32,
        log: &CommitLog,
    ) -> Result<Option<Next>, Failure> {
        let window = self.request.window;
        if let Some(held) = log.other() {
            return Ok(Some(Next::Superseded {
                version: held.version,
                note: Some(format!(
                    "{window} is not stated anew, because version {} delivered {} in its place",
                    held.version, held.window
                )),
            }));
        }
        let Some(last) = log.last_over_window().filter(|last| last.withdrawn) else {
            return Ok(None);
        };
        if self.is_brought_back(newest, last).await? {
            return Ok(None);
        }
        let note = format!(
            "{window} is not stated anew, because version {} withdrew {}; `cxr replay` brings it back",
            last.version, last.window
        );
        Ok(Some(delivered_nothing(log, note)))
    }

    /// Whether a request that came after this withdrawal is under way and brings the window back. What its run has read
    /// may be older than what there is now, so that the window is stated anew after it.
    async fn is_brought_back(self, newest: u32, withdrawal: &Commit) -> Result<bool, Failure> {
        let window = &self.request.window;
        if withdrawal.window == *window {
            return Ok(withdrawal.generation < newest);
        }
        let keys = self.request.keys.generation(window, newest);
        let found = Generation::read(self.effects, keys, newest).await?;
        Ok(found.is_some_and(|found| found.record.base_version >= withdrawal.version))
    }

    /// Opens a generation; `None` if another request was first.
    async fn open_generation(
        self,
        number: u32,
        log: &CommitLog,
    ) -> Result<Option<Generation>, Failure> {
        let request = self.request;
        let keys = request.keys.generation(&request.window, number);
        let audit = request.audit.as_ref();
        let record = GenerationRecord {
            v: V,
            request_key: request.key.clone(),
            reason: audit.map(|audit| clean_detail(&audit.reason)),
            requested_by: audit.map(|audit| clean_detail(&audit.requested_by)),
            withdrawn: request.kind == RequestKind::Withdrawal,
            execution: self.message.execution.id.clone(),
            opened_at: request.now,
            window: request.window,
            base_version: log.head,
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

/// The window has no rows, and none are missing.
fn delivered_nothing(log: &CommitLog, note: String) -> Next {
    Next::Delivered {
        version: log.last_over_window().map_or(0, |last| last.version),
        rows: 0,
        note: Some(note),
    }
}
