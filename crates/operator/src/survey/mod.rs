//! Reads what is known of the reports: from the bucket, and for windows that are not committed from Step Functions.

mod attempted;
mod find;
mod logged;
mod lost;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use definition::{Definition, ReportName, TenantId, Window};
use delivery::documents::Commit;
use delivery::keys::{ReportKeys, report_name};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};

use crate::address::{ReportNames, WindowsAsked, find_report};
use crate::attempts::AttemptFinder;
use crate::bucket::{Bucket, ObjectCache};
use crate::error::CommandError;
use crate::request::Request;
use crate::state::{
    Attempt, Judged, KnownReport, Span, Telling, Trouble, find_troubles, judge_one, judge_windows,
};
use crate::step_functions::{ExecutionSummary, Executions};

use attempted::find_all_attempts;
pub(crate) use find::Found;
pub(crate) use logged::LoggedReport;

/// So many reports are read at once, each with sixteen requests.
const READ_AT_ONCE: usize = 4;

/// How far back is looked for windows that are missing or failed.
pub(crate) use delivery::missing::LOOKED_BACK;

/// Where what is known is read.
pub(crate) struct Survey {
    pub(crate) bucket: Bucket,
    /// Nothing is asked of Step Functions without it.
    pub(crate) executions: Option<Executions>,
    /// Where purposes of executions are kept.
    pub(crate) cache: Option<PathBuf>,
}

/// A report with the state of its windows.
pub(crate) struct Surveyed {
    pub(crate) names: ReportNames,
    /// What it is called on the command line.
    pub(crate) address: String,
    pub(crate) known: KnownReport,
    /// The executions of windows that are not committed.
    pub(crate) attempts: Vec<Attempt>,
    /// Those that are due, and any that somebody asked for, in order.
    pub(crate) windows: Vec<Judged>,
}

impl Surveyed {
    fn new(known: KnownReport, all: &[ReportNames], attempts: &[Attempt], span: Span) -> Self {
        let names = names_of(&known.keys);
        let own = attempts.iter().filter(|it| it.report == known.keys);
        let attempts: Vec<Attempt> = own.cloned().collect();
        Self {
            address: names.address(all),
            windows: judge_windows(&known, &attempts, span),
            names,
            known,
            attempts,
        }
    }

    /// Says which of its versions lack a part.
    fn set_lost(&mut self, lost: BTreeSet<u64>, span: Span) {
        self.known.lost = lost;
        self.windows = judge_windows(&self.known, &self.attempts, span);
    }

    fn choose_windows(&self, asked: &WindowsAsked, now: Timestamp) -> Vec<Judged> {
        let judged = self.windows.iter();
        let judge =
            |window: &Window| judge_one(&self.known, &self.attempts, *window, &self.windows, now);
        match asked {
            WindowsAsked::Windows(windows) => windows.iter().map(judge).collect(),
            WindowsAsked::Missing => judged.filter(|it| it.is_missing()).cloned().collect(),
            WindowsAsked::Failed => judged.filter(|it| it.is_failed()).cloned().collect(),
        }
    }

    /// What is wrong with its windows.
    pub(crate) fn find_troubles(&self) -> Vec<Trouble> {
        find_troubles(&self.telling(), &self.windows)
    }

    /// What is wrong with one of its windows.
    pub(crate) fn find_troubles_of(&self, judged: &Judged) -> Vec<Trouble> {
        find_troubles(&self.telling(), std::slice::from_ref(judged))
    }

    /// Whether a definition is of this report.
    pub(crate) fn is_same_report(&self, other: &Definition) -> bool {
        let (tenant, report) = (other.pipeline.tenant.as_str(), other.name.as_str());
        (tenant, report) == (self.known.tenant(), self.known.report())
    }

    /// Refuses the definition of another report, whose rows would land elsewhere.
    pub(crate) fn check_is_same_report(&self, other: &Definition) -> Result<(), CommandError> {
        if self.is_same_report(other) {
            return Ok(());
        }
        Err(CommandError::Change {
            change: format!("{} / {}", other.pipeline.tenant, other.name),
            problem: format!(
                "it is the definition of another report than {}",
                self.address
            ),
        })
    }

    /// What its troubles are told with.
    pub(crate) fn telling(&self) -> Telling {
        let definition = self.known.definition.as_ref();
        Telling {
            address: self.address.clone(),
            naming: self.known.naming(),
            api: definition.map(|definition| definition.pipeline.api),
        }
    }
}

