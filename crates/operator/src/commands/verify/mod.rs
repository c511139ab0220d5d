//! `cxr verify`: whether every part that consumers hold is there and what was committed.

mod report;

pub(super) use report::Verified;

use clap::Args;
use definition::Window;
use delivery::documents::{Commit, CommitPart, sha256_hex};
use delivery::flow::find_held;
use jiff::Timestamp;

use crate::bucket::{Bucket, PartPresence};
use crate::error::CommandError;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::state::{find_delivered, label_window};
use crate::survey::{LoggedReport, Survey};
use report::{Absence, BadPart, PartProblem};

/// Check that every part that consumers hold is there, with the size that was committed.
///
/// With --deep every part is read: its checksum and its rows are compared with what was committed, and no key may be there
/// twice (of a window that was fetched with several runs the keys are not compared). Exit code 5 if anything is wrong.
///
/// Without a report all are checked, and without windows all that consumers hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cxr verify
  cxr verify daily-agent-performance 2026-06
  cxr verify daily --sample 5%

It needs the stack's ConsumerPolicy beside its OperatorPolicy.")]
pub(super) struct VerifyArgs {
    /// The report, by name or the beginning of one.
    report: Option<String>,
    /// The windows: a day, yesterday, days with both ends such as 2026-06-01..2026-06-07, or a month.
    #[arg(requires = "report")]
    windows: Option<String>,
    /// Also read every part.
    #[arg(long)]
    deep: bool,
    /// Also read some versions, at least one of each report: each time others, so that many nights read all.
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, conflicts_with = "deep")]
    sample: Option<u8>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

fn parse_percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse();
    let percent = number.ok().filter(|it| (1..=100).contains(it));
    percent.ok_or_else(|| "write a whole number from 1% to 100%".to_owned())
}

impl VerifyArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let reports = match &self.report {
            Some(report) => vec![survey.find_log(report).await?],
            None => survey.read_logs().await?,
        };
        let mut verified = Verified::new(output.width(), survey.bucket.describe_empty());
        for report in &reports {
            let commits = self.choose_commits(report, now)?;
            let check = ReportCheck {
                bucket: &survey.bucket,
                report,
                read: self.choose_read(&commits, now),
                now,
            };
            check.run(&commits, &mut verified).await?;
        }
        output.print(&verified)?;
        Ok(verified.exit_code())
    }

    fn choose_commits<'r>(
        &self,
        report: &'r LoggedReport,
        now: Timestamp,
    ) -> Result<Vec<&'r Commit>, CommandError> {
        let commits = &report.known.commits;
        let Some(text) = &self.windows else {
            return Ok(find_held(commits));
        };
        let windows = report.find_windows(text, now)?;
        let delivered = find_delivered(commits, &windows);
        let delivered = delivered.map_err(|window: Window| CommandError::DeliveredTogether {
            asked: text.clone(),
            delivered: label_window(&window, &report.known.naming()),
        })?;
        Ok(delivered.commits)
    }

    /// The versions whose parts are read. Which ones a sample has depends on the time.
    fn choose_read(&self, commits: &[&Commit], now: Timestamp) -> Vec<u64> {
        let mut versions: Vec<u64> = commits.iter().map(|commit| commit.version).collect();
        let Some(percent) = self.sample else {
            versions.truncate(if self.deep { versions.len() } else { 0 });
            return versions;
        };
        versions.sort_by_cached_key(|version| sha256_hex(format!("{now} {version}").as_bytes()));
        versions.truncate((versions.len() * usize::from(percent)).div_ceil(100));
        versions
    }
}

/// The check of what consumers hold of one report.
struct ReportCheck<'a> {
    bucket: &'a Bucket,
    report: &'a LoggedReport,
    /// The versions whose parts are read.
    read: Vec<u64>,
    now: Timestamp,
}

impl ReportCheck<'_> {
    async fn run(&self, commits: &[&Commit], verified: &mut Verified) -> Result<(), CommandError> {
        let parts: Vec<(&Commit, &CommitPart)> = commits
            .iter()
            .flat_map(|commit| commit.parts.iter().map(move |part| (*commit, part)))
            .collect();
        let keys: Vec<&CommitPart> = parts.iter().map(|(_, part)| *part).collect();
        let found = self.bucket.find_parts(&keys).await?;
        verified.add_looked_at(commits, &keys);
        let mut bad = Vec::new();
        for ((commit, part), found) in parts.iter().zip(found) {
            let absence = || Absence::of(commit, self.bucket.retention_days, self.now);
            if let Some(problem) = judge_presence(part, &found, absence) {
                bad.push(commit.version);
                verified.bad.push(self.describe(commit, &part.key, problem));
            }
        }
        for commit in commits {
            // Without a part, nothing more can be said of its version.
            if self.read.contains(&commit.version) && !bad.contains(&commit.version) {
                self.read_commit(commit, verified).await?;
            }
        }
        Ok(())
    }

    async fn read_commit(
        &self,
        commit: &Commit,
        verified: &mut Verified,
    ) -> Result<(), CommandError> {
        verified.add_read(commit);
        let before = verified.bad.len();
        for part in &commit.parts {
            if let Some(fault) = self.bucket.check_rows(part).await? {
                let problem = PartProblem::of_fault(part, &fault);
                verified.bad.push(self.describe(commit, &part.key, problem));
            }
        }
        // Each run's rows have keys of their own, and the hash of a commit of several is made of each run's by itself.
        if verified.bad.len() == before
            && commit.runs.len() < 2
            && let Some(reason) = self.bucket.check_keys(commit).await?
        {
            let folder = commit.parts.first().map_or("", |part| &part.key);
            let problem = PartProblem::of_keys(&reason);
            verified.bad.push(self.describe(commit, folder, problem));
        }
        Ok(())
    }

    fn describe(&self, commit: &Commit, key: &str, problem: PartProblem) -> BadPart {
        let known = &self.report.known;
        let window = label_window(&commit.window, &known.naming());
        let address = &self.report.address;
        BadPart {
            tenant: known.tenant().to_owned(),
            report: known.report().to_owned(),
            address: address.clone(),
            version: commit.version,
            command: problem.suggest(self.bucket.name(), key, &window, address),
            window,
            key: key.to_owned(),
            problem,
        }
    }
}

/// What is wrong with a part that was looked for and not read.
fn judge_presence(
    part: &CommitPart,
    found: &PartPresence,
    absence: impl FnOnce() -> Absence,
) -> Option<PartProblem> {
    match found {
        PartPresence::Stored { bytes } if *bytes == part.bytes => None,
        PartPresence::Stored { bytes } => Some(PartProblem::of_size(part, *bytes)),
        PartPresence::Deleted { marker } => {
            Some(PartProblem::of_marker(marker.clone(), &absence()))
        }
        PartPresence::Gone => Some(PartProblem::gone(&absence())),
    }
}
