//! Reading a message.

use lambda_runtime::LambdaEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, FailureName, clean};

/// Reads a handler's message. To the state machine, one that can't be read fails under a name of
/// ours, where the runtime would give the name of a Rust type.
///
/// # Errors
/// `Cxone.Config`, naming the field.
pub fn read<T: DeserializeOwned>(event: LambdaEvent<Value>) -> Result<LambdaEvent<T>, Failure> {
    let payload = serde_path_to_error::deserialize(event.payload).map_err(|error| {
        let message = format!("the message can't be read: {error}");
        Failure::new(FailureName::Config, clean(&message))
    })?;
    Ok(LambdaEvent::new(payload, event.context))
}
