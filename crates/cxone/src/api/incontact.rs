//! What the APIs below `/inContactAPI` (report jobs, data download, contacts) and data extraction have in common.

use definition::{Definition, RunId};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::http::Client;
use crate::page::{ColumnNames, FileRules};

impl Client {
    /// The URL of a path below `/inContactAPI/services/vN.0`.
    pub(super) fn incontact_url(&self, api_version: u16, parts: &[&str]) -> Url {
        let version = format!("v{api_version}.0");
        self.build_url(&["inContactAPI", "services", &version], parts)
    }
}

/// 32 hexadecimal digits, different each time: the name of a file must be new in every call.
pub(super) fn create_unique_name() -> String {
    Uuid::new_v4().simple().to_string()
}

/// An id for a run of an API that has no runs.
pub(super) fn create_run_id(kind: &str) -> Result<RunId, Error> {
    RunId::new(format!("{kind}-{}", create_unique_name()))
        .map_err(|error| Error::contract("start run", error.to_string()))
}

/// An id in an answer: a text or a number, with no character that could climb out of a path.
pub(super) fn read_run_id(value: &Value) -> Option<RunId> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    RunId::new(text).ok()
}

/// A text in an answer. A number counts as a text, and an empty text as missing.
pub(super) fn read_text(object: &Value, name: &str) -> Option<String> {
    match &object[name] {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The rules for a file whose columns a report's author has named, and which may end in totals with these labels.
pub(super) fn file_rules(definition: &Definition, total_labels: &[String]) -> FileRules {
    let columns = definition.columns().into_iter();
    FileRules {
        required_columns: columns.map(str::to_owned).collect(),
        number_columns: definition.metrics().to_vec(),
        column_names: ColumnNames::MadeDistinct,
        total_labels: Some(total_labels.to_vec()),
    }
}
