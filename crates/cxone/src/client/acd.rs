//! What report jobs, data download and contacts have in common: the ACD's paths, ids of our own, and odd answers.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde_json::Value;
use url::Url;

use super::Client;
use crate::error::Error;
use definition::RunId;

impl Client {
    /// The URL of something under `/inContactAPI/services/vN.0`.
    pub(super) fn acd_url(&self, api_version: u16, parts: &[&str]) -> Url {
        let version = format!("v{api_version}.0");
        self.url(&["inContactAPI", "services", &version], parts)
    }
}

/// 32 hexadecimal digits that are there once: names of files must be new in every call, and so are ids of our own.
pub(super) fn unique() -> String {
    // Each of these states is made of random keys.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// An id for a run that the API knows nothing of.
pub(super) fn own_run(step: &'static str, kind: &str) -> Result<RunId, Error> {
    RunId::new(format!("{kind}-{}", unique()))
        .map_err(|error| Error::contract(step, error.to_string()))
}

/// An id in an answer: a text or a number, and nothing that could climb out of a path.
pub(super) fn run_id(value: &Value) -> Option<RunId> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    RunId::new(text).ok()
}

/// A text in an answer; numbers are texts too, and nothing is none.
pub(super) fn word(object: &Value, name: &str) -> Option<String> {
    match &object[name] {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
