//! Checks definition files one by one and against each other.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use definition::{Catalogue, Finding, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use crate::definition_file;
use crate::error::CommandError;
use crate::output::count_of;

/// The code of the finding that two files describe the same report of the same tenant.
const SAME_REPORT: &str = "CXO020";

/// One finding in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Remark {
    file: String,
    /// Either `error` or `warning`.
    severity: String,
    code: String,
    /// Where in the file, as a JSON pointer.
    pointer: String,
    message: String,
    /// What to do; may be empty.
    hint: String,
}

/// All findings in all files.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Verdict {
    /// How many files were checked.
    files: usize,
    remarks: Vec<Remark>,
}

impl Verdict {
    /// Whether the files may be deployed.
    pub(crate) fn passes(&self, deny_warnings: bool) -> bool {
        self.count_severity("error") == 0 && !(deny_warnings && self.count_severity("warning") > 0)
    }

    fn count_severity(&self, severity: &str) -> usize {
        let is_counted = |remark: &&Remark| remark.severity == severity;
        self.remarks.iter().filter(is_counted).count()
    }
}

/// Checks every file, and all of them together.
pub(crate) fn check_files(
    files: &[PathBuf],
    catalogue: &Catalogue,
) -> Result<Verdict, CommandError> {
    let files = definition_file::expand_folders(files)?;
    let mut remarks = Vec::new();
    let mut names: HashMap<(String, String), &Path> = HashMap::new();
    for file in &files {
        let text = definition_file::read_bytes(file)?;
        let findings = match definition_file::parse_definition(&text, catalogue) {
            Err(findings) => findings.0,
            Ok(checked) => {
                let definition = checked.definition;
                let name = definition.name.to_string();
                let key = (definition.pipeline.tenant.to_string(), name.clone());
                if let Some(first) = names.insert(key, file) {
                    remarks.push(same_report_remark(file, first, &name));
                }
                checked.warnings
            }
        };
        remarks.extend(
            findings
                .into_iter()
                .map(|finding| Remark::new(file, finding)),
        );
    }
    Ok(Verdict {
        remarks,
        files: files.len(),
    })
}

impl Remark {
    pub(crate) fn new(file: &Path, finding: Finding) -> Self {
        Self {
            file: file.display().to_string(),
            severity: finding.severity.to_string(),
            code: finding.code.to_string(),
            pointer: finding.pointer,
            message: finding.message,
            hint: finding.hint,
        }
    }
}

fn same_report_remark(file: &Path, first: &Path, name: &str) -> Remark {
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
        let (errors, warnings) = (self.count_severity("error"), self.count_severity("warning"));
        writeln!(
            f,
            "{} checked: {}, {}",
            count_of(self.files, "definition"),
            count_of(errors, "error"),
            count_of(warnings, "warning")
        )
    }
}
