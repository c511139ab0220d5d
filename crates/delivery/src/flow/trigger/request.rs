//! What the event asks for.

use definition::{
    Definition, Findings, RestateDistance, RestateDistanceError, SourceRange, Window, WindowError,
};
use jiff::{SignedDuration, Timestamp};

use crate::documents::RESTATEMENT;
use crate::keys::ReportKeys;
use crate::{Audit, Detail, Failure, FailureName, Next, PublishWork, TriggerIn};

/// A window that becomes final later than this is a mistake, not something to wait for.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The request key of every execution that a schedule starts, or an operator in its place.
const SCHEDULE: &str = "schedule";

/// An id of an operator's request is no longer than this, in bytes.
const ID_MAX: usize = 200;

/// The event can't be worked on: its definition, its window or its id is wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the definition is refused: {0}")]
    Definition(Findings),
    #[error(
        "a replay or a withdrawal needs an `id` of its own in the event (1 to {ID_MAX} characters), so that a repeated request is known as the same"
    )]
    RequestId,
    #[error(
        "the event asks for more than one of `detail.replay`, `detail.withdraw`, `detail.cancel`, `detail.restate` and `detail.expect`"
    )]
    ManyRequests,
    #[error("`detail.stored` goes with `detail.replay` and `detail.window`")]
    StoredAlone,
    #[error("a withdrawal or a cancellation needs the window that it is about, in `detail.window`")]
    WithoutWindow,
    #[error(
        "a restatement's window follows from the event's `time`: leave `detail.window` out, or ask for a replay of it"
    )]
    RestatementOfWindow,
    #[error("`detail.restate`, such as P1D: {0}")]
    Distance(RestateDistanceError),
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

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// The window, unless it was asked for before.
    Schedule,
    /// The window once more, for an operator.
    Replay,
    /// The window once more from what is stored of its pages, for an operator.
    StoredReplay,
    /// The window without its rows.
    Withdrawal,
    /// That the window's run at CXone is stopped.
    Cancellation,
    /// The window once more, because its data may have changed since the schedule asked for it.
    Restatement,
    /// Nothing of CXone: whether the window was delivered.
    Expectation,
}

/// What the event asks for, checked.
pub(super) struct WindowRequest {
    pub(super) definition: Definition,
    pub(super) window: Window,
    pub(super) keys: ReportKeys,
    pub(super) prefix: String,
    pub(super) kind: RequestKind,
    /// Identifies the request: `schedule`, the distance of a restatement, or the id of an operator's event.
    pub(super) key: String,
    /// Who asks and why, for an operator's request.
    pub(super) audit: Option<Audit>,
    pub(super) now: Timestamp,
    /// The event's time, or now if it has none.
    pub(super) asked_at: Timestamp,
}

impl WindowRequest {
    pub(super) fn from_message(prefix: &str, message: &TriggerIn) -> Result<Self, RequestError> {
        let detail = &message.event.detail;
        let definition = Definition::from_value(&detail.definition)
            .map_err(RequestError::Definition)?
            .definition;
        let kind = find_kind(detail)?;
        Ok(Self {
            keys: ReportKeys::new(prefix, &definition.pipeline.tenant, &definition.name),
            prefix: prefix.to_owned(),
            window: choose_window(&definition, kind, message)?,
            kind,
            key: request_key(kind, message)?,
            audit: find_audit(detail).cloned(),
            now: message.now,
            asked_at: scheduled_time(message).unwrap_or(message.now),
            definition,
        })
    }

    /// Says which version is to be published where a window was delivered before: an execution that was to publish it may have
    /// failed, or the table was not asked for then.
    pub(super) fn with_table(&self, mut next: Next) -> Next {
        if let Next::Delivered { version, table, .. } = &mut next
            && *version > 0
        {
            *table = PublishWork::find(&self.definition, *version);
        }
        next
    }

