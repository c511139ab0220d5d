//! Which metrics and dimensions a type of report has. Data, not code: a tenant can extend it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::column_meaning::ColumnMeaning;
use crate::text_enum::text_enum;

text_enum!(
    /// The report types of the guide.
    ReportType {
        /// A report about agents.
        Agent = "agent",
        /// A report about queues.
        Queue = "queue",
        /// A report about skills.
        Skill = "skill",
        /// A report about instant messages.
        Ic = "ic",
        /// A report about voicemail.
        Voicemail = "voicemail",
    }
);

/// What each type of report has.
///
/// The built-in one is `catalogue.json` beside this crate's manifest. Its `metrics` and `dimensions` are those that the
/// guide names; those under `assumed` are plausible and unproven, and CXone itself has the last word (a 400). `columns` says what
/// their values are, as far as their names tell it: the guide shows neither types nor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    types: BTreeMap<ReportType, Columns>,
    meanings: BTreeMap<String, ColumnMeaning>,
}

/// Why a text is not a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not of the form `{"agent": {"metrics": […], "dimensions": […]}, …}`.
    #[error("not a catalogue")]
    Form(#[from] serde_json::Error),
    /// A name could not be a column.
    #[error("{0:?} can't be a column: a letter, then up to 63 letters, digits or underscores")]
    Name(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Columns {
    metrics: BTreeSet<String>,
    dimensions: BTreeSet<String>,
}

/// A catalogue as it is written.
#[derive(Deserialize)]
struct Added {
    #[serde(default)]
    columns: BTreeMap<String, ColumnMeaning>,
    #[serde(flatten)]
    types: BTreeMap<ReportType, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    dimensions: Vec<String>,
    assumed: Option<Box<Entry>>,
}

#[expect(
    clippy::expect_used,
    reason = "the text is part of the program, and a test parses it"
)]
static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue {
        types: BTreeMap::new(),
        meanings: BTreeMap::new(),
    }
    .extended_with(include_str!("../catalogue.json"))
    .expect("the built-in catalogue is valid")
});

impl Catalogue {
    /// What comes with this crate.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// This catalogue with a tenant's own metrics and dimensions, in the form of the built-in one.
    pub fn extended_with(&self, json: &str) -> Result<Self, CatalogueError> {
        let added: Added = serde_json::from_str(json)?;
        let mut extended = self.clone();
        for (report_type, entry) in added.types {
            extended.types.entry(report_type).or_default().add(entry)?;
        }
        for (name, meaning) in added.columns {
            extended.meanings.insert(column(name)?, meaning);
        }
        Ok(extended)
    }

    /// What the values of a metric or a dimension are; `None` where nothing is known.
    #[must_use]
    pub fn meaning_of(&self, name: &str) -> Option<&ColumnMeaning> {
        self.meanings.get(name)
    }

    /// The metrics of a type of report, sorted.
    pub fn metrics(&self, report_type: ReportType) -> impl Iterator<Item = &str> {
        self.types
            .get(&report_type)
            .into_iter()
            .flat_map(|c| &c.metrics)
            .map(String::as_str)
    }

    /// The dimensions of a type of report, sorted.
    pub fn dimensions(&self, report_type: ReportType) -> impl Iterator<Item = &str> {
        self.types
            .get(&report_type)
            .into_iter()
            .flat_map(|c| &c.dimensions)
            .map(String::as_str)
    }
}

impl Columns {
    fn add(&mut self, entry: Entry) -> Result<(), CatalogueError> {
        for name in entry.metrics {
            self.metrics.insert(column(name)?);
        }
        for name in entry.dimensions {
            self.dimensions.insert(column(name)?);
        }
        entry.assumed.map_or(Ok(()), |assumed| self.add(*assumed))
    }
}

fn column(name: String) -> Result<String, CatalogueError> {
    let bytes = name.as_bytes();
    let valid = (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if valid {
        Ok(name)
    } else {
        Err(CatalogueError::Name(name.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enums::ColumnType;

    #[test]
    fn talk_time_is_for_agents_and_queues_and_not_for_messages() {
        let has = |t| Catalogue::builtin().metrics(t).any(|m| m == "talkTime");
        assert!(has(ReportType::Agent) && has(ReportType::Queue) && !has(ReportType::Ic));
    }

    #[test]
    fn a_tenant_adds_its_own_without_losing_the_rest() {
        let extended = Catalogue::builtin()
            .extended_with(
                r#"{"columns":{"botHandoffs":{"type":"long"}},"ic":{"metrics":["botHandoffs"]}}"#,
            )
            .unwrap();
        let type_of = |name| Some(extended.meaning_of(name)?.column_type);
        assert_eq!(type_of("botHandoffs"), Some(ColumnType::Long));
        assert_eq!(type_of("handleTime"), Some(ColumnType::Double));
        let metrics: Vec<_> = extended.metrics(ReportType::Ic).collect();
        assert!(metrics.contains(&"botHandoffs") && metrics.contains(&"messageCount"));
        assert!(
            !Catalogue::builtin()
                .metrics(ReportType::Ic)
                .any(|m| m == "botHandoffs")
        );
    }

    #[test]
    fn each_metric_is_known_as_a_number_and_each_dimension_as_something() {
        let catalogue = Catalogue::builtin();
        for report_type in ReportType::ALL {
            for metric in catalogue.metrics(*report_type) {
                let column_type = catalogue.meaning_of(metric).map(|it| it.column_type);
                let is_number = matches!(column_type, Some(ColumnType::Long | ColumnType::Double));
                assert!(is_number, "{metric}");
            }
            for dimension in catalogue.dimensions(*report_type) {
                assert!(catalogue.meaning_of(dimension).is_some(), "{dimension}");
            }
        }
    }

    #[test]
    fn names_that_could_not_be_columns_are_refused() {
        for bad in ["", "a b", "../x", "1st", "naïve", "a,b"] {
            let json = serde_json::json!({ "agent": { "metrics": [bad] } }).to_string();
            assert!(
                Catalogue::builtin().extended_with(&json).is_err(),
                "{bad:?}"
            );
        }
        assert!(
            Catalogue::builtin()
                .extended_with(r#"{"robot":{}}"#)
                .is_err()
        );
    }
}
