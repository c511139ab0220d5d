//! JSON that travels between states, with its text.

use std::sync::Arc;

use serde_json::Value;

use super::MAX_PAYLOAD_BYTES;

/// A value and its JSON text, which is written once and shared by the events that show it.
#[derive(Debug, Clone)]
pub(super) struct Payload {
    pub(super) value: Arc<Value>,
    pub(super) text: Arc<str>,
}

impl Payload {
    pub(super) fn new(value: Value) -> Self {
        // Serialising a value can't fail; `Value::to_string` is slower.
        let text = serde_json::to_string(&value).unwrap_or_default().into();
        Self {
            value: Arc::new(value),
            text,
        }
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.text.len() > MAX_PAYLOAD_BYTES
    }
}
