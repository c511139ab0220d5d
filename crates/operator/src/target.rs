//! The arguments that name a definition and one of its windows.

use std::path::PathBuf;

use clap::Args;
use definition::{Catalogue, Definition, Window};
use jiff::Timestamp;

use crate::address::find_window;
use crate::definition_file::{self, DefinitionFile};
use crate::error::CommandError;
use crate::time;

/// A definition and one of its windows.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The definition file; - is the standard input.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    window: WindowArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WindowArgs {
    /// The scheduled time, such as 2026-06-02T05:30:00Z.
    #[arg(long)]
    at: Option<String>,
    /// A day of the report's windowZone (UTC if it names none), yesterday, START..END with both days, or START/END.
    #[arg(long)]
    window: Option<String>,
}

impl Target {
    /// Reads the definition and which of its windows is meant.
    pub(crate) fn read(
        &self,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<(DefinitionFile, WindowChoice), CommandError> {
        let file = definition_file::read_definition(&self.file, catalogue)?;
        let (at, window) = (self.window.at.as_deref(), self.window.window.as_deref());
        let choice = WindowChoice::parse(at, window, &file.definition, now)?;
        Ok((file, choice))
    }
}

/// Which window of a definition is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WindowChoice {
    /// The window of the execution that is scheduled for this time.
    ScheduledAt(Timestamp),
    Window(Window),
}

impl WindowChoice {
    /// Reads the values of `--at` and `--window`, of which clap lets only one pass.
    pub(crate) fn parse(
        at: Option<&str>,
        window: Option<&str>,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        match window {
            Some(window) => find_window(window, definition, now).map(Self::Window),
            None => time::parse_time("--at", at.unwrap_or_default()).map(Self::ScheduledAt),
        }
    }

    pub(crate) fn window_of(self, definition: &Definition) -> Result<Window, CommandError> {
        match self {
            Self::Window(window) => Ok(window),
            Self::ScheduledAt(at) => {
                definition
                    .window_for(at)
                    .map_err(|error| CommandError::Window {
                        text: at.to_string(),
                        reason: error.to_string(),
                    })
            }
        }
    }
}
