//! Verifies what was landed, merges it and claims its place in the log.

use crate::{
    Committed, EndReason, Ended, Failure, FailureName, FinalizeIn, FinalizeOut, Outcome, Version,
};
use definition::OnConflict;
use serde::Serialize;

use super::commits::Log;
use super::plan::{Leaf, Plan, missing};
use super::{V, body, contract, parse};
use crate::SegmentId;
use crate::documents::{
    AbandonedRun, Commit, CommitPart, CommitRun, GenerationRecord, Part, RunRecord, Slot,
    Verification, sha256_hex,
};
use crate::effects::{Claimed, Effects, FinalizeEffect, Merged, RewriteRequest};
use crate::keys::{GenerationKeys, ReportKeys};

/// Commits a generation whose segments all have their pages.
pub async fn finalize(
    ask: Effects<FinalizeEffect>,
    prefix: &str,
    bucket: &str,
    message: FinalizeIn,
) -> Result<FinalizeOut, Failure> {
    let work = &message.work;
    let report = ReportKeys::new(prefix, &work.tenant, &work.report);
    let keys = report.generation(&work.window, work.generation);
    let bytes = ask
        .read(keys.open())
        .await?
        .ok_or_else(|| missing(&keys.open()))?;
    let open: GenerationRecord = parse(&keys.open(), &bytes)?;
    let finalizing = Finalizing {
        ask,
        report,
        keys,
        open,
        bucket,
        message: &message,
    };
    let outcome = finalizing.run().await?;
    Ok(FinalizeOut {
        v: Version,
        outcome,
    })
}

struct Finalizing<'a> {
    ask: Effects<FinalizeEffect>,
    report: ReportKeys,
    keys: GenerationKeys,
    open: GenerationRecord,
    bucket: &'a str,
    message: &'a FinalizeIn,
}

/// The pages of a segment, checked.
struct Chain {
    segment: SegmentId,
    number: u32,
    run: RunRecord,
    pages: u64,
    rows: u64,
    total: Option<u64>,
    summary_rows: u64,
    parts: Vec<Part>,
}

/// What is about to be committed.
struct Content {
    chains: Vec<Chain>,
    abandoned: Vec<AbandonedRun>,
    parts: Vec<Part>,
    merged: Merged,
    verification: Verification,
}

/// Why there is nothing to commit yet: the run to blame, if one is.
type Again = Option<Ended>;

