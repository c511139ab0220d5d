//! `cxr show REPORT WINDOW`: what consumers hold of a window, who asked for it, and how its runs went.

use std::fmt;

use definition::Window;
use definition::text::{self, group_thousands};
use delivery::documents::{Commit, CommitPart, Verification};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::arn::name_of;
use crate::bucket::{Bucket, ObjectCache, StoredGeneration, StoredRun};
use crate::error::CommandError;
use crate::layout::wrap;
use crate::output::{Output, count_of, count_rows, one_line};
use crate::state::{Judged, KnownReport, Trouble, WindowState, label_window, minute};
use crate::survey::{Survey, Surveyed};

/// At most so many windows are shown at once.
const SHOWN_MAX: usize = 31;

/// Said of a window that nobody has to ask for now.
const NOT_DUE: &str = "not due yet";

/// Said of a window that may be asked for, and is not expected.
const BEFORE_FIRST: &str = "before the first window of the report";

/// Prints what is known of a report's windows, one after the other.
pub(super) async fn show_windows(
    output: &mut Output<'_>,
    survey: &Survey,
    report: &str,
    windows: &str,
    now: Timestamp,
) -> Result<u8, CommandError> {
    let mut found = survey.find(report, windows, now).await?;
    let (surveyed, cache) = (&found.surveyed, &mut found.cache);
    let mut shown = Vec::new();
    for one in found.windows.iter().take(SHOWN_MAX) {
        shown.push(read_window(&survey.bucket, surveyed, one, cache).await?);
    }
    cache.save();
    let left_out = found.windows.len() - shown.len();
    output.print(&ShownWindows {
        windows: shown,
        left_out,
        width: output.width(),
    })?;
    Ok(0)
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct ShownWindows {
    windows: Vec<ShownWindow>,
    /// How many more were asked for.
    left_out: usize,
    #[serde(skip)]
    width: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ShownWindow {
    tenant: String,
    report: String,
    address: String,
    label: String,
    window: Window,
    /// When its data is final.
    final_at: Option<Timestamp>,
    is_due: bool,
    state: &'static str,
    /// Why it is not expected, if it is missing and need not be there.
    #[serde(skip)]
    not_expected: Option<&'static str>,
    troubles: Vec<Trouble>,
    /// Its commits, the newest first.
    commits: Vec<ShownCommit>,
    /// Its generations, the newest first.
    generations: Vec<ShownGeneration>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ShownCommit {
    version: u64,
    generation: u32,
    committed_at: Timestamp,
    rows: u64,
    usual_rows: Option<u64>,
    duplicates: u64,
    verification: Verification,
    withdrawn: bool,
    unchanged: bool,
    reason: Option<String>,
    requested_by: Option<String>,
    warnings: Vec<String>,
    parts: Vec<CommitPart>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ShownGeneration {
    generation: u32,
    opened_at: Option<Timestamp>,
    /// `schedule`, or what identifies the replay or the restatement.
    asked_by: Option<String>,
    reason: Option<String>,
    requested_by: Option<String>,
    execution: Option<String>,
    runs: Vec<ShownRun>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ShownRun {
    segment: String,
    run: u32,
    run_id: Option<String>,
    started_at: Option<Timestamp>,
    pages: u64,
    rows: u64,
    ended_at: Option<Timestamp>,
    /// Why it ended without its data.
    ended: Option<String>,
}

async fn read_window(
    bucket: &Bucket,
    surveyed: &Surveyed,
    judged: &Judged,
    cache: &mut ObjectCache,
) -> Result<ShownWindow, CommandError> {
    let known = &surveyed.known;
    let (keys, window) = (&known.keys, judged.window);
    let stored = match known.pending.get(&window) {
        Some(stored) => stored.clone(),
        None => bucket.read_generations(keys, &window, cache).await?,
    };
    let mut generations = Vec::new();
    for generation in stored.iter().rev() {
        let keys = keys.generation(&window, generation.number);
        let mut runs = Vec::new();
        for run in &generation.runs {
            let slot = bucket.read_last_slot(&keys, run).await?;
            let taken = slot.map(|slot| (slot.pages_so_far, slot.rows_so_far));
            runs.push(ShownRun::new(run, taken.unwrap_or_default()));
        }
        generations.push(ShownGeneration::new(generation, runs));
    }
    let not_expected = explain_absence(known, judged);
    let troubles = match not_expected {
        Some(NOT_DUE) => Vec::new(),
        _ => surveyed.find_troubles_of(judged),
    };
    let of_window = known.commits.iter().rev();
    let of_window = of_window.filter(|commit| commit.window == window);
    let definition = known.definition.as_ref();
    Ok(ShownWindow {
        tenant: surveyed.names.tenant.clone(),
        report: known.report().to_owned(),
        address: surveyed.address.clone(),
        label: label_window(&window, &known.naming()),
        window,
        final_at: definition.map(|definition| definition.settled_at(&window)),
        is_due: judged.is_due,
        state: judged.state.as_str(),
        not_expected,
        troubles,
        commits: of_window.map(ShownCommit::new).collect(),
        generations,
    })
}

/// Why a window that is missing is not expected to be there.
fn explain_absence(known: &KnownReport, judged: &Judged) -> Option<&'static str> {
    if judged.is_due || judged.state != WindowState::Missing {
        return None;
    }
    let first = known.begins_at();
    let is_earlier = first.is_some_and(|first| judged.window.start() < first);
    Some(if is_earlier { BEFORE_FIRST } else { NOT_DUE })
}

impl ShownCommit {
    fn new(commit: &Commit) -> Self {
        Self {
            version: commit.version,
            generation: commit.generation,
            committed_at: commit.committed_at,
            rows: commit.unique,
            usual_rows: commit.rows_median,
            duplicates: commit.duplicates,
            verification: commit.verification,
            withdrawn: commit.withdrawn,
            unchanged: commit.unchanged,
            reason: commit.reason.clone(),
            requested_by: commit.requested_by.clone(),
            warnings: commit.warnings.clone(),
            parts: commit.parts.clone(),
        }
    }

    fn describe(&self) -> String {
        let mut parts = vec![format!(
            "version {} of {}",
            self.version,
            minute(self.committed_at)
        )];
        if self.withdrawn {
            parts.push("withdrawn".to_owned());
        } else {
            parts.push(count_rows(self.rows));
            parts.extend(
                self.usual_rows
                    .map(|it| format!("usual {}", group_thousands(it))),
            );
            if self.duplicates > 0 {
                let duplicates = text::count_of(self.duplicates, "duplicate");
                parts.push(format!("{duplicates} dropped"));
            }
            parts.push(format!("verification: {}", self.verification_word()));
        }
        if self.unchanged {
            parts.push("the same rows as before".to_owned());
        }
        parts.extend(describe_wish(
            self.reason.as_ref(),
            self.requested_by.as_ref(),
        ));
        parts.join(", ")
    }

    fn verification_word(&self) -> &'static str {
        match self.verification {
            Verification::Total => "total",
            Verification::Consistent => "consistent",
            Verification::SecondRun => "second run",
            Verification::None => "none",
        }
    }
}

fn describe_wish(reason: Option<&String>, requested_by: Option<&String>) -> Option<String> {
    let by = requested_by.map_or_else(String::new, |by| format!(" by {by}"));
    let reason = reason?;
    Some(format!("asked for{by}: {reason}"))
}

impl ShownGeneration {
    fn new(generation: &StoredGeneration, runs: Vec<ShownRun>) -> Self {
        let opening = generation.opening.as_ref();
        Self {
            generation: generation.number,
            opened_at: opening.map(|it| it.opened_at),
            asked_by: opening.map(|it| it.request_key.clone()),
            reason: opening.and_then(|it| it.reason.clone()),
            requested_by: opening.and_then(|it| it.requested_by.clone()),
            execution: opening.map(|it| it.execution.clone()),
            runs,
        }
    }

    fn describe(&self) -> String {
        let mut parts = vec![format!("generation {}", self.generation)];
        parts.extend(self.opened_at.map(|at| format!("opened {}", minute(at))));
        let wish = describe_wish(self.reason.as_ref(), self.requested_by.as_ref());
        parts.extend(wish.or_else(|| Some(format!("asked for by {}", self.asked_by.as_ref()?))));
        let execution = self.execution.as_deref();
        parts.extend(execution.map(|it| format!("execution {}", name_of(it))));
        parts.join(", ")
    }
}

impl ShownRun {
    fn new(run: &StoredRun, (pages, rows): (u64, u64)) -> Self {
        let (start, end) = (run.start.as_ref(), run.end.as_ref());
        Self {
            segment: run.segment.to_string(),
            run: run.number,
            run_id: start.map(|it| it.run_id.to_string()),
            started_at: start.map(|it| it.triggered_at),
            pages,
            rows,
            ended_at: end.map(|it| it.at),
            ended: end.map(delivery::documents::EndRecord::describe),
        }
    }

    fn describe(&self) -> String {
        let id = self.run_id.as_deref().unwrap_or("not started");
        let mut parts = vec![format!("segment {} run {}: {id}", self.segment, self.run)];
        parts.extend(self.started_at.map(|at| format!("started {}", minute(at))));
        if self.pages > 0 {
            let pages = usize::try_from(self.pages).unwrap_or(usize::MAX);
            let rows = count_rows(self.rows);
            parts.push(format!("{} with {rows} stored", count_of(pages, "page")));
        }
        let ended = self.ended.as_ref().zip(self.ended_at);
        parts.extend(ended.map(|(why, at)| format!("ended {}, because {why}", minute(at))));
        parts.join(", ")
    }
}

impl fmt::Display for ShownWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.windows.is_empty() {
            return writeln!(f, "there is no such window in the last 35 days");
        }
        for (index, window) in self.windows.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            for (label, text) in window.lines() {
                let line = format!("{label:<11}{}", one_line(&text));
                for line in wrap(&line, 11, self.width) {
                    writeln!(f, "{line}")?;
                }
            }
        }
        match self.left_out {
            0 => Ok(()),
            more => writeln!(f, "\nand {} more", count_of(more, "window")),
        }
    }
}

