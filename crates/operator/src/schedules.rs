//! `cxr schedules`: the schedules and alarms that follow from the definitions, written into the SAM template.

mod block;

use std::fmt;
use std::path::{Path, PathBuf};

use cxone::Catalogue;
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
    /// The first line that differs, 1 the first; none if the template is up to date.
    differs_at: Option<usize>,
    written: bool,
}

impl Outcome {
    /// 1 for a template that is out of date and stays so.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.differs_at.is_some() && !self.written)
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
    let new = replaced(&old, &block).ok_or_else(|| {
        let lines = format!("it has no two lines that begin with {BEGIN:?} and {END:?}");
        wrong(template, &lines)
    })?;
    let differs_at = first_difference(&old, &new);
    let written = differs_at.is_some() && !only_check;
    if written {
        std::fs::write(template, new)?;
    }
    Ok(Schedules::Done(Outcome {
        template: template.to_owned(),
        reports: reports.len(),
        differs_at,
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

/// The template with another block between its marker lines.
fn replaced(template: &str, block: &str) -> Option<String> {
    let begin = template.find(BEGIN)?;
    let after_begin = begin + template[begin..].find('\n')? + 1;
    let end = after_begin + template[after_begin..].find(END)?;
    Some(format!(
        "{}{block}{}",
        &template[..after_begin],
        &template[end..]
    ))
}

fn first_difference(old: &str, new: &str) -> Option<usize> {
    if old == new {
        return None;
    }
    let equal = old.lines().zip(new.lines()).take_while(|(a, b)| a == b);
    Some(equal.count() + 1)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = self.template.display();
        let reports = counted(self.reports, "report");
        match self.differs_at {
            None => writeln!(f, "{template} is up to date: {reports}"),
            Some(_) if self.written => writeln!(f, "{template} has {reports} now"),
            Some(line) => writeln!(
                f,
                "{template} is out of date from line {line} on; run: cxr schedules REPORTS {template}"
            ),
        }
    }
}
