//! The report: for the screen, and as a file without a value of the tenant.

use std::fmt;

use definition::Api;
use serde::Serialize;

use crate::assumption::{Ruling, assumptions};
use crate::evidence::Evidence;
use crate::question::Question;
use crate::remedy::{judge_api, judge_sign_in};

const VERSION: u8 = 1;

/// What was seen of a tenant and what it means. It has paths, statuses, names and kinds, and no value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeReport {
    v: u8,
    tool: &'static str,
    lines: Vec<Line>,
    rows: Vec<Row>,
    #[serde(flatten)]
    evidence: Evidence,
}

/// What signing in or an API says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    name: &'static str,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

/// One assumption and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    pub what: &'static str,
    pub ruling: Ruling,
    pub saw: String,
}

/// What CXone said in its own words: for the screen of whoever asked, and for no file.
#[derive(Debug, Default)]
pub struct Spoken(Vec<String>);

impl Spoken {
    pub(crate) fn add(&mut self, api: Option<Api>, text: &str) {
        let text = definition::text::line(text, 300);
        if text.is_empty() {
            return;
        }
        // An error of signing in says by itself that it is one.
        let told = text.strip_prefix("sign in: ").filter(|_| api.is_none());
        let label = api.map_or("sign-in", Api::as_str);
        let line = format!("{label}: {}", told.unwrap_or(&text));
        if !self.0.contains(&line) {
            self.0.push(line);
        }
    }

    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl ProbeReport {
    pub(crate) fn new(evidence: Evidence) -> Self {
        let (says, to_do) = judge_sign_in(&evidence);
        let mut lines = vec![Line {
            name: "sign-in",
            says: says.to_owned(),
            path: None,
            to_do,
        }];
        lines.extend(evidence.apis.iter().map(|api| {
            let (says, to_do) = judge_api(&evidence, *api);
            let observation = evidence.observation(Question::first_of(*api));
            let path = observation.map(|it| it.path.clone());
            Line {
                name: api.as_str(),
                says,
                path,
                to_do,
            }
        }));
        let rows = assumptions().map(|assumption| {
            let judged = assumption.judge(&evidence);
            Row {
                id: assumption.id,
                api: assumption.api,
                what: assumption.what,
                ruling: judged.ruling,
                saw: judged.saw,
            }
        });
        Self {
            v: VERSION,
            tool: concat!("cxr ", env!("CARGO_PKG_VERSION")),
            lines,
            rows: rows.collect(),
            evidence,
        }
    }

    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether everything that was asked is as assumed.
    #[must_use]
    pub fn is_all_well(&self) -> bool {
        let is_well = |row: &Row| matches!(row.ruling, Ruling::AsAssumed | Ruling::NotTried);
        self.lines.iter().all(|line| line.to_do.is_none()) && self.rows.iter().all(is_well)
    }

    fn count(&self, ruling: Ruling) -> usize {
        self.rows.iter().filter(|row| row.ruling == ruling).count()
    }

    /// What differs row by row, and a refusal once, although it may be seen by several rows of its API.
    fn write_findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_finding = |row: &&Row| matches!(row.ruling, Ruling::Differs | Ruling::Refused);
        let groups = group_rows(self.rows.iter().filter(is_finding), |row| {
            let own = (row.ruling == Ruling::Differs).then_some(row.id);
            (row.api, row.saw.as_str(), own)
        });
        for group in groups {
            let row = group[0];
            let word = match row.ruling {
                Ruling::Differs => "differs",
                _ => "refused",
            };
            write!(f, "{}  {word}    {}: {}", row.id, row.what, row.saw)?;
            if group.len() > 1 {
                write!(f, " (and with it {})", join_ids(&group[1..]))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// What was not tried, by the reason.
    fn write_untried(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.evidence.observations.is_empty() {
            return writeln!(f, "No API was asked, because nobody is signed in.");
        }
        let untried = self
            .rows
            .iter()
            .filter(|row| row.ruling == Ruling::NotTried);
        for group in group_rows(untried, |row| row.saw.as_str()) {
            writeln!(f, "{}  not tried  {}", join_ids(&group), group[0].saw)?;
        }
        Ok(())
    }
}

/// Rows of the same key, in the order of their first ones.
fn group_rows<'a, K: PartialEq>(
    rows: impl Iterator<Item = &'a Row>,
    key: impl Fn(&'a Row) -> K,
) -> Vec<Vec<&'a Row>> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        let alike = |group: &&mut Vec<&'a Row>| key(group[0]) == key(row);
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

fn join_ids(rows: &[&Row]) -> String {
    let ids: Vec<&str> = rows.iter().map(|row| row.id).collect();
    ids.join(" ")
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            says,
            path,
            to_do,
        } = self;
        let path = path.as_ref().map(|path| format!("GET {path}"));
        let line = format!("{name:<16} {says:<10} {}", path.unwrap_or_default());
        writeln!(f, "{}", line.trim_end())?;
        match to_do {
            Some(to_do) => writeln!(f, "{:<17}{to_do}", ""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ProbeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            write!(f, "{line}")?;
        }
        writeln!(f)?;
        self.write_findings(f)?;
        self.write_untried(f)?;
        writeln!(
            f,
            "as assumed {}, differs {}, refused {}, not tried {}; crates/cxone/APIS.md has each row in full",
            self.count(Ruling::AsAssumed),
            self.count(Ruling::Differs),
            self.count(Ruling::Refused),
            self.count(Ruling::NotTried)
        )
    }
}
