//! Figures for dashboards and alarms, in CloudWatch's embedded metric format: one line of JSON on standard output at the
//! end of an invocation.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use definition::{ReportName, TenantId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use delivery::Failure;

/// Where the metrics are found.
pub const NAMESPACE: &str = "CxoneReports";

/// The dimensions of each metric.
pub const DIMENSIONS: [&str; 2] = ["tenant", "report"];

/// Every metric there is. A test holds the dashboards in `infra/` against [`Metric::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Runs that CXone started for us.
    RunsStarted,
    /// Runs that ended without their data.
    RunsEnded,
    /// Runs that were, or may have been, started and that nobody looks after.
    OrphanedRuns,
    /// Looks at runs.
    Polls,
    /// Answers of CXone that ask for a pause.
    Throttles,
    /// Pages whose rows are in parts.
    Pages,
    /// The rows of those pages.
    Rows,
    /// The size of those parts as stored.
    Bytes,
    /// Runs that took too long and were cancelled or abandoned.
    RunsCutOff,
    /// Commits; the one that is told when there was none.
    Commits,
    /// Rows that consumers see through those commits.
    CommittedRows,
    /// Rows that were dropped because they repeat others.
    Duplicates,
    /// From the start of the first run to the commit.
    RunSeconds,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 13] = [
        Self::RunsStarted,
        Self::RunsEnded,
        Self::OrphanedRuns,
        Self::Polls,
        Self::Throttles,
        Self::Pages,
        Self::Rows,
        Self::Bytes,
        Self::RunsCutOff,
        Self::Commits,
        Self::CommittedRows,
        Self::Duplicates,
        Self::RunSeconds,
    ];

    /// Its name in CloudWatch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RunsStarted => "RunsStarted",
            Self::RunsEnded => "RunsEnded",
            Self::OrphanedRuns => "OrphanedRuns",
            Self::Polls => "Polls",
            Self::Throttles => "Throttles",
            Self::Pages => "Pages",
            Self::Rows => "Rows",
            Self::Bytes => "Bytes",
            Self::RunsCutOff => "RunsCutOff",
            Self::Commits => "Commits",
            Self::CommittedRows => "CommittedRows",
            Self::Duplicates => "Duplicates",
            Self::RunSeconds => "RunSeconds",
        }
    }

    /// Its unit in CloudWatch.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Bytes => "Bytes",
            Self::RunSeconds => "Seconds",
            _ => "Count",
        }
    }
}

/// What one invocation counts. A process has one invocation at a time, so that a handler has one tally.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<Metric, u64>>);

impl Tally {
    /// Counts so many more. What did not happen is not told.
    pub fn add(&self, metric: Metric, more: u64) {
        if more > 0 {
            *self.lock().entry(metric).or_default() += more;
        }
    }

    /// Tells the figure, be it zero.
    pub fn set(&self, metric: Metric, figure: u64) {
        self.lock().insert(metric, figure);
    }

    /// How many were counted since the last line.
    #[must_use]
    pub fn get(&self, metric: Metric) -> u64 {
        self.lock().get(&metric).copied().unwrap_or_default()
    }

