//! What the commit log says about a window.

use crate::Failure;
use definition::Window;

use super::parse;
use super::plan::missing;
use crate::documents::Commit;
use crate::effects::{Effects, StoreEffect};
use crate::keys::{ReportKeys, version_of};

/// The log from a version on.
#[derive(Debug)]
pub(super) struct Log {
    /// The last version.
    pub(super) head: u64,
    /// The commits of one window, in order.
    pub(super) of_window: Vec<Commit>,
}

impl Log {
    /// The last version of the log.
    pub(super) async fn head<E: From<StoreEffect>>(
        ask: &Effects<E>,
        keys: &ReportKeys,
    ) -> Result<u64, Failure> {
        let listed = ask.list(keys.log(), None).await?;
        Ok(listed
            .iter()
            .rev()
            .find_map(|key| version_of(key))
            .unwrap_or(0))
    }

    /// Every commit of the window behind `base`.
    pub(super) async fn since<E: From<StoreEffect>>(
        ask: &Effects<E>,
        keys: &ReportKeys,
        window: &Window,
        base: u64,
    ) -> Result<Self, Failure> {
        let after = (base > 0).then(|| keys.commit(base));
        let listed: Vec<String> = ask
            .list(keys.log(), after)
            .await?
            .into_iter()
            .filter(|key| version_of(key).is_some())
            .collect();
        let head = listed
            .last()
            .and_then(|key| version_of(key))
            .unwrap_or(base);
        let bodies = ask.read_all(listed.clone()).await?;
        let mut of_window = Vec::new();
        for (key, bytes) in listed.iter().zip(bodies) {
            let bytes = bytes.ok_or_else(|| missing(key))?;
            let commit: Commit = parse(key, &bytes)?;
            if commit.window == *window {
                of_window.push(commit);
            }
        }
        Ok(Self { head, of_window })
    }

    /// The commit that makes one of this generation pointless: its own, or a newer generation's.
    pub(super) fn settles(&self, generation: u32) -> Option<&Commit> {
        self.of_window
            .iter()
            .filter(|commit| commit.generation >= generation)
            .max_by_key(|commit| commit.generation)
    }
}
