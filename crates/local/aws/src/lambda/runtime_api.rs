//! The [Lambda Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), one path prefix for each process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};

use super::instance::Instance;
use super::{FunctionError, PAYLOAD_LIMIT, Registry};
use crate::http::{self, Body, Cut};

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Cut>> + Send>>;

/// The service of the Runtime API.
pub(super) fn service(
    registry: Arc<Registry>,
) -> impl Fn(Request<Incoming>) -> Answering + Clone + Send + Sync + 'static {
    move |request| {
        let registry = Arc::clone(&registry);
        Box::pin(async move { Ok(route(&registry, request).await) })
    }
}

async fn route(registry: &Registry, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let [name, number, "2018-06-01", "runtime", rest @ ..] = segments.as_slice() else {
        return http::empty(StatusCode::NOT_FOUND);
    };
    let number = number.parse().unwrap_or(0);
    let Some(instance) = registry.instance(name, number) else {
        // This process was replaced or killed; it ends when it reads this answer.
        return http::empty(StatusCode::GONE);
    };
    match (request.method(), rest) {
        (&Method::GET, ["invocation", "next"]) => next(&instance).await,
        (&Method::POST, ["invocation", id, "response"]) => {
            finish(&instance, id, request.into_body(), true).await
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            finish(&instance, id, request.into_body(), false).await
        }
        (&Method::POST, ["init", "error"]) => init_error(&instance, request.into_body()).await,
        _ => http::empty(StatusCode::NOT_FOUND),
    }
}

/// Answers with the next invocation, once there is one.
async fn next(instance: &Instance) -> Response<Body> {
    let Some(invocation) = instance.next.lock().await.recv().await else {
        return http::empty(StatusCode::GONE);
    };
    let deadline = SystemTime::now() + invocation.timeout;
    let deadline = deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let trace = format!("Root=1-00000000-{};Sampled=0", &invocation.request_id[24..]);
    let mut response = http::answer(StatusCode::OK, "application/json", invocation.payload);
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.request_id),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", invocation.arn),
        ("lambda-runtime-trace-id", trace),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    let _ = invocation.taken.send(());
    response
}

async fn finish(instance: &Instance, id: &str, body: Incoming, succeeded: bool) -> Response<Body> {
    // More than the limit is read, so that the refusal can name the size.
    let Some(body) = http::read(body, PAYLOAD_LIMIT * 2).await else {
        return http::empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let answer = if succeeded {
        Ok(body)
    } else {
        Err(FunctionError::reported(body))
    };
    if instance.answer(id, answer) {
        http::answer(
            StatusCode::ACCEPTED,
            "application/json",
            r#"{"status":"OK"}"#,
        )
    } else {
        http::answer(
            StatusCode::BAD_REQUEST,
            "application/json",
            r#"{"errorType":"InvalidRequestID","errorMessage":"no invocation with this id is under way"}"#,
        )
    }
}

async fn init_error(instance: &Instance, body: Incoming) -> Response<Body> {
    if let Some(body) = http::read(body, PAYLOAD_LIMIT).await {
        instance.fail(FunctionError::reported(body));
    }
    instance.kill();
    http::answer(
        StatusCode::ACCEPTED,
        "application/json",
        r#"{"status":"OK"}"#,
    )
}
