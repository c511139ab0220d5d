//! Lambda's Invoke.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use crate::http::{self, Body, text};
use crate::lambda::{InvokeError, LambdaHost, PAYLOAD_LIMIT};
use crate::response::JsonError;

pub(super) async fn answer(
    lambda: &LambdaHost,
    name: &str,
    headers: &HeaderMap,
    payload: Option<Bytes>,
) -> Response<Body> {
    let kind = text(headers, "x-amz-invocation-type");
    // A name, an ARN (whose colons may come encoded) or either with a qualifier.
    let name = name.replace("%3A", ":").replace("%24", "$");
    let name = name.split(":function:").last().unwrap_or(&name);
    let name = name.split(':').next().unwrap_or(name).to_owned();
    let Some(payload) = payload else {
        return refusal(&InvokeError::TooLarge(PAYLOAD_LIMIT + 1));
    };
    if kind == "Event" {
        let lambda = lambda.clone();
        tokio::spawn(async move { lambda.invoke(&name, payload).await });
        return http::empty(StatusCode::ACCEPTED);
    }
    let (body, failed) = match lambda.invoke(&name, payload).await {
        Ok(body) => (body, false),
        Err(InvokeError::Function(error)) => (error.payload, true),
        Err(error) => return refusal(&error),
    };
    let mut response = http::answer(StatusCode::OK, "application/json", body);
    let headers = response.headers_mut();
    headers.insert(
        "x-amz-executed-version",
        HeaderValue::from_static("$LATEST"),
    );
    if failed {
        headers.insert(
            "x-amz-function-error",
            HeaderValue::from_static("Unhandled"),
        );
    }
    response
}

fn refusal(error: &InvokeError) -> Response<Body> {
    let status = match error {
        InvokeError::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
        InvokeError::NotFound(_) => StatusCode::NOT_FOUND,
        InvokeError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let error = JsonError {
        status,
        code: error.name().trim_start_matches("Lambda.").to_owned(),
        message: error.to_string(),
    };
    error.respond("application/json")
}
