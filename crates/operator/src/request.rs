//! Reads from the input of an execution what it was started for.

use definition::{Api, Definition, ReportName, TenantId, Window, WindowZone};
use delivery::{Audit, window_of_event};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use crate::address::slug;
use crate::state::{WindowNaming, label_window};

/// What an execution was started for. A field is empty where the input does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// Why its run at CXone is cancelled, and who asked for it.
    pub(crate) cancel: Option<String>,
    /// How old the window is that the schedule states anew, such as `P1D`.
    pub(crate) restate: Option<String>,
    /// What is expected of the window, such as that it is `delivered`: then nothing was started.
    pub(crate) expect: Option<String>,
    #[serde(skip)]
    pub(crate) api: Option<Api>,
    /// How the report's windows are called.
    #[serde(skip)]
    pub(crate) naming: WindowNaming,
}

impl Request {
    /// Reads each field by itself, because a wrong input may be the reason why the execution failed.
    pub(crate) fn from_input(input: &str) -> Self {
        let event: Value = serde_json::from_str(input).unwrap_or_default();
        let definition = event.pointer("/detail/definition").unwrap_or(&Value::Null);
        Self {
            tenant: read_field(definition, "/pipeline/tenant"),
            report: read_field(definition, "/name"),
            window: window_of_event(&event).or_else(|| guess_window(&event)),
            scheduled_at: read_field(&event, "/time"),
            replay: read_audit(&event, "/detail/replay"),
            withdraw: read_audit(&event, "/detail/withdraw"),
            cancel: read_audit(&event, "/detail/cancel"),
            restate: read_field(&event, "/detail/restate"),
            expect: read_field(&event, "/detail/expect"),
            api: read_api(definition),
            naming: read_naming(definition),
        }
    }

    /// What to type for its window: `TENANT/REPORT` and the window; `None` where the input does not say them.
    pub(crate) fn address(&self) -> Option<(String, String)> {
        let (tenant, report) = (self.tenant.as_ref()?, slug(self.report.as_ref()?));
        let label = label_window(&self.window?, &self.naming);
        (!report.is_empty()).then(|| (format!("{tenant}/{report}"), label))
    }

    /// What is asked for out of the ordinary.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let wishes = [
            ("replay", &self.replay),
            ("withdraw", &self.withdraw),
            ("cancel", &self.cancel),
            ("restate", &self.restate),
            ("expect", &self.expect),
        ];
        wishes
            .into_iter()
            .filter_map(|(label, asked)| Some((label, asked.as_deref()?)))
    }

    /// Where its window's rows are; `None` where the input does not say it.
    pub(crate) fn place(&self) -> Option<(TenantId, ReportName, Window)> {
        let tenant = self.tenant.as_ref()?.parse().ok()?;
        Some((tenant, self.report.as_ref()?.parse().ok()?, self.window?))
    }

    /// The tenant and the report, such as `acme / Agents`.
    pub(crate) fn title(&self) -> String {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        format!("{} / {}", known(&self.tenant), known(&self.report))
    }
}

/// The definition in the input of an execution, if it is accepted.
pub(crate) fn definition_of_input(input: &str) -> Option<Definition> {
    let event: Value = serde_json::from_str(input).ok()?;
    let read = Definition::from_value(event.pointer("/detail/definition")?);
    read.ok().map(|read| read.definition)
}

/// The window that was meant by an event whose definition is refused, if what is wrong with it says nothing of dates.
fn guess_window(event: &Value) -> Option<Window> {
    let written = event.pointer("/detail/definition")?;
    let mut plain = json!({
        "name": "x", "schedule": written.get("schedule")?,
        "report": {
            "type": "agent", "metrics": ["handleTime"], "dimensions": ["agentId"], "grouping": ["agentId"],
            "dateRange": written.pointer("/report/dateRange")?,
        },
        "delivery": {"type": "api"},
        "pipeline": {"tenant": "x", "key": ["agentId"]},
    });
    for field in ["windowZone", "settledAt", "expectedBy"] {
        if let Some(value) = written.get("pipeline").and_then(|it| it.get(field)) {
            plain["pipeline"][field] = value.clone();
        }
    }
    let mut event = event.clone();
    *event.pointer_mut("/detail/definition")? = plain;
    window_of_event(&event)
}

fn read_audit(event: &Value, pointer: &str) -> Option<String> {
    let audit: Audit = read_field(event, pointer)?;
    Some(format!(
        "{} (requested by {})",
        audit.reason, audit.requested_by
    ))
}

/// A definition that is refused may still say where days begin.
fn read_naming(definition: &Value) -> WindowNaming {
    match Definition::from_value(definition) {
        Ok(read) => WindowNaming::new(Some(&read.definition)),
        Err(_) => WindowNaming::in_zone(read_zone(definition).unwrap_or(TimeZone::UTC)),
    }
}

fn read_zone(definition: &Value) -> Option<TimeZone> {
    let name: String = read_field(definition, "/pipeline/windowZone")?;
    let zone: WindowZone = name.parse().ok()?;
    Some(zone.rules().clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong elsewhere in a definition does not hide which day it is about.
    #[test]
    fn the_window_of_a_refused_definition_is_known() {
        let text = include_str!("../../../events/scheduled.json");
        let mut event: Value = serde_json::from_str(text).unwrap();
        let right = Request::from_input(&event.to_string());
        event["detail"]["definition"]["report"]["metrics"][0] = json!("handelTime");
        let wrong = Request::from_input(&event.to_string());
        assert_eq!(wrong.window, right.window);
        assert!(wrong.window.is_some());
        event["detail"]["definition"]["report"]["dateRange"] = json!("soon");
        assert_eq!(Request::from_input(&event.to_string()).window, None);
    }
}
