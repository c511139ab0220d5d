//! What is wrong with the windows of a report: like ones together, each with its reason and the line to copy.

use definition::{Api, Window, WindowNaming, label_window, label_windows};
use delivery::advice;
use delivery::missing::suggest_fill;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Attempt, Judged, Remedy, StoredSoFar, Unfinished, WindowState};
use crate::error_name::is_of_aws;
use crate::history::ExecutionError;
use crate::output::one_line;

/// Said of a window that CXone can't be asked for any more.
pub(crate) const OUT_OF_REACH: &str = "the range of its template means other days by now, so that CXone can't be asked for it any more";

/// At most so many lines are given to be copied for one trouble.
const LINES_MAX: usize = 7;

const LOST: &str = "a part of its rows is gone from the bucket, so that consumers can't load it; a replay fetches what CXone has of it today, and \
                    `cxr verify` says whether the bucket still keeps the part";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TroubleKind {
    /// Nobody asked for the window.
    Missing,
    /// Its last execution failed.
    Failed,
    /// It was begun, and no execution of it is known.
    Unfinished,
    /// An execution still works on it, though it was expected by now.
    Late,
    /// It is committed, and a part of its rows is gone from the bucket.
    Lost,
    /// It is committed, and something in it is not as usual.
    Look,
}

/// Windows of one report with the same trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// The windows, those that follow one another as a range. A command takes each of these.
    pub(crate) windows: Vec<String>,
    /// How many windows there are.
    pub(crate) count: usize,
    /// When the last of its executions failed.
    pub(crate) at: Option<Timestamp>,
    pub(crate) reason: String,
    /// The lines to type, the most likely first.
    pub(crate) commands: Vec<String>,
}

impl TroubleKind {
    /// Whether rows are not there that should be.
    pub(crate) fn is_absence(self) -> bool {
        self != Self::Look
    }

    /// The word for a table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Look => "to look at",
        }
    }
}

impl Trouble {
    /// When it failed, or the last of several.
    pub(crate) fn describe_time(&self) -> String {
        match (self.at, self.count) {
            (None, _) => String::new(),
            (Some(at), 1) => format!(" {}", minute(at)),
            (Some(at), _) => format!(", the last at {}", minute(at)),
        }
    }

    /// Whether `cxr retry` gets all its windows.
    pub(crate) fn is_retried(&self) -> bool {
        let first = self.commands.first();
        first.is_some_and(|line| line.starts_with("cxr retry "))
    }
}

/// What the troubles of a report are told with.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    /// What the report is called on the command line.
    pub(crate) address: String,
    pub(crate) naming: WindowNaming,
    pub(crate) api: Option<Api>,
}

/// The troubles of a report's windows, those without rows first.
pub(crate) fn find_troubles(telling: &Telling, judged: &[Judged]) -> Vec<Trouble> {
    let mut groups: Vec<(TroubleKind, String, Vec<&Judged>)> = Vec::new();
    for one in judged {
        let Some((kind, reason)) = explain(telling, one) else {
            continue;
        };
        let group = groups
            .iter_mut()
            .find(|(of, why, _)| *of == kind && *why == reason);
        match group {
            Some((_, _, windows)) => windows.push(one),
            None => groups.push((kind, reason, vec![one])),
        }
    }
    groups.sort_by_key(|(kind, _, _)| *kind);
    let troubles = groups.into_iter();
    troubles
        .map(|(kind, reason, windows)| {
            let ranges = label_windows(windows.iter().map(|it| &it.window), &telling.naming);
            let commands = suggest(telling, kind, &windows, &ranges);
            Trouble {
                kind,
                count: windows.len(),
                at: windows.iter().filter_map(|one| stopped_at(one)).max(),
                reason,
                commands,
                windows: ranges,
            }
        })
        .collect()
}

