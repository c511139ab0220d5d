//! The events that start executions here, as EventBridge Scheduler or an operator would send them.

use delivery::{Audit, ScheduledEvent};
use jiff::Timestamp;
use serde_json::Value;

/// The event of a definition at its scheduled time. Its id follows from the time, so that the same time is the same request.
#[must_use]
pub fn scheduled_event(definition: Value, time: Timestamp) -> ScheduledEvent {
    ScheduledEvent::new(definition, time)
        .with_id(format!("00000000-0000-4000-a000-{:012x}", time.as_second()))
        .with_origin("000000000000", "us-east-1")
        .with_resource("arn:aws:scheduler:us-east-1:000000000000:schedule/default/report")
}

/// A request to fetch a delivered window again. The event needs an id of its own, because the same id is the same request.
#[must_use]
pub fn replay(reason: impl Into<String>) -> Audit {
    Audit {
        reason: reason.into(),
        requested_by: "local".to_owned(),
    }
}
