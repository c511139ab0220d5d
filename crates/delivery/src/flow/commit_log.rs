//! What the commit log says about a window.

use definition::Window;

use crate::Failure;
use crate::documents::Commit;
use crate::effects::{Effects, StoreEffect};
use crate::flow::stored::{parse, require_stored};
use crate::keys::{ReportKeys, version_of};

/// The log from a version on.
#[derive(Debug)]
pub(super) struct CommitLog {
    pub(super) head: u64,
    /// The commits of one window, in order.
    pub(super) of_window: Vec<Commit>,
}

impl CommitLog {
    /// Finds the last version of the log; 0 for an empty log.
    pub(super) async fn read_head<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &ReportKeys,
    ) -> Result<u64, Failure> {
        let listed = effects.list(keys.log(), None).await?;
        Ok(listed
            .iter()
            .rev()
            .find_map(|key| version_of(key))
            .unwrap_or(0))
    }

    /// Reads every commit of the window whose version is greater than `base`.
    pub(super) async fn read_since<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &ReportKeys,
        window: &Window,
        base: u64,
    ) -> Result<Self, Failure> {
        let after = (base > 0).then(|| keys.commit(base));
        let listed: Vec<String> = effects
            .list(keys.log(), after)
            .await?
            .into_iter()
            .filter(|key| version_of(key).is_some())
            .collect();
        let head = listed
            .last()
            .and_then(|key| version_of(key))
            .unwrap_or(base);
        let bodies = effects.read_all(listed.clone()).await?;
        let mut of_window = Vec::new();
        for (key, bytes) in listed.iter().zip(bodies) {
            let commit: Commit = parse(key, &require_stored(key, bytes)?)?;
            if commit.window == *window {
                of_window.push(commit);
            }
        }
        Ok(Self { head, of_window })
    }

    /// The commit that makes one of this generation pointless: its own, or a newer generation's.
    pub(super) fn settling_commit(&self, generation: u32) -> Option<&Commit> {
        self.of_window
            .iter()
            .filter(|commit| commit.generation >= generation)
            .max_by_key(|commit| commit.generation)
    }
}
