//! A Step Functions of a handful of executions, on a loopback port.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:reports";

/// The ARN of an execution.
pub(crate) fn arn(name: &str) -> String {
    format!("{}:{name}", MACHINE.replace("stateMachine", "execution"))
}

#[derive(Default)]
pub(crate) struct States {
    /// What `DescribeExecution` answers, by name.
    pub(crate) executions: BTreeMap<String, Value>,
    /// The events of a history, by name.
    pub(crate) histories: BTreeMap<String, Vec<Value>>,
    /// Answers that come instead of the right ones.
    pub(crate) faults: VecDeque<&'static str>,
    pub(crate) calls: Vec<String>,
    /// Events or executions on a page.
    pub(crate) page: usize,
}

impl States {
    pub(crate) fn add(&mut self, name: &str, status: &str, started: &str, more: &Value) {
        let started: jiff::Timestamp = started.parse().unwrap();
        let mut execution = json!({
            "executionArn": arn(name), "stateMachineArn": MACHINE, "name": name, "status": status,
            "startDate": started.as_second(), "input": "{}",
            "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": "it runs or succeeded",
        });
        let fields = more.as_object().unwrap().clone();
        execution.as_object_mut().unwrap().extend(fields);
        self.executions.insert(name.to_owned(), execution);
    }

    fn answer(&mut self, operation: &str, body: &Value) -> Result<Value, &'static str> {
        self.calls.push(operation.to_owned());
        if let Some(fault) = self.faults.pop_front() {
            return Err(fault);
        }
        let name = body["executionArn"]
            .as_str()
            .map(|arn| arn.rsplit(':').next().unwrap());
        let execution =
            name.map(|name| self.executions.get_mut(name).ok_or("ExecutionDoesNotExist"));
        match operation {
            "ListExecutions" => Ok(self.list(body)),
            "DescribeExecution" => Ok(execution.unwrap()?.clone()),
            "GetExecutionHistory" => {
                execution.unwrap()?;
                let all = self
                    .histories
                    .get(name.unwrap())
                    .cloned()
                    .unwrap_or_default();
                Ok(paged("events", &all, body, self.page))
            }
            "RedriveExecution" => {
                let execution = execution.unwrap()?;
                if execution["redriveStatus"] != "REDRIVABLE" {
                    return Err("ExecutionNotRedrivable");
                }
                execution["status"] = "RUNNING".into();
                execution["redriveStatus"] = "NOT_REDRIVABLE".into();
                Ok(json!({"redriveDate": 1_780_000_000}))
            }
            "StartExecution" => self.start(body),
            _ => Err("UnknownOperationException"),
        }
    }

    fn list(&self, body: &Value) -> Value {
        let mut all: Vec<Value> = self.executions.values().cloned().collect();
        all.retain(|one| body["statusFilter"].is_null() || body["statusFilter"] == one["status"]);
        all.sort_by_key(|one| std::cmp::Reverse(one["startDate"].as_i64()));
        paged("executions", &all, body, self.page)
    }

    fn start(&mut self, body: &Value) -> Result<Value, &'static str> {
        let name = body["name"].as_str().unwrap();
        if let Some(known) = self.executions.get(name)
            && (known["status"] != "RUNNING" || known["input"] != body["input"])
        {
            return Err("ExecutionAlreadyExists");
        }
        let input = json!({"input": body["input"]});
        self.add(name, "RUNNING", "2026-06-10T12:00:00Z", &input);
        Ok(json!({"executionArn": arn(name), "startDate": 1_780_000_000}))
    }
}

fn paged(field: &str, all: &[Value], body: &Value, page: usize) -> Value {
    let from: usize = body["nextToken"]
        .as_str()
        .map_or(0, |token| token.parse().unwrap());
    let to = all.len().min(from + page);
    let next = (to < all.len()).then(|| to.to_string());
    json!({field: all[from..to], "nextToken": next})
}

/// A server under way.
#[derive(Clone)]
pub(crate) struct Server {
    states: Arc<Mutex<States>>,
    address: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let states = States {
            page: 2,
            ..States::default()
        };
        let server = Self {
            states: Arc::new(Mutex::new(states)),
            address: format!("http://{}", listener.local_addr().unwrap()),
        };
        tokio::spawn(server.clone().accept(listener));
        server
    }

    pub(crate) fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap()
    }

    pub(crate) fn config(&self) -> aws_sdk_sfn::Config {
        let retry = RetryConfig::standard()
            .with_max_attempts(8)
            .with_initial_backoff(Duration::from_millis(1));
        aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .endpoint_url(&self.address)
            .retry_config(retry)
            .build()
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| server.serve(request));
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let target = request.headers()["x-amz-target"]
            .to_str()
            .unwrap()
            .to_owned();
        let operation = target.strip_prefix("AWSStepFunctions.").unwrap();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let answer = self
            .states()
            .answer(operation, &serde_json::from_slice(&body).unwrap());
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(code) => (400, json!({"__type": code, "message": "because"})),
        };
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::from(body.to_string()))
            .unwrap();
        Ok(response)
    }
}
