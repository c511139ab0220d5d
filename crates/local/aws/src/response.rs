//! Answers in the shapes that AWS's SDKs understand.

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::http::{self, Body};

/// An error of a service with a JSON protocol.
#[derive(Debug)]
pub(super) struct JsonError {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
}

impl JsonError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn respond(&self, content_type: &'static str) -> Response<Body> {
        let body = json!({"__type": self.code, "message": self.message, "Message": self.message});
        let mut response = http::answer(self.status, content_type, body.to_string());
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        response
    }
}

/// The answer to a call of a JSON protocol.
pub(super) fn json(content_type: &'static str, result: Result<Value, JsonError>) -> Response<Body> {
    match result {
        Ok(value) => http::answer(StatusCode::OK, content_type, value.to_string()),
        Err(error) => error.respond(content_type),
    }
}
