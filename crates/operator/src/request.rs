//! What an execution was started for, read from its input.

use definition::{Definition, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an execution was started for; empty where its input does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Whose report.
    pub tenant: Option<String>,
    /// Which report.
    pub report: Option<String>,
    /// For which window.
    pub window: Option<Window>,
    /// The scheduled time.
    pub scheduled_at: Option<Timestamp>,
    /// Why a delivered window was wanted anew, and who wanted it.
    pub replay: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    time: Option<Timestamp>,
    detail: Detail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    definition: serde_json::Value,
    window: Option<Window>,
    replay: Option<Replay>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replay {
    reason: String,
    requested_by: String,
}

impl Request {
    /// Reads an input leniently: that of a failed execution may be the very reason why it failed.
    #[must_use]
    pub fn read(input: &str) -> Self {
        let event: Event = serde_json::from_str(input).unwrap_or_default();
        let definition = &event.detail.definition;
        let text = |pointer: &str| definition.pointer(pointer)?.as_str().map(str::to_owned);
        let by_definition = || {
            let checked = Definition::from_value(definition).ok()?;
            checked.definition.window_for(event.time?).ok()
        };
        Self {
            tenant: text("/pipeline/tenant"),
            report: text("/name"),
            window: event.detail.window.or_else(by_definition),
            scheduled_at: event.time,
            replay: event
                .detail
                .replay
                .map(|replay| format!("{} (requested by {})", replay.reason, replay.requested_by)),
        }
    }

    /// `tenant / report`.
    #[must_use]
    pub fn title(&self) -> String {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        format!("{} / {}", known(&self.tenant), known(&self.report))
    }
}
