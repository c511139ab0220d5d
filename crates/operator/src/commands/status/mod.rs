//! `cxr status`: is every report's data there, and if not, why, and what to type.

mod page;

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::text::group_thousands;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NOT_WELL;
use crate::error::CommandError;
use crate::layout::{Align, lay_out, wrap};
use crate::output::{Output, count_of};
use crate::place::PlaceArgs;
use crate::state::{Span, Trouble, TroubleKind, label_window, minute};
use crate::survey::{LOOKED_BACK, Survey, Surveyed};
use crate::time;

/// Show whether every report's data is there; if not, why, and what to type.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The reports, by name or the beginning of one; without any, all.
    reports: Vec<String>,
    /// Windows that begin earlier are left out: a time, a day, or how long ago.
    #[arg(long, default_value = "35d", allow_hyphen_values = true)]
    since: String,
    /// Exit with 5 if a window that is due was not delivered, or if there is no report at all.
    #[arg(long)]
    check: bool,
    /// With --check: also if something committed is to be looked at.
    #[arg(long, requires = "check")]
    deny_warnings: bool,
    /// Also write a page for a browser, which needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl StatusArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let since = time::parse_since(&self.since, now)?;
        let span = Span { since, now };
        let mut surveyed = survey.survey(&self.reports, span).await?;
        survey.find_lost(&mut surveyed, span).await?;
        let empty = survey.bucket.describe_empty();
        let mut status = Status::new(&surveyed, span, output, empty);
        // What is not shown is not known to be helped so.
        if self.reports.is_empty() && since + LOOKED_BACK >= now {
            status.command = status.find_command();
        }
        output.print(&status)?;
        if let Some(file) = &self.html {
            let page = page::render_page(&status, &surveyed);
            std::fs::write(file, page).map_err(|error| CommandError::Unwritten {
                file: file.clone(),
                error,
            })?;
        }
        let is_well = status.is_complete && !(self.deny_warnings && status.has_warnings());
        Ok(if self.check && !is_well { NOT_WELL } else { 0 })
    }
}

/// What gets all windows that a retry can help.
const RETRY_ALL: &str = "cxr retry --all --watch";

/// The columns that a narrow terminal goes without, so that the state is seen: usual, rows, schedule, newest.
const SPARE: [usize; 4] = [5, 4, 1, 3];

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    at: Timestamp,
    since: Timestamp,
    /// Whether there are reports, and every window of them that is due was delivered.
    is_complete: bool,
    /// The line that gets everything that is missing, where there is one.
    command: Option<&'static str>,
    reports: Vec<ReportStatus>,
    #[serde(skip)]
    width: Option<usize>,
    /// What is said where there is no report.
    #[serde(skip)]
    empty: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReportStatus {
    tenant: String,
    report: String,
    /// What it is called on the command line.
    address: String,
    /// Such as `daily 05:30`; none where nothing was ever asked for.
    schedule: Option<String>,
    /// How many windows are due.
    due: usize,
    /// How many of these were delivered, or taken back on purpose.
    delivered: usize,
    newest: Option<NewestWindow>,
    /// How many windows are worked on that are not due yet.
    running: usize,
    troubles: Vec<Trouble>,
}

/// The newest window that is committed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NewestWindow {
    window: String,
    rows: u64,
    usual_rows: Option<u64>,
    committed_at: Timestamp,
}

impl Status {
    fn new(surveyed: &[Surveyed], span: Span, output: &Output<'_>, empty: String) -> Self {
        let reports: Vec<ReportStatus> = surveyed.iter().map(ReportStatus::new).collect();
        // Where a wrong prefix finds nothing, nothing is known to be well.
        let is_complete = !reports.is_empty() && reports.iter().all(ReportStatus::is_complete);
        Self {
            at: span.now,
            since: span.since,
            is_complete,
            command: None,
            reports,
            width: output.width(),
            empty,
        }
    }

    /// One line for all that is missing, where there is more than one trouble and a retry helps each.
    fn find_command(&self) -> Option<&'static str> {
        let troubles = self.reports.iter().flat_map(|report| &report.troubles);
        let absent = troubles.filter(|it| it.kind.is_absence() && it.kind != TroubleKind::Late);
        let absent: Vec<&Trouble> = absent.collect();
        let helps = absent.len() > 1 && absent.iter().all(|it| it.is_retried());
        helps.then_some(RETRY_ALL)
    }

    fn has_warnings(&self) -> bool {
        let mut troubles = self.reports.iter().flat_map(|report| &report.troubles);
        troubles.any(|trouble| !trouble.kind.is_absence())
    }
}

