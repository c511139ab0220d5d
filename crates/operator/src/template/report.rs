//! A definition file as the template sees it.

use std::path::Path;

use definition::Catalogue;

use crate::definition_file::{self, DefinitionFile};
use crate::error::CommandError;

/// A report's file, and its names in the template.
pub(crate) struct ScheduledReport {
    /// The file's name without `.json`: the schedule's name.
    pub(super) stem: String,
    /// The stem as `CamelCase`, which begins the names of its resources.
    pub(super) resource: String,
    pub(super) file: DefinitionFile,
    /// The definition as it was written, line by line.
    pub(super) text: String,
}

impl ScheduledReport {
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let resource = camel_case(&stem);
        if resource.is_empty() || stem.len() > 64 || !stem.chars().all(allowed) {
            return Err(CommandError::Schedule {
                file: path.to_owned(),
                reason: "a schedule has the name of its file, and that is 1 to 64 letters, digits, '-', '_' and '.', of which one is a letter or a digit".to_owned(),
            });
        }
        let text = definition_file::read_bytes(path)?;
        Ok(Self {
            resource,
            stem: stem.into_owned(),
            file: definition_file::read_definition(path, Catalogue::builtin())?,
            text: String::from_utf8_lossy(&text).trim().to_owned(),
        })
    }

    pub(super) fn unschedulable(&self, reason: String) -> CommandError {
        CommandError::Schedule {
            file: format!("{}.json", self.stem).into(),
            reason,
        }
    }
}

fn camel_case(stem: &str) -> String {
    let words = stem.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.fold(String::new(), |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
        name
    })
}
