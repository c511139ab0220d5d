//! Reading and writing the documents that are stored.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, FailureName};

/// The message format that every stored object carries.
pub(super) const V: u8 = 1;

/// A stored object is not what the protocol writes.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
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
        "the stored object {key} was listed and is gone; this pipeline deletes nothing, so look for a lifecycle rule or a person"
    )]
    Missing { key: String },
    #[error("generation {generation} of {window} was joined before and its open.json is gone")]
    GenerationGone {
        generation: u32,
        window: definition::Window,
    },
    #[error("{count} slots below {folder} were stored before and are gone")]
    SlotsGone { count: u32, folder: String },
    #[error("the message names another run than {key}")]
    AnotherRun { key: String },
    #[error("the run's start in {key} is not a time from which 45 minutes can be counted")]
    ImpossibleStart { key: String },
    #[error("the slot {key} does not continue the one before it")]
    BrokenChain { key: String },
    #[error("a stored part is not what its slot says: {difference}")]
    PartDiffers { difference: String },
    #[error("a document of the protocol can't be serialised")]
    Unwritable,
}

impl From<StoredError> for Failure {
    fn from(error: StoredError) -> Self {
        Self::new(FailureName::Contract, error.to_string())
    }
}

/// Reads a stored object.
///
/// # Errors
/// [`StoredError::Unreadable`].
pub fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StoredError> {
    serde_json::from_slice(bytes).map_err(|error| StoredError::Unreadable {
        key: key.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

/// Serialises a document that is about to be claimed.
pub(super) fn serialise<T: Serialize>(document: &T) -> Result<Vec<u8>, StoredError> {
    serde_json::to_vec(document).map_err(|_| StoredError::Unwritable)
}

/// The bytes of an object that has to be there.
pub(super) fn require_stored(key: &str, bytes: Option<Vec<u8>>) -> Result<Vec<u8>, StoredError> {
    bytes.ok_or_else(|| StoredError::Missing {
        key: key.to_owned(),
    })
}
