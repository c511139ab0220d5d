//! Why a version can't be published.

use delivery::{Failure, FailureName};
use serde::de::DeserializeOwned;

/// A stored object is not what the protocol writes.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
    /// The text of serde's error is not kept: it may quote the object.
    #[error(
        "the stored object {key} can't be read (line {line}, column {column}); was it written by a newer version?"
    )]
    Unreadable {
        key: String,
        line: usize,
        column: usize,
    },
    #[error(
        "the stored object {key} is gone; this pipeline deletes nothing, so look for a lifecycle rule or a person"
    )]
    Missing { key: String },
    #[error(
        "the part {part} of version {version} is gone, and no later version replaces its rows: replay the window {window} with `cxr replay`; its new version publishes what is missing as well"
    )]
    PartGone {
        part: String,
        version: u64,
        window: definition::Window,
    },
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::new(FailureName::Contract, error.to_string())
    }
}

/// Reads an object that has to be there.
pub(super) fn parse<T: DeserializeOwned>(
    key: &str,
    bytes: Option<Vec<u8>>,
) -> Result<T, PublishError> {
    let bytes = bytes.ok_or_else(|| PublishError::Missing {
        key: key.to_owned(),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| PublishError::Unreadable {
        key: key.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}