impl Survey {
    /// The executions, for commands that can't do without.
    pub(crate) fn executions(&self) -> Result<&Executions, CommandError> {
        let executions = self.executions.as_ref();
        executions.ok_or_else(CommandError::no_machine)
    }

    /// Whether anything is stored of the report that an execution was started for.
    pub(crate) async fn has_report(&self, request: &Request) -> Result<bool, CommandError> {
        let (stored, _) = self.list_reports().await?;
        let (tenant, report) = (request.tenant.as_deref(), request.report.as_deref());
        let mut stored = stored.iter();
        Ok(stored
            .any(|it| Some(it.tenant.as_str()) == tenant && Some(it.report.as_str()) == report))
    }

    /// The reports that are named, or all, with the state of their windows. Those of which nothing is stored come last.
    pub(crate) async fn survey(
        &self,
        wanted: &[String],
        span: Span,
    ) -> Result<Vec<Surveyed>, CommandError> {
        let (mut all, folders) = self.list_reports().await?;
        let choice = Choice::of_stored(wanted, &all)?;
        let folders = folders.into_iter().enumerate();
        let folders = folders.filter(|(index, _)| choice.has(*index));
        let mut known: Vec<KnownReport> = futures_util::stream::iter(folders)
            .map(|(_, keys)| self.read_report(keys, span))
            .buffered(READ_AT_ONCE)
            .try_collect()
            .await?;
        known.retain(|report| !report.is_empty());
        let Some(finder) = self.list_attempts(&known, span).await? else {
            choice.find_others(&all)?;
            return Ok(survey_all(known, &all, &[], span));
        };
        let unstored = self.find_unstored(&finder, &all, span.now).await?;
        let stored = all.len();
        all.extend(unstored.iter().map(|report| names_of(&report.keys)));
        let choice = choice.find_others(&all)?;
        let unstored = unstored.into_iter().enumerate();
        let unstored = unstored.filter(|(index, _)| choice.has(stored + index));
        known.extend(unstored.map(|(_, report)| report));
        let attempts = find_all_attempts(finder, &known, span).await?;
        Ok(survey_all(known, &all, &attempts, span))
    }

    /// What was committed of a report.
    pub(crate) async fn read_commits(
        &self,
        tenant: &TenantId,
        report: &ReportName,
    ) -> Result<Vec<Commit>, CommandError> {
        let keys = self.bucket.keys_of(tenant, report);
        let mut cache = self.bucket.open_cache(keys.root());
        let commits = self.bucket.read_log(&keys, &mut cache).await?;
        cache.save();
        Ok(commits)
    }

    /// The executions that work on some windows of a report now, whether these are committed or not.
    pub(crate) async fn find_running(
        &self,
        surveyed: &Surveyed,
        windows: &[Window],
    ) -> Result<Vec<Attempt>, CommandError> {
        let (Some(executions), Some(since)) =
            (&self.executions, windows.iter().map(Window::start).min())
        else {
            return Ok(Vec::new());
        };
        let cache = self.cache.as_deref();
        let finder = AttemptFinder::read(executions, cache, &["RUNNING"], since, Some(since));
        let known = std::slice::from_ref(&surveyed.known);
        let is_meant =
            |_: &KnownReport, window: &Window, _: &ExecutionSummary| windows.contains(window);
        finder.await?.find(known, is_meant).await
    }

    /// What all reports are called, and their folders.
    async fn list_reports(&self) -> Result<(Vec<ReportNames>, Vec<ReportKeys>), CommandError> {
        let folders = self.bucket.list_reports().await?;
        Ok((folders.iter().map(names_of).collect(), folders))
    }

    async fn read_report(&self, keys: ReportKeys, span: Span) -> Result<KnownReport, CommandError> {
        let mut cache = self.bucket.open_cache(keys.root());
        let mut report = self.read_log(keys, &mut cache).await?;
        self.look_back(&mut report, span, &mut cache).await?;
        cache.save();
        Ok(report)
    }

    /// A report of which the log is known and nothing else.
    async fn read_log(
        &self,
        keys: ReportKeys,
        cache: &mut ObjectCache,
    ) -> Result<KnownReport, CommandError> {
        Ok(KnownReport {
            commits: self.bucket.read_log(&keys, cache).await?,
            keys,
            definition: None,
            unstored_name: None,
            asked: Vec::new(),
            pending: BTreeMap::new(),
            lost: BTreeSet::new(),
        })
    }

