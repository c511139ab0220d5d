//! `cxr withdraw`: takes a window back, so that it has no rows.

use std::path::PathBuf;

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;

use crate::address::find_window;
use crate::definition_file;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput, RequesterArg, start_execution};
use crate::output::Output;
use crate::step_functions::Executions;

/// Take back what was delivered of a window: it is committed without rows, and nothing is asked of CXone.
#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    /// The definition of the report.
    file: PathBuf,
    /// A day of the report's windowZone, or START/END; exactly the window that was delivered.
    #[arg(long)]
    window: String,
    /// Why the window is withdrawn; kept with the data.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    requester: RequesterArg,
}

impl WithdrawArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let file = definition_file::read_definition(&self.file, Catalogue::builtin())?;
        let window = find_window(&self.window, &file.definition, now)?;
        let withdrawal = Correction::Withdrawal(self.requester.give_reason(self.reason));
        let machine = Some(executions.machine());
        let input = ExecutionInput::for_correction(file, window, withdrawal, now, machine);
        start_execution(executions, &input, output).await
    }
}
