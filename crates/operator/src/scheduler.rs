//! The schedules of a deployment. The only module that uses the SDK of `EventBridge` Scheduler.

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::ScheduleState;

use crate::arn::MachineArn;
use crate::aws_error;
use crate::error::CommandError;

/// What the template adds to the stack's name to name the state machine.
const MACHINE_SUFFIX: &str = "-pipeline";

/// The group of a deployment's schedules.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleGroup {
    client: Client,
    pub(crate) name: String,
}

/// A schedule, as a list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScheduleSummary {
    pub(crate) name: String,
    pub(crate) is_enabled: bool,
}

/// A schedule with all that starts an execution: when, and with which input.
#[derive(Debug)]
pub(crate) struct StoredSchedule {
    pub(crate) expression: String,
    pub(crate) input: String,
}

impl ScheduleGroup {
    /// The group beside a state machine, which the template names alike.
    pub(crate) fn beside(config: &SdkConfig, machine: &MachineArn) -> Self {
        let name = machine.as_str().rsplit(':').next().unwrap_or_default();
        let name = name.strip_suffix(MACHINE_SUFFIX).unwrap_or(name);
        Self {
            client: Client::new(config),
            name: name.to_owned(),
        }
    }

    /// What one of our schedules is called in a deployment.
    pub(crate) fn name_schedule(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    pub(crate) async fn read(&self, name: &str) -> Result<StoredSchedule, CommandError> {
        let call = self.client.get_schedule().group_name(&self.name).name(name);
        let answer = call
            .send()
            .await
            .map_err(|error| aws_error::from_sdk("GetSchedule", name, &error))?;
        let input = answer.target.and_then(|target| target.input);
        Ok(StoredSchedule {
            expression: answer.schedule_expression.unwrap_or_default(),
            input: input.unwrap_or_default(),
        })
    }

    pub(crate) async fn list(&self) -> Result<Vec<ScheduleSummary>, CommandError> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .client
                .list_schedules()
                .group_name(&self.name)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| aws_error::from_sdk("ListSchedules", &self.name, &error))?;
            found.extend(page.schedules.into_iter().map(|schedule| ScheduleSummary {
                name: schedule.name.unwrap_or_default(),
                is_enabled: schedule.state == Some(ScheduleState::Enabled),
            }));
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}
