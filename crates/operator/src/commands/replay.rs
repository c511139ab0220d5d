//! `cxr replay`: fetches windows again, as their next generations.

use std::path::PathBuf;

use clap::Args;
use definition::{Catalogue, Definition};
use delivery::Audit;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NOT_WELL;
use crate::address::find_window;
use crate::change::ChangeArg;
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::definition_file::{self, DefinitionFile};
use crate::error::CommandError;
use crate::execution_input::{
    Correction, ExecutionInput, ReasonArgs, start_execution, write_definition,
};
use crate::grid::{OffGridArg, WaitArg};
use crate::output::{Output, count_of};
use crate::place::PlaceArgs;
use crate::state::label_window;
use crate::step_functions::Executions;
use crate::survey::Survey;
use crate::work::{Action, Done, Job, WorkRules, Worker};

/// So many replays run at once.
const AT_ONCE: usize = 4;

/// Fetch windows again, delivered or not; the result replaces what was delivered. Without a file, with the definition that each
/// window was asked with last.
///
/// cxr replay daily-agent-performance 2026-06-01 --reason "late data"
/// cxr replay daily-agent-performance 2026-06-01 --set pipeline.onConflict=keep-last --reason "corrected rows"
/// cxr replay daily-agent-performance 2026-06-01 --stored --set pipeline.onConflict=keep-last --reason "corrected rows"
/// cxr replay daily-agent-performance 2026-06-01..2026-06-07 --definition daily.json --reason "new column"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ReplayArgs {
    /// The report, by name or the beginning of one; or, with --window, a definition file.
    #[arg(value_name = "REPORT|FILE")]
    what: String,
    /// The report's windows: a day, yesterday, or 2026-06-01..2026-06-07.
    #[arg(required_unless_present = "window")]
    windows: Option<String>,
    /// With a file: a day of the report's windowZone (UTC if it names none), yesterday, START..END with both days, or START/END.
    #[arg(long, conflicts_with_all = ["windows", "definition"])]
    window: Option<String>,
    /// Another definition than the one that is stored.
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArg,
    /// Ask CXone for nothing: merge the pages that are stored of the window anew. They have to be all there, and only fields that say
    /// nothing of them may differ, such as pipeline.onConflict.
    #[arg(long)]
    stored: bool,
    #[command(flatten)]
    off_grid: OffGridArg,
    #[command(flatten)]
    wait: WaitArg,
    #[command(flatten)]
    reason: ReasonArgs,
    /// Stay until the windows are committed anew; ends with 5 if one is not.
    #[arg(long, conflicts_with = "window")]
    watch: bool,
    #[command(flatten)]
    confirm: ConfirmArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl ReplayArgs {
    /// Whether it names a file and one window, for which the bucket is not read.
    pub(super) fn is_about_file(&self) -> bool {
        self.window.is_some()
    }

    pub(super) async fn run_for_file(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let replay = self.correction(self.reason.read()?);
        let path = PathBuf::from(self.what);
        let file = definition_file::read_definition(&path, Catalogue::builtin())?;
        let file = self.change.apply(file)?;
        let text = self.window.unwrap_or_default();
        let window = find_window(&text, &file.definition, now)?;
        self.off_grid.check(&file.definition, window)?;
        self.wait.check(&file.definition, window, now)?;
        let machine = Some(executions.machine());
        let input = ExecutionInput::for_correction(file, window, replay, now, machine);
        start_execution(executions, &input, output).await
    }

    pub(super) async fn run_for_report(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let executions = survey.executions()?;
        let jobs = self.find_jobs(survey, executions, now).await?;
        if !self.watch
            && let [
                Job {
                    action: Action::Correct(input),
                    ..
                },
            ] = &jobs[..]
        {
            return start_execution(executions, input, output).await;
        }
        if !self.ask(output, answer, jobs.len())? {
            output.tell("nothing was asked for")?;
            return Ok(0);
        }
        let rules = WorkRules {
            at_once: AT_ONCE,
            follow: self.watch,
            timeout: None,
        };
        let mut worker = Worker::new(survey, executions, rules, now);
        let done = worker.work(output, jobs).await?;
        if !output.is_text() {
            let windows = done.iter().map(Replayed::new).collect();
            output.set_kind("replays");
            output.print_document(&Replays { windows })?;
        }
        // What can't even be started says more than that a window is not committed.
        let codes = done.iter().map(|it| match (it.exit_code, &it.problem) {
            (0, Some(_)) => NOT_WELL,
            (code, _) => code,
        });
        Ok(codes.max().unwrap_or(0))
    }

    fn correction(&self, audit: Audit) -> Correction {
        if self.stored {
            Correction::StoredReplay(audit)
        } else {
            Correction::Replay(audit)
        }
    }

    /// Asks, where several windows are meant.
    fn ask(
        &self,
        output: &mut Output<'_>,
        answer: Option<ReadAnswer>,
        count: usize,
    ) -> Result<bool, CommandError> {
        if count < 2 {
            return Ok(count == 1);
        }
        let windows = count_of(count, "window");
        let report = &self.what;
        let verb = if self.stored {
            "built again from stored pages"
        } else {
            "fetched again"
        };
        let question = format!("{windows} of {report} are {verb}, {AT_ONCE} at once");
        self.confirm.ask(output, answer, &question)
    }

    /// A request for each window.
    async fn find_jobs(
        &self,
        survey: &Survey,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<Vec<Job>, CommandError> {
        let audit = self.reason.read()?;
        let windows = self.windows.as_deref().unwrap_or_default();
        let mut found = survey.find(&self.what, windows, now).await?;
        let mut jobs = Vec::new();
        for judged in &found.windows {
            let window = judged.window;
            let file = match &self.definition {
                Some(file) => definition_file::read_definition(file, Catalogue::builtin())?,
                None => stored(
                    survey
                        .read_definition_of(&mut found.cache, &found.surveyed, window)
                        .await?,
                ),
            };
            let file = self.change.apply(file)?;
            found.surveyed.check_is_same_report(&file.definition)?;
            self.off_grid.check(&file.definition, window)?;
            self.wait.check(&file.definition, window, now)?;
            let replay = self.correction(audit.clone());
            let machine = Some(executions.machine());
            jobs.push(Job {
                report: found.surveyed.address.clone(),
                label: label_window(&window, &found.surveyed.known.naming()),
                window,
                action: Action::Correct(ExecutionInput::for_correction(
                    file, window, replay, now, machine,
                )),
            });
        }
        Ok(jobs)
    }
}

/// What became of replays, where there are several, or one was waited for.
#[derive(Serialize, JsonSchema)]
pub(super) struct Replays {
    windows: Vec<Replayed>,
}

#[derive(Serialize, JsonSchema)]
struct Replayed {
    report: String,
    window: String,
    execution: Option<String>,
    /// Why it was not started, or failed.
    problem: Option<String>,
}

impl Replayed {
    fn new(done: &Done) -> Self {
        Self {
            report: done.job.report.clone(),
            window: done.job.label.clone(),
            execution: done.execution.clone(),
            problem: done.problem.clone(),
        }
    }
}

/// A stored definition, as a file would have it.
pub(super) fn stored(definition: Definition) -> DefinitionFile {
    DefinitionFile {
        written: write_definition(&definition),
        definition,
    }
}
