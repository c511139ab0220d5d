//! The executions of the state machine. The only module that uses the SDK of Step Functions.

mod entry;
mod look;
mod machines;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use jiff::{SignedDuration, Timestamp};

use crate::aws_error;
use crate::digest::hex_digest;
use crate::error::CommandError;
use crate::error_name::STOPPED;
use crate::history::{ExecutionError, History};

use crate::arn::{self, MachineArn, name_of};
use entry::to_timestamp;
pub(crate) use look::Look;
pub(crate) use machines::find_machine;

/// The statuses of executions that ended without success, as AWS spells them.
pub(crate) const FAILED: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// No execution takes longer: `TimeoutSeconds` of the state machine.
const LONGEST_EXECUTION: SignedDuration = SignedDuration::from_hours(10 * 24);

/// How often a new execution is looked at for its first answer. Trigger gives one within seconds.
const FIRST_LOOKS: u32 = 10;

/// An execution as `ListExecutions` returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecutionSummary {
    pub(crate) arn: String,
    /// The status as AWS spells it.
    pub(crate) status: String,
    pub(crate) started_at: Timestamp,
    pub(crate) stopped_at: Option<Timestamp>,
}

/// An execution as `DescribeExecution` returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecutionDetail {
    pub(crate) summary: ExecutionSummary,
    /// The input, as JSON.
    pub(crate) input: String,
    /// Why it failed, if it did.
    pub(crate) error: Option<ExecutionError>,
    pub(crate) redrive_count: i32,
    /// Why it can't be redriven; `None` if it can.
    pub(crate) not_redrivable: Option<String>,
}

/// The executions of one state machine.
#[derive(Debug, Clone)]
pub(crate) struct Executions {
    client: Client,
    machine: MachineArn,
    /// Between two looks at a new execution.
    pause: Duration,
}

impl Executions {
    /// The SDK's configuration decides about endpoint, credentials and retries.
    pub(crate) fn new(config: &SdkConfig, machine: MachineArn, pause: Duration) -> Self {
        Self {
            client: Client::new(config),
            machine,
            pause,
        }
    }

    pub(crate) fn machine(&self) -> &MachineArn {
        &self.machine
    }

    /// Between two looks at what is followed, which may take hours: `GetExecutionHistory` is shared by everybody in the account.
    pub(crate) fn pause_between_looks(&self) -> Duration {
        2 * self.pause
    }

    /// The executions of another state machine of the same account.
    pub(crate) fn of_machine(&self, machine: MachineArn) -> Self {
        Self {
            machine,
            ..self.clone()
        }
    }

