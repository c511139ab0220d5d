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
        if stem.is_empty() || stem.len() > 64 || !stem.chars().all(allowed) {
            return Err(CommandError::Schedule {
                file: path.to_owned(),
                reason: "a schedule has the name of its file, and that is 1 to 64 letters, digits, '-', '_' and '.'".to_owned(),
            });
        }
        let text = definition_file::read_bytes(path)?;
        Ok(Self {
            resource: camel_case(&stem),
            stem: stem.into_owned(),
            file: definition_file::read_definition(path, Catalogue::builtin())?,
            text: String::from_utf8_lossy(&text).trim().to_owned(),
        })
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

/// Fails if two files, such as `a-b.json` and `a_b.json`, give their resources the same names.
pub(crate) fn find_duplicate_resources(reports: &[ScheduledReport]) -> Result<(), CommandError> {
    for (index, report) in reports.iter().enumerate() {
        let same = |it: &&ScheduledReport| it.resource == report.resource;
        if let Some(first) = reports[..index].iter().find(same) {
            return Err(CommandError::Schedule {
                file: format!("{}.json", report.stem).into(),
                reason: format!(
                    "its resources have the same names as those of {}.json; rename one",
                    first.stem
                ),
            });
        }
    }
    Ok(())
}
