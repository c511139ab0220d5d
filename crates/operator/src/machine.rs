//! The state machine's executions, through the AWS SDK. The only module that knows it.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus, HistoryEvent};
use jiff::Timestamp;

use crate::error::Error;
use crate::input::hex_digest;
use crate::machine_arn::MachineArn;
use crate::story::{Event, Fault, Story, What};

/// An execution, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its ARN.
    pub arn: String,
    /// Its status, as AWS spells it.
    pub status: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
}

/// An execution, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What a list says of it.
    pub listed: Listed,
    /// Its input, as JSON.
    pub input: String,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
    /// How often it was redriven.
    pub redrive_count: i32,
    /// Why it can't be redriven; `None` if it can.
    pub not_redrivable: Option<String>,
}

/// The executions of one state machine.
#[derive(Debug, Clone)]
pub struct Executions {
    client: Client,
    machine: MachineArn,
}

impl Executions {
    /// The SDK's configuration decides endpoint, credentials and retries.
    #[must_use]
    pub fn new(config: &aws_sdk_sfn::Config, machine: MachineArn) -> Self {
        Self {
            client: Client::from_conf(config.clone()),
            machine,
        }
    }

    /// The state machine.
    #[must_use]
    pub fn machine(&self) -> &MachineArn {
        &self.machine
    }

    /// Executions with one of the statuses (all, if none is given) started since a time, newest first.
    pub async fn list(&self, statuses: &[&str], since: Timestamp) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        if statuses.is_empty() {
            self.list_one(None, since, &mut found).await?;
        }
        for status in statuses {
            let status = ExecutionStatus::from(*status);
            self.list_one(Some(status), since, &mut found).await?;
        }
        found.sort_by(|a, b| b.started_at.cmp(&a.started_at).then(a.arn.cmp(&b.arn)));
        Ok(found)
    }

    async fn list_one(
        &self,
        status: Option<ExecutionStatus>,
        since: Timestamp,
        found: &mut Vec<Listed>,
    ) -> Result<(), Error> {
        let mut next = None;
        loop {
            let page = self
                .client
                .list_executions()
                .state_machine_arn(self.machine.as_str())
                .set_status_filter(status.clone())
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| failed("ListExecutions", self.machine.as_str(), &error))?;
            // Newest first, a redriven one by its redrive: the end is where neither is recent.
            let is_old = page.executions.last().is_some_and(|last| {
                time(last.redrive_date.as_ref().unwrap_or(&last.start_date)) < since
            });
            let listed = page.executions.into_iter().map(|item| Listed {
                arn: item.execution_arn,
                status: item.status.as_str().to_owned(),
                started_at: time(&item.start_date),
                stopped_at: item.stop_date.as_ref().map(time),
            });
            found.extend(listed.filter(|item| item.started_at >= since));
            next = page.next_token;
            if next.is_none() || is_old {
                return Ok(());
            }
        }
    }

    /// Looks at one execution, given by name or ARN.
    pub async fn describe(&self, execution: &str) -> Result<Described, Error> {
        let arn = self.machine.execution(execution);
        let answer = self
            .client
            .describe_execution()
            .execution_arn(&arn)
            .send()
            .await
            .map_err(|error| failed("DescribeExecution", &arn, &error))?;
        let is_redrivable = answer.redrive_status == Some(ExecutionRedriveStatus::Redrivable);
        let reason = answer.redrive_status_reason.unwrap_or_default();
        Ok(Described {
            listed: Listed {
                arn,
                status: answer.status.as_str().to_owned(),
                started_at: time(&answer.start_date),
                stopped_at: answer.stop_date.as_ref().map(time),
            },
            input: answer.input.unwrap_or_default(),
            fault: answer.error.map(|error| Fault {
                error,
                cause: answer.cause.unwrap_or_default(),
            }),
            redrive_count: answer.redrive_count.unwrap_or_default(),
            not_redrivable: (!is_redrivable).then_some(reason),
        })
    }

    /// Reads the whole history, 1,000 events a call.
    pub async fn story(&self, execution: &str) -> Result<Story, Error> {
        let arn = self.machine.execution(execution);
        let mut story = Story::default();
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
                .map_err(|error| failed("GetExecutionHistory", &arn, &error))?;
            page.events
                .into_iter()
                .filter_map(event)
                .for_each(|event| story.see(event));
            next = page.next_token;
            if next.is_none() {
                return Ok(story);
            }
        }
    }

    /// Redrives an execution. The token makes a repeated request the same redrive.
    pub async fn redrive(&self, described: &Described) -> Result<(), Error> {
        let arn = &described.listed.arn;
        let name = crate::machine_arn::name_of(arn);
        let token = hex_digest(&format!("redrive {} of {arn}", described.redrive_count + 1));
        let answer = self
            .client
            .redrive_execution()
            .execution_arn(arn)
            .client_token(token)
            .send()
            .await;
        answer.map(drop).map_err(|error| match code(&error) {
            Some("ExecutionNotRedrivable") => Error::NotRedrivable {
                execution: name.to_owned(),
                reason: message(&error),
            },
            _ => failed("RedriveExecution", arn, &error),
        })
    }

    /// Starts an execution; the same name and input again is the same execution, while it runs.
    pub async fn start(&self, name: &str, input: String) -> Result<String, Error> {
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
            Err(error) if code(&error) == Some("ExecutionAlreadyExists") => Err(Error::Exists {
                name: name.to_owned(),
            }),
            Err(error) => Err(failed("StartExecution", self.machine.as_str(), &error)),
        }
    }
}

