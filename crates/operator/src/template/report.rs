//! A definition file as the template sees it.

use std::path::Path;

use definition::Catalogue;

use crate::definition_file::{self, DefinitionFile};
use crate::error::CommandError;

/// A report's file, and the name of it.
pub(crate) struct ScheduledReport {
    /// The file's name without `.json`, which begins the names of its schedules.
    pub(super) stem: String,
    pub(super) file: DefinitionFile,
}

impl ScheduledReport {
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            stem: stem.into_owned(),
            file: definition_file::read_definition(path, Catalogue::builtin())?,
        })
    }

    pub(super) fn unschedulable(&self, reason: String) -> CommandError {
        CommandError::Schedule {
            file: format!("{}.json", self.stem).into(),
            reason,
        }
    }
}
