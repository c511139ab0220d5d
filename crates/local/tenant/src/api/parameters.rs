//! The parameters of a call: the published APIs take them in the query, in a form or in JSON.

use serde_json::Value;

use crate::request::{self, Request};

/// Names and values; those of the query come first.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `None` for a JSON body that is not an object.
    pub(super) fn from_request(request: &Request) -> Option<Self> {
        let mut all = request.all_queries().to_vec();
        let is_json = request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        if request.body.is_empty() {
            return Some(Self(all));
        }
        if !is_json {
            all.extend(request::parse_form(&request.body));
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

    /// `true` or `false` in any case; `None` for anything else.
    pub(super) fn get_switch(&self, name: &str, default: bool) -> Option<bool> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Some(default),
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => None,
        }
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("{name} is missing"))
    }

    pub(super) fn require_switch(&self, name: &str, default: bool) -> Result<bool, String> {
        self.get_switch(name, default)
            .ok_or_else(|| format!("{name} is true or false"))
    }
}
