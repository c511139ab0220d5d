//! The commands that read what is stored and what is deployed.

use aws_config::SdkConfig;
use clap::Subcommand;
use jiff::Timestamp;

use super::{doctor, drift, load, rows, verify};
use crate::account::Account;
use crate::error::CommandError;
use crate::output::Output;
use crate::scheduler::ScheduleGroup;

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    Rows(rows::RowsArgs),
    Load(load::LoadArgs),
    Verify(verify::VerifyArgs),
    Doctor(doctor::DoctorArgs),
    Drift(drift::DriftArgs),
}

impl DataCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Rows(_) => "rows",
            Self::Load(_) => "load",
            Self::Verify(_) => "verify",
            Self::Doctor(_) => "doctor",
            Self::Drift(_) => "drift",
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
            Self::Load(args) => {
                let survey = account.survey(&args.place).await?;
                Box::pin(args.run(output, &survey)).await
            }
            Self::Verify(args) => {
                let survey = account.survey(&args.place).await?;
                args.run(output, &survey, now).await
            }
            Self::Doctor(args) => {
                let deployment = account.deployment().await?;
                args.run(output, &deployment, now).await
            }
            Self::Drift(args) => {
                let deployment = account.deployment().await?;
                let machine = deployment.executions.machine();
                let group = ScheduleGroup::beside(&deployment.config, machine);
                args.run(output, &group, now).await
            }
        }
    }
}
