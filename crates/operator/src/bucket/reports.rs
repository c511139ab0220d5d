//! Reads which reports there are, their logs and their windows.

use std::collections::BTreeSet;

use definition::{ReportName, TenantId, Window};
use delivery::documents::{Commit, GenerationRecord};
use delivery::effects::Fault;
use delivery::keys::{ReportKeys, folders_below, tenants, version_of};
use jiff::Timestamp;

use super::{Bucket, ObjectCache};
use crate::error::CommandError;

impl Bucket {
    /// The folders of all reports, in order of tenant and report.
    pub(crate) async fn list_reports(&self) -> Result<Vec<ReportKeys>, CommandError> {
        let mut reports = Vec::new();
        for tenant in self.list_below(&tenants(self.store.prefix())).await? {
            let folders = self.list_below(&tenant).await?;
            reports.extend(folders.iter().filter_map(|it| ReportKeys::in_folder(it)));
        }
        Ok(reports)
    }

    /// Where everything of a report lies.
    pub(crate) fn keys_of(&self, tenant: &TenantId, report: &ReportName) -> ReportKeys {
        ReportKeys::new(self.store.prefix(), tenant, report)
    }

    async fn list_below(&self, folder: &str) -> Result<Vec<String>, CommandError> {
        let (after, before) = folders_below(folder);
        Ok(self.store.list_folders(folder, after, &before).await?)
    }

    /// The windows of a report that somebody asked for and that begin between two times, in order.
    pub(crate) async fn list_windows(
        &self,
        report: &ReportKeys,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<Window>, CommandError> {
        let folder = report.windows();
        let (after, before) = report.windows_beginning(from, before);
        let listed = self.store.list_folders(&folder, after, &before).await?;
        let windows = listed.iter().filter_map(|it| report.window_of(it));
        Ok(windows.collect())
    }

    /// The keys of a report's rows, of windows that begin at a time or later; [`None`] for whoever may not list them.
    pub(crate) async fn list_rows(
        &self,
        report: &ReportKeys,
        from: Timestamp,
    ) -> Result<Option<BTreeSet<String>>, CommandError> {
        let after = report.rows_beginning(from);
        match self.store.list_objects(&report.rows(), Some(after)).await {
            Ok(listed) => Ok(Some(listed.into_iter().map(|it| it.key).collect())),
            // As OperatorPolicy was before.
            Err(Fault::Config(_)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The whole log. What was read before is not read again, if the last commit of it is still there.
    pub(crate) async fn read_log(
        &self,
        report: &ReportKeys,
        cache: &mut ObjectCache,
    ) -> Result<Vec<Commit>, CommandError> {
        let known = count_known(report, cache);
        // From the one before the last on, so that the last one is listed with its tag.
        let after = known.checked_sub(1).filter(|version| *version > 0);
        let after = after.map(|version| report.commit(version));
        let mut listed = self.store.list_objects(&report.log(), after).await?;
        if known > 0 {
            let last = report.commit(known);
            let stored = listed.first().filter(|object| object.key == last);
            if stored.map(|object| object.etag.as_str()) != cache.etag_of(&last) {
                cache.clear();
                listed = self.store.list_objects(&report.log(), None).await?;
            }
        }
        let versions = listed.iter().filter_map(|object| version_of(&object.key));
        let newest = versions.max().unwrap_or(0);
        listed.retain(|object| {
            version_of(&object.key).is_some() && cache.etag_of(&object.key).is_none()
        });
        let keys: Vec<String> = listed.iter().map(|object| object.key.clone()).collect();
        let bodies = self.store.read_all(keys).await?;
        for (object, body) in listed.iter().zip(bodies) {
            let body = body.ok_or_else(|| gone(&object.key))?;
            cache.insert(&object.key, &object.etag, &body);
        }
        read_commits(report, newest, cache)
    }

    /// The request that opened a generation. It is looked up by its key alone, so that the log has to be read before, which
    /// shows whether the bucket is still the same.
    pub(crate) async fn read_opening(
        &self,
        report: &ReportKeys,
        window: &Window,
        generation: u32,
        cache: &mut ObjectCache,
    ) -> Result<Option<GenerationRecord>, CommandError> {
        let key = report.generation(window, generation).open();
        if let Some(known) = cache.get(&key, None) {
            return Ok(Some(known));
        }
        let body = self.store.read_all(vec![key.clone()]).await?.pop();
        if let Some(body) = body.flatten() {
            cache.insert(&key, "", &body);
        }
        Ok(cache.get(&key, None))
    }
}

/// How many commits are kept, from the first on without a gap.
fn count_known(report: &ReportKeys, cache: &ObjectCache) -> u64 {
    let is_known = |version: &u64| cache.etag_of(&report.commit(*version)).is_some();
    (1..=u64::MAX).take_while(is_known).last().unwrap_or(0)
}

/// The commits up to the newest. One that is missing between them would hide all behind it.
fn read_commits(
    report: &ReportKeys,
    newest: u64,
    cache: &ObjectCache,
) -> Result<Vec<Commit>, CommandError> {
    (1..=newest)
        .map(|version| {
            let key = report.commit(version);
            let commit = cache.get(&key, None);
            commit.ok_or_else(|| CommandError::Storage {
                reason: format!(
                    "the commit {key} can't be read; was it written by a newer version, or changed or removed by a person?"
                ),
            })
        })
        .collect()
}

fn gone(key: &str) -> CommandError {
    CommandError::Storage {
        reason: format!(
            "{key} was listed and is gone; this pipeline deletes nothing, so look for a lifecycle rule or a person"
        ),
    }
}
