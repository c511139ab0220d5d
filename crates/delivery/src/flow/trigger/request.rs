//! What the event asks for.

use definition::{Definition, Findings, SourceRange, Window, WindowError};
use jiff::{SignedDuration, Timestamp};

use crate::keys::ReportKeys;
use crate::{Detail, Failure, FailureName, TriggerIn};

/// A window that becomes final later than this is a mistake, not something to wait for.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The request key of every execution that does not replay.
pub(super) const SCHEDULE: &str = "schedule";

/// An id of a replay is no longer than this, in bytes.
const ID_MAX: usize = 200;

/// The event can't be worked on: its definition, its window or its id is wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the definition is refused: {0}")]
    Definition(Findings),
    #[error(
        "a replay needs an `id` of its own in the event (1 to {ID_MAX} characters), so that a repeated request is known as the same"
    )]
    ReplayId,
    #[error("the event has no `time`, and no `detail.window` either")]
    NoTime,
    #[error("the event's `time` is out of range")]
    ImpossibleTime,
    #[error("the event's `time` {scheduled} gives no window: {source}")]
    NoWindow {
        scheduled: Timestamp,
        source: WindowError,
    },
    #[error(
        "the window {window} is final only at {until}, more than 7 days from now; check `detail.window` and the event's `time`"
    )]
    FinalTooLate { window: Window, until: Timestamp },
    #[error(
        "the event asks for {asked}, and the API can't be asked for it: it takes no dates, and the range of the report's template means {own} at the event's `time`. Only that window can be fetched, and only as long as the template's range means it"
    )]
    NotTheTemplatesWindow { asked: Window, own: Window },
    #[error(
        "the range of this report is its template's, which at {now} no longer means {window}: the API can't be asked for a window that is over. Use another report, or an API that takes dates"
    )]
    TemplateMovedOn { window: Window, now: Timestamp },
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::new(FailureName::Config, error.to_string())
    }
}

/// What the event asks for, checked.
pub(super) struct WindowRequest {
    pub(super) definition: Definition,
    pub(super) window: Window,
    pub(super) keys: ReportKeys,
    pub(super) prefix: String,
    /// Identifies the request: `schedule`, or the id of the event that asks for a replay.
    pub(super) key: String,
    pub(super) now: Timestamp,
}

impl WindowRequest {
    pub(super) fn from_message(prefix: &str, message: &TriggerIn) -> Result<Self, RequestError> {
        let detail = &message.event.detail;
        let definition = Definition::from_value(&detail.definition)
            .map_err(RequestError::Definition)?
            .definition;
        Ok(Self {
            keys: ReportKeys::new(prefix, &definition.pipeline.tenant, &definition.name),
            prefix: prefix.to_owned(),
            window: choose_window(&definition, detail, message)?,
            key: request_key(message)?,
            now: message.now,
            definition,
        })
    }

    /// When the window is final, if it is not final yet.
    pub(super) fn wait_for_final(
        &self,
        definition: &Definition,
    ) -> Result<Option<Timestamp>, RequestError> {
        let until = definition.settled_at(&self.window);
        if until <= self.now {
            return Ok(None);
        }
        if until.duration_since(self.now) > LONGEST_WAIT {
            return Err(RequestError::FinalTooLate {
                window: self.window,
                until,
            });
        }
        Ok(Some(until))
    }
}

fn request_key(message: &TriggerIn) -> Result<String, RequestError> {
    if message.event.detail.replay.is_none() {
        return Ok(SCHEDULE.to_owned());
    }
    match message.event.id.as_deref() {
        Some(id) if !id.is_empty() && id.len() <= ID_MAX => Ok(id.to_owned()),
        _ => Err(RequestError::ReplayId),
    }
}

fn choose_window(
    definition: &Definition,
    detail: &Detail,
    message: &TriggerIn,
) -> Result<Window, RequestError> {
    let Some(asked) = detail.window else {
        return scheduled_window(definition, message);
    };
    if definition.source().range == SourceRange::Requested {
        return Ok(asked);
    }
    // The API takes no dates, so that only the template's own window can be fetched.
    let own = scheduled_window(definition, message)?;
    if asked == own {
        return Ok(asked);
    }
    Err(RequestError::NotTheTemplatesWindow { asked, own })
}

/// The window that the definition's range means at the scheduled time.
fn scheduled_window(definition: &Definition, message: &TriggerIn) -> Result<Window, RequestError> {
    let scheduled = message.event.time.ok_or(RequestError::NoTime)?;
    let scheduled =
        Timestamp::from_second(scheduled.timestamp()).map_err(|_| RequestError::ImpossibleTime)?;
    definition
        .window_for(scheduled)
        .map_err(|source| RequestError::NoWindow { scheduled, source })
}
