//! `cxr replay`: fetches a window again, as the next generation.

use std::path::PathBuf;

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;

use crate::address::find_window;
use crate::definition_file;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput, RequesterArg, start_execution};
use crate::grid::OffGridArg;
use crate::output::Output;
use crate::step_functions::Executions;

/// Fetch a window again with this definition, delivered or not; the result replaces what was delivered.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The definition file; it may differ from the one that was used before.
    file: PathBuf,
    /// A day of the report's windowZone (UTC if it names none), yesterday, START..END with both days, or START/END.
    #[arg(long)]
    window: String,
    /// Why the window is replayed; kept with the data.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    off_grid: OffGridArg,
    #[command(flatten)]
    requester: RequesterArg,
}

impl ReplayArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let file = definition_file::read_definition(&self.file, Catalogue::builtin())?;
        let window = find_window(&self.window, &file.definition, now)?;
        self.off_grid.check(&file.definition, window)?;
        let replay = Correction::Replay(self.requester.give_reason(self.reason));
        let machine = Some(executions.machine());
        let input = ExecutionInput::for_correction(file, window, replay, now, machine);
        start_execution(executions, &input, output).await
    }
}
