//! The input of an execution: an EventBridge scheduled event.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use definition::{Definition, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The event as Trigger reads it.
pub type Event = EventBridgeEvent<Detail>;

/// The part of the event that is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The report definition, as written by its author. Checked by Trigger, so that
    /// a wrong one yields all its findings and not the first one only.
    pub definition: Value,
    /// The operator's window; without it the definition's range before the event's `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Asks for the window again although it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Audit>,
    /// With `replay`: CXone is asked for nothing, and what is stored of the window's pages is merged and committed anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stored: bool,
    /// Takes back what was delivered of `window`: it is committed again without rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraw: Option<Audit>,
    /// Stops the run of `window` that is under way at CXone. Nothing is asked for, and nothing of it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Audit>,
    /// Asks again for the window that the schedule meant so long before the event's `time`, as an ISO 8601
    /// duration such as `P1D`. Read by Trigger, so that a wrong one is told as a finding is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restate: Option<String>,
    /// Starts nothing, and asks whether the window is there that the schedule meant `pipeline.expectedBy` before the event's
    /// `time`, or `window`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
}

/// What is expected of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// That consumers can read it.
    Delivered,
}

/// Who asks for something out of the ordinary, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Audit {
    /// Why, for the audit trail.
    pub reason: String,
    /// Who, for the audit trail.
    pub requested_by: String,
}

/// Builds the event that EventBridge Scheduler sends, or that an operator sends in its place.
///
/// Whoever starts an execution writes this type and Trigger reads [`Event`]. Equal calls make equal
/// JSON, down to the order of the fields, so that a digest of it identifies a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScheduledEvent {
    version: &'static str,
    id: String,
    detail_type: &'static str,
    source: &'static str,
    account: String,
    time: String,
    region: String,
    resources: Vec<String>,
    detail: Detail,
}

