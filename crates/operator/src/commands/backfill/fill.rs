//! `cxr backfill REPORT WINDOWS`: says what would be done, asks, and starts it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::{Catalogue, Definition};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;

use super::{BackfillPlace, watch};
use crate::address::{ReportNames, WindowsAsked, find_report, find_windows};
use crate::backfill::{
    BackfillInput, BackfillOptions, BackfillPlan, BackfillRun, PauseArg, check_can_fill,
};
use crate::confirm::{ConfirmArg, ReadAnswer};
use crate::definition_file;
use crate::error::CommandError;
use crate::grid::describe_nearest;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::state::{Judged, StoredSoFar, WindowState};
use crate::survey::Found;

/// From so many of the newest commits it is told how long a window takes.
const MEASURED: usize = 9;

#[derive(Debug, Args)]
pub(super) struct FillArgs {
    /// The report, by name or the beginning of one.
    #[arg(value_name = "REPORT", required = true)]
    report: Option<String>,
    /// Days with both ends such as 2026-01-01..2026-06-30, a month such as 2026-06, missing, or failed.
    #[arg(value_name = "WINDOWS", required = true)]
    windows: Option<String>,
    /// How many windows run at once: 2 if it is left out, 1 for data-extraction, which takes one call at a time.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10))]
    at_once: Option<u32>,
    /// Begin with the oldest window in place of the newest.
    #[arg(long)]
    oldest_first: bool,
    /// Begin no more windows after so many have failed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    max_failures: u32,
    #[command(flatten)]
    pause: PauseArg,
    /// A definition file, in place of the one that the report was asked for with last.
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stay and tell how far it is, until it ends.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    confirm: ConfirmArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// What is asked for, and of whom.
struct Wanted {
    address: String,
    definition: Definition,
    judged: Vec<Judged>,
    /// What was read of the report, if anything is stored of it.
    found: Option<Found>,
}

/// What `cxr backfill` asked for, or would ask for.
#[derive(Serialize, JsonSchema)]
pub(in crate::commands) struct Filled {
    #[serde(flatten)]
    plan: BackfillPlan,
    /// The backfill that was started; `null` where nothing was to do, or nothing was to be done.
    id: Option<String>,
    /// Those of this report that run already.
    others: Vec<String>,
}

impl FillArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        place: &BackfillPlace<'_>,
        answer: Option<ReadAnswer>,
    ) -> Result<u8, CommandError> {
        let mut wanted = self.find_wanted(place).await?;
        let mut filled = self.prepare(&mut wanted, place).await?;
        output.tell(filled.plan.to_string().trim_end())?;
        if filled.plan.windows.is_empty() || self.dry_run {
            output.print(&filled)?;
            return Ok(0);
        }
        if let Some(id) = filled.others.first() {
            return Err(CommandError::BackfillRuns { id: id.clone() });
        }
        let (definition, plan) = (&wanted.definition, &filled.plan);
        let machine = place.executions.machine();
        let input = BackfillInput::new(definition, &plan.windows, &plan.pace, machine, place.now);
        // Refuses too many before anybody is asked.
        input.to_json()?;
        if !self.confirm.ask(output, answer, &filled.plan.question())? {
            return Ok(0);
        }
        place.backfills.start(&input).await?;
        if self.watch {
            output.tell(&format!("backfill {} runs in AWS", input.id))?;
            return watch::watch(output, place, &input.id).await;
        }
        filled.id = Some(input.id);
        output.print(&filled)?;
        Ok(0)
    }

    /// What would be done, and which backfills of the report run already.
    async fn prepare(
        &self,
        wanted: &mut Wanted,
        place: &BackfillPlace<'_>,
    ) -> Result<Filled, CommandError> {
        let definition = &wanted.definition;
        check_can_fill(definition, &wanted.judged, place.now)?;
        let (tenant, report) = (
            definition.pipeline.tenant.as_str(),
            definition.name.as_str(),
        );
        let running = place.backfills.list_running(tenant, report, place.now);
        let others = running.await?;
        let mut plan = self.plan(wanted, &others, place)?;
        plan.estimate(measure(place, wanted).await?, place.now);
        Ok(Filled {
            others: others.into_iter().map(|run| run.input.id).collect(),
            plan,
            id: None,
        })
    }

    /// The windows with their states, and the definition that is to be used for them.
    async fn find_wanted(&self, place: &BackfillPlace<'_>) -> Result<Wanted, CommandError> {
        let (report, windows) = (
            text_of(self.report.as_ref()),
            text_of(self.windows.as_ref()),
        );
        let given = self.definition.as_ref();
        let given = given.map(|file| definition_file::read_definition(file, Catalogue::builtin()));
        let given = given.transpose()?.map(|file| file.definition);
        let found = match (place.survey.find(report, windows, place.now).await, given) {
            (Ok(found), given) => (found, given),
            (
                Err(CommandError::UnknownReport { .. } | CommandError::NoDefinition { .. }),
                Some(definition),
            ) => {
                return find_new(report, windows, definition, place);
            }
            (Err(error), _) => return Err(error),
        };
        let (found, given) = found;
        let known = &found.surveyed.known;
        let Some(definition) = given.or_else(|| known.definition.clone()) else {
            return Err(CommandError::Backfill {
                problem: "no definition is stored; name a file with --definition".to_owned(),
            });
        };
        check_fits(&definition, &found)?;
        Ok(Wanted {
            address: found.surveyed.address.clone(),
            judged: found.windows.clone(),
            definition,
            found: Some(found),
        })
    }

    fn plan(
        &self,
        wanted: &Wanted,
        others: &[BackfillRun],
        place: &BackfillPlace<'_>,
    ) -> Result<BackfillPlan, CommandError> {
        let elsewhere = others.iter().flat_map(|run| run.input.windows());
        let elsewhere: BTreeSet<_> = elsewhere.collect();
        let options = BackfillOptions {
            at_once: self.at_once,
            max_failures: self.max_failures,
            pause: self.pause.read(&wanted.definition)?,
            is_oldest_first: self.oldest_first,
        };
        let (address, definition) = (&wanted.address, &wanted.definition);
        let now = place.now;
        Ok(BackfillPlan::new(
            address,
            definition,
            &wanted.judged,
            &elsewhere,
            options,
            now,
        ))
    }
}

