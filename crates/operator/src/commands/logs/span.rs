//! Whose lines are meant, and when they were written.

use definition::Window;
use definition::text::clean_detail;
use jiff::{SignedDuration, Timestamp};

use crate::bucket::StoredGeneration;
use crate::error::CommandError;
use crate::state::{Attempt, label_window};
use crate::step_functions::Executions;
use crate::survey::{Found, Survey};

/// Lines of an execution are looked for so much earlier and later than it is known to have run: clocks differ, and the last
/// lines are written when the commit is made.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// A run may take so long after what is known of it.
const RUN_MAX: SignedDuration = SignedDuration::from_hours(2);

/// A window of which nothing is known is looked for so long after its end.
const LOOKED_AFTER: SignedDuration = SignedDuration::from_hours(36);

/// A pattern has 1,024 characters at most, so that only the last executions are named in it.
const NAMED_MAX: usize = 4;

/// At most so many windows are named in an error.
const LABELS_MAX: usize = 10;

/// What the lines are about, and when they were written.
#[derive(Debug)]
pub(super) struct Subject {
    /// What it is called.
    pub(super) label: String,
    /// The condition that its lines fulfil, in the language of CloudWatch Logs.
    pub(super) condition: String,
    /// The report's name, which a condition can't hold whatever it is.
    report: Option<String>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Subject {
    pub(super) async fn find_execution(
        executions: &Executions,
        execution: &str,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let described = executions.describe(execution).await?.summary;
        let stopped_at = described.stopped_at.unwrap_or(now);
        Ok(Self {
            label: described.arn.clone(),
            condition: format!(r#"$.execution = "{}""#, described.arn),
            report: None,
            from: described.started_at - MARGIN,
            to: stopped_at + MARGIN,
        })
    }

    /// The window that is asked for.
    pub(super) async fn find_window(
        survey: &Survey,
        report: &str,
        windows: &str,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let mut found = survey.find(report, windows, now).await?;
        let window = match &found.windows[..] {
            [] => {
                return Err(CommandError::Storage {
                    reason: format!("{report} has no window that is {windows} in the last 35 days"),
                });
            }
            [one] => one.window,
            several => {
                let naming = found.surveyed.known.naming();
                let labels = several.iter().map(|it| label_window(&it.window, &naming));
                let labels: Vec<String> = labels.collect();
                let named = definition::text::list_first(&labels, LABELS_MAX);
                return Err(CommandError::Window {
                    text: windows.to_owned(),
                    reason: format!(
                        "cxr logs tells of one window at a time, and these are {named}"
                    ),
                });
            }
        };
        let known = &found.surveyed.known;
        let generations = if let Some(stored) = known.pending.get(&window) {
            stored.clone()
        } else {
            let (bucket, cache) = (&survey.bucket, &mut found.cache);
            bucket.read_generations(&known.keys, &window, cache).await?
        };
        found.cache.save();
        Ok(Self::of_window(&found, window, &generations, now))
    }

    fn of_window(
        found: &Found,
        window: Window,
        generations: &[StoredGeneration],
        now: Timestamp,
    ) -> Self {
        let known = &found.surveyed.known;
        let attempts: Vec<&Attempt> = found
            .surveyed
            .attempts
            .iter()
            .filter(|it| it.window == window)
            .collect();
        let tenant = known.tenant();
        let mut condition = format!(r#"($.tenant = "{tenant}" && $.window = "{window}")"#);
        // Their lines name no window where their definition is refused.
        for attempt in attempts.iter().rev().take(NAMED_MAX) {
            let is_its = format!(r#"$.execution = "{}""#, attempt.execution);
            condition.extend([" || ", &is_its]);
        }
        let times = times_of(found, window, generations, &attempts);
        let is_open = attempts.iter().any(|it| it.is_running);
        let last = times.iter().max().map(|last| *last + RUN_MAX);
        let last = last.unwrap_or(window.end() + LOOKED_AFTER);
        let first = times.iter().min().copied().unwrap_or(window.end());
        let label = label_window(&window, &known.naming());
        Self {
            label: format!("{} {label}", found.surveyed.address),
            condition: format!("({condition})"),
            report: Some(clean_detail(known.report())),
            from: first - MARGIN,
            // The clock of what is simulated may be ahead of ours.
            to: if is_open { last.max(now) } else { last },
        }
    }

    /// Whether a line is about the report. One that names none is about the execution that was asked for.
    pub(super) fn is_meant(&self, report_of_line: Option<&str>) -> bool {
        match (self.report.as_deref(), report_of_line) {
            (Some(meant), Some(report)) => meant == report,
            _ => true,
        }
    }
}

/// When anything is known to have happened with a window.
fn times_of(
    found: &Found,
    window: Window,
    generations: &[StoredGeneration],
    attempts: &[&Attempt],
) -> Vec<Timestamp> {
    let openings = generations.iter().filter_map(|it| it.opening.as_ref());
    let mut times: Vec<Timestamp> = openings.map(|opening| opening.opened_at).collect();
    for run in generations.iter().flat_map(|it| &it.runs) {
        times.extend(run.start.as_ref().map(|start| start.triggered_at));
        times.extend(run.end.as_ref().map(|end| end.at));
    }
    let commits = found.surveyed.known.commits.iter();
    let commits = commits.filter(|commit| commit.window == window);
    times.extend(commits.map(|commit| commit.committed_at));
    for attempt in attempts {
        times.push(attempt.started_at);
        times.extend(attempt.stopped_at);
    }
    times
}