    /// Between two looks at what somebody waits for.
    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    /// The state machine's tags.
    pub(crate) async fn list_tags(&self) -> Result<Vec<(String, String)>, CommandError> {
        let arn = self.machine.as_str();
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.explain("ListTagsForResource", &error).await),
        };
        let tags = answer.tags.into_iter().flatten();
        Ok(tags
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect())
    }

    /// Executions with one of the statuses (all, if none is given) that run, or ended since a time; those that started last first.
    pub(crate) async fn list(
        &self,
        statuses: &[&str],
        since: Timestamp,
    ) -> Result<Vec<ExecutionSummary>, CommandError> {
        let mut found = Vec::new();
        if statuses.is_empty() {
            self.list_status(None, since, &mut found).await?;
        }
        for status in statuses {
            let status = ExecutionStatus::from(*status);
            self.list_status(Some(status), since, &mut found).await?;
        }
        found.sort_by(|a, b| b.started_at.cmp(&a.started_at).then(a.arn.cmp(&b.arn)));
        Ok(found)
    }

    async fn list_status(
        &self,
        status: Option<ExecutionStatus>,
        since: Timestamp,
        found: &mut Vec<ExecutionSummary>,
    ) -> Result<(), CommandError> {
        let mut next = None;
        loop {
            let page = self
                .client
                .list_executions()
                .state_machine_arn(self.machine.as_str())
                .set_status_filter(status.clone())
                .max_results(1_000)
                .set_next_token(next)
                .send()
                .await;
            let page = match page {
                Ok(page) => page,
                Err(error) => return Err(self.explain("ListExecutions", &error).await),
            };
            // Sorted by start or redrive, newest first: behind one that has to have ended by then, all have.
            let is_old = page.executions.last().is_some_and(|last| {
                let begun = last.redrive_date.as_ref().unwrap_or(&last.start_date);
                to_timestamp(begun) + LONGEST_EXECUTION < since
            });
            let listed = page.executions.into_iter().map(|item| ExecutionSummary {
                arn: item.execution_arn,
                status: item.status.as_str().to_owned(),
                started_at: to_timestamp(&item.start_date),
                stopped_at: item.stop_date.as_ref().map(to_timestamp),
            });
            found.extend(listed.filter(|item| item.stopped_at.is_none_or(|at| at >= since)));
            next = page.next_token;
            if next.is_none() || is_old {
                return Ok(());
            }
        }
    }

    /// Describes one execution, given its name or its ARN.
    pub(crate) async fn describe(&self, execution: &str) -> Result<ExecutionDetail, CommandError> {
        arn::refuse_machine(execution)?;
        let arn = self.machine.execution_arn(execution);
        let answer = self
            .client
            .describe_execution()
            .execution_arn(&arn)
            .send()
            .await
            .map_err(|error| aws_error::from_sdk("DescribeExecution", &arn, &error))?;
        let is_redrivable = answer.redrive_status == Some(ExecutionRedriveStatus::Redrivable);
        let reason = answer.redrive_status_reason.unwrap_or_default();
        Ok(ExecutionDetail {
            summary: ExecutionSummary {
                arn,
                status: answer.status.as_str().to_owned(),
                started_at: to_timestamp(&answer.start_date),
                stopped_at: answer.stop_date.as_ref().map(to_timestamp),
            },
            input: answer.input.unwrap_or_default(),
            error: answer.error.map(|error| ExecutionError {
                error,
                cause: answer.cause.unwrap_or_default(),
            }),
            redrive_count: answer.redrive_count.unwrap_or_default(),
            not_redrivable: (!is_redrivable).then_some(reason),
        })
    }

    /// Reads the whole history, 1,000 events a call.
    pub(crate) async fn read_history(&self, execution: &str) -> Result<History, CommandError> {
        let arn = self.machine.execution_arn(execution);
        let mut history = History::default();
        let mut next = None;
        loop {
            let page = self
                .client
                .get_execution_history()
                .execution_arn(&arn)
                .max_results(1_000)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| aws_error::from_sdk("GetExecutionHistory", &arn, &error))?;
            page.events
                .into_iter()
                .filter_map(entry::from_event)
                .for_each(|entry| history.add(entry));
            next = page.next_token;
            if next.is_none() {
                return Ok(history);
            }
        }
    }

    /// What a new execution says first: that there is nothing to do, what it works on or waits for, or why it failed.
    /// Nothing, if it says nothing within some seconds or may not be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person waits for the first answer of an execution that was just started"
    )]
    pub(crate) async fn read_first_answer(&self, execution: &str) -> History {
        for _ in 0..FIRST_LOOKS {
            match self.read_history(execution).await {
                Ok(history) if history.outcome.is_some() || history.has_failed => return history,
                Ok(_) => tokio::time::sleep(self.pause).await,
                Err(_) => break,
            }
        }
        History::default()
    }

    /// Redrives an execution. The token is the same for a repeated request, so that AWS redrives once.
    pub(crate) async fn redrive(&self, detail: &ExecutionDetail) -> Result<(), CommandError> {
        let arn = &detail.summary.arn;
        let name = name_of(arn);
        let token = hex_digest(&format!("redrive {} of {arn}", detail.redrive_count + 1));
        let answer = self
            .client
            .redrive_execution()
            .execution_arn(arn)
            .client_token(token)
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| match aws_error::code_of(&error) {
                Some("ExecutionNotRedrivable") => CommandError::NotRedrivable {
                    execution: name.to_owned(),
                    reason: aws_error::message_of(&error),
                },
                _ => aws_error::from_sdk("RedriveExecution", arn, &error),
            })
    }

    /// Ends an execution where it is. Whatever a function does at this moment, it still does.
    pub(crate) async fn stop(&self, execution: &str, cause: &str) -> Result<(), CommandError> {
        let arn = self.machine.execution_arn(execution);
        self.client
            .stop_execution()
            .execution_arn(&arn)
            .error(STOPPED)
            .cause(cause)
            .send()
            .await
            .map(drop)
            .map_err(|error| aws_error::from_sdk("StopExecution", &arn, &error))
    }

    /// Starts an execution and returns its ARN. While it runs, the same name and input return it again.
    pub(crate) async fn start(&self, name: &str, input: String) -> Result<String, CommandError> {
        let answer = self
            .client
            .start_execution()
            .state_machine_arn(self.machine.as_str())
            .name(name)
            .input(input)
            .send()
            .await;
        match answer {
            Ok(started) => Ok(started.execution_arn),
            Err(error) if aws_error::code_of(&error) == Some("ExecutionAlreadyExists") => {
                Err(CommandError::Exists {
                    name: name.to_owned(),
                    remedy: "cxr retry gets its window committed, if it is not".to_owned(),
                })
            }
            Err(error) => Err(self.explain("StartExecution", &error).await),
        }
    }

    /// What is wrong with a call for the state machine. One that does not exist is told with those that do.
    async fn explain<E: ProvideErrorMetadata>(
        &self,
        operation: &'static str,
        error: &SdkError<E>,
    ) -> CommandError {
        match aws_error::code_of(error) {
            Some("StateMachineDoesNotExist" | "ResourceNotFound") => {
                machines::unknown_machine(&self.client, &self.machine).await
            }
            _ => aws_error::from_sdk(operation, self.machine.as_str(), error),
        }
    }
}
