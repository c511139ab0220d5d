//! The newest commits, read from the end of the log.

use std::ops::ControlFlow;

use definition::Window;
use jiff::Timestamp;

use crate::Failure;
use crate::documents::Commit;
use crate::effects::{Effects, StoreEffect};
use crate::flow::stored::{parse, require_stored};
use crate::missing::RecentCommits;

/// How many commits are read at once from the end of the log. Where each day is committed once, two are enough.
const READ_BACK_AT_ONCE: usize = 8;

/// The end of the newest window that consumers hold of the report; `None` where they hold none.
///
/// The log, of which all commits are listed, is read from its end. No window is committed before it is over, so that no commit before one that was made at the
/// end of the newest window, or earlier, can be of a newer one.
pub(super) async fn find_newest_end<E: From<StoreEffect>>(
    effects: &Effects<E>,
    listed: &[String],
) -> Result<Option<Timestamp>, Failure> {
    let mut newest: Option<Timestamp> = None;
    let mut withdrawn: Vec<Window> = Vec::new();
    let read = read_back(effects, listed, |commit| {
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
    listed: &[String],
    since: Timestamp,
) -> Result<RecentCommits, Failure> {
    let mut commits = Vec::new();
    let read = read_back(effects, listed, |commit| {
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

/// Reads commits from the end of the log on, until one of them is enough.
async fn read_back<E: From<StoreEffect>>(
    effects: &Effects<E>,
    listed: &[String],
    mut take: impl FnMut(Commit) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Failure> {
    for listed in listed.rchunks(READ_BACK_AT_ONCE) {
        let bodies = effects.read_all(listed.to_vec()).await?;
        for (key, bytes) in listed.iter().zip(bodies).rev() {
            let commit: Commit = parse(key, &require_stored(key, bytes)?)?;
            if take(commit).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}
