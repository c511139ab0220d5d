//! What a call says: in the query, in a form or in JSON, which the published APIs take alike.

use serde_json::Value;

use crate::request::{self, Request};

/// Names and values, the query before the body.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `None` for a body that says that it is JSON and isn't an object.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let mut all = request.all_queries().to_vec();
        let is_json = request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        if request.body.is_empty() {
            return Some(Self(all));
        }
        if !is_json {
            all.extend(request::form(&request.body));
            return Some(Self(all));
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(&request.body) else {
            return None;
        };
        let text = |value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
        all.extend(fields.map(|(name, value)| (name, text(value))));
        Some(Self(all))
    }

    /// The value of a parameter that is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A switch, written in any case.
    pub(super) fn switch(&self, name: &str, default: bool) -> Option<bool> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Some(default),
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => None,
        }
    }
}
