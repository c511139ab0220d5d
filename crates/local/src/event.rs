//! The event that starts an execution.

use definition::Window;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A scheduled event, as EventBridge Scheduler sends it or an operator makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledEvent {
    /// Tells a new wish from an old one that comes again; by default the same for the same time.
    pub id: String,
    /// The report definition.
    pub definition: Value,
    /// The scheduled time, from which a relative range is taken.
    pub time: Timestamp,
    /// Another window than the definition's.
    pub window: Option<Window>,
    /// Why a window that was delivered is wanted again.
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

    /// Sets the id. Each replay of a window is a wish of its own and needs one of its own.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Asks for a window that was delivered before, and says why.
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