fn event(event: HistoryEvent) -> Option<Event> {
    let at = time(&event.timestamp);
    let what = if let Some(entered) = event.state_entered_event_details {
        What::Entered(entered.name)
    } else if let Some(exited) = event.state_exited_event_details {
        What::Exited {
            state: exited.name,
            output: exited.output.unwrap_or_default(),
        }
    } else if event.execution_redriven_event_details.is_some() {
        What::Redriven
    } else {
        failure(event)?
    };
    Some(Event { at, what })
}

fn failure(event: HistoryEvent) -> Option<What> {
    let fault = |error: Option<String>, cause: Option<String>, name: &str| Fault {
        error: error.unwrap_or_else(|| name.to_owned()),
        cause: cause.unwrap_or_default(),
    };
    Some(if let Some(it) = event.task_failed_event_details {
        What::AttemptFailed(fault(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.task_timed_out_event_details {
        What::AttemptFailed(fault(it.error, it.cause, "States.Timeout"))
    } else if let Some(it) = event.task_submit_failed_event_details {
        What::AttemptFailed(fault(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.task_start_failed_event_details {
        What::AttemptFailed(fault(it.error, it.cause, "States.TaskFailed"))
    } else if let Some(it) = event.evaluation_failed_event_details {
        What::AttemptFailed(fault(it.error, it.cause, "States.QueryEvaluationError"))
    } else if let Some(it) = event.execution_failed_event_details {
        What::Failed(fault(it.error, it.cause, "States.Runtime"))
    } else if let Some(it) = event.execution_aborted_event_details {
        What::Failed(fault(it.error, it.cause, "aborted"))
    } else if let Some(it) = event.execution_timed_out_event_details {
        What::Failed(fault(it.error, it.cause, "States.Timeout"))
    } else {
        return None;
    })
}

fn time(time: &DateTime) -> Timestamp {
    Timestamp::from_second(time.secs()).unwrap_or_default()
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error()?.code()
}

fn message<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let message = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::message);
    message.unwrap_or_default().to_owned()
}

fn failed<E: ProvideErrorMetadata>(
    operation: &'static str,
    what: &str,
    error: &SdkError<E>,
) -> Error {
    let SdkError::ServiceError(service) = error else {
        return Error::Unavailable {
            operation,
            reason: stage(error),
        };
    };
    match code(error).unwrap_or_default() {
        "ExecutionDoesNotExist" | "StateMachineDoesNotExist" => Error::NotFound {
            what: what.to_owned(),
        },
        code if service.raw().status().is_server_error() || code.contains("Throttl") => {
            Error::Unavailable {
                operation,
                reason: format!("AWS answers {code} again and again"),
            }
        }
        code => Error::Refused {
            operation,
            code: code.to_owned(),
            message: message(error),
        },
    }
}

/// What failed before there was an answer, with the causes that the SDK keeps below it.
fn stage<E>(error: &SdkError<E>) -> String {
    let (text, source) = match error {
        SdkError::ConstructionFailure(_) => ("the request can't be made", None),
        SdkError::TimeoutError(_) => ("no answer in time", None),
        SdkError::DispatchFailure(failure) => ("no connection", failure.as_connector_error()),
        _ => ("an answer that is none", None),
    };
    let mut texts = vec![text.to_owned()];
    let mut source = source.and_then(std::error::Error::source);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts.join(": ")
}