impl ScheduledEvent {
    /// The event for a definition at its scheduled time, of which whole seconds count. Its id is empty.
    #[must_use]
    pub fn new(definition: Value, time: Timestamp) -> Self {
        Self::at(definition, time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// The input of a schedule: the Scheduler fills in id, time and schedule at each invocation.
    #[must_use]
    pub fn for_scheduler(definition: Value) -> Self {
        Self::at(definition, "<aws.scheduler.scheduled-time>".to_owned())
            .with_id("<aws.scheduler.execution-id>")
            .with_resource("<aws.scheduler.schedule-arn>")
    }

    fn at(definition: Value, time: String) -> Self {
        Self {
            version: "0",
            id: String::new(),
            detail_type: "Scheduled Event",
            source: "aws.scheduler",
            account: String::new(),
            time,
            region: String::new(),
            resources: Vec::new(),
            detail: Detail {
                definition,
                window: None,
                replay: None,
                stored: false,
                withdraw: None,
                cancel: None,
                restate: None,
                expect: None,
            },
        }
    }

    /// Sets the id. A replay or a withdrawal is identified by it: the same id is the same request.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the account and the region that the event claims to come from.
    #[must_use]
    pub fn with_origin(mut self, account: &str, region: &str) -> Self {
        account.clone_into(&mut self.account);
        region.clone_into(&mut self.region);
        self
    }

    /// Adds the ARN of the schedule that the event claims to come from.
    #[must_use]
    pub fn with_resource(mut self, arn: impl Into<String>) -> Self {
        self.resources.push(arn.into());
        self
    }

    /// Asks for this window instead of the definition's range before the scheduled time.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.detail.window = Some(window);
        self
    }

    /// Asks for a window that was delivered before.
    #[must_use]
    pub fn with_replay(mut self, replay: Audit) -> Self {
        self.detail.replay = Some(replay);
        self
    }

    /// Asks for the window anew from the pages that are stored.
    #[must_use]
    pub fn with_stored_replay(mut self, replay: Audit) -> Self {
        self.detail.stored = true;
        self.with_replay(replay)
    }

    /// Takes a window back.
    #[must_use]
    pub fn with_withdrawal(mut self, withdrawal: Audit) -> Self {
        self.detail.withdraw = Some(withdrawal);
        self
    }

    /// Stops the run of the window that is under way at CXone.
    #[must_use]
    pub fn with_cancellation(mut self, cancellation: Audit) -> Self {
        self.detail.cancel = Some(cancellation);
        self
    }

    /// Asks again for the window that the schedule meant so long before, such as `P1D`.
    #[must_use]
    pub fn with_restatement(mut self, distance: impl Into<String>) -> Self {
        self.detail.restate = Some(distance.into());
        self
    }

    /// Asks only whether the window was delivered.
    #[must_use]
    pub fn with_expectation(mut self, expectation: Expectation) -> Self {
        self.detail.expect = Some(expectation);
        self
    }

    /// The part of the event that is ours.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// The event as a JSON value, which is the input of an execution.
    #[must_use]
    pub fn to_json(&self) -> Value {
        // Strings, lists and a value that was JSON before can always be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The window that an event asks for, as far as it can be read: what asks for something wrong asks for none.
#[must_use]
pub fn window_of_event(event: &Value) -> Option<Window> {
    let detail = event.get("detail")?;
    // A field that is null is one that is left out, as in `Detail`.
    let given = |name| detail.get(name).filter(|value| !value.is_null());
    if let Some(window) = given("window") {
        return Window::deserialize(window).ok();
    }
    let time = Timestamp::deserialize(event.get("time")?).ok()?;
    let definition = Definition::from_value(detail.get("definition")?)
        .ok()?
        .definition;
    let window = if let Some(distance) = given("restate") {
        definition.restated_window(time, distance.as_str()?.parse().ok()?)
    } else if given("expect").is_some() {
        definition.expected_window(time)
    } else {
        definition.window_for(time)
    };
    window.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00.75Z".parse().unwrap()
    }

    #[test]
    fn trigger_reads_what_the_builder_writes() {
        let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
        let replay = Audit {
            reason: "restated".to_owned(),
            requested_by: "ann".to_owned(),
        };
        let built = ScheduledEvent::new(json!({"name": "x"}), noon())
            .with_id("id-1")
            .with_origin("123456789012", "eu-central-1")
            .with_resource("arn:aws:scheduler:eu-central-1:123456789012:schedule/default/x")
            .with_window(window)
            .with_replay(replay);
        let read: Event = serde_json::from_value(built.to_json()).unwrap();
        assert_eq!(read.detail, *built.detail());
        assert_eq!(read.id.as_deref(), Some("id-1"));
        assert_eq!(read.time.unwrap().timestamp(), noon().as_second());
        assert_eq!(serde_json::to_value(&read).unwrap(), built.to_json());
    }

    /// All examples are about one day. Trigger takes a field that is null for one that is left out.
    #[test]
    fn an_events_window_is_the_one_that_trigger_works_on() {
        let day: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
        for example in [
            include_str!("../../../events/scheduled.json"),
            include_str!("../../../events/restate.json"),
            include_str!("../../../events/expect.json"),
            include_str!("../../../events/replay.json"),
            include_str!("../../../events/withdraw.json"),
            include_str!("../../../events/cancellation.json"),
        ] {
            let mut event: Value = serde_json::from_str(example).unwrap();
            assert_eq!(window_of_event(&event), Some(day), "{event}");
            for field in ["window", "restate", "expect"] {
                let detail = event["detail"].as_object_mut().unwrap();
                detail.entry(field).or_insert(Value::Null);
                assert_eq!(window_of_event(&event), Some(day), "{event}");
            }
        }
        let mut event: Value =
            serde_json::from_str(include_str!("../../../events/scheduled.json")).unwrap();
        event["detail"]["restate"] = json!("soon");
        assert_eq!(window_of_event(&event), None);
    }

    #[test]
    fn fields_stand_in_the_order_of_eventbridge() {
        let event = ScheduledEvent::new(json!(1), noon());
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"version":"0","id":"","detail-type":"Scheduled Event","source":"aws.scheduler","account":"","time":"2026-11-22T12:00:00Z","region":"","resources":[],"detail":{"definition":1}}"#
        );
        let scheduled = serde_json::to_string(&ScheduledEvent::for_scheduler(json!(1))).unwrap();
        for placeholder in ["scheduled-time", "execution-id", "schedule-arn"] {
            let placeholder = format!("<aws.scheduler.{placeholder}>");
            assert!(scheduled.contains(&placeholder), "{scheduled}");
        }
    }
}
