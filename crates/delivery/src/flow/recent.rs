//! The newest commits, read from the end of the log.

use std::ops::ControlFlow;

use definition::Window;
use jiff::Timestamp;

use crate::Failure;
use crate::documents::Commit;
use crate::effects::{Effects, StoreEffect};
use crate::flow::stored::parse;
use crate::keys::ReportKeys;
use crate::missing::RecentCommits;

/// How many commits are read at once from the end of the log. Where each day is committed once, two are enough.
const READ_BACK_AT_ONCE: u64 = 8;

/// The end of the newest window that consumers hold of the report; `None` where they hold none.
///
/// The log is read back from `head`, its last version. No window is committed before it is over, so that no commit before one that was made at the
/// end of the newest window, or earlier, can be of a newer one.
pub(super) async fn find_newest_end<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &ReportKeys,
    head: u64,
) -> Result<Option<Timestamp>, Failure> {
    let mut newest: Option<Timestamp> = None;
    let mut withdrawn: Vec<Window> = Vec::new();
    let read = read_back(effects, keys, head, |commit| {
        if newest.is_some_and(|newest| commit.committed_at <= newest) {
            return ControlFlow::Break(());
        }
        let window = commit.window;
        if commit.withdrawn {
            withdrawn.push(window);
        } else if !withdrawn.iter().any(|later| later.contains(&window)) {
            newest = newest.max(Some(window.end()));
        }
        ControlFlow::Continue(())
    });
    let _is_all = read.await?;
    Ok(newest)
}

/// Every commit of a window that begins at a time or later, for the same reason, and any others that were made since then.
pub(super) async fn read_recent<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &ReportKeys,
    head: u64,
    since: Timestamp,
) -> Result<RecentCommits, Failure> {
    let mut commits = Vec::new();
    let read = read_back(effects, keys, head, |commit| {
        if commit.committed_at <= since {
            return ControlFlow::Break(());
        }
        commits.push(commit);
        ControlFlow::Continue(())
    });
    let is_all = read.await?.is_continue();
    commits.reverse();
    Ok(RecentCommits { commits, is_all })
}

/// Reads commits from `head` back, until one of them is enough. Versions have no gaps; one whose commit is gone is passed over.
async fn read_back<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &ReportKeys,
    head: u64,
    mut take: impl FnMut(Commit) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Failure> {
    let mut newest = head;
    while newest > 0 {
        let oldest = newest.saturating_sub(READ_BACK_AT_ONCE);
        let versions = (oldest + 1..=newest).rev();
        let commits: Vec<String> = versions.map(|version| keys.commit(version)).collect();
        let bodies = effects.read_all(commits.clone()).await?;
        for (key, bytes) in commits.iter().zip(bodies) {
            let Some(bytes) = bytes else { continue };
            let commit: Commit = parse(key, &bytes)?;
            if take(commit).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        newest = oldest;
    }
    Ok(ControlFlow::Continue(()))
}
