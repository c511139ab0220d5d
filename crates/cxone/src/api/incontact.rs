//! What the APIs below `/inContactAPI` (report jobs, data download, contacts) and data extraction have in common.

use definition::{Definition, RunId};
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

/// The rules for a file whose columns a report's author has named.
pub(super) fn file_rules(definition: &Definition) -> FileRules {
    let mut rules = FileRules::of_definition(definition, ColumnNames::MadeDistinct);
    // Without the key's columns there are no rows, whether or not the author has listed them.
    for column in &definition.pipeline.key {
        if !rules.required_columns.contains(column) {
            rules.required_columns.push(column.clone());
        }
    }
    rules
}