impl ShownWindow {
    /// Labels and texts, in the order in which an operator reads them.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("report", format!("{} / {}", self.tenant, self.report)),
            ("window", self.describe_window()),
        ];
        lines.push(("state", self.describe_state()));
        for trouble in &self.troubles {
            lines.push(("why", trouble.reason.clone()));
            // What is to be looked at is shown here.
            let commands = trouble.commands.iter();
            let commands = commands.filter(|_| trouble.kind.is_absence()).enumerate();
            lines.extend(
                commands.map(|(index, command)| {
                    (if index == 0 { "to do" } else { "" }, command.clone())
                }),
            );
        }
        for (index, commit) in self.commits.iter().enumerate() {
            let label = if index == 0 { "commits" } else { "" };
            lines.push((label, commit.describe()));
        }
        for generation in &self.generations {
            lines.push(("asked", generation.describe()));
            lines.extend(generation.runs.iter().map(|run| ("", run.describe())));
        }
        let newest = self.commits.first();
        for (index, part) in newest.into_iter().flat_map(|it| &it.parts).enumerate() {
            let label = if index == 0 { "parts" } else { "" };
            let (rows, bytes) = (count_rows(part.rows), group_thousands(part.bytes));
            lines.push((label, format!("{} ({rows}, {bytes} bytes)", part.key)));
        }
        lines
    }

    fn describe_window(&self) -> String {
        let settled = self.final_at.map(|at| format!(", final at {}", minute(at)));
        let whole = self.window.to_string();
        let long = (whole != self.label).then(|| format!(" ({whole})"));
        format!(
            "{}{}{}",
            self.label,
            long.unwrap_or_default(),
            settled.unwrap_or_default()
        )
    }

    fn describe_state(&self) -> String {
        let why = self.not_expected.map(|why| format!(", and {why}"));
        format!("{}{}", self.state, why.unwrap_or_default())
    }
}
