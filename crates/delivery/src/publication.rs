//! The messages between the state machine and Publish.

use definition::{Definition, ReportName, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The version that Publish is asked to make of the report's table, with all that are missing before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishWork {
    pub tenant: TenantId,
    pub report: ReportName,
    /// A version of the commit log.
    pub version: u64,
}

impl PublishWork {
    /// What is to be published once a version is committed; `None` where the definition asks for no table.
    #[must_use]
    pub fn find(definition: &Definition, version: u64) -> Option<Self> {
        definition.pipeline.table.map(|_| Self {
            tenant: definition.pipeline.tenant.clone(),
            report: definition.name.clone(),
            version,
        })
    }
}

/// What Publish is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishIn {
    pub v: Version,
    /// The id of the execution that asks, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The state machine's time.
    pub now: Timestamp,
    pub work: PublishWork,
}

/// Whether the version is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishNext {
    /// Not yet: ask again.
    More,
    Published,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishOut {
    pub v: Version,
    pub next: PublishNext,
    /// The last version that the table is known to have.
    pub table_version: u64,
}
