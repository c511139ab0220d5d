//! Step Functions.

use hyper::Response;
use serde_json::Value;

use super::reply::{self, JsonError};
use crate::http::Body;

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The executions.
#[derive(Debug, Clone, Default)]
pub(crate) struct StateMachines;

impl StateMachines {
    pub(super) async fn answer(&self, operation: &str, _input: &Value) -> Response<Body> {
        reply::json(
            CONTENT_TYPE,
            Err(JsonError::new("UnknownOperationException", operation)),
        )
    }
}