impl ReportStatus {
    fn new(surveyed: &Surveyed) -> Self {
        let windows = &surveyed.windows;
        let due = windows.iter().filter(|one| one.is_due);
        let newest = windows.iter().rev().find_map(|one| {
            let held = one.held()?;
            Some(NewestWindow {
                window: label_window(&one.window, &surveyed.known.naming()),
                rows: held.rows,
                usual_rows: held.usual_rows,
                committed_at: held.committed_at,
            })
        });
        Self {
            tenant: surveyed.names.tenant.clone(),
            report: surveyed.known.report().to_owned(),
            address: surveyed.address.clone(),
            schedule: surveyed.known.describe_schedule(),
            due: due.clone().count(),
            delivered: due.filter(|one| one.is_there()).count(),
            newest,
            running: windows
                .iter()
                .filter(|one| one.is_running() && !one.is_due)
                .count(),
            troubles: surveyed.find_troubles(),
        }
    }

    fn is_complete(&self) -> bool {
        !self.troubles.iter().any(|it| it.kind.is_absence())
    }

    /// How many windows are in which state, or that all is well.
    fn state(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        let troubles = self.troubles.iter();
        let troubles = troubles.map(|it| (it.kind.as_str(), it.count));
        let running = (self.running > 0).then_some(("running", self.running));
        for (word, count) in troubles.chain(running) {
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, sum)) => *sum += count,
                None => counts.push((word, count)),
            }
        }
        if counts.is_empty() {
            return if self.newest.is_some() {
                "ok"
            } else {
                "nothing yet"
            }
            .to_owned();
        }
        let counts = counts.iter();
        let counts: Vec<String> = counts.map(|(word, n)| format!("{n} {word}")).collect();
        counts.join(", ")
    }

    fn row(&self) -> Vec<String> {
        let newest = self.newest.as_ref();
        let of_newest =
            |text: fn(&NewestWindow) -> Option<String>| newest.and_then(text).unwrap_or_default();
        vec![
            self.address.clone(),
            self.schedule.clone().unwrap_or_default(),
            format!("{}/{}", self.delivered, self.due),
            of_newest(|it| Some(it.window.clone())),
            of_newest(|it| Some(group_thousands(it.rows))),
            of_newest(|it| it.usual_rows.map(group_thousands)),
            self.state(),
        ]
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reports.is_empty() {
            return writeln!(f, "{}", self.empty);
        }
        self.write_headings(f)?;
        let titles = [
            "REPORT", "SCHEDULE", "WINDOWS", "NEWEST", "ROWS", "USUAL", "STATE",
        ];
        let titles = titles.map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = std::iter::once(titles)
            .chain(self.reports.iter().map(ReportStatus::row))
            .collect();
        let (left, right) = (Align::Left, Align::Right);
        let align = [left, left, right, left, right, right, left];
        for line in lay_out(&rows, &align, &SPARE, self.width) {
            writeln!(f, "{line}")?;
        }
        if let Some(command) = self.command {
            let told = "all that is missing, once what it needs is put right:";
            writeln!(f, "\n{told}\n    {command}")?;
        }
        let troubles = self.reports.iter();
        let mut troubles = troubles.flat_map(|it| it.troubles.iter().map(move |one| (it, one)));
        troubles.try_for_each(|(report, trouble)| self.write_trouble(f, report, trouble))
    }
}

impl Status {
    /// A line for each tenant.
    fn write_headings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same_tenant = |a: &ReportStatus, b: &ReportStatus| a.tenant == b.tenant;
        for reports in self.reports.chunk_by(same_tenant) {
            let complete = reports.iter().filter(|it| it.is_complete()).count();
            let told = format!(
                "{}: {complete} of {} {} complete at {} UTC, since {}",
                reports[0].tenant,
                count_of(reports.len(), "report"),
                if complete == 1 || reports.len() == 1 {
                    "is"
                } else {
                    "are"
                },
                minute(self.at),
                self.since.strftime("%Y-%m-%d"),
            );
            for line in wrap(&told, 4, self.width) {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }

    fn write_trouble(
        &self,
        f: &mut fmt::Formatter<'_>,
        report: &ReportStatus,
        trouble: &Trouble,
    ) -> fmt::Result {
        let windows = trouble.windows.join(", ");
        let told = format!(
            "{}  {windows}   {}{}: {}",
            report.address,
            trouble.kind.as_str(),
            trouble.describe_time(),
            trouble.reason
        );
        writeln!(f)?;
        for line in wrap(&told, 4, self.width) {
            writeln!(f, "{line}")?;
        }
        // What is to be copied is never cut.
        for command in &trouble.commands {
            writeln!(f, "    {command}")?;
        }
        Ok(())
    }
}