    /// Who asks for a restatement and why: the definition does.
    pub(super) fn explain_restatement(&self) -> Option<Audit> {
        (self.kind == RequestKind::Restatement).then(|| Audit {
            reason: format!("pipeline.restate: {}", self.key),
            requested_by: "schedule".to_owned(),
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

fn find_audit(detail: &Detail) -> Option<&Audit> {
    let Detail {
        replay,
        withdraw,
        cancel,
        ..
    } = detail;
    replay.as_ref().or(withdraw.as_ref()).or(cancel.as_ref())
}

fn find_kind(detail: &Detail) -> Result<RequestKind, RequestError> {
    let asked = [
        (detail.replay.is_some(), RequestKind::Replay),
        (detail.withdraw.is_some(), RequestKind::Withdrawal),
        (detail.cancel.is_some(), RequestKind::Cancellation),
        (detail.restate.is_some(), RequestKind::Restatement),
        (detail.expect.is_some(), RequestKind::Expectation),
    ];
    let mut asked = asked.iter().filter(|(is_asked, _)| *is_asked);
    let kind = asked
        .next()
        .map_or(RequestKind::Schedule, |(_, kind)| *kind);
    match (asked.next(), kind) {
        (Some(_), _) => Err(RequestError::ManyRequests),
        (None, RequestKind::Replay) if detail.stored => Ok(RequestKind::StoredReplay),
        (None, _) if detail.stored => Err(RequestError::StoredAlone),
        (None, kind) => Ok(kind),
    }
}

fn request_key(kind: RequestKind, message: &TriggerIn) -> Result<String, RequestError> {
    let event = &message.event;
    match (kind, event.id.as_deref()) {
        // Neither of the last two opens a generation, so that nothing is known by its key.
        (RequestKind::Schedule | RequestKind::Expectation | RequestKind::Cancellation, _) => {
            Ok(SCHEDULE.to_owned())
        }
        (RequestKind::Restatement, _) => {
            Ok(format!("{RESTATEMENT}{}", parse_distance(&event.detail)?))
        }
        (_, Some(id)) if !id.is_empty() && id.len() <= ID_MAX => Ok(id.to_owned()),
        _ => Err(RequestError::RequestId),
    }
}

fn choose_window(
    definition: &Definition,
    kind: RequestKind,
    message: &TriggerIn,
) -> Result<Window, RequestError> {
    let asked = match (kind, message.event.detail.window) {
        // Nothing is asked of the API, so that it does not matter what it could be asked for.
        (
            RequestKind::StoredReplay
            | RequestKind::Withdrawal
            | RequestKind::Cancellation
            | RequestKind::Expectation,
            Some(window),
        ) => return Ok(window),
        (RequestKind::StoredReplay, None) => return Err(RequestError::StoredAlone),
        (RequestKind::Expectation, None) => return expected_window(definition, message),
        (RequestKind::Withdrawal | RequestKind::Cancellation, None) => {
            return Err(RequestError::WithoutWindow);
        }
        (RequestKind::Restatement, Some(_)) => return Err(RequestError::RestatementOfWindow),
        (RequestKind::Restatement, None) => restated_window(definition, message)?,
        (_, Some(window)) => window,
        (_, None) => return scheduled_window(definition, message),
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
    let scheduled = scheduled_time(message)?;
    definition
        .window_for(scheduled)
        .map_err(|source| RequestError::NoWindow { scheduled, source })
}

/// The window that the definition's range meant so long before the scheduled time.
fn restated_window(definition: &Definition, message: &TriggerIn) -> Result<Window, RequestError> {
    let (scheduled, distance) = (
        scheduled_time(message)?,
        parse_distance(&message.event.detail)?,
    );
    definition
        .restated_window(scheduled, distance)
        .map_err(|source| RequestError::NoWindow { scheduled, source })
}

/// The window that was to be delivered by the event's time.
fn expected_window(definition: &Definition, message: &TriggerIn) -> Result<Window, RequestError> {
    let scheduled = scheduled_time(message)?;
    definition
        .expected_window(scheduled)
        .map_err(|source| RequestError::NoWindow { scheduled, source })
}

fn scheduled_time(message: &TriggerIn) -> Result<Timestamp, RequestError> {
    let scheduled = message.event.time.ok_or(RequestError::NoTime)?;
    Timestamp::from_second(scheduled.timestamp()).map_err(|_| RequestError::ImpossibleTime)
}

fn parse_distance(detail: &Detail) -> Result<RestateDistance, RequestError> {
    let text = detail.restate.as_deref().unwrap_or_default();
    text.parse().map_err(RequestError::Distance)
}
