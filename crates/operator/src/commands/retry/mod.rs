//! `cxr retry`: gets windows committed that are not.

mod step;

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NOT_WELL;
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::error::CommandError;
use crate::error_name::find_error_name;
use crate::layout::{Align, lay_out};
use crate::output::{Output, count_of};
use crate::place::PlaceArgs;
use crate::state::Span;
use crate::step_functions::Executions;
use crate::survey::{LOOKED_BACK, Survey};
use crate::work::{Action, Conclusion, Done, Job, SeenChange, WorkRules, Worker, conclude};
use step::{Step, decide};

/// Get windows committed that failed or are missing: their execution goes on where it stopped, or a new one is started with the
/// definition that is stored. Windows that are committed or worked on are left alone.
///
/// cxr retry daily-agent-performance 2026-06-01      one window
/// cxr retry daily-agent-performance                 all of the report that failed or are missing
/// cxr retry --all --error Auth                      of all reports, those that failed with Cxone.Auth
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RetryArgs {
    /// The report, by name or the beginning of one.
    #[arg(required_unless_present = "all")]
    report: Option<String>,
    /// Its windows: a day, yesterday, 2026-06-01..2026-06-07, failed or missing. Without, all that failed or are missing in 35
    /// days.
    windows: Option<String>,
    /// The windows of all reports that failed or are missing in 35 days.
    #[arg(long, conflicts_with = "report")]
    all: bool,
    /// Only those that failed with this error, such as Auth or Cxone.Auth.
    #[arg(long)]
    error: Option<String>,
    /// So many executions run at once at most; the others are started as soon as one of these has ended.
    #[arg(long, default_value = "4", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    at_once: u16,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stay until the windows are committed; ends with 5 if one is not.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    confirm: ConfirmArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl RetryArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let executions = survey.executions()?;
        let steps = self.find_steps(survey, executions, now).await?;
        let (windows, jobs): (Vec<StepLine>, Vec<Option<Job>>) =
            steps.into_iter().map(StepLine::divide).unzip();
        let jobs: Vec<Job> = jobs.into_iter().flatten().collect();
        let mut retried = Retried {
            dry_run: self.dry_run,
            watch: self.watch,
            windows,
            changes: Vec::new(),
            width: output.width(),
        };
        if self.dry_run || jobs.is_empty() {
            output.print(&retried)?;
            return Ok(retried.exit_code());
        }
        let is_new = |job: &&Job| !matches!(job.action, Action::Follow(_));
        if !self.confirm(output, answer, &retried, jobs.iter().filter(is_new).count())? {
            return Ok(0);
        }
        let rules = WorkRules {
            at_once: self.at_once.into(),
            follow: self.watch,
            timeout: None,
        };
        let mut worker = Worker::new(survey, executions, rules, now);
        let done = worker.work(output, jobs).await?;
        let mut code = retried.exit_code();
        for done in &done {
            code = code.max(done.exit_code);
            retried.record(done);
        }
        if self.watch {
            let conclude = async || conclude_all(survey, &done, now).await;
            let conclusions = worker.insist(output, conclude).await?;
            code = code.max(retried.conclude(output, conclusions)?);
        }
        retried.changes = worker.seen;
        retried.finish(output, self.watch)?;
        Ok(code)
    }

    /// Shows what would be done and asks, where that is more than one thing.
    fn confirm(
        &self,
        output: &mut Output<'_>,
        answer: Option<ReadAnswer>,
        retried: &Retried,
        count: usize,
    ) -> Result<bool, CommandError> {
        // Those that a retry can't help are told as well.
        if retried.windows.len() > 1 {
            output.tell(retried.to_string().trim_end())?;
        }
        if count < 2 {
            return Ok(true);
        }
        let question = format!("{}, {} at once", count_of(count, "window"), self.at_once);
        self.confirm.ask(output, answer, &question)
    }

    /// What is to be done for each window that is meant, the newest first.
    async fn find_steps(
        &self,
        survey: &Survey,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<Vec<Step>, CommandError> {
        let error = self.error.as_deref().map(find_error_name).transpose()?;
        let machine = Some(executions.machine());
        let mut steps = Vec::new();
        if let (Some(report), Some(windows)) = (&self.report, &self.windows) {
            let found = survey.find(report, windows, now).await?;
            let judged = found.windows.iter();
            steps.extend(judged.map(|it| decide(&found.surveyed, it, machine, self.watch, now)));
        } else {
            let since = now - LOOKED_BACK;
            let wanted: Vec<String> = self.report.iter().cloned().collect();
            for surveyed in survey.survey(&wanted, Span { since, now }).await? {
                let absent = surveyed.windows.iter();
                let absent = absent.filter(|it| it.is_failed() || it.is_missing());
                steps.extend(absent.map(|it| decide(&surveyed, it, machine, self.watch, now)));
            }
        }
        steps.retain(|step| error.is_none() || step.error == error);
        steps.sort_by_key(|step| std::cmp::Reverse(step.window));
        Ok(steps)
    }
}

