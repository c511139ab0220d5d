//! `cxr run`: starts an execution for a window, as the Scheduler would.

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;

use crate::error::CommandError;
use crate::execution_input::{ExecutionInput, start_execution};
use crate::grid::{OffGridArg, WaitArg};
use crate::output::Output;
use crate::step_functions::Executions;
use crate::target::Target;

/// Ask for a window as the Scheduler would: what is stored of it is used, and a delivered window stays as it is.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    off_grid: OffGridArg,
    #[command(flatten)]
    wait: WaitArg,
}

impl RunArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        // The handlers know the built-in catalogue only.
        let (file, choice) = self.target.read(Catalogue::builtin(), now)?;
        let window = choice.window_of(&file.definition)?;
        self.off_grid.check(&file.definition, window)?;
        self.wait.check(&file.definition, window, now)?;
        let input = ExecutionInput::for_window(file, choice, Some(executions.machine()))?;
        start_execution(executions, &input, output).await
    }
}
