//! The commands that read what is stored and what is deployed.

use aws_config::SdkConfig;
use clap::Subcommand;
use jiff::Timestamp;

use super::{Account, doctor, rows, verify};
use crate::error::CommandError;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    Rows(rows::RowsArgs),
    Verify(verify::VerifyArgs),
    Doctor(doctor::DoctorArgs),
}

impl DataCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Rows(_) => "rows",
            Self::Verify(_) => "verify",
            Self::Doctor(_) => "doctor",
        }
    }

    pub(super) async fn run<Aws>(
        self,
        account: Account<Aws>,
        output: &mut Output<'_>,
        now: Timestamp,
    ) -> Result<u8, CommandError>
    where
        Aws: AsyncFnOnce() -> SdkConfig,
    {
        match self {
            Self::Rows(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, now).await
            }
            Self::Verify(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, now).await
            }
            Self::Doctor(args) => {
                let cache = account.cache.clone();
                let (executions, config) = account.executions_and_config().await?;
                let sources = doctor::Sources {
                    executions,
                    config,
                    cache,
                };
                args.run(output, sources, now).await
            }
        }
    }
}
