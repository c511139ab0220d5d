//! Reads what is published, and publishes what is missing.

use definition::Catalogue;
use delivery::documents::{Commit, GenerationRecord};
use delivery::effects::{Claimed, Effects};
use delivery::keys::{ReportKeys, TableKeys};
use delivery::missing::ROWS_KEPT;
use delivery::{Failure, PublishIn};

use crate::effects::{PublishEffect, PublishedVersion, WriteRequest, WrittenRows};
use crate::publish::error::{PublishError, parse};
use crate::{Column, CommitRows, TableState, checkpoints_before, write_first};

/// So many versions are read at once.
const READ_AT_ONCE: u64 = 100;

/// What stays the same while versions are published.
pub(super) struct Publisher<'a> {
    pub(super) effects: Effects<PublishEffect>,
    pub(super) keys: ReportKeys,
    pub(super) table: TableKeys,
    pub(super) message: &'a PublishIn,
}

impl Publisher<'_> {
    /// Publishes at least one version, if one is missing, and goes on while there is time.
    pub(super) async fn run_once(&self) -> Result<TableState, Failure> {
        let last = self.message.work.version;
        let mut state = match self.read_start().await? {
            Some(state) => state,
            None => self.begin_table().await?,
        };
        self.read_on(&mut state).await?;
        while state.version() < last {
            self.publish_next(&mut state).await?;
            if self.effects.request(PublishEffect::IsSpent).await? {
                break;
            }
        }
        Ok(state)
    }

    /// Reads the newest checkpoint, or version 0; `None` where there is no table yet.
    async fn read_start(&self) -> Result<Option<TableState>, Failure> {
        let work = &self.message.work;
        for version in checkpoints_before(work.version) {
            let stored = self.effects.read(self.table.checkpoint(version)).await?;
            let Some(stored) = stored else { continue };
            // One that can't be read, such as another writer's, is passed over: the versions before it say the same.
            let read = TableState::read_checkpoint(version, stored, &work.tenant, &work.report);
            if let Ok(state) = read {
                return Ok(Some(state));
            }
        }
        let Some(stored) = self.effects.read(self.table.version(0)).await? else {
            return Ok(None);
        };
        let state = TableState::read_first(&stored, &work.tenant, &work.report)?;
        Ok(Some(state))
    }

    /// Claims version 0, with the columns of the first commit.
    async fn begin_table(&self) -> Result<TableState, Failure> {
        let work = &self.message.work;
        let (_, columns) = self.read_commit(1).await?;
        let first = write_first(&work.tenant, &work.report, &columns, self.message.now)?;
        let (stored, _) = self.claim(self.table.version(0), first).await?;
        Ok(TableState::read_first(&stored, &work.tenant, &work.report)?)
    }

    /// Reads the versions that are published, up to the one that is asked for.
    async fn read_on(&self, state: &mut TableState) -> Result<(), Failure> {
        let last = self.message.work.version;
        while state.version() < last {
            let until = last.min(state.version() + READ_AT_ONCE);
            let versions = state.version() + 1..=until;
            let keys = versions.map(|version| self.table.version(version));
            for stored in self.effects.read_all(keys.collect()).await? {
                let Some(stored) = stored else {
                    return Ok(());
                };
                self.take_version(state, &stored).await?;
            }
        }
        Ok(())
    }

    /// Adds a version that is stored. Whoever comes past one that has a checkpoint stores that, because the publisher of the
    /// version may have been killed before.
    async fn take_version(&self, state: &mut TableState, stored: &[u8]) -> Result<(), Failure> {
        state.read_next(stored)?;
        if state.has_checkpoint() {
            let checkpoint = state.write_checkpoint(self.message.now)?;
            let key = self.table.checkpoint(state.version());
            self.claim(key, checkpoint).await?;
        }
        Ok(())
    }

    /// Publishes the next version, unless somebody else does.
    async fn publish_next(&self, state: &mut TableState) -> Result<(), Failure> {
        let (commit, columns) = self.read_commit(state.version() + 1).await?;
        let rows = if state.needs_rows(&commit) {
            self.write_rows(state, &commit, &columns).await?
        } else {
            CommitRows::Written(Vec::new())
        };
        let next = state.write_next(&commit, &columns, &rows, self.message.now)?;
        let key = self.table.version(commit.version);
        let (stored, is_ours) = self.claim(key, next).await?;
        self.take_version(state, &stored).await?;
        if is_ours {
            let published = PublishedVersion::new(&commit, &rows);
            let record = |responder| PublishEffect::Record(published, responder);
            self.effects.request(record).await?;
        }
        Ok(())
    }

    /// Stores an object unless there is one; gives what is stored, and whether it is ours.
    async fn claim(&self, key: String, body: Vec<u8>) -> Result<(Vec<u8>, bool), Failure> {
        match self.effects.claim(key, body.clone()).await? {
            Claimed::Ours => Ok((body, true)),
            Claimed::Theirs(stored) => Ok((stored, false)),
        }
    }

    /// Reads a commit, and the columns of the definition that it was made with.
    async fn read_commit(&self, version: u64) -> Result<(Commit, Vec<Column>), Failure> {
        let key = self.keys.commit(version);
        let commit: Commit = parse(&key, self.effects.read(key.clone()).await?)?;
        let generation = self.keys.generation(&commit.window, commit.generation);
        let key = generation.open();
        let record: GenerationRecord = parse(&key, self.effects.read(key.clone()).await?)?;
        let columns = record.definition.table_columns(Catalogue::builtin());
        Ok((commit, Column::list(&columns)))
    }

    /// Writes the rows of a commit into files that no version names yet.
    async fn write_rows(
        &self,
        state: &TableState,
        commit: &Commit,
        columns: &[Column],
    ) -> Result<CommitRows, Failure> {
        let request = Box::new(WriteRequest {
            commit: commit.clone(),
            schema: state.grow(columns).schema,
            table: self.table.clone(),
        });
        let write = |responder| PublishEffect::WriteRows(request, responder);
        match self.effects.request(write).await? {
            WrittenRows::Files(files) => Ok(CommitRows::Written(files)),
            WrittenRows::Gone(part) => {
                self.allow_gone(commit, part).await?;
                Ok(CommitRows::Gone)
            }
        }
    }

    /// Rows that are gone hold up no other version where nobody misses them: a later commit replaces them, or they are so old
    /// that the deployment may have let them expire.
    async fn allow_gone(&self, commit: &Commit, part: String) -> Result<(), Failure> {
        let age = self.message.now.duration_since(commit.committed_at);
        if age > ROWS_KEPT || self.is_replaced(commit).await? {
            return Ok(());
        }
        Err(PublishError::PartGone {
            part,
            version: commit.version,
            window: commit.window,
        }
        .into())
    }

    /// Whether a later commit of the log is of a window that contains this one's.
    async fn is_replaced(&self, commit: &Commit) -> Result<bool, Failure> {
        let mut version = commit.version;
        loop {
            let versions = version + 1..=version + READ_AT_ONCE;
            let keys: Vec<String> = versions.map(|version| self.keys.commit(version)).collect();
            for (key, stored) in keys.iter().zip(self.effects.read_all(keys.clone()).await?) {
                let Some(stored) = stored else {
                    return Ok(false);
                };
                let later: Commit = parse(key, Some(stored))?;
                if later.window.contains(&commit.window) {
                    return Ok(true);
                }
            }
            version += READ_AT_ONCE;
        }
    }
}
