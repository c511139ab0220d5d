//! What the commands reach at AWS: each asks for as much as it needs.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;

use crate::arn::MachineArn;
use crate::aws_setup::AwsArgs;
use crate::bucket::Bucket;
use crate::cloudwatch_logs::LogGroups;
use crate::error::CommandError;
use crate::place::PlaceArgs;
use crate::secrets_manager::Secrets;
use crate::step_functions::{Executions, find_machine};
use crate::survey::Survey;

/// What the commands reach at AWS.
pub(crate) struct Account<Aws> {
    pub(crate) aws: Aws,
    pub(crate) setup: AwsArgs,
    /// The ARN as it was given, which a command that needs none does not read.
    pub(crate) machine: Option<String>,
    pub(crate) stack: Option<String>,
    pub(crate) pause: Duration,
    pub(crate) cache: Option<PathBuf>,
}

/// A deployed state machine, and what a client of another service is made with.
pub(crate) struct Deployment {
    pub(crate) executions: Executions,
    pub(crate) config: SdkConfig,
    pub(crate) cache: Option<PathBuf>,
}

impl<Aws: AsyncFnOnce() -> SdkConfig> Account<Aws> {
    /// The state machine, if one is named. An empty variable counts as one that is not set.
    pub(crate) fn machine(&self) -> Result<Option<MachineArn>, CommandError> {
        let given = self.machine.as_deref().filter(|arn| !arn.is_empty());
        // A stack is named on the command line, and the ARN perhaps by an environment that is always there.
        let given = given.filter(|_| self.stack.is_none());
        given.map(str::parse).transpose()
    }

    /// The configuration, and the state machine that is named by its ARN or its stack.
    async fn connect(self) -> Result<(SdkConfig, Option<MachineArn>), CommandError> {
        let machine = self.machine()?;
        let config = (self.aws)().await;
        let config = self.setup.prepare(config, machine.as_ref()).await?;
        match self.stack {
            Some(stack) => {
                let machine = find_machine(&config, &stack).await?;
                Ok((config, Some(machine)))
            }
            None => Ok((config, machine)),
        }
    }

    pub(crate) async fn executions(self) -> Result<Executions, CommandError> {
        Ok(self.deployment().await?.executions)
    }

    /// The state machine that is named, which has to be.
    pub(crate) async fn deployment(self) -> Result<Deployment, CommandError> {
        if self.machine()?.is_none() && self.stack.is_none() {
            return Err(CommandError::no_machine());
        }
        let (pause, cache) = (self.pause, self.cache.clone());
        let (config, machine) = self.connect().await?;
        let machine = machine.ok_or_else(CommandError::no_machine)?;
        Ok(Deployment {
            executions: Executions::new(&config, machine, pause),
            config,
            cache,
        })
    }

    pub(crate) async fn secrets(self) -> Result<Secrets, CommandError> {
        let machine = self.machine()?;
        let config = (self.aws)().await;
        let config = self.setup.prepare(config, machine.as_ref()).await?;
        Ok(Secrets::new(&config))
    }

    /// The handlers' log groups, and the survey if a window is meant, for which the bucket is read.
    pub(crate) async fn logs(
        self,
        place: Option<&PlaceArgs>,
    ) -> Result<(LogGroups, Executions, Option<Survey>), CommandError> {
        let Deployment {
            executions,
            config,
            cache,
        } = self.deployment().await?;
        let groups = LogGroups::find(&config, &executions).await?;
        let survey = match place {
            None => None,
            Some(place) => Some(Survey {
                bucket: Bucket::new(&config, place.find(Some(&executions)).await?, cache.clone()),
                executions: Some(executions.clone()),
                cache,
            }),
        };
        Ok((groups, executions, survey))
    }

    /// The bucket, and the executions if a state machine is named.
    pub(crate) async fn survey(self, place: &PlaceArgs) -> Result<Survey, CommandError> {
        let (pause, cache) = (self.pause, self.cache.clone());
        place.require(self.machine()?.is_some() || self.stack.is_some())?;
        let (config, machine) = self.connect().await?;
        let executions = machine.map(|machine| Executions::new(&config, machine, pause));
        let place = place.find(executions.as_ref()).await?;
        Ok(Survey {
            bucket: Bucket::new(&config, place, cache.clone()),
            executions,
            cache,
        })
    }
}
