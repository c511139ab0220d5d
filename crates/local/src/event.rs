//! The event that starts an execution.

use definition::Window;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A scheduled event, as EventBridge Scheduler sends it or an operator makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledEvent {
    /// Distinguishes a new request from a repeated one. By default it follows from the time, so the same time is the same request.
    pub id: String,
    pub definition: Value,
    /// The scheduled time, which a relative range refers to.
    pub time: Timestamp,
    /// A window instead of the definition's range.
    pub window: Option<Window>,
    /// The reason to fetch a delivered window again.
    pub replay: Option<String>,
}

impl ScheduledEvent {
    /// The event of a definition at its scheduled time.
    #[must_use]
    pub fn new(definition: Value, time: Timestamp) -> Self {
        Self {
            id: format!("00000000-0000-4000-a000-{:012x}", time.as_second()),
            definition,
            time,
            window: None,
            replay: None,
        }
    }

    /// Asks for this window.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Sets the id. Each replay of a window is a request of its own and needs an id of its own.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Asks for a delivered window again, for this reason.
    #[must_use]
    pub fn replay(mut self, reason: impl Into<String>) -> Self {
        self.replay = Some(reason.into());
        self
    }

    /// The input of the execution.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut detail = json!({ "definition": self.definition });
        if let Some(window) = &self.window {
            detail["window"] = json!(window);
        }
        if let Some(reason) = &self.replay {
            detail["replay"] = json!({"reason": reason, "requestedBy": "local"});
        }
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "000000000000",
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": "us-east-1",
            "resources": ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/report"],
            "detail": detail,
        })
    }
}