    /// Reads what is stored beside the log of windows that begin within a span, and the definition.
    async fn look_back(
        &self,
        report: &mut KnownReport,
        span: Span,
        cache: &mut ObjectCache,
    ) -> Result<(), CommandError> {
        // Where nothing was committed, the first window that was asked for is looked for.
        let from = if report.commits.is_empty() {
            Window::EARLIEST
        } else {
            span.since
        };
        let before = span.now + SignedDuration::from_hours(24);
        report.asked = self.bucket.list_windows(&report.keys, from, before).await?;
        self.read_pending(report, cache, span).await?;
        self.read_definition(report, cache).await
    }

    /// Reads what is stored of windows that are not committed.
    async fn read_pending(
        &self,
        report: &mut KnownReport,
        cache: &mut ObjectCache,
        span: Span,
    ) -> Result<(), CommandError> {
        for window in report.windows_to_look_at(span.since) {
            let bucket = &self.bucket;
            let generations = bucket
                .read_generations(&report.keys, &window, cache)
                .await?;
            report.pending.insert(window, generations);
        }
        Ok(())
    }

    /// Reads the definition that was asked with last: that of the newest commit's window, or of one that was begun later.
    async fn read_definition(
        &self,
        report: &mut KnownReport,
        cache: &mut ObjectCache,
    ) -> Result<(), CommandError> {
        let newest = report.commits.iter();
        let newest = newest.max_by_key(|commit| (commit.window.end(), commit.version));
        let mut openings = Vec::new();
        if let Some(commit) = newest {
            let (window, generation) = (commit.window, commit.generation);
            let bucket = &self.bucket;
            let opening = bucket.read_opening(&report.keys, &window, generation, cache);
            openings.extend(opening.await?);
        }
        let pending = report.pending.values().flatten();
        openings.extend(pending.filter_map(|generation| generation.opening.clone()));
        let newest = openings.into_iter().max_by_key(|opening| opening.opened_at);
        let newest = newest.map(|opening| opening.definition);
        // That of an execution stays where nothing is stored.
        report.definition = newest.or(report.definition.take());
        Ok(())
    }
}

fn survey_all(
    known: Vec<KnownReport>,
    all: &[ReportNames],
    attempts: &[Attempt],
    span: Span,
) -> Vec<Surveyed> {
    let known = known.into_iter();
    known
        .map(|known| Surveyed::new(known, all, attempts, span))
        .collect()
}

/// Which reports are meant.
struct Choice<'t> {
    /// Where all are meant that there are.
    is_all: bool,
    positions: BTreeSet<usize>,
    /// What no report that is stored is called.
    others: Vec<&'t str>,
}

impl<'t> Choice<'t> {
    fn of_stored(wanted: &'t [String], stored: &[ReportNames]) -> Result<Self, CommandError> {
        let mut choice = Self {
            is_all: wanted.is_empty(),
            positions: BTreeSet::new(),
            others: Vec::new(),
        };
        for text in wanted {
            match find_position(text, stored) {
                Ok(position) => drop(choice.positions.insert(position)),
                Err(CommandError::UnknownReport { .. }) => choice.others.push(text),
                Err(error) => return Err(error),
            }
        }
        Ok(choice)
    }

    /// Looks for what no stored report is called among all.
    fn find_others(mut self, all: &[ReportNames]) -> Result<Self, CommandError> {
        for text in std::mem::take(&mut self.others) {
            self.positions.insert(find_position(text, all)?);
        }
        Ok(self)
    }

    fn has(&self, position: usize) -> bool {
        self.is_all || self.positions.contains(&position)
    }
}

/// Which of all reports a text means.
fn find_position(text: &str, all: &[ReportNames]) -> Result<usize, CommandError> {
    let found = find_report(text, all)?;
    let position = all.iter().position(|names| names == found);
    Ok(position.unwrap_or_default())
}

/// What a report is called, as far as its folder says.
fn names_of(keys: &ReportKeys) -> ReportNames {
    let mut levels = keys.root().rsplit('/');
    let (folder, tenant) = (levels.next(), levels.next());
    let folder = folder.unwrap_or_default();
    let name = report_name(folder).map_or_else(|| folder.to_owned(), Into::into);
    ReportNames {
        tenant: tenant.unwrap_or_default().to_owned(),
        report: name,
    }
}
