//! A window that is none of a report's own has to be asked for twice.

use clap::Args;
use definition::{Definition, Window};

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
