//! Figures for dashboards and alarms, in CloudWatch's embedded metric format: one line of JSON on standard output at the
//! end of an invocation.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use definition::{ReportName, TenantId, Window};
use delivery::keys::report_folder;
use delivery::{Environment, Failure};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Where the metrics are found.
pub const NAMESPACE: &str = "CxoneReports";

/// The dimensions of each metric.
pub const DIMENSIONS: [&str; 3] = ["stack", "tenant", "report"];

/// The metrics that are counted by stack alone as well, because an alarm can watch one series and not each report's.
pub const WATCHED: [Metric; 4] = [
    Metric::OrphanedRuns,
    Metric::Throttles,
    Metric::TokensNotStored,
    Metric::ValuesNulled,
];

/// Declares the metrics, each with its unit in CloudWatch.
macro_rules! metrics {
    ($($(#[$doc:meta])* $metric:ident: $unit:ident,)+) => {
        /// All metrics. A test holds the dashboard in `infra/` against [`Metric::ALL`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($(#[$doc])* $metric,)+
        }

        impl Metric {
            pub const ALL: &[Self] = &[$(Self::$metric),+];

            /// Its name in CloudWatch.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$metric => stringify!($metric)),+ }
            }

            /// Its unit in CloudWatch.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$metric => stringify!($unit)),+ }
            }
        }
    };
}

metrics! {
    /// Runs that CXone started for us.
    RunsStarted: Count,
    /// Runs that ended without their data.
    RunsEnded: Count,
    /// Runs that were, or may have been, started and that no execution polls.
    OrphanedRuns: Count,
    Polls: Count,
    /// Answers of CXone that ask for a pause.
    Throttles: Count,
    /// Tokens that could not be stored, so that each process signs in for itself.
    TokensNotStored: Count,
    /// Pages whose rows are in parts.
    Pages: Count,
    /// The rows of those pages.
    Rows: Count,
    /// The size of those parts as stored.
    Bytes: Bytes,
    /// Runs that took too long and were cancelled or abandoned.
    RunsCutOff: Count,
    /// Commits that deliver a window for the first time: one that replaces, withdraws or restates a window says nothing
    /// about whether new windows come. Recorded also when it is zero.
    Commits: Count,
    /// Rows that consumers see through those commits.
    CommittedRows: Count,
    /// Rows that were dropped because they repeat others.
    Duplicates: Count,
    /// Rows that a later row with the same key replaced.
    Replaced: Count,
    /// What commits say that an operator should look at, such as a column that is gone.
    DataWarnings: Count,
    /// Versions of tables that were published.
    PublishedVersions: Count,
    /// Values that are null in a table because they don't fit their column's type.
    ValuesNulled: Count,
    /// From the start of the first run to the commit.
    RunSeconds: Seconds,
    /// How long ago the newest window ended that consumers hold, in hours, rounded up. Recorded when it is asked whether
    /// a window was delivered, also when it is zero.
    FreshnessHours: None,
}

/// Counts what one invocation does. A process has one invocation at a time, so a handler has one recorder.
#[derive(Debug)]
pub struct MetricsRecorder {
    /// Which deployment counts. Several may be in one account, and report the same.
    stack: String,
    figures: Mutex<BTreeMap<Metric, u64>>,
}

impl MetricsRecorder {
    /// The recorder of a handler. A function is called `{stack}-{handler}`, and Lambda tells it its name.
    #[must_use]
    pub fn new(env: &Environment, handler: &str) -> Self {
        Self::of_function(&env.optional("AWS_LAMBDA_FUNCTION_NAME"), handler)
    }

    fn of_function(name: &str, handler: &str) -> Self {
        let stack = name.strip_suffix(handler);
        let stack = stack.and_then(|stack| stack.strip_suffix('-'));
        Self {
            stack: stack.unwrap_or(name).to_owned(),
            figures: Mutex::default(),
        }
    }

    /// Counts so many more. Zero is not recorded.
    pub fn add(&self, metric: Metric, more: u64) {
        if more > 0 {
            *self.lock().entry(metric).or_default() += more;
        }
    }

