//! Answers in the shapes that AWS's SDKs understand.

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
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

/// So many of the items that there are, and the token of the rest; `None` for a token that was not given out here.
pub(super) fn cut_page<T>(
    all: Vec<T>,
    size: usize,
    token: Option<&str>,
) -> Option<(Vec<T>, Option<String>)> {
    let start: usize = match token {
        None => 0,
        Some(token) => token.strip_prefix("local-")?.parse().ok()?,
    };
    let end = all.len().min(start.saturating_add(size));
    let next = (end < all.len()).then(|| format!("local-{end}"));
    Some((all.into_iter().skip(start).take(size).collect(), next))
}

/// A time as the JSON protocols have it.
pub(super) fn seconds(time: Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit in 53 bits"
    )]
    let millis = time.as_millisecond() as f64;
    json!(millis / 1000.0)
}
