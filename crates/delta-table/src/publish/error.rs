//! Why a version can't be published.

use delivery::flow::parse_stored;
use delivery::{Failure, FailureName};
use serde::de::DeserializeOwned;

/// Something is gone that publishing needs.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
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
pub(super) fn parse<T: DeserializeOwned>(key: &str, bytes: Option<Vec<u8>>) -> Result<T, Failure> {
    let bytes = bytes.ok_or_else(|| PublishError::Missing {
        key: key.to_owned(),
    })?;
    Ok(parse_stored(key, &bytes)?)
}
