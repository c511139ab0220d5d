//! Reads from the input of an execution what it was started for.

use definition::{Api, Definition, Window};
use delivery::Audit;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

/// What an execution was started for. A field is empty where the input does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    tenant: Option<String>,
    report: Option<String>,
    pub(crate) window: Option<Window>,
    scheduled_at: Option<Timestamp>,
    /// Why the window is replayed, and who asked for it.
    pub(crate) replay: Option<String>,
    /// Why the window is withdrawn, and who asked for it.
    pub(crate) withdraw: Option<String>,
    /// How old the window is that the schedule states anew, such as `P1D`.
    pub(crate) restate: Option<String>,
    /// What is expected of the window, such as that it is `delivered`: then nothing was started.
    pub(crate) expect: Option<String>,
    #[serde(skip)]
    pub(crate) api: Option<Api>,
}

impl Request {
    /// Reads each field by itself, because a wrong input may be the reason why the execution failed.
    pub(crate) fn from_input(input: &str) -> Self {
        let event: Value = serde_json::from_str(input).unwrap_or_default();
        let definition = event.pointer("/detail/definition").unwrap_or(&Value::Null);
        let scheduled_at: Option<Timestamp> = read_field(&event, "/time");
        let restate: Option<String> = read_field(&event, "/detail/restate");
        let expect: Option<String> = read_field(&event, "/detail/expect");
        let window_of_definition = || {
            let definition = Definition::from_value(definition).ok()?.definition;
            let at = scheduled_at?;
            let window = match &restate {
                Some(distance) => definition.restated_window(at, distance.parse().ok()?),
                None if expect.is_some() => definition.expected_window(at),
                None => definition.window_for(at),
            };
            window.ok()
        };
        Self {
            tenant: read_field(definition, "/pipeline/tenant"),
            report: read_field(definition, "/name"),
            window: read_field(&event, "/detail/window").or_else(window_of_definition),
            scheduled_at,
            replay: read_audit(&event, "/detail/replay"),
            withdraw: read_audit(&event, "/detail/withdraw"),
            restate,
            expect,
            api: read_api(definition),
        }
    }

    /// `tenant / report`.
    pub(crate) fn title(&self) -> String {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        format!("{} / {}", known(&self.tenant), known(&self.report))
    }
}

fn read_audit(event: &Value, pointer: &str) -> Option<String> {
    let audit: Audit = read_field(event, pointer)?;
    Some(format!(
        "{} (requested by {})",
        audit.reason, audit.requested_by
    ))
}

/// The API of a definition, which need not name it.
fn read_api(definition: &Value) -> Option<Api> {
    match definition.pointer("/pipeline")?.get("api") {
        Some(api) => Api::deserialize(api).ok(),
        None => Some(Api::Analytics),
    }
}

fn read_field<T: DeserializeOwned>(document: &Value, pointer: &str) -> Option<T> {
    T::deserialize(document.pointer(pointer)?).ok()
}
