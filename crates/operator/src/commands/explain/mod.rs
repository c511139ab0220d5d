//! `cxr explain`: what a code or the name of an error means, and what to do about it.

mod errors;
mod loads;

use std::fmt;

use clap::Args;
use definition::{Api, FindingCode, suggest_near};
use delivery::{AWS_ERRORS, Advice, FailureName, advice};
use errors::ERRORS;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CommandError;
use crate::layout::{cut, wrap};
use crate::output::Output;

/// What the text of an explanation begins behind.
const INDENT: usize = 9;

/// Say what a code or the name of an error means, and what to do about it (no network).
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Such as CXD030, CXO012, Cxone.Auth (or Auth), States.Timeout, or P-10 of cxr probe; without one, all are listed.
    code: Option<String>,
}

impl ExplainArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let width = output.width();
        if let Some(code) = self.code {
            let topic = find_topic(&code)?;
            output.print(&Explained { topic, width })?;
        } else {
            let topics = list_topics();
            output.set_kind("explanations");
            output.print(&Topics { topics, width })?;
        }
        Ok(0)
    }
}

/// A code or the name of an error, explained.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Topic {
    code: String,
    /// Where it comes from.
    kind_of_code: &'static str,
    meaning: String,
    /// What to do about it; empty where there is nothing to do.
    to_do: Vec<String>,
    /// A command that tells more.
    example: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Explained {
    #[serde(flatten)]
    topic: Topic,
    #[serde(skip)]
    width: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Topics {
    topics: Vec<Topic>,
    #[serde(skip)]
    width: Option<usize>,
}

/// Every topic: what authors see, what `cxr` says, what executions fail with, and what is assumed of a tenant.
fn list_topics() -> Vec<Topic> {
    let findings = FindingCode::ALL.iter().copied().map(explain_finding);
    let errors = ERRORS.iter().map(errors::ErrorText::explain);
    let failures = FailureName::ALL.iter().copied().map(explain_failure);
    let aws = AWS_ERRORS.iter().map(|name| explain_aws_error(name));
    let assumptions = probe::assumption_ids().filter_map(explain_assumption);
    let all = findings.chain(errors).chain(failures);
    let all = all.chain(aws).chain(loads::explain_loads());
    all.chain(assumptions).collect()
}

/// The topic that a text means, whatever its case, its zeros and its punctuation.
fn find_topic(text: &str) -> Result<Topic, CommandError> {
    let mut topics = list_topics();
    let wanted = simplify(text);
    let found = topics.iter().position(|it| simplify(&it.code) == wanted);
    if let Some(position) = found.filter(|_| !wanted.is_empty()) {
        return Ok(topics.swap_remove(position));
    }
    if wanted.starts_with("lambda.") {
        return Ok(explain_aws_error(text));
    }
    let codes = topics.iter().map(|topic| topic.code.as_str());
    let near = suggest_near(text, codes.clone());
    let near = near.or_else(|| {
        let short = codes.filter_map(|code| code.strip_prefix("Cxone."));
        suggest_near(text, short)
    });
    let near = near.map(|near| format!("{near} ")).unwrap_or_default();
    Err(CommandError::UnknownWord {
        what: "code or error",
        text: text.to_owned(),
        hint: format!("{near}cxr explain lists all"),
    })
}

/// `Cxone.Auth` as `auth`, `CXD030` as `cxd30` and `P-01` as `p1`.
fn simplify(code: &str) -> String {
    let lower = code.trim().to_lowercase();
    let short = lower.strip_prefix("cxone.").unwrap_or(&lower);
    let kept: String = short
        .chars()
        .filter(|it| !matches!(it, '-' | '_' | ' '))
        .collect();
    let letters = kept.trim_end_matches(|it: char| it.is_ascii_digit());
    let number = kept[letters.len()..].trim_start_matches('0');
    format!("{letters}{number}")
}

fn explain_finding(code: FindingCode) -> Topic {
    Topic {
        code: code.to_string(),
        kind_of_code: match code.severity() {
            definition::Severity::Error => "an error in a definition",
            definition::Severity::Warning => "a warning about a definition",
        },
        meaning: code.summary().to_owned(),
        to_do: vec![code.advice().to_owned()],
        example: Some("cxr check FILE names the place in the file".to_owned()),
    }
}

fn explain_failure(name: FailureName) -> Topic {
    let general = name.advice();
    let mut to_do = vec![general.action.to_owned()];
    for api in Api::ALL {
        let action = name.advice_for(*api).action;
        if action != general.action {
            to_do.push(format!("With {api}: {action}"));
        }
    }
    Topic {
        to_do,
        ..explain_advice(name.as_str(), general)
    }
}

fn explain_aws_error(name: &str) -> Topic {
    explain_advice(name, advice(name, None))
}

fn explain_advice(name: &str, advice: Advice) -> Topic {
    Topic {
        code: name.to_owned(),
        kind_of_code: "what an execution fails with",
        meaning: format!("{}.", capitalize(advice.meaning)),
        to_do: vec![advice.action.to_owned()],
        example: Some(
            "cxr status shows the windows that failed, and cxr show EXECUTION the cause".to_owned(),
        ),
    }
}

fn explain_assumption(id: &'static str) -> Option<Topic> {
    let (api, what) = probe::describe_assumption(id)?;
    let of = api.map(|api| format!(" (of {api})")).unwrap_or_default();
    Some(Topic {
        code: id.to_owned(),
        kind_of_code: "what is assumed of a tenant, a row of crates/cxone/APIS.md",
        meaning: format!("{}{of}.", capitalize(what)),
        to_do: Vec::new(),
        example: Some("cxr probe FILE says whether your tenant is like this".to_owned()),
    })
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = &self.topic;
        writeln!(f, "{}: {}", topic.code, topic.kind_of_code)?;
        let meaning = std::iter::once(("means", &topic.meaning));
        let to_do = topic.to_do.iter().enumerate();
        let to_do = to_do.map(|(index, text)| (if index == 0 { "to do" } else { "" }, text));
        let example = topic.example.iter().map(|text| ("see", text));
        for (label, text) in meaning.chain(to_do).chain(example) {
            let text = format!("{label:<INDENT$}{text}");
            for line in wrap(&text, INDENT, self.width) {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.topics.iter().map(|topic| topic.code.len()).max();
        let widest = widest.unwrap_or_default();
        for Topic { code, meaning, .. } in &self.topics {
            let line = format!("{code:<widest$}  {meaning}");
            writeln!(f, "{}", cut(&line, self.width))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for (text, code) in [
            ("CXD030", "CXD030"),
            ("cxd30", "CXD030"),
            ("CXO12", "CXO012"),
            ("Cxone.Auth", "Cxone.Auth"),
            ("auth", "Cxone.Auth"),
            ("runs-exhausted", "Cxone.RunsExhausted"),
            ("states.timeout", "States.Timeout"),
            ("load.rowsmissing", "Load.RowsMissing"),
            ("p1", "P-01"),
            ("P-10", "P-10"),
            ("Lambda.ServiceException", "Lambda.ServiceException"),
        ] {
            assert_eq!(find_topic(text).unwrap().code, code, "{text}");
        }
        for (text, near) in [
            ("Cxone.Auht", "did you mean \"Cxone.Auth\"? "),
            ("conflct", "did you mean \"Conflict\"? "),
            ("", ""),
            ("nothing of the kind", ""),
        ] {
            let error = find_topic(text).unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("CXO047", 2));
            let told = format!("there is no code or error {text:?}; {near}cxr explain lists all");
            assert_eq!(error.to_string(), told);
        }
    }

    #[test]
    fn every_code_is_explained_once_and_at_length() {
        let topics = list_topics();
        for topic in &topics {
            let same = topics.iter().filter(|it| it.code == topic.code);
            assert_eq!(same.count(), 1, "{}", topic.code);
            assert!(topic.meaning.len() > 8, "{topic:?}");
            let has_advice = !topic.to_do.is_empty() || topic.code.starts_with("P-");
            assert!(has_advice, "{topic:?}");
        }
    }
}
