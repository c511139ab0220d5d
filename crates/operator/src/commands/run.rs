//! `cxr run`: starts an execution for a window, as the Scheduler would.

use std::fmt;

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::address::slug;
use crate::error::CommandError;
use crate::execution_input::{ExecutionInput, start_execution};
use crate::grid::{OffGridArg, WaitArg};
use crate::output::Output;
use crate::state::{WindowNaming, label_window};
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
        let report = slug(file.definition.name.as_str());
        let naming = WindowNaming::new(Some(&file.definition));
        let input = ExecutionInput::for_window(file, choice, Some(executions.machine()))?;
        let label = label_window(&window, &naming);
        let name = input.execution_name();
        match find_status(executions, &name).await?.as_deref() {
            None => start_execution(executions, &input, output).await,
            Some("RUNNING") => {
                output.set_kind("running");
                output.print(&RunningAlready {
                    execution: executions.machine().execution_arn(&name),
                    watch: format!("cxr watch {report} {label}"),
                })?;
                Ok(0)
            }
            Some("SUCCEEDED") => Err(CommandError::Exists {
                name,
                remedy: format!(
                    "it succeeded, so that cxr run can't ask for the window again, not even after cxr withdraw: cxr replay {report} {label} --reason TEXT fetches it"
                ),
            }),
            Some(_) => Err(CommandError::Exists {
                name,
                remedy: format!("it failed: cxr retry {report} {label} gets the window committed"),
            }),
        }
    }
}

/// The status of an execution, if there is one of this name.
async fn find_status(executions: &Executions, name: &str) -> Result<Option<String>, CommandError> {
    match executions.describe(name).await {
        Ok(detail) => Ok(Some(detail.summary.status)),
        Err(CommandError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An execution of the same request that was started before and has not ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct RunningAlready {
    execution: String,
    /// How to follow it.
    watch: String,
}

impl fmt::Display for RunningAlready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "is running already: {}", self.execution)?;
        writeln!(f, "follow it with: {}", self.watch)
    }
}
