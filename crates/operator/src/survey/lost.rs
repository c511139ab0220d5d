//! Looks whether the parts are there that were committed. They are listed, and not read.

use std::collections::BTreeSet;

use delivery::documents::Commit;
use delivery::flow::find_held;
use delivery::missing::lacks_part;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};

use super::{READ_AT_ONCE, Survey, Surveyed};
use crate::error::CommandError;
use crate::state::{KnownReport, Span};

/// A report of which all parts were there is not looked at again for so long, unless something was committed since.
const BELIEVED: SignedDuration = SignedDuration::from_mins(10);

impl Survey {
    /// Finds the versions that consumers hold and of which a part is gone.
    pub(crate) async fn find_lost(
        &self,
        surveyed: &mut [Surveyed],
        span: Span,
    ) -> Result<(), CommandError> {
        let reports = surveyed.iter().map(|it| &it.known);
        let found: Vec<BTreeSet<u64>> = futures_util::stream::iter(reports)
            .map(|known| self.find_lost_of(known, span))
            .buffered(READ_AT_ONCE)
            .try_collect()
            .await?;
        for (report, lost) in surveyed.iter_mut().zip(found) {
            report.set_lost(lost, span);
        }
        Ok(())
    }

    async fn find_lost_of(
        &self,
        known: &KnownReport,
        span: Span,
    ) -> Result<BTreeSet<u64>, CommandError> {
        let kept_since = span.now.checked_sub(self.bucket.rows_kept);
        let commits = find_kept(known, span, kept_since.unwrap_or(Timestamp::MIN));
        let Some(newest) = known.commits.last().filter(|_| !commits.is_empty()) else {
            return Ok(BTreeSet::new());
        };
        let folder = known.keys.rows();
        let mut cache = self.bucket.open_cache(&folder);
        let tag = format!(
            "{}-{}-{}",
            newest.version,
            newest.content,
            span.since.as_second() / 86_400
        );
        let looked_at: Option<Timestamp> = cache.get(&folder, Some(&tag));
        if looked_at.is_some_and(|at| at <= span.now && span.now.duration_since(at) < BELIEVED) {
            return Ok(BTreeSet::new());
        }
        let Some(listed) = self.bucket.list_rows(&known.keys, span.since).await? else {
            return Ok(BTreeSet::new());
        };
        let is_lost = |commit: &&&Commit| lacks_part(commit, &folder, &listed);
        let lost: BTreeSet<u64> = commits
            .iter()
            .filter(is_lost)
            .map(|it| it.version)
            .collect();
        if lost.is_empty() {
            cache.insert(&folder, &tag, format!("\"{}\"", span.now).as_bytes());
            cache.save();
        }
        Ok(lost)
    }
}

/// The commits that consumers hold, of windows that are looked at, and whose rows have not expired.
fn find_kept(known: &KnownReport, span: Span, kept_since: Timestamp) -> Vec<&Commit> {
    let mut held = find_held(&known.commits);
    held.retain(|commit| commit.window.start() >= span.since && commit.committed_at > kept_since);
    held.retain(|commit| !commit.parts.is_empty());
    held
}
