//! The decisions: what to do next for a window, which slot to trust, what to commit.
//!
//! No I/O, no clock, no randomness. Everything is asked for through [`crate::effects::Effects`].

mod commits;
mod fetch;
mod finalize;
mod pace;
mod plan;
mod stall;
mod trigger;

pub use fetch::fetch;
pub use finalize::finalize;
pub use plan::{Leaf, Plan, RunState};
pub use trigger::trigger;

use crate::{Failure, FailureName};
use serde::de::DeserializeOwned;

/// The message format that every stored object carries.
const V: u8 = 1;

fn contract(message: impl Into<String>) -> Failure {
    Failure::new(FailureName::Contract, message)
}

/// Reads a stored object. The text of serde's error is not repeated: it may quote the object.
fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        contract(format!(
            "the stored object {key} can not be read (line {}, column {}); was it written by a newer version?",
            error.line(),
            error.column()
        ))
    })
}

/// Serialises what is about to be claimed.
fn body<T: serde::Serialize>(document: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(document)
        .map_err(|_| contract("a document of the protocol can not be serialised"))
}