/// What is wrong with a window, and why; nothing for one that is as it should be.
fn explain(telling: &Telling, judged: &Judged) -> Option<(TroubleKind, String)> {
    let (kind, reason) = match &judged.state {
        WindowState::Missing => (
            TroubleKind::Missing,
            "not asked for yet; there is no claim and no execution".to_owned(),
        ),
        WindowState::Failed(attempt) => {
            let reason = explain_failure(telling, attempt, judged.stored);
            (TroubleKind::Failed, reason)
        }
        WindowState::Unfinished(unfinished) => {
            (TroubleKind::Unfinished, explain_unfinished(unfinished))
        }
        WindowState::Running(attempt) if judged.is_due => (
            TroubleKind::Late,
            format!(
                "expected by now, and its execution still runs since {}",
                minute(attempt.started_at)
            ),
        ),
        WindowState::Committed(held) if held.is_lost => (TroubleKind::Lost, LOST.to_owned()),
        WindowState::Committed(held) if !held.warnings.is_empty() => {
            (TroubleKind::Look, one_line(&held.warnings.join("; ")))
        }
        WindowState::Committed(_) | WindowState::Withdrawn { .. } | WindowState::Running(_) => {
            return None;
        }
    };
    if Remedy::of(judged) == Remedy::OutOfReach {
        return Some((kind, format!("{reason}; {OUT_OF_REACH}")));
    }
    Some((kind, reason))
}

fn explain_failure(telling: &Telling, attempt: &Attempt, stored: StoredSoFar) -> String {
    let Some(error) = &attempt.error else {
        return "its last execution was stopped, and nobody said why".to_owned();
    };
    let advice = advice(&error.error, telling.api);
    let cause = match error.cause.as_str() {
        "" => advice.meaning,
        cause => cause,
    };
    // It was refused before anything was stored, so that the event is wrong that the schedule holds.
    let is_refused = is_about_definition(error) && stored != StoredSoFar::Window;
    let more = if is_refused {
        "; each run of the schedule fails so until a corrected definition is deployed".to_owned()
    } else if is_of_aws(&error.error) {
        // Its cause says what happened, and never what to do.
        format!(". {}", advice.action)
    } else {
        String::new()
    };
    one_line(&format!("{}: {cause}{more}", error.error))
}

fn explain_unfinished(unfinished: &Unfinished) -> String {
    let since = unfinished
        .opened_at
        .map_or_else(String::new, |at| format!(" on {}", minute(at)));
    let ended = unfinished
        .last_end
        .as_ref()
        .map_or_else(String::new, |end| {
            format!("; its last run ended, because {end}")
        });
    one_line(&format!(
        "begun{since} and not committed; Step Functions knows no execution of it{ended}"
    ))
}

/// What to type for windows with the same trouble: a line for each of the first few ranges.
fn suggest(
    telling: &Telling,
    kind: TroubleKind,
    windows: &[&Judged],
    ranges: &[String],
) -> Vec<String> {
    let address = &telling.address;
    let first = ranges.iter().take(LINES_MAX);
    match kind {
        TroubleKind::Late => first
            .map(|it| format!("cxr watch {address} {it}"))
            .collect(),
        TroubleKind::Look => {
            let lines = first.take(1).map(|it| format!("cxr show {address} {it}"));
            lines.collect()
        }
        _ if need(windows, Remedy::OutOfReach) => {
            let windows = windows.iter().take(LINES_MAX);
            windows
                .flat_map(|one| suggest_giving_up(telling, one))
                .collect()
        }
        TroubleKind::Lost => {
            let lines = first.map(|it| format!("cxr replay {address} {it} --reason TEXT --watch"));
            let verify = ranges
                .first()
                .map(|it| format!("cxr verify {address} {it}"));
            lines.chain(verify).collect()
        }
        TroubleKind::Missing => {
            let windows: Vec<Window> = windows.iter().map(|one| one.window).collect();
            vec![suggest_fill(address, &windows, &telling.naming)]
        }
        TroubleKind::Failed if need(windows, Remedy::Replay) => {
            let windows = windows.iter().take(LINES_MAX);
            windows
                .flat_map(|one| suggest_replay(telling, one))
                .collect()
        }
        TroubleKind::Failed if need(windows, Remedy::FirstDefinition) => {
            let lines = windows.iter().take(LINES_MAX);
            lines
                .map(|one| first_definition_line(&label_window(&one.window, &telling.naming)))
                .collect()
        }
        TroubleKind::Failed | TroubleKind::Unfinished => {
            let lines = first.map(|range| retry_line(address, range));
            let is_refused = windows.iter().any(|one| is_schedule_refused(one));
            lines.chain(is_refused.then(drift_line)).collect()
        }
    }
}

