//! `cxr backfill`: asks for many windows of a report, in AWS, and says how far that came.

mod cancel;
mod fill;
mod list;
mod progress;
mod show;
mod watch;

pub(super) use cancel::CancelledBackfill;
pub(super) use fill::Filled;
pub(super) use list::BackfillList;
pub(super) use progress::BackfillProgress;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::NOT_WELL;
use crate::backfill::Backfills;
use crate::confirm::ReadAnswer;
use crate::error::CommandError;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::step_functions::Executions;
use crate::survey::Survey;

/// Ask for the windows of a report that are missing in a range, a few at once: cxr backfill daily 2025-11-28..2026-11-27. It runs in
/// AWS, so that the terminal may be closed. The same command again takes up what is missing by then.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct BackfillArgs {
    #[command(subcommand)]
    command: Option<BackfillCommand>,
    #[command(flatten)]
    fill: fill::FillArgs,
}

#[derive(Debug, Subcommand)]
enum BackfillCommand {
    List(list::ListBackfillsArgs),
    Show(show::ShowBackfillArgs),
    Watch(watch::WatchBackfillArgs),
    Cancel(cancel::CancelBackfillArgs),
}

/// What the commands for one backfill take.
#[derive(Debug, Args)]
struct BackfillArg {
    /// What `cxr backfill` called it, such as bf-20261128-225103; cxr backfill list shows all.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: PlaceArgs,
}

impl BackfillArgs {
    /// What the document of the command says to be.
    pub(super) fn kind(&self) -> &'static str {
        match &self.command {
            None => "backfill",
            Some(BackfillCommand::List(_)) => "backfill-list",
            Some(BackfillCommand::Show(_)) => "backfill-show",
            Some(BackfillCommand::Watch(_)) => "backfill-watch",
            Some(BackfillCommand::Cancel(_)) => "backfill-cancel",
        }
    }

    pub(super) fn place(&self) -> &PlaceArgs {
        match &self.command {
            None => &self.fill.place,
            Some(BackfillCommand::List(args)) => &args.place,
            Some(BackfillCommand::Show(args)) => &args.backfill.place,
            Some(BackfillCommand::Watch(args)) => &args.backfill.place,
            Some(BackfillCommand::Cancel(args)) => &args.backfill.place,
        }
    }

    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let executions = survey.executions()?;
        let backfills = Backfills::find(executions).await?;
        let place = &BackfillPlace {
            survey,
            executions,
            backfills,
            now,
        };
        match self.command {
            None => self.fill.run(output, place, answer).await,
            Some(BackfillCommand::List(args)) => args.run(output, place).await,
            Some(BackfillCommand::Show(args)) => args.run(output, place).await,
            Some(BackfillCommand::Watch(args)) => args.run(output, place).await,
            Some(BackfillCommand::Cancel(args)) => args.run(output, place).await,
        }
    }
}

/// What the commands work on.
struct BackfillPlace<'a> {
    survey: &'a Survey,
    executions: &'a Executions,
    backfills: Backfills,
    now: Timestamp,
}
