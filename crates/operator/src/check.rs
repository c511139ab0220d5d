//! `cxr check`: what is wrong with definition files, for authors and for CI.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use definition::{Catalogue, Finding, Severity};
use serde::Serialize;

use crate::definition_file;
use crate::error::Error;

/// Two files describe the same report of the same tenant.
const SAME_REPORT: &str = "CXO020";

/// One finding in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The file.
    pub file: String,
    /// `error` or `warning`.
    pub severity: String,
    /// Its stable code.
    pub code: String,
    /// Where in the file, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do; possibly empty.
    pub hint: String,
}

/// All findings in all files.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How many files were looked at.
    pub files: usize,
    /// The findings, file by file.
    pub remarks: Vec<Remark>,
}

impl Verdict {
    /// Whether the files may be deployed.
    #[must_use]
    pub fn passes(&self, deny_warnings: bool) -> bool {
        self.count("error") == 0 && !(deny_warnings && self.count("warning") > 0)
    }

    fn count(&self, severity: &str) -> usize {
        let of_it = |remark: &&Remark| remark.severity == severity;
        self.remarks.iter().filter(of_it).count()
    }
}

/// Checks every file, and all of them together.
pub fn check(files: &[PathBuf], catalogue: &Catalogue) -> Result<Verdict, Error> {
    let files = definition_file::expand(files)?;
    let mut remarks = Vec::new();
    let mut names: HashMap<(String, String), &Path> = HashMap::new();
    for file in &files {
        let text = definition_file::text(file)?;
        let findings = match definition_file::parse(&text, catalogue) {
            Err(findings) => findings.0,
            Ok(checked) => {
                let definition = checked.definition;
                let name = definition.name.to_string();
                let key = (definition.pipeline.tenant.to_string(), name.clone());
                if let Some(first) = names.insert(key, file) {
                    remarks.push(same_report(file, first, &name));
                }
                checked.warnings
            }
        };
        remarks.extend(findings.into_iter().map(|finding| remark(file, finding)));
    }
    Ok(Verdict {
        remarks,
        files: files.len(),
    })
}

fn remark(file: &Path, finding: Finding) -> Remark {
    Remark {
        file: file.display().to_string(),
        severity: finding.severity.to_string(),
        code: finding.code.to_string(),
        pointer: finding.pointer,
        message: finding.message,
        hint: finding.hint,
    }
}

fn same_report(file: &Path, first: &Path, name: &str) -> Remark {
    Remark {
        file: file.display().to_string(),
        severity: Severity::Error.to_string(),
        code: SAME_REPORT.to_owned(),
        pointer: "/name".to_owned(),
        message: format!(
            "{} has a report {name:?} for the same tenant",
            first.display()
        ),
        hint: "the two would overwrite each other's schedule and data; rename one".to_owned(),
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        let Self {
            file,
            severity,
            code,
            message,
            hint,
            ..
        } = self;
        write!(f, "{file}: {severity} {code} at {at}: {message}")?;
        if !hint.is_empty() {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "{remark}")?;
        }
        let (errors, warnings) = (self.count("error"), self.count("warning"));
        writeln!(
            f,
            "{} checked: {}, {}",
            counted(self.files, "definition"),
            counted(errors, "error"),
            counted(warnings, "warning")
        )
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