/// A window, why it is not there, and what is done about it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StepLine {
    report: String,
    window: String,
    because: String,
    does: String,
    /// What to type where a retry can't help.
    commands: Vec<String>,
    /// What to type once it is committed: the schedule may still have the definition that was refused.
    afterwards: Option<String>,
    execution: Option<String>,
    /// Why nothing was started, or why it failed.
    problem: Option<String>,
    /// The window's state in the end, if that was waited for.
    state: Option<&'static str>,
    #[serde(skip)]
    is_work: bool,
    #[serde(skip)]
    is_settled: bool,
    #[serde(skip)]
    is_lost: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retried {
    dry_run: bool,
    #[serde(skip)]
    watch: bool,
    windows: Vec<StepLine>,
    /// What was seen while they were followed.
    changes: Vec<SeenChange>,
    #[serde(skip)]
    width: Option<usize>,
}

impl StepLine {
    /// What is said of a step, and what is done.
    fn divide(step: Step) -> (Self, Option<Job>) {
        let line = Self {
            report: step.report,
            window: step.label,
            because: step.because,
            does: step.does,
            commands: step.commands,
            afterwards: step.afterwards,
            execution: None,
            problem: None,
            state: None,
            is_work: step.job.is_some(),
            is_settled: step.is_settled,
            is_lost: step.is_lost,
        };
        (line, step.job)
    }
}

impl Retried {
    /// 0 where nothing is left, else 5: some windows need something else than a retry, or are to be waited for and can't be.
    fn exit_code(&self) -> u8 {
        let is_left = |line: &StepLine| self.watch && !line.is_work && !line.is_settled;
        let needs_more =
            |line: &StepLine| line.is_lost || !line.commands.is_empty() || is_left(line);
        let needs_more = self.windows.iter().any(needs_more);
        if needs_more { NOT_WELL } else { 0 }
    }

    fn find_line(&mut self, report: &str, window: &str) -> Option<&mut StepLine> {
        let mut lines = self.windows.iter_mut();
        lines.find(|it| it.report == report && it.window == window)
    }

    /// Takes down what became of a job.
    fn record(&mut self, done: &Done) {
        if let Some(line) = self.find_line(&done.job.report, &done.job.label) {
            line.execution.clone_from(&done.execution);
            line.problem.clone_from(&done.problem);
        }
    }

    /// Takes down which windows are committed by now, and names those that are not.
    fn conclude(
        &mut self,
        output: &mut Output<'_>,
        conclusions: Vec<Conclusion>,
    ) -> Result<u8, CommandError> {
        let mut code = 0;
        for conclusion in conclusions {
            if !conclusion.is_committed() {
                code = NOT_WELL;
                output.tell(conclusion.to_string().trim_end())?;
            }
            if let Some(line) = self.find_line(&conclusion.report, &conclusion.window) {
                line.state = Some(conclusion.state());
            }
        }
        Ok(code)
    }

    /// Says how to follow what was started, or all that was done where a program reads it.
    fn finish(&self, output: &mut Output<'_>, watch: bool) -> Result<(), CommandError> {
        if !output.is_text() {
            return output.print_document(self);
        }
        self.tell_of_schedule(output)?;
        let started = self.windows.iter().filter(|it| it.execution.is_some());
        match started.count() {
            0 => Ok(()),
            _ if watch => Ok(()),
            started => output.tell(&self.describe_watch(started)),
        }
    }

    /// Says that the schedule still has a definition that was refused, where another one was used in its place.
    fn tell_of_schedule(&self, output: &mut Output<'_>) -> Result<(), CommandError> {
        let mut begun = self.windows.iter().filter(|it| it.execution.is_some());
        let Some(line) = begun.find_map(|it| it.afterwards.as_ref()) else {
            return Ok(());
        };
        output.tell(&format!(
            "the schedule still has the definition that is refused: deploy a corrected one, then {line}"
        ))
    }

    /// How to follow what was started.
    fn describe_watch(&self, started: usize) -> String {
        let begun = self.windows.iter().find(|it| it.execution.is_some());
        match begun {
            Some(line) if started == 1 => {
                format!("follow it with: cxr watch {} {}", line.report, line.window)
            }
            _ => format!(
                "{} going; cxr status tells how far they are",
                count_of(started, "window")
            ),
        }
    }
}

/// What became of all that was worked on, read once for each report.
async fn conclude_all(
    survey: &Survey,
    done: &[Done],
    now: Timestamp,
) -> Result<Vec<Conclusion>, CommandError> {
    let mut worked_on: BTreeMap<&str, Vec<Window>> = BTreeMap::new();
    for Done { job, .. } in done {
        worked_on.entry(&job.report).or_default().push(job.window);
    }
    let mut conclusions = Vec::new();
    for (report, windows) in worked_on {
        conclusions.extend(conclude(survey, report, windows, now).await?);
    }
    Ok(conclusions)
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.windows.is_empty() {
            let header = ["REPORT", "WINDOW", "BECAUSE", "DOES"]
                .map(str::to_owned)
                .to_vec();
            let rows = self.windows.iter().map(|line| {
                vec![
                    line.report.clone(),
                    line.window.clone(),
                    line.because.clone(),
                    line.does.clone(),
                ]
            });
            let rows: Vec<Vec<String>> = [header].into_iter().chain(rows).collect();
            for line in lay_out(&rows, &[Align::Left; 4], &[], self.width) {
                writeln!(f, "{line}")?;
            }
            for command in self.windows.iter().flat_map(|line| &line.commands) {
                writeln!(f, "    {command}")?;
            }
        }
        if !self.windows.iter().any(|line| line.is_work) {
            writeln!(f, "nothing to do")?;
        }
        Ok(())
    }
}