fn text_of(text: Option<&String>) -> &str {
    text.map(String::as_str).unwrap_or_default()
}

/// The windows of a report that nobody ever asked for.
fn find_new(
    report: &str,
    windows: &str,
    definition: Definition,
    place: &BackfillPlace<'_>,
) -> Result<Wanted, CommandError> {
    let names = [ReportNames {
        tenant: definition.pipeline.tenant.to_string(),
        report: definition.name.to_string(),
    }];
    let address = find_report(report, &names)?.address(&names);
    let windows = match find_windows(windows, &definition, place.now)? {
        WindowsAsked::Windows(windows) => windows,
        WindowsAsked::Missing | WindowsAsked::Failed => Vec::new(),
    };
    let missing = |window| Judged {
        window,
        is_due: true,
        stored: StoredSoFar::Nothing,
        // Those that are can't be filled at all.
        is_out_of_reach: false,
        state: WindowState::Missing,
    };
    Ok(Wanted {
        address,
        definition,
        judged: windows.into_iter().map(missing).collect(),
        found: None,
    })
}

/// Refuses the definition of another report, and one with other windows than those that were found.
fn check_fits(definition: &Definition, found: &Found) -> Result<(), CommandError> {
    if !found.surveyed.is_same_report(definition) {
        let (tenant, report) = (&definition.pipeline.tenant, &definition.name);
        return Err(CommandError::Backfill {
            problem: format!(
                "the definition is of {tenant} / {report}, and not of {}",
                found.surveyed.address
            ),
        });
    }
    let mut windows = found.windows.iter().map(|judged| judged.window);
    let off = windows.find_map(|window| Some((window, describe_nearest(definition, window)?)));
    match off {
        Some((window, nearest)) => Err(CommandError::OffGrid { window, nearest }),
        None => Ok(()),
    }
}

/// How long the newest windows took from the request to the commit.
async fn measure(
    place: &BackfillPlace<'_>,
    wanted: &mut Wanted,
) -> Result<Vec<SignedDuration>, CommandError> {
    let Some(found) = &mut wanted.found else {
        return Ok(Vec::new());
    };
    let known = &found.surveyed.known;
    let newest = known
        .commits
        .iter()
        .rev()
        .filter(|commit| !commit.withdrawn);
    let mut durations = Vec::new();
    for commit in newest.take(MEASURED) {
        let bucket = &place.survey.bucket;
        let (keys, window) = (&known.keys, &commit.window);
        let opening = bucket.read_opening(keys, window, commit.generation, &mut found.cache);
        if let Some(opening) = opening.await? {
            durations.push(commit.committed_at.duration_since(opening.opened_at));
        }
    }
    Ok(durations)
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in &self.others {
            writeln!(
                f,
                "backfill {id} of this report runs; cxr backfill watch {id}"
            )?;
        }
        if let Some(id) = &self.id {
            writeln!(f, "backfill {id} runs in AWS; this terminal may close")?;
            writeln!(f, "    cxr backfill watch {id}")?;
        }
        Ok(())
    }
}