/// Whether the definition that the schedule asks with was refused, and another one is stored, which a retry uses.
pub(crate) fn is_schedule_refused(judged: &Judged) -> bool {
    match &judged.state {
        WindowState::Failed(attempt) => {
            let error = attempt.error.as_ref();
            error.is_some_and(is_about_definition) && judged.stored == StoredSoFar::Report
        }
        _ => false,
    }
}

/// Whether the definition is wrong, and not the bucket or the tenant's secret, whose errors begin with what they are about.
fn is_about_definition(error: &ExecutionError) -> bool {
    let elsewhere = ["S3 ", "secret "];
    let mut elsewhere = elsewhere.iter();
    error.error == "Cxone.Config" && !elsewhere.any(|it| error.cause.starts_with(it))
}

/// Whether one of the windows with the same trouble needs this.
fn need(windows: &[&Judged], remedy: Remedy) -> bool {
    windows.iter().any(|one| Remedy::of(one) == remedy)
}

/// What was begun can be taken back, so that nobody waits for it. Of what nobody asked for there is nothing to take back.
pub(crate) fn suggest_giving_up(telling: &Telling, judged: &Judged) -> Vec<String> {
    let label = label_window(&judged.window, &telling.naming);
    let withdraw = format!("cxr withdraw {} {label} --reason TEXT", telling.address);
    judged.is_begun().then_some(withdraw).into_iter().collect()
}

/// What is stored is wrong, so that the window has to be fetched with a definition that is not.
pub(crate) fn suggest_replay(telling: &Telling, judged: &Judged) -> Vec<String> {
    let label = label_window(&judged.window, &telling.naming);
    let error = match &judged.state {
        WindowState::Failed(attempt) => attempt.error.as_ref().map(|it| it.error.as_str()),
        _ => None,
    };
    replay_lines(&telling.address, &label, error)
}

/// The line that gets windows committed, and stays until they are.
pub(crate) fn retry_line(address: &str, windows: &str) -> String {
    format!("cxr retry {address} {windows} --watch")
}

/// The line that says whether the schedules have the definitions of the files.
pub(crate) fn drift_line() -> String {
    "cxr drift DIR --check".to_owned()
}

/// The line that asks for a window of a report of which no definition is stored.
pub(crate) fn first_definition_line(label: &str) -> String {
    format!("cxr replay FILE --window {label} --reason TEXT")
}

/// The lines that build or fetch a window with another definition, after an error. After a conflict all its pages are stored.
pub(crate) fn replay_lines(address: &str, label: &str, error: Option<&str>) -> Vec<String> {
    let replay = format!("cxr replay {address} {label}");
    let keep_last = "--stored --set pipeline.onConflict=keep-last --reason TEXT --watch";
    let is_conflict = error == Some("Cxone.Conflict");
    let keep_last = is_conflict.then(|| format!("{replay} {keep_last}"));
    let corrected = format!("{replay} --definition FILE --reason TEXT --watch");
    keep_last.into_iter().chain([corrected]).collect()
}

fn stopped_at(judged: &Judged) -> Option<Timestamp> {
    match &judged.state {
        WindowState::Failed(attempt) => attempt.stopped_at,
        _ => None,
    }
}

/// A time to the minute.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}
