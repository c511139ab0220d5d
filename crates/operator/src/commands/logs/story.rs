//! Lines of logs as a story: each with its time, its handler, what it says, and its other fields.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::span::Subject;
use crate::arn::name_of;
use crate::cloudwatch_logs::LoggedLine;
use crate::layout::wrap;
use crate::output::{count_of, one_line};

/// What every line has and a person need not read again, or reads elsewhere in it.
const KNOWN: [&str; 10] = [
    "timestamp",
    "level",
    "message",
    "handler",
    "state",
    "execution",
    "report",
    "tenant",
    "window",
    "requestId",
];

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Story {
    about: String,
    from: Timestamp,
    to: Timestamp,
    lines: Vec<StoryLine>,
    /// Whether there are more lines than were read.
    is_cut: bool,
    #[serde(skip)]
    width: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoryLine {
    at: Timestamp,
    handler: String,
    level: String,
    message: String,
    execution: Option<String>,
    #[serde(skip)]
    pub(super) report: Option<String>,
    request_id: Option<String>,
    /// What the line says beside its message, by name.
    fields: BTreeMap<String, Value>,
    /// When the handler wrote it, by the clock of its own process.
    #[serde(skip)]
    written: String,
}

impl StoryLine {
    /// Reads a line; `None` for one that is no JSON object of a handler.
    pub(super) fn parse(line: &LoggedLine) -> Option<Self> {
        let mut fields: BTreeMap<String, Value> = serde_json::from_str(&line.text).ok()?;
        let text = |name: &str| Some(fields.get(name)?.as_str()?.to_owned());
        let (handler, level) = (text("handler")?, text("level")?);
        let (message, written) = (text("message"), text("timestamp"));
        let (execution, request_id) = (text("execution"), text("requestId"));
        let report = text("report");
        fields.retain(|name, value| !KNOWN.contains(&name.as_str()) && !value.is_null());
        Some(Self {
            at: line.at,
            handler,
            level,
            message: message.unwrap_or_default(),
            execution,
            report,
            request_id,
            fields,
            written: written.unwrap_or_default(),
        })
    }

    /// The line for a person. Which execution wrote it is said where there are several.
    fn describe(&self, are_several: bool) -> String {
        let time = self.at.strftime("%Y-%m-%d %H:%M:%S");
        let (handler, level) = (&self.handler, &self.level);
        let mut text = format!("{time}  {handler:<10}  {level:<5}  {}", self.message);
        for (name, value) in &self.fields {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            text.push_str("  ");
            text.push_str(name);
            text.push('=');
            text.push_str(&value);
        }
        let execution = self.execution.as_deref().filter(|_| are_several);
        let request = self.request_id.as_deref().filter(|_| self.level == "ERROR");
        for (name, value) in [("execution", execution.map(name_of)), ("request", request)] {
            if let Some(value) = value {
                text.extend(["  ", name, "=", value]);
            }
        }
        one_line(&text)
    }
}

impl Story {
    pub(super) fn new(subject: &Subject, mut lines: Vec<StoryLine>, is_cut: bool) -> Self {
        lines.sort_by(|a, b| (a.at, &a.written).cmp(&(b.at, &b.written)));
        Self {
            about: subject.label.clone(),
            from: subject.from,
            to: subject.to,
            lines,
            is_cut,
            width: None,
        }
    }

    /// The story, in lines of so many characters.
    pub(super) fn fit(mut self, width: Option<usize>) -> Self {
        self.width = width;
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// When the last line was written.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.lines.last().map(|line| line.at)
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() && !self.is_cut {
            return writeln!(
                f,
                "no handler logged anything of {} from {:.0} to {:.0}; logs are kept as long as the stack's LogRetentionDays says",
                self.about, self.from, self.to
            );
        }
        let executions = self.lines.iter().filter_map(|line| line.execution.as_ref());
        let are_several = executions.collect::<BTreeSet<_>>().len() > 1;
        for line in &self.lines {
            for line in wrap(&line.describe(are_several), 4, self.width) {
                writeln!(f, "{line}")?;
            }
        }
        if self.is_cut {
            let read = count_of(self.lines.len(), "line");
            writeln!(
                f,
                "{read}, and there are more: ask for one --handler, or for --level warn"
            )?;
        }
        Ok(())
    }
}
