//! The generated part of the SAM template: the schedules and an alarm for each report.

mod render;
mod report;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::definition_file;
use crate::error::CommandError;

pub(crate) use render::render;
pub(crate) use report::ScheduledReport;
pub(crate) use schedule::plan_schedules;

/// The block between these two lines is generated; the rest of the template is written by hand.
const BEGIN: &str = "  # >>> made from infra/reports by: ";
const END: &str = "  # <<< end of what is made";

/// A template, and where its generated block begins and ends.
pub(crate) struct Template {
    text: String,
    begin: usize,
    end: usize,
}

impl Template {
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let wrong = |reason: String| CommandError::Template {
            file: path.to_owned(),
            reason,
        };
        let text = String::from_utf8(definition_file::read_bytes(path)?)
            .map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let Some((begin, end)) = find_block(&text) else {
            return Err(wrong(format!(
                "it has no two lines that begin with {BEGIN:?} and {END:?}"
            )));
        };
        Ok(Self { text, begin, end })
    }

    pub(crate) fn block(&self) -> &str {
        &self.text[self.begin..self.end]
    }

    pub(crate) fn with_block(&self, block: &str) -> String {
        format!(
            "{}{block}{}",
            &self.text[..self.begin],
            &self.text[self.end..]
        )
    }

    /// The resources that are missing, superfluous or different compared with another block.
    pub(crate) fn differing_resources(&self, block: &str) -> Vec<String> {
        let (old, new) = (resources_of(self.block()), resources_of(block));
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        let differs = |name: &&str| old.get(*name) != new.get(*name);
        names
            .into_iter()
            .filter(differs)
            .map(str::to_owned)
            .collect()
    }
}

/// The block begins after the first marker line and ends before the second.
fn find_block(template: &str) -> Option<(usize, usize)> {
    let begin = template.find(BEGIN)?;
    let begin = begin + template[begin..].find('\n')? + 1;
    Some((begin, begin + template[begin..].find(END)?))
}

/// The lines of each resource of a block, by its name.
fn resources_of(block: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in block.lines().filter(|line| !line.is_empty()) {
        let title = line.strip_prefix("  ").and_then(|it| it.strip_suffix(':'));
        name = title.filter(|it| !it.starts_with(' ')).unwrap_or(name);
        found.entry(name).or_default().push(line);
    }
    found
}
