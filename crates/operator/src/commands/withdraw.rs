//! `cxr withdraw`: takes a window back, so that it has no rows.

use std::path::PathBuf;

use clap::Args;
use definition::{Catalogue, Window};
use jiff::Timestamp;

use super::replay::stored;
use crate::address::find_window;
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::definition_file;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput, ReasonArgs, start_execution};
use crate::output::{Output, count_rows};
use crate::place::PlaceArgs;
use crate::state::label_window;
use crate::step_functions::Executions;
use crate::survey::{Survey, Surveyed};

/// Take back what was delivered of a window: it is committed without rows, and nothing is asked of CXone.
///
/// cxr withdraw daily-agent-performance 2026-06-01/2026-06-03 --reason "two days in one"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct WithdrawArgs {
    /// The report, by name or the beginning of one; or, with --window, a definition file.
    #[arg(value_name = "REPORT|FILE")]
    what: String,
    /// The window of the report: a day of its windowZone, or START/END; exactly the window that was delivered.
    #[arg(value_name = "WINDOW", required_unless_present = "window")]
    of_report: Option<String>,
    /// With a file: the window.
    #[arg(long, conflicts_with = "of_report")]
    window: Option<String>,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    confirm: ConfirmArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl WithdrawArgs {
    /// Whether it names a file, for which the bucket is not read.
    pub(super) fn is_about_file(&self) -> bool {
        self.window.is_some()
    }

    pub(super) async fn run_for_file(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let withdrawal = Correction::Withdrawal(self.reason.read()?);
        let path = PathBuf::from(self.what);
        let file = definition_file::read_definition(&path, Catalogue::builtin())?;
        let text = self.window.unwrap_or_default();
        let window = find_window(&text, &file.definition, now)?;
        let name = &file.definition.name;
        let question =
            format!("whatever was delivered of {name} {text} is taken back: {CONSUMERS}");
        if !self.confirm.ask(output, answer, &question)? {
            return leave(output);
        }
        let machine = Some(executions.machine());
        let input = ExecutionInput::for_correction(file, window, withdrawal, now, machine);
        start_execution(executions, &input, output).await
    }

    pub(super) async fn run_for_report(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let withdrawal = Correction::Withdrawal(self.reason.read()?);
        let executions = survey.executions()?;
        let text = self.of_report.unwrap_or_default();
        let mut found = survey.find_any(&self.what, &text, now).await?;
        let Some(window) = found.windows.first().map(|judged| judged.window) else {
            return Ok(0);
        };
        let known = &found.surveyed.known;
        let is_stored = known.has_commit_of(window);
        // Only what is written as START/END may be a window that nothing is known of.
        let is_exact = text.contains('/');
        if !is_exact && !is_stored && !known.is_begun(&window) {
            return Err(CommandError::Window {
                reason: format!("{} has no such window that could be taken back", self.what),
                text,
            });
        }
        let question = describe_loss(&found.surveyed, window);
        if !self.confirm.ask(output, answer, &question)? {
            return leave(output);
        }
        let definition = survey
            .read_definition_of(&mut found.cache, &found.surveyed, window)
            .await?;
        let machine = Some(executions.machine());
        let file = stored(definition);
        let input = ExecutionInput::for_correction(file, window, withdrawal, now, machine);
        start_execution(executions, &input, output).await
    }
}

/// What consumers do with a window that was taken back.
const CONSUMERS: &str = "consumers delete its rows with the next version";

/// What is lost by a withdrawal, for the question whether to go on.
fn describe_loss(surveyed: &Surveyed, window: Window) -> String {
    let known = &surveyed.known;
    let label = label_window(&window, &known.naming());
    let about = format!("{} {label}", surveyed.address);
    let mut commits = known.commits.iter().rev();
    match commits.find(|commit| commit.window == window) {
        Some(commit) if !commit.withdrawn => {
            let rows = count_rows(commit.unique);
            format!(
                "version {} holds {rows} of {about}; {CONSUMERS}",
                commit.version
            )
        }
        _ => format!(
            "nothing is delivered of {about}, and nothing will be until somebody replays it"
        ),
    }
}

fn leave(output: &mut Output<'_>) -> Result<u8, CommandError> {
    output.tell("nothing was taken back")?;
    Ok(0)
}
