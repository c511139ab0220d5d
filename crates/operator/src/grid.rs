//! A window that is none of a report's own, or not final yet, has to be asked for twice.

use clap::Args;
use definition::{Definition, Window};
use delivery::flow::LONGEST_WAIT;
use jiff::Timestamp;

use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct OffGridArg {
    /// The window is meant as it is, although it is none of the report's own.
    #[arg(long)]
    off_grid: bool,
}

impl OffGridArg {
    /// Refuses a window that the report's schedule never asks for, unless it was said to be meant.
    ///
    /// Windows of one report must not overlap, so that a wrong one keeps the right ones from being delivered.
    pub(crate) fn check(
        &self,
        definition: &Definition,
        window: Window,
    ) -> Result<(), CommandError> {
        match describe_nearest(definition, window) {
            Some(nearest) if !self.off_grid => Err(CommandError::OffGrid { window, nearest }),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct WaitArg {
    /// The execution may wait for days until the window is final.
    #[arg(long)]
    wait: bool,
}

impl WaitArg {
    /// Refuses a window that is not final yet, unless it was said that its execution is to wait, and can.
    pub(crate) fn check(
        &self,
        definition: &Definition,
        window: Window,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        let final_at = definition.settled_at(&window);
        let can_wait = final_at.duration_since(now) <= LONGEST_WAIT;
        if final_at <= now || (self.wait && can_wait) {
            return Ok(());
        }
        let hint = if can_wait {
            "add --wait to start an execution that waits until then"
        } else {
            "no execution waits for more than seven days, so ask for it later"
        };
        Err(CommandError::NotFinal {
            window,
            final_at,
            hint,
        })
    }
}

/// The report's own windows at the beginning and at the end of one that is none of them.
pub(crate) fn describe_nearest(definition: &Definition, window: Window) -> Option<String> {
    if definition.is_on_grid(&window) {
        return None;
    }
    let (first, last) = definition.own_windows_at(&window).ok()?;
    Some(if first == last {
        first.to_string()
    } else {
        format!("{first} and {last}")
    })
}
