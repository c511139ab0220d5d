//! Claims the next version of the log.

use definition::ColumnNames;

use crate::documents::{Commit, CommitPart, Part, content_in_snake_case};
use crate::effects::{Claimed, FinalizeEffect, Merged, RewriteRequest};
use crate::flow::commit_log::CommitLog;
use crate::flow::finalize::examine::Examined;
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::finalize::merge::WindowContent;
use crate::flow::finalize::pages::RunPages;
use crate::flow::stored::{V, serialise};
use crate::{Failure, Outcome};

impl Finalizer<'_> {
    /// Writes the parts that hold rows to leave out again without them, then claims the next version.
    pub(super) async fn commit_content(
        &self,
        content: &WindowContent,
        examined: &Examined,
        mut log: CommitLog,
    ) -> Result<Outcome, Failure> {
        let parts = self.rewrite_parts(content).await?;
        loop {
            log.read_on(&self.effects, &self.report).await?;
            if let Some(outcome) = self.outcome_in_log(&log)? {
                return Ok(outcome);
            }
            let commit = self.build_commit(content, examined, &parts, &log);
            let key = self.report.commit(commit.version);
            match self.effects.claim(key, serialise(&commit)?).await? {
                Claimed::Ours => {
                    self.write_manifest(&commit).await?;
                    return Ok(Outcome::Committed(self.commit_figures(&commit)));
                }
                // Another commit took this version: try the next one.
                Claimed::Theirs(_) => {}
            }
        }
    }

    async fn rewrite_parts(&self, content: &WindowContent) -> Result<Vec<Part>, Failure> {
        let mut parts = Vec::with_capacity(content.parts.len());
        for (part, without) in content.parts.iter().zip(&content.merged.without) {
            // The parts of a version that this one supersedes may be deleted: what is made of stored pages has its own.
            if without.is_empty() && self.record.stored_from.is_none() {
                parts.push(part.clone());
                continue;
            }
            let request = RewriteRequest {
                part: part.clone(),
                without: without.clone(),
                definition: Box::new(self.record.definition.clone()),
                part_prefix: self.keys.merged(),
            };
            let rewritten = self
                .effects
                .request(|responder| FinalizeEffect::Rewrite(request, responder))
                .await?;
            if rewritten.rows > 0 {
                parts.push(rewritten);
            }
        }
        Ok(parts)
    }

    fn build_commit(
        &self,
        content: &WindowContent,
        examined: &Examined,
        parts: &[Part],
        log: &CommitLog,
    ) -> Commit {
        let definition = &self.record.definition;
        let merged = &content.merged;
        let columns = self.stored_columns();
        Commit {
            v: V,
            version: log.head + 1,
            report: definition.name.clone(),
            tenant: definition.pipeline.tenant.clone(),
            window: self.record.window,
            generation: self.message.work.generation,
            definition_hash: self.record.definition_hash.clone(),
            source: definition.source(),
            runs: content.runs.iter().map(RunPages::to_commit_run).collect(),
            abandoned: content.abandoned.clone(),
            rows: merged.rows,
            unique: merged.rows - merged.duplicates - merged.replaced,
            duplicates: merged.duplicates,
            replaced: merged.replaced,
            summary_rows: content.runs.iter().map(|pages| pages.summary_rows).sum(),
            empty: merged.rows == 0,
            verification: content.verification,
            unchanged: self.is_unchanged(merged, &columns, log),
            columns,
            column_report: examined.column_report.clone(),
            rows_median: examined.rows_median,
            warnings: examined.warnings.clone(),
            gaps: examined.gaps.clone(),
            parts: parts.iter().map(CommitPart::from).collect(),
            content: self.stored_content(merged),
            supersedes: log.last_of_window().map(|commit| commit.version),
            replaces: log.covered(),
            withdrawn: self.record.withdrawn,
            reason: self.record.reason.clone(),
            requested_by: self.record.requested_by.clone(),
            committed_at: self.message.now,
        }
    }

    /// Whether consumers hold these very rows. Whoever loaded the superseded version does only if nothing replaced or
    /// withdrew them since.
    fn is_unchanged(&self, merged: &Merged, columns: &[String], log: &CommitLog) -> bool {
        let content = self.stored_content(merged);
        let is_same = |commit: &Commit| commit.content == content && commit.columns == columns;
        !self.record.withdrawn
            && log.is_visible()
            && log.covered().is_empty()
            && log.last_of_window().is_some_and(is_same)
    }

    /// The definition's columns under the names that they are stored under.
    fn stored_columns(&self) -> Vec<String> {
        let definition = &self.record.definition;
        let names = definition.pipeline.column_names;
        let columns = definition.columns().into_iter();
        columns
            .map(|name| names.rename(name).into_owned())
            .collect()
    }

    /// The hash of the content. The sidecars know nothing of other names, and rows whose columns are called otherwise
    /// are other rows to whoever loaded them.
    fn stored_content(&self, merged: &Merged) -> String {
        match self.record.definition.pipeline.column_names {
            ColumnNames::AsIs => merged.content.clone(),
            ColumnNames::Snake => content_in_snake_case(&merged.content),
        }
    }
}
