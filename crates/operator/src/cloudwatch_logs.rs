//! What the handlers logged. The only module that uses the SDK of CloudWatch Logs.

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;

use crate::aws_error;
use crate::error::CommandError;
use crate::step_functions::Executions;

/// The tag of the state machine that says what the names of the handlers' log groups begin with.
pub(crate) const LOGS_TAG: &str = "cxone-reports:logs";

/// At most so many answers are read of one group: CloudWatch also answers with none of what it looked through.
const ANSWERS_MAX: usize = 100;

/// The log groups of the handlers.
#[derive(Debug)]
pub(crate) struct LogGroups {
    client: Client,
    /// What the handler's name follows.
    prefix: String,
}

/// Which lines are looked for.
#[derive(Debug)]
pub(crate) struct LogQuery {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// A filter pattern of CloudWatch Logs.
    pub(crate) pattern: String,
}

/// The lines of one group.
#[derive(Debug, Default)]
pub(crate) struct LoggedLines {
    pub(crate) lines: Vec<LoggedLine>,
    /// Whether there are more than were read.
    pub(crate) is_cut: bool,
}

/// One line, as it is stored.
#[derive(Debug)]
pub(crate) struct LoggedLine {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

impl LogGroups {
    /// The groups that a state machine's tags name.
    pub(crate) async fn find(
        config: &SdkConfig,
        executions: &Executions,
    ) -> Result<Self, CommandError> {
        let tags = executions.list_tags().await?;
        let tag = tags.into_iter().find(|(name, _)| name == LOGS_TAG);
        let (_, prefix) = tag.ok_or(CommandError::NoLogGroups { tag: LOGS_TAG })?;
        Ok(Self {
            client: Client::new(config),
            prefix,
        })
    }

    /// The lines of a handler that a query means, oldest first.
    pub(crate) async fn read(
        &self,
        handler: &str,
        query: &LogQuery,
    ) -> Result<LoggedLines, CommandError> {
        let group = format!("{}{handler}", self.prefix);
        let mut read = LoggedLines::default();
        let mut next = None;
        for _ in 0..ANSWERS_MAX {
            let answer = self
                .client
                .filter_log_events()
                .log_group_name(&group)
                .start_time(query.from.as_millisecond())
                .end_time(query.to.as_millisecond())
                .filter_pattern(&query.pattern)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| refused(&group, &error))?;
            let events = answer.events.into_iter().flatten();
            read.lines.extend(events.filter_map(from_event));
            next = answer.next_token;
            if next.is_none() {
                return Ok(read);
            }
        }
        read.is_cut = true;
        Ok(read)
    }
}

fn refused<E: aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata>(
    group: &str,
    error: &aws_sdk_cloudwatchlogs::error::SdkError<E>,
) -> CommandError {
    match aws_error::code_of(error) {
        Some("ResourceNotFoundException") => CommandError::NoLogGroup {
            group: group.to_owned(),
        },
        _ => aws_error::from_sdk("FilterLogEvents", group, error),
    }
}

fn from_event(event: FilteredLogEvent) -> Option<LoggedLine> {
    Some(LoggedLine {
        id: event.event_id.unwrap_or_default(),
        at: Timestamp::from_millisecond(event.timestamp?).ok()?,
        text: event.message?,
    })
}