impl Finalizing<'_> {
    async fn run(&self) -> Result<Outcome, Failure> {
        let log = self.log().await?;
        if let Some(outcome) = self.settled_by(&log) {
            if let Some(commit) = log.settles(self.message.work.generation) {
                self.manifest(commit).await?;
            }
            return Ok(outcome);
        }
        let content = match self.content().await? {
            Ok(content) => content,
            Err(ended) => return Ok(Outcome::Again { ended }),
        };
        self.commit(&content).await
    }

    async fn log(&self) -> Result<Log, Failure> {
        // The first generation's base is before every commit of the window, so that what this
        // one supersedes is found even if it was committed before this one was opened.
        let first = self.report.generation(&self.open.window, 1);
        let base = match self.ask.read(first.open()).await? {
            Some(bytes) => parse::<GenerationRecord>(&first.open(), &bytes)?.base_version,
            None => 0,
        };
        Log::since(&self.ask, &self.report, &self.open.window, base).await
    }

    fn settled_by(&self, log: &Log) -> Option<Outcome> {
        let generation = self.message.work.generation;
        log.settles(generation).map(|commit| {
            if commit.generation == generation {
                Outcome::Delivered(figures(commit))
            } else {
                Outcome::Superseded {
                    version: commit.version,
                }
            }
        })
    }

    async fn content(&self) -> Result<Result<Content, Again>, Failure> {
        let plan = Plan::read(&self.ask, &self.keys, &self.open).await?;
        let mut chains = Vec::new();
        for leaf in &plan.leaves {
            match self.chain(leaf).await? {
                Some(chain) => chains.push(chain),
                None => return Ok(Err(None)),
            }
        }
        let settled_at = self.open.definition.settled_at(&self.open.window);
        let empty = chains.iter().all(|chain| chain.rows == 0);
        if let Some(chain) = chains
            .iter()
            .find(|chain| !chain.run.settled || chain.run.triggered_at < settled_at)
            && empty
        {
            return Ok(Err(Some(chain.ended(EndReason::Unsettled, ""))));
        }
        for chain in &chains {
            if let Some(what) = self
                .ask
                .request(|reply| FinalizeEffect::Check(chain.parts.clone(), reply))
                .await?
            {
                return Err(contract(format!(
                    "a stored part is not what its slot says: {what}"
                )));
            }
        }
        let abandoned = self.abandoned(&plan);
        self.merge(chains, abandoned).await
    }

    /// The runs that took too long and could not be cancelled.
    fn abandoned(&self, plan: &Plan) -> Vec<AbandonedRun> {
        if self.open.definition.dialect().can_cancel() {
            return Vec::new();
        }
        let left = |(segment, run): &(SegmentId, RunRecord)| AbandonedRun {
            segment: segment.clone(),
            run_id: run.run_id.clone(),
            triggered_at: run.triggered_at,
        };
        plan.cut_off.iter().map(left).collect()
    }

    /// Reads the chain of slots of a segment's run; `None` if it is not complete.
    async fn chain(&self, leaf: &Leaf) -> Result<Option<Chain>, Failure> {
        let number = leaf.current();
        let Some(state) = leaf.live() else {
            return Ok(None);
        };
        let Some(run) = state.run.clone() else {
            return Ok(None);
        };
        self.slots(&leaf.segment, number, run, state.slots).await
    }

    async fn slots(
        &self,
        segment: &SegmentId,
        number: u32,
        run: RunRecord,
        count: u32,
    ) -> Result<Option<Chain>, Failure> {
        let keys = self.keys.run(segment, number);
        let slot_keys: Vec<String> = (0..count).map(|batch| keys.slot(batch)).collect();
        let bodies = self.ask.read_all(slot_keys.clone()).await?;
        let mut chain = Chain {
            segment: segment.clone(),
            number,
            run,
            pages: 0,
            rows: 0,
            total: None,
            summary_rows: 0,
            parts: Vec::new(),
        };
        let mut prev: Option<String> = None;
        let mut complete = false;
        for (batch, (key, bytes)) in slot_keys.iter().zip(bodies).enumerate() {
            let bytes = bytes.ok_or_else(|| missing(key))?;
            let slot: Slot = parse(key, &bytes)?;
            let fits = !complete
                && slot.prev == prev
                && slot.run_id == chain.run.run_id
                && usize::try_from(slot.batch) == Ok(batch)
                && slot.rows == slot.parts.iter().map(|part| part.rows).sum::<u64>()
                && slot.rows_so_far == chain.rows + slot.rows;
            if !fits {
                return Err(contract(format!(
                    "the slot {key} does not continue the one before it"
                )));
            }
            chain.pages += slot.pages;
            chain.rows += slot.rows;
            chain.total = slot.total;
            chain.summary_rows += slot.summary_rows;
            chain.parts.extend(slot.parts);
            complete = slot.next.is_none();
            prev = Some(sha256_hex(&bytes));
        }
        Ok(complete.then_some(chain))
    }

    /// Finds duplicates and conflicts, and judges how far the content can be trusted.
    ///
    /// A report with a grouping has one row for each group *and run*: rows of two halves of a
    /// window are different rows even if they look the same. Without a grouping a row is an
    /// interaction, which two halves may both show.
    async fn merge(
        &self,
        chains: Vec<Chain>,
        abandoned: Vec<AbandonedRun>,
    ) -> Result<Result<Content, Again>, Failure> {
        let aggregated = self.open.definition.is_aggregated();
        let mut merged = Merged::default();
        let mut verification = Verification::Total;
        for chain in &chains {
            let own = self.merge_parts(chain.parts.clone()).await?;
            match self.verify(chain, &own).await? {
                Ok(how) => verification = weaker(verification, how),
                Err(ended) => return Ok(Err(Some(ended))),
            }
            if aggregated || chains.len() == 1 {
                append(&mut merged, own);
            }
        }
        let parts: Vec<Part> = chains
            .iter()
            .flat_map(|chain| chain.parts.clone())
            .collect();
        if !aggregated && chains.len() > 1 {
            merged = self.merge_parts(parts.clone()).await?;
        }
        if merged.replaced > 0 && self.open.definition.pipeline.on_conflict == OnConflict::Fail {
            return Err(self.conflict(&parts, &merged));
        }
        Ok(Ok(Content {
            chains,
            abandoned,
            parts,
            merged,
            verification,
        }))
    }

    async fn merge_parts(&self, parts: Vec<Part>) -> Result<Merged, Failure> {
        let merged = self
            .ask
            .request(|reply| FinalizeEffect::Merge(parts, reply))
            .await?;
        Ok(merged)
    }

    fn conflict(&self, parts: &[Part], merged: &Merged) -> Failure {
        let place = parts
            .iter()
            .zip(&merged.without)
            .find_map(|(part, rows)| rows.first().map(|row| format!("row {row} of {}", part.key)))
            .unwrap_or_default();
        Failure::new(
            FailureName::Conflict,
            format!(
                "{} rows have the key ({}) of another row and differ from it; one of the rows involved is {place}. Make the key more specific, or set onConflict to keep-last, and replay the window",
                merged.replaced,
                self.open.definition.key_columns().join(", ")
            ),
        )
    }

    /// How far a run can be trusted to be complete, or why another one is needed.
    async fn verify(
        &self,
        chain: &Chain,
        merged: &Merged,
    ) -> Result<Result<Verification, Ended>, Failure> {
        let unique = merged.rows - merged.duplicates - merged.replaced;
        match chain.total {
            Some(total) if total == unique => return Ok(Ok(Verification::Total)),
            Some(total) if total != merged.rows => {
                let detail = format!("{} rows came and {total} were announced", merged.rows);
                return Ok(Err(chain.ended(EndReason::Unstable, &detail)));
            }
            None if merged.duplicates == 0 => return Ok(Ok(Verification::Consistent)),
            // As many rows as announced, but not as many different ones.
            Some(_) | None => {}
        }
        // Duplicates across pages are what unstable paging looks like, and then rows are missing too.
        if self.agrees_with_earlier(chain, merged).await? {
            return Ok(Ok(Verification::SecondRun));
        }
        if chain.number < self.open.definition.pipeline.max_runs {
            let detail = format!(
                "{} duplicates across pages, and no total",
                merged.duplicates
            );
            return Ok(Err(chain.ended(EndReason::Unstable, &detail)));
        }
        Ok(Ok(Verification::None))
    }

    /// Whether an earlier run of the segment that was complete had the same content.
    async fn agrees_with_earlier(&self, chain: &Chain, merged: &Merged) -> Result<bool, Failure> {
        let plan = Plan::read(&self.ask, &self.keys, &self.open).await?;
        let Some(leaf) = plan
            .leaves
            .iter()
            .find(|leaf| leaf.segment == chain.segment)
        else {
            return Ok(false);
        };
        for (number, state) in (1..chain.number).zip(&leaf.runs) {
            let unstable = state
                .end
                .as_ref()
                .is_some_and(|end| end.reason == EndReason::Unstable);
            let Some(run) = state.run.clone().filter(|_| unstable) else {
                continue;
            };
            if let Some(earlier) = self.slots(&leaf.segment, number, run, state.slots).await?
                && self.merge_parts(earlier.parts).await?.content == merged.content
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes anew the parts that hold rows to leave out, then claims the next version.
    async fn commit(&self, content: &Content) -> Result<Outcome, Failure> {
        let parts = self.cleaned(content).await?;
        loop {
            let log = self.log().await?;
            if let Some(outcome) = self.settled_by(&log) {
                return Ok(outcome);
            }
            let commit = self.entry(content, &parts, &log);
            match self
                .ask
                .claim(self.report.commit(commit.version), body(&commit)?)
                .await?
            {
                Claimed::Ours => {
                    self.manifest(&commit).await?;
                    return Ok(Outcome::Committed(figures(&commit)));
                }
                Claimed::Theirs(_) => {}
            }
        }
    }

    /// Stores the commit's parts in the form for COPY. It follows from the commit alone, so that
    /// whoever finds the commit without it, after a kill, stores the same.
    async fn manifest(&self, commit: &Commit) -> Result<(), Failure> {
        let manifest = body(&Manifest::of(self.bucket, commit))?;
        self.ask
            .claim(self.report.manifest(commit.version), manifest)
            .await?;
        Ok(())
    }

    async fn cleaned(&self, content: &Content) -> Result<Vec<Part>, Failure> {
        let mut parts = Vec::with_capacity(content.parts.len());
        for (part, without) in content.parts.iter().zip(&content.merged.without) {
            if without.is_empty() {
                parts.push(part.clone());
                continue;
            }
            let request = RewriteRequest {
                part: part.clone(),
                without: without.clone(),
                definition: Box::new(self.open.definition.clone()),
                part_prefix: self.keys.merged(),
            };
            let rewritten = self
                .ask
                .request(|reply| FinalizeEffect::Rewrite(request, reply))
                .await?;
            if rewritten.rows > 0 {
                parts.push(rewritten);
            }
        }
        Ok(parts)
    }

    fn entry(&self, content: &Content, parts: &[Part], log: &Log) -> Commit {
        let definition = &self.open.definition;
        let merged = &content.merged;
        let superseded = log.of_window.iter().max_by_key(|commit| commit.version);
        Commit {
            v: V,
            version: log.head + 1,
            report: definition.name.clone(),
            tenant: definition.pipeline.tenant.clone(),
            window: self.open.window,
            generation: self.message.work.generation,
            definition_hash: self.open.definition_hash.clone(),
            source: definition.source(),
            runs: content.chains.iter().map(Chain::committed).collect(),
            abandoned: content.abandoned.clone(),
            rows: merged.rows,
            unique: merged.rows - merged.duplicates - merged.replaced,
            duplicates: merged.duplicates,
            replaced: merged.replaced,
            summary_rows: content.chains.iter().map(|chain| chain.summary_rows).sum(),
            empty: merged.rows == 0,
            verification: content.verification,
            columns: definition
                .columns()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            parts: parts.iter().map(CommitPart::from).collect(),
            content: merged.content.clone(),
            supersedes: superseded.map(|commit| commit.version),
            unchanged: superseded.is_some_and(|commit| {
                commit.content == merged.content && commit.columns == definition.columns()
            }),
            committed_at: self.message.now,
        }
    }
}

impl Chain {
    fn ended(&self, reason: EndReason, detail: &str) -> Ended {
        Ended {
            segment: self.segment.clone(),
            run: self.number,
            reason,
            detail: detail.to_owned(),
        }
    }

    fn committed(&self) -> CommitRun {
        CommitRun {
            segment: self.segment.clone(),
            window: self.run.window,
            run_id: self.run.run_id.clone(),
            triggered_at: self.run.triggered_at,
            pages: self.pages,
            rows: self.rows,
            simplified: self.run.simplified,
        }
    }
}

/// The form that Redshift's COPY reads.
#[derive(Serialize)]
struct Manifest {
    entries: Vec<ManifestEntry>,
}

#[derive(Serialize)]
struct ManifestEntry {
    url: String,
    mandatory: bool,
    meta: ManifestMeta,
}

#[derive(Serialize)]
struct ManifestMeta {
    content_length: u64,
}

impl Manifest {
    fn of(bucket: &str, commit: &Commit) -> Self {
        let entry = |part: &CommitPart| ManifestEntry {
            url: format!("s3://{bucket}/{}", part.key),
            mandatory: true,
            meta: ManifestMeta {
                content_length: part.bytes,
            },
        };
        Self {
            entries: commit.parts.iter().map(entry).collect(),
        }
    }
}

fn append(all: &mut Merged, own: Merged) {
    all.rows += own.rows;
    all.duplicates += own.duplicates;
    all.replaced += own.replaced;
    all.without.extend(own.without);
    all.content = if all.content.is_empty() {
        own.content
    } else {
        sha256_hex(format!("{}{}", all.content, own.content).as_bytes())
    };
}

fn weaker(a: Verification, b: Verification) -> Verification {
    let rank = |v| match v {
        Verification::Total => 0,
        Verification::SecondRun => 1,
        Verification::Consistent => 2,
        Verification::None => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn figures(commit: &Commit) -> Committed {
    Committed {
        version: commit.version,
        rows: commit.unique,
        duplicates: commit.duplicates,
        empty: commit.empty,
        unchanged: commit.unchanged,
        run_seconds: run_seconds(commit),
    }
}

fn run_seconds(commit: &Commit) -> u64 {
    let first = commit.runs.iter().map(|run| run.triggered_at).min();
    let seconds = first.map(|first| commit.committed_at.duration_since(first).as_secs());
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .unwrap_or_default()
}