    /// Records the figure, even if it is zero.
    pub fn set(&self, metric: Metric, figure: u64) {
        self.lock().insert(metric, figure);
    }

    /// How many were counted since the last line was written.
    #[must_use]
    pub fn get(&self, metric: Metric) -> u64 {
        self.lock().get(&metric).copied().unwrap_or_default()
    }

    /// Writes the line of the invocation, if anything was recorded, and starts again from zero. Without a
    /// context nothing is written.
    ///
    /// A line that can't be written is lost: an invocation never fails for its metrics.
    pub fn emit(&self, context: Option<&MetricContext>) {
        let figures = std::mem::take(&mut *self.lock());
        let Some(context) = context else {
            return;
        };
        if let Some(line) = render_line(&figures, context, &self.stack, Timestamp::now()) {
            let mut out = io::stdout().lock();
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Metric, u64>> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an invocation's figures belong to: its dimensions and properties.
///
/// The dimension of a report is the name of its folder, because CloudWatch takes ASCII alone; the name itself is a
/// property. Properties stand beside the figures under names of ours: no name comes from CXone.
#[derive(Clone, Debug)]
pub struct MetricContext {
    tenant: String,
    report: String,
    properties: Map<String, Value>,
}

impl MetricContext {
    /// The context of a report, by its dimensions.
    #[must_use]
    pub fn new(tenant: &TenantId, report: &ReportName) -> Self {
        Self {
            tenant: tenant.to_string(),
            report: report_folder(report),
            properties: Map::new(),
        }
        .with_property("reportName", report)
    }

    /// The context of the work on one window of a report.
    #[must_use]
    pub fn for_window(tenant: &TenantId, report: &ReportName, window: Window) -> Self {
        Self::new(tenant, report).with_property("window", window)
    }

    /// Adds a property: an id of ours, a window, a word from a closed set.
    #[must_use]
    pub fn with_property(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.properties
            .insert(name.to_owned(), value.to_string().into());
        self
    }

    /// Adds the name of the failure, if the invocation failed.
    #[must_use]
    pub fn with_failure<T>(self, result: &Result<T, Failure>) -> Self {
        match result {
            Ok(_) => self,
            Err(failure) => self.with_property("failure", failure.name),
        }
    }
}

/// The line with its line end; none if nothing was recorded.
fn render_line(
    figures: &BTreeMap<Metric, u64>,
    context: &MetricContext,
    stack: &str,
    at: Timestamp,
) -> Option<String> {
    if figures.is_empty() {
        return None;
    }
    let of_report = render_directive(figures, &DIMENSIONS, Metric::ALL);
    let of_stack = render_directive(figures, &DIMENSIONS[..1], &WATCHED);
    let directives: Vec<Value> = of_report.into_iter().chain(of_stack).collect();
    // Properties come first, so that they can't replace a figure.
    let mut members = context.properties.clone();
    members.insert("stack".to_owned(), stack.into());
    members.insert("tenant".to_owned(), context.tenant.as_str().into());
    members.insert("report".to_owned(), context.report.as_str().into());
    let figures = figures.iter();
    members.extend(figures.map(|(metric, figure)| (metric.name().to_owned(), (*figure).into())));
    let line = MetricsLine {
        aws: json!({"Timestamp": at.as_millisecond(), "CloudWatchMetrics": directives}),
        members,
    };
    let text = serde_json::to_string(&line).ok()?;
    Some(text + "\n")
}

/// What CloudWatch counts by these dimensions; none if none of these metrics was recorded.
fn render_directive(
    figures: &BTreeMap<Metric, u64>,
    dimensions: &[&str],
    metrics: &[Metric],
) -> Option<Value> {
    let recorded = metrics.iter().filter(|metric| figures.contains_key(metric));
    let named: Vec<Value> = recorded
        .map(|metric| json!({"Name": metric.name(), "Unit": metric.unit()}))
        .collect();
    (!named.is_empty())
        .then(|| json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": named}))
}

/// `_aws` comes first, so that it tells the line from those of the log.
#[derive(Serialize)]
struct MetricsLine {
    #[serde(rename = "_aws")]
    aws: Value,
    #[serde(flatten)]
    members: Map<String, Value>,
}
