//! CloudWatch Logs: `FilterLogEvents` over what the handlers wrote.

mod pattern;

use hyper::Response;
use serde_json::{Value, json};

use crate::http::Body;
use crate::lambda::{LambdaHost, LogLine, STACK};
use crate::response::{self, JsonError, cut_page};
use pattern::Pattern;

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The most events that an answer has.
const MOST: usize = 10_000;

/// The group that a call is about.
pub(super) fn resource(input: &Value) -> &str {
    input["logGroupName"].as_str().unwrap_or_default()
}

pub(super) fn answer(lambda: &LambdaHost, operation: &str, input: &Value) -> Response<Body> {
    let result = match operation {
        "FilterLogEvents" => filter_events(lambda, input),
        _ => Err(JsonError::new(
            "UnknownOperationException",
            "the local log groups know FilterLogEvents only",
        )),
    };
    response::json(CONTENT_TYPE, result)
}

fn filter_events(lambda: &LambdaHost, input: &Value) -> Result<Value, JsonError> {
    let function = find_function(lambda, resource(input))?;
    let pattern = Pattern::parse(input["filterPattern"].as_str().unwrap_or_default());
    let pattern =
        pattern.map_err(|problem| JsonError::new("InvalidParameterException", problem))?;
    let from = input["startTime"].as_i64().unwrap_or(0);
    let to = input["endTime"].as_i64().unwrap_or(i64::MAX);
    let lines = lambda.logs().lines_of(function).into_iter();
    let meant = lines.filter(|line| {
        (from..=to).contains(&line.at.as_millisecond()) && pattern.matches(&line.text)
    });
    let size = input["limit"]
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok());
    let size = size.unwrap_or(MOST).clamp(1, MOST);
    let events = meant.map(|line| render_event(&line)).collect();
    let (events, next) = cut_page(events, size, input["nextToken"].as_str()).ok_or_else(|| {
        JsonError::new(
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        )
    })?;
    let mut answer = json!({"events": events, "searchedLogStreams": []});
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

/// The function that a group belongs to, as the template names it.
fn find_function<'g>(lambda: &LambdaHost, group: &'g str) -> Result<&'g str, JsonError> {
    let function = group
        .strip_prefix("/aws/lambda/")
        .and_then(|name| name.strip_prefix(STACK)?.strip_prefix('-'));
    function.filter(|name| lambda.has(name)).ok_or_else(|| {
        JsonError::new(
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        )
    })
}

fn render_event(line: &LogLine) -> Value {
    let at = line.at.as_millisecond();
    json!({
        "eventId": format!("{:056}", line.number),
        "ingestionTime": at,
        "logStreamName": format!("local/{}", line.instance),
        "message": line.text,
        "timestamp": at,
    })
}
