//! Answers in the shapes that AWS's SDKs understand.

use std::io;

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::s3::xml_escape;
use crate::http::{self, Body};

/// An error of S3.
#[derive(Debug)]
pub(super) struct S3Error {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
}

impl S3Error {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    pub(super) fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )
    }

    pub(super) fn not_implemented() -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "The local S3 does not know this operation",
        )
    }

    /// The answer; one to a HEAD request has no body.
    pub(super) fn respond(&self, resource: &str, head: bool) -> Response<Body> {
        if head {
            return http::empty(self.status);
        }
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource><RequestId>local</RequestId></Error>",
            xml_escape(&self.code),
            xml_escape(&self.message),
            xml_escape(resource)
        );
        http::answer(self.status, "application/xml", body)
    }
}

impl From<io::Error> for S3Error {
    fn from(error: io::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("the folder can't be used: {error}"),
        )
    }
}

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

/// An XML document.
pub(super) fn xml(body: &str) -> Response<Body> {
    let document = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    http::answer(StatusCode::OK, "application/xml", document)
}
