//! What an invocation is about.

use definition::Window;
use definition::text::clean_detail;
use delivery::window_of_event;
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// What an invocation is about, read from its message as far as it says it. A message that a handler refuses has it as well.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    execution: Option<String>,
    report: Option<String>,
    tenant: Option<String>,
    window: Option<Window>,
    run: Option<String>,
    request_id: Option<String>,
}

impl Subject {
    pub(crate) fn new(message: &Value, request_id: &str) -> Self {
        let event = message.get("event");
        let definition = event.and_then(|event| event.pointer("/detail/definition"));
        let text = |at: &str| read_text(message.pointer(at));
        let of_definition = |at: &str| read_text(definition?.pointer(at));
        let window = message.pointer("/work/window");
        Self {
            execution: text("/execution").or_else(|| text("/execution/id")),
            report: text("/work/report").or_else(|| of_definition("/name")),
            tenant: text("/work/tenant").or_else(|| of_definition("/pipeline/tenant")),
            window: window
                .and_then(|window| Window::deserialize(window).ok())
                .or_else(|| window_of_event(event?)),
            run: text("/work/runId"),
            request_id: Some(request_id.to_owned()),
        }
    }

    /// Writes every field, also those that are not known.
    pub(crate) fn write_to(&self, members: &mut Map<String, Value>) {
        let window = self.window.map(|window| window.to_string());
        for (name, value) in [
            ("execution", &self.execution),
            ("report", &self.report),
            ("tenant", &self.tenant),
            ("window", &window),
            ("run", &self.run),
            ("requestId", &self.request_id),
        ] {
            members.insert(name.to_owned(), value.as_deref().into());
        }
    }
}

fn read_text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(clean_detail)
}
