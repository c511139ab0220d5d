//! `cxr new`: a definition to begin with, and what its author has to decide.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use definition::{Api, Catalogue};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::probe::api_parser;
use crate::definition_file::parse_definition;
use crate::error::CommandError;
use crate::output::Output;

/// Print a definition that passes cxr check, and on the standard error what you have to decide in it (no network).
#[derive(Debug, Args)]
#[command(
    after_help = "cxr new 'Agent Summary' --api report-jobs --out infra/reports/agent-summary.json"
)]
pub(super) struct NewArgs {
    /// The name of the report, as it is to be called at CXone and in the bucket.
    #[arg(value_name = "REPORT")]
    name: String,
    /// The API that the rows come from; cxr probe says which of them a tenant has.
    #[arg(long, value_name = "API", value_parser = api_parser())]
    api: Api,
    /// Write it to this file, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl NewArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let text = draft_definition(&self.name, self.api)?;
        let decide = list_decisions(self.api);
        if let Some(file) = &self.out {
            write_new(file, &text).map_err(|error| CommandError::Unwritten {
                file: file.clone(),
                error,
            })?;
        }
        if output.is_text() {
            // The definition goes into a file or a pipe, and this is for whoever typed the command.
            let _ = std::io::stderr().write_all(tell(&decide, self.out.as_deref()).as_bytes());
        }
        output.print(&Draft {
            definition: RawValue::from_string(text).map_err(std::io::Error::from)?,
            decide,
            file: self.out.map(|file| file.display().to_string()),
        })?;
        Ok(0)
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Draft {
    #[schemars(with = "serde_json::Value")]
    definition: Box<RawValue>,
    /// What the author has to decide, each a field and a question.
    decide: Vec<Decision>,
    /// Where it was written to.
    file: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
struct Decision {
    field: &'static str,
    question: &'static str,
}

const fn decision(field: &'static str, question: &'static str) -> Decision {
    Decision { field, question }
}

/// What every report's author decides.
const ALWAYS: [Decision; 4] = [
    decision(
        "pipeline.tenant",
        "which tenant is it of? cxr tenant list shows those that are set up",
    ),
    decision(
        "schedule",
        "how often, and when? Data is final at 05:00 UTC, unless pipeline.settledAt says otherwise",
    ),
    decision(
        "report.dateRange",
        "which window has each run? previousDay goes with daily, previousWeek with weekly",
    ),
    decision(
        "pipeline.key",
        "which columns make a row unique? Two rows with the same key are one, or a conflict (pipeline.onConflict)",
    ),
];

/// What an API asks for besides.
fn list_decisions(api: Api) -> Vec<Decision> {
    let own: &[Decision] = match api {
        Api::Analytics => &[
            decision(
                "report.type",
                "which type of report is it? It says which metrics and dimensions there are",
            ),
            decision(
                "report.metrics, report.dimensions, report.grouping",
                "which columns, and a row for each of what?",
            ),
            decision("report.filters", "which rows? Without filters, all"),
        ],
        Api::ReportJobs => &[
            decision(
                "report.reportId",
                "which report? Its id is in the address of its page in CXone",
            ),
            decision(
                "report.range, report.dateRange",
                "which range has its template in CXone? It has to be the same",
            ),
            decision("report.columns", "which columns has it, spelt as in CXone?"),
        ],
        Api::DataDownload => &[
            decision(
                "report.reportId",
                "which report? Its id is in the address of its page in CXone",
            ),
            decision(
                "report.utcOffset",
                "which offset from UTC do its days have?",
            ),
            decision("report.columns", "which columns has it, spelt as in CXone?"),
        ],
        Api::DataExtraction => &[decision(
            "report.entityName, report.entityVersion",
            "which entity, and which version of it?",
        )],
        Api::Contacts => &[decision(
            "report.apiVersion",
            "which version of the API has your tenant? It is the N of /inContactAPI/services/vN.0",
        )],
    };
    ALWAYS.iter().chain(own).copied().collect()
}

/// The example of the API, as the repository has it, under another name.
fn draft_definition(name: &str, api: Api) -> Result<String, CommandError> {
    let (old, example) = match api {
        Api::Analytics => (
            "Daily Agent Performance Aggregation",
            include_str!("../../../../infra/reports/daily-agent-performance.json"),
        ),
        Api::ReportJobs => (
            "Agent Summary",
            include_str!("../../../local/definitions/report-jobs.json"),
        ),
        Api::DataDownload => (
            "Contact History",
            include_str!("../../../local/definitions/data-download.json"),
        ),
        Api::DataExtraction => (
            "Recording Interaction Metadata",
            include_str!("../../../local/definitions/data-extraction.json"),
        ),
        Api::Contacts => (
            "Completed Contacts",
            include_str!("../../../local/definitions/contacts.json"),
        ),
    };
    let quoted = serde_json::Value::from(name).to_string();
    let text = example.replacen(&format!("\"{old}\""), &quoted, 1);
    parse_definition(text.as_bytes(), Catalogue::builtin()).map_err(|findings| {
        CommandError::Definition {
            file: PathBuf::from("the new definition"),
            findings,
        }
    })?;
    Ok(text)
}

fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut created = std::fs::File::create_new(file)?;
    created.write_all(text.as_bytes())
}

fn tell(decide: &[Decision], file: Option<&Path>) -> String {
    let file = file.map_or_else(|| "FILE".to_owned(), |file| file.display().to_string());
    let mut told = "decide, in place of what the example has:\n".to_owned();
    for Decision { field, question } in decide {
        let _ = writeln!(told, "  {field}: {question}");
    }
    let _ = writeln!(
        told,
        "docs/definition.md explains every field; then: cxr check {file}, cxr plan {file} --window yesterday"
    );
    told
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => writeln!(f, "{file}: written"),
            None => writeln!(f, "{}", self.definition.get().trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_definition_of_every_api_is_without_findings() {
        for api in Api::ALL {
            let text = draft_definition("Zoë's \"A&B\"", *api).unwrap();
            let checked = parse_definition(text.as_bytes(), Catalogue::builtin()).unwrap();
            assert_eq!(checked.warnings, [], "{api}");
            assert_eq!(checked.definition.name.to_string(), "Zoë's \"A&B\"");
            assert_eq!(checked.definition.pipeline.api, *api);
            assert!(list_decisions(*api).len() > ALWAYS.len());
        }
        assert_eq!(
            draft_definition("", Api::Contacts).unwrap_err().code(),
            "CXO002"
        );
    }
}
