//! `cxr schedules`: the schedules and alarms that follow from the definitions, written into the SAM template.

mod block;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use definition::Catalogue;
use serde::Serialize;

use crate::check::{self, Verdict, counted};
use crate::definition_file::{self, DefinitionFile};
use crate::error::Error;

/// What stands between these two lines is made; the rest of the template is written by hand.
const BEGIN: &str = "  # >>> made from infra/reports by: ";
const END: &str = "  # <<< end of what is made";

/// A report's file, and what it is called in the template.
struct Report {
    /// The file's name without `.json`: the schedule's name.
    stem: String,
    /// The stem as `CamelCase`: how the resources' names begin.
    resource: String,
    file: DefinitionFile,
    /// The definition as it was written, line by line.
    text: String,
}

/// What was done to a template, or would be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    template: PathBuf,
    reports: usize,
    /// The resources that are missing, too many or different; none if the template is up to date.
    differing: Vec<String>,
    out_of_date: bool,
    written: bool,
}

impl Outcome {
    /// 1 for a template that is out of date and stays so.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.out_of_date && !self.written)
    }
}

/// Either the definitions are wrong, or the template is up to date now.
pub enum Schedules {
    /// What is wrong with the definitions; nothing was written.
    Refused(Verdict),
    /// What was done.
    Done(Outcome),
}

/// Makes the block anew from every definition in `reports`; with `only_check` writes nothing.
pub fn schedules(reports: &Path, template: &Path, only_check: bool) -> Result<Schedules, Error> {
    let folder = [reports.to_owned()];
    let verdict = check::check(&folder, Catalogue::builtin())?;
    if !verdict.passes(false) {
        return Ok(Schedules::Refused(verdict));
    }
    let files = definition_file::expand(&folder)?;
    let reports: Vec<Report> = files
        .iter()
        .map(|it| report(it))
        .collect::<Result<_, _>>()?;
    all_differ(&reports)?;
    let block = block::made_of(&reports)?;
    let old = String::from_utf8(definition_file::text(template)?)
        .map_err(|_| wrong(template, "it is not UTF-8"))?;
    let Some((begin, end)) = between(&old) else {
        let lines = format!("it has no two lines that begin with {BEGIN:?} and {END:?}");
        return Err(wrong(template, &lines));
    };
    let out_of_date = old[begin..end] != block;
    let written = out_of_date && !only_check;
    if written {
        let new = format!("{}{block}{}", &old[..begin], &old[end..]);
        std::fs::write(template, new)?;
    }
    Ok(Schedules::Done(Outcome {
        template: template.to_owned(),
        reports: reports.len(),
        differing: differing(&old[begin..end], &block),
        out_of_date,
        written,
    }))
}

fn wrong(template: &Path, reason: &str) -> Error {
    Error::Template {
        file: template.to_owned(),
        reason: reason.to_owned(),
    }
}

fn report(path: &Path) -> Result<Report, Error> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if stem.is_empty() || stem.len() > 64 || !stem.chars().all(allowed) {
        return Err(Error::Schedule {
            file: path.to_owned(),
            reason: "a schedule has the name of its file, and that is 1 to 64 letters, digits, '-', '_' and '.'".to_owned(),
        });
    }
    let text = definition_file::text(path)?;
    Ok(Report {
        resource: camel_case(&stem),
        stem: stem.into_owned(),
        file: definition_file::read(path, Catalogue::builtin())?,
        text: String::from_utf8_lossy(&text).trim().to_owned(),
    })
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

/// `a-b.json` and `a_b.json` would be one resource.
fn all_differ(reports: &[Report]) -> Result<(), Error> {
    for (index, report) in reports.iter().enumerate() {
        let same = |it: &&Report| it.resource == report.resource;
        if let Some(first) = reports[..index].iter().find(same) {
            return Err(Error::Schedule {
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

/// Where the template is made: behind the first marker line, up to the second.
fn between(template: &str) -> Option<(usize, usize)> {
    let begin = template.find(BEGIN)?;
    let begin = begin + template[begin..].find('\n')? + 1;
    Some((begin, begin + template[begin..].find(END)?))
}

/// The resources of which the two blocks say different things.
fn differing(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (resources(old), resources(new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let differs = |name: &&str| old.get(*name) != new.get(*name);
    names
        .into_iter()
        .filter(differs)
        .map(str::to_owned)
        .collect()
}

/// What a block says of each resource, by its name.
fn resources(block: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in block.lines().filter(|line| !line.is_empty()) {
        let title = line.strip_prefix("  ").and_then(|it| it.strip_suffix(':'));
        name = title.filter(|it| !it.starts_with(' ')).unwrap_or(name);
        found.entry(name).or_default().push(line);
    }
    found
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = self.template.display();
        let reports = counted(self.reports, "report");
        if !self.out_of_date {
            return writeln!(f, "{template} is up to date: {reports}");
        }
        let names = self.differing.join(", ");
        if self.written {
            return writeln!(f, "{template} has {reports} now; changed: {names}");
        }
        writeln!(
            f,
            "{template} is out of date: {names}; run: cxr schedules REPORTS {template}"
        )
    }
}