    /// Writes the line of the invocation, if there is anything to tell, and counts from nothing again.
    ///
    /// A line that can't be written is lost: the work is worth more than its figures.
    pub fn emit(&self, about: Option<&About>) {
        let figures = std::mem::take(&mut *self.lock());
        let Some(about) = about else {
            return;
        };
        if let Some(line) = line(&figures, about, Timestamp::now()) {
            let mut out = io::stdout().lock();
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Metric, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an invocation's figures are about.
///
/// The dimensions are the definition's own names. Whatever else is known stands beside the figures under a name of ours:
/// nothing that came from CXone names anything.
#[derive(Clone, Debug)]
pub struct About {
    tenant: String,
    report: String,
    properties: Map<String, Value>,
}

impl About {
    /// About a report of a tenant.
    #[must_use]
    pub fn new(tenant: &TenantId, report: &ReportName) -> Self {
        Self {
            tenant: tenant.to_string(),
            report: report.to_string(),
            properties: Map::new(),
        }
    }

    /// Says one thing more: an id of ours, a window, a word from a closed set.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.properties
            .insert(name.to_owned(), value.to_string().into());
        self
    }

    /// Says how an invocation failed, if it did.
    #[must_use]
    pub fn failed<T>(self, result: &Result<T, Failure>) -> Self {
        match result {
            Ok(_) => self,
            Err(failure) => self.with("failure", failure.name),
        }
    }
}

/// The line, with its end; none if there is nothing to tell.
fn line(figures: &BTreeMap<Metric, u64>, about: &About, at: Timestamp) -> Option<String> {
    if figures.is_empty() {
        return None;
    }
    let named = |metric: &Metric| json!({"Name": metric.name(), "Unit": metric.unit()});
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [DIMENSIONS],
        "Metrics": figures.keys().map(named).collect::<Vec<_>>(),
    });
    // What is said beside the figures comes first, so that it can't replace one.
    let mut members = about.properties.clone();
    members.insert("tenant".to_owned(), about.tenant.as_str().into());
    members.insert("report".to_owned(), about.report.as_str().into());
    let figures = figures.iter();
    members.extend(figures.map(|(metric, figure)| (metric.name().to_owned(), (*figure).into())));
    let line = Line {
        aws: json!({"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive]}),
        members,
    };
    let text = serde_json::to_string(&line).ok()?;
    Some(text + "\n")
}

/// In this order: a line begins with what tells it from those of the log.
#[derive(Serialize)]
struct Line {
    #[serde(rename = "_aws")]
    aws: Value,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery::FailureName;

    fn about() -> About {
        About::new(&"acme".parse().unwrap(), &"daily-agents".parse().unwrap())
    }

    fn told(tally: &Tally, about: &About) -> Option<Value> {
        let at = "2026-11-22T05:36:07.25Z".parse().unwrap();
        let line = line(&tally.lock(), about, at)?;
        assert!(line.ends_with("}\n") && line.lines().count() == 1, "{line}");
        assert!(line.starts_with(r#"{"_aws":{"#), "{line}");
        Some(serde_json::from_str(&line).unwrap())
    }

    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let tally = Tally::default();
        tally.add(Metric::Bytes, 1_202_971);
        tally.add(Metric::Pages, 13);
        tally.add(Metric::Pages, 1);
        tally.add(Metric::Throttles, 0);
        let about = about().with("window", "2026-11-21/2026-11-22");
        assert_eq!(
            told(&tally, &about).unwrap(),
            json!({
                "_aws": {
                    "Timestamp": 1_795_325_767_250_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "CxoneReports",
                        "Dimensions": [["tenant", "report"]],
                        "Metrics": [
                            {"Name": "Pages", "Unit": "Count"},
                            {"Name": "Bytes", "Unit": "Bytes"},
                        ],
                    }],
                },
                "tenant": "acme",
                "report": "daily-agents",
                "window": "2026-11-21/2026-11-22",
                "Pages": 14,
                "Bytes": 1_202_971,
            })
        );
    }

    #[test]
    fn what_did_not_happen_is_not_told_unless_it_is_meant_to_be() {
        let tally = Tally::default();
        tally.add(Metric::Rows, 0);
        assert_eq!(told(&tally, &about()), None);
        tally.set(Metric::Commits, 0);
        let failed = Err::<(), _>(Failure::new(FailureName::Conflict, "two rows"));
        let line = told(&tally, &about().failed(&failed)).unwrap();
        assert_eq!(
            (&line["Commits"], &line["failure"]),
            (&json!(0), &json!("Cxone.Conflict"))
        );
        assert!(
            !line.to_string().contains("two rows"),
            "a failure's words may be CXone's"
        );
    }

    #[test]
    fn a_tally_begins_anew_after_its_line() {
        let tally = Tally::default();
        tally.add(Metric::Polls, 1);
        tally.emit(None);
        assert_eq!(tally.get(Metric::Polls), 0);
    }

    #[test]
    fn nothing_beside_the_figures_replaces_one() {
        let tally = Tally::default();
        tally.add(Metric::Rows, 7);
        let line = told(&tally, &about().with("Rows", "9").with("tenant", "another")).unwrap();
        assert_eq!(
            (&line["Rows"], &line["tenant"]),
            (&json!(7), &json!("acme"))
        );
    }

    #[test]
    fn every_metric_is_listed_once() {
        let names: std::collections::BTreeSet<_> = Metric::ALL.map(Metric::name).into();
        assert_eq!(names.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            assert_eq!(metric.name(), format!("{metric:?}"));
            assert!(["Count", "Bytes", "Seconds"].contains(&metric.unit()));
        }
    }
}
