//! The commands that have something done with windows or executions.

use aws_config::SdkConfig;
use clap::Subcommand;
use jiff::Timestamp;

use super::{cancel, redrive, replay, retry, run, watch, withdraw};
use crate::account::Account;
use crate::confirm::ReadAnswer;
use crate::error::CommandError;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum ActCommand {
    Retry(retry::RetryArgs),
    Watch(watch::WatchArgs),
    Cancel(cancel::CancelArgs),
    Redrive(redrive::RedriveArgs),
    Replay(replay::ReplayArgs),
    Withdraw(withdraw::WithdrawArgs),
    Run(run::RunArgs),
}

impl ActCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Watch(_) => "watch",
            Self::Cancel(_) => "cancel",
            Self::Redrive(_) => "redrive",
            Self::Replay(_) => "replay",
            Self::Withdraw(_) => "withdraw",
            Self::Run(_) => "run",
        }
    }

    pub(super) async fn run<Aws>(
        self,
        account: Account<Aws>,
        output: &mut Output<'_>,
        answer: Option<ReadAnswer>,
        now: Timestamp,
    ) -> Result<u8, CommandError>
    where
        Aws: AsyncFnOnce() -> SdkConfig,
    {
        match self {
            Self::Retry(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, answer, now).await
            }
            Self::Cancel(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, answer, now).await
            }
            Self::Watch(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, now).await
            }
            Self::Redrive(args) => args.run(output, &account.executions().await?, now).await,
            Self::Replay(args) if args.is_about_file() => {
                let executions = account.executions().await?;
                args.run_for_file(output, &executions, now).await
            }
            Self::Replay(args) => {
                let survey = account.survey(&args.place).await?;
                args.run_for_report(output, &survey, answer, now).await
            }
            Self::Withdraw(args) if args.is_about_file() => {
                let executions = account.executions().await?;
                args.run_for_file(output, &executions, answer, now).await
            }
            Self::Withdraw(args) => {
                let survey = account.survey(&args.place).await?;
                args.run_for_report(output, &survey, answer, now).await
            }
            Self::Run(args) => args.run(output, &account.executions().await?, now).await,
        }
    }
}
