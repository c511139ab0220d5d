//! Reads from the input of an execution what it was started for.

use definition::{Api, Window};
use delivery::{Audit, window_of_event};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

/// What an execution was started for. A field is empty where the input does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) tenant: Option<String>,
    pub(crate) report: Option<String>,
    pub(crate) window: Option<Window>,
    pub(crate) scheduled_at: Option<Timestamp>,
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
        Self {
            tenant: read_field(definition, "/pipeline/tenant"),
            report: read_field(definition, "/name"),
            window: window_of_event(&event),
            scheduled_at: read_field(&event, "/time"),
            replay: read_audit(&event, "/detail/replay"),
            withdraw: read_audit(&event, "/detail/withdraw"),
            restate: read_field(&event, "/detail/restate"),
            expect: read_field(&event, "/detail/expect"),
            api: read_api(definition),
        }
    }

    /// The tenant and the report, such as `acme / Agents`.
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
