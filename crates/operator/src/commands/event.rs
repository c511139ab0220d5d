//! `cxr event`: the input of an execution or of a schedule, for whoever starts it by other means.

use std::path::PathBuf;

use clap::Args;
use definition::Catalogue;
use delivery::ScheduledEvent;
use jiff::Timestamp;

use crate::arn::MachineArn;
use crate::definition_file;
use crate::error::CommandError;
use crate::execution_input::{Correction, ExecutionInput, RequesterArg, event_for_scheduler};
use crate::grid::OffGridArg;
use crate::output::Output;
use crate::target::WindowChoice;

/// Print the input of an execution (no network).
#[derive(Debug, Args)]
pub(super) struct EventArgs {
    /// The definition file; - is the standard input.
    file: PathBuf,
    #[command(flatten)]
    window: EventWindow,
    /// Replay the window for this reason, although it was delivered.
    #[arg(long, value_name = "REASON", conflicts_with = "scheduler")]
    replay: Option<String>,
    /// Withdraw the window for this reason.
    #[arg(long, value_name = "REASON", conflicts_with_all = ["scheduler", "replay", "off_grid"])]
    withdraw: Option<String>,
    #[command(flatten)]
    off_grid: OffGridArg,
    #[command(flatten)]
    requester: RequesterArg,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct EventWindow {
    /// The scheduled time, such as 2026-06-02T05:30:00Z.
    #[arg(long)]
    at: Option<String>,
    /// A day of the report's windowZone (UTC if it names none), yesterday, START..END with both days, or START/END.
    #[arg(long)]
    window: Option<String>,
    /// Print the input of an EventBridge schedule, in which the Scheduler fills in the time.
    #[arg(long)]
    scheduler: bool,
}

impl EventArgs {
    pub(super) fn run(
        self,
        output: &mut Output<'_>,
        now: Timestamp,
        machine: Option<&MachineArn>,
    ) -> Result<u8, CommandError> {
        output.print_json(&self.build_event(now, machine)?)?;
        Ok(0)
    }

    fn build_event(
        self,
        now: Timestamp,
        machine: Option<&MachineArn>,
    ) -> Result<ScheduledEvent, CommandError> {
        let file = definition_file::read_definition(&self.file, Catalogue::builtin())?;
        if self.window.scheduler {
            return Ok(event_for_scheduler(file.written, machine));
        }
        let choice = {
            let (at, window) = (self.window.at.as_deref(), self.window.window.as_deref());
            WindowChoice::parse(at, window, &file.definition, now)?
        };
        let window = choice.window_of(&file.definition)?;
        let correction = match (self.replay, self.withdraw) {
            (_, Some(why)) => Some(Correction::Withdrawal(self.requester.give_reason(&why)?)),
            (Some(why), None) => Some(Correction::Replay(self.requester.give_reason(&why)?)),
            (None, None) => None,
        };
        if !matches!(correction, Some(Correction::Withdrawal(_))) {
            self.off_grid.check(&file.definition, window)?;
        }
        let input = match correction {
            Some(correction) => {
                ExecutionInput::for_correction(file, window, correction, now, machine)
            }
            None => ExecutionInput::for_window(file, choice, machine)?,
        };
        Ok(input.into_event())
    }
}
