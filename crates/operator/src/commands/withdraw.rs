//! `cxr withdraw`: takes a window back, so that it has no rows.

use std::path::PathBuf;

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;

use super::replay::stored;
use crate::address::find_window;
use crate::definition_file;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput, ReasonArgs, start_execution};
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::step_functions::Executions;
use crate::survey::Survey;

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
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let withdrawal = Correction::Withdrawal(self.reason.read()?);
        let path = PathBuf::from(self.what);
        let file = definition_file::read_definition(&path, Catalogue::builtin())?;
        let text = self.window.unwrap_or_default();
        let window = find_window(&text, &file.definition, now)?;
        let machine = Some(executions.machine());
        let input = ExecutionInput::for_correction(file, window, withdrawal, now, machine);
        start_execution(executions, &input, output).await
    }

    pub(super) async fn run_for_report(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
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
        let is_stored = known.commits.iter().any(|commit| commit.window == window);
        // Only what is written as START/END may be a window that nothing is known of.
        let is_exact = text.contains('/');
        if !is_exact && !is_stored && !known.is_begun(&window) {
            return Err(CommandError::Window {
                reason: format!("{} has no such window that could be taken back", self.what),
                text,
            });
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
