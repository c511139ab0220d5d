//! What became of windows in the end: what the bucket says, which is the truth.

use std::fmt;

use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CommandError;
use crate::output::count_rows;
use crate::state::{Judged, Trouble, WindowState, label_window};
use crate::survey::{Survey, Surveyed};

/// What became of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conclusion {
    /// What the report is called on the command line.
    pub(crate) report: String,
    pub(crate) window: String,
    state: &'static str,
    version: Option<u64>,
    rows: Option<u64>,
    /// Why it is not committed.
    reason: Option<String>,
    /// The lines to type, the most likely first.
    commands: Vec<String>,
    /// The execution that works on it.
    #[serde(skip)]
    pub(crate) running: Option<String>,
}

/// Reads what became of windows of a report.
pub(crate) async fn conclude(
    survey: &Survey,
    report: &str,
    windows: Vec<Window>,
    now: Timestamp,
) -> Result<Vec<Conclusion>, CommandError> {
    let found = survey.find_exactly(report, windows, now).await?;
    let judged = found.windows.iter();
    Ok(judged
        .map(|judged| Conclusion::new(&found.surveyed, judged))
        .collect())
}

impl Conclusion {
    pub(crate) fn new(surveyed: &Surveyed, judged: &Judged) -> Self {
        let held = judged.held();
        let trouble: Option<Trouble> = surveyed
            .find_troubles_of(judged)
            .into_iter()
            .find(|trouble| trouble.kind.is_absence());
        let (reason, commands) = trouble.map_or((None, Vec::new()), |trouble| {
            (Some(trouble.reason), trouble.commands)
        });
        let running = match &judged.state {
            WindowState::Running(attempt) => Some(attempt.execution.clone()),
            _ => None,
        };
        Self {
            report: surveyed.address.clone(),
            window: label_window(&judged.window, &surveyed.known.naming()),
            state: judged.state.as_str(),
            version: held.map(|held| held.version),
            rows: held.map(|held| held.rows),
            reason,
            commands,
            running,
        }
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.version.is_some()
    }

    /// The word for its state.
    pub(crate) fn state(&self) -> &'static str {
        self.state
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}  ", self.report, self.window)?;
        match (self.version, self.rows, &self.reason) {
            (Some(version), Some(rows), _) => {
                writeln!(f, "committed as version {version}: {}", count_rows(rows))?;
            }
            (_, _, Some(reason)) => writeln!(f, "not delivered: {}: {reason}", self.state)?,
            _ => writeln!(f, "not delivered: {}", self.state)?,
        }
        for command in &self.commands {
            writeln!(f, "    {command}")?;
        }
        Ok(())
    }
}
