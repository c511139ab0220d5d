//! Runs a state machine on the local engine, in virtual time, and has each of its tasks carried out by an HTTP server: the tasks are
//! what the definition says, and the server, for `redshift_load.py`, does what AWS would.
//!
//! `run_machine DEFINITION SERVER` reads `{"name": "…", "substitutions": {…}, "input": {…}}`, starts an execution of this name and writes a line of JSON for each execution.
#![expect(
    clippy::unwrap_used,
    reason = "what can't be read or reached is a failed test"
)]

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use asl::{Clock, Engine, StateMachine, Status, TaskCall, TaskFailure};
use local_aws::tasks;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:machine";

#[derive(Deserialize)]
struct Asked {
    name: String,
    substitutions: BTreeMap<String, String>,
    input: Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [definition, server] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let asked: Asked = serde_json::from_reader(io::stdin()).unwrap();
    let definition = std::fs::read_to_string(definition).unwrap();
    let definition = asl::substitute(&definition, &asked.substitutions).unwrap();
    let engine = start_engine(StateMachine::parse(&definition).unwrap(), server);
    let mut started = engine
        .start(MACHINE, Some(&asked.name), asked.input)
        .unwrap()
        .execution_arn;
    let mut out = io::stdout();
    loop {
        let ended = engine.wait(&started).await.unwrap();
        let line = json!({
            "status": ended.status.as_str(), "output": ended.output, "error": ended.error, "cause": ended.cause,
            "events": engine.history(&started).unwrap().len(),
        });
        writeln!(out, "{line}").unwrap();
        let next = ended
            .output
            .as_ref()
            .and_then(|it| it["continuedBy"].as_str());
        match next {
            Some(next) if ended.status == Status::Succeeded => started = next.into(),
            _ => return,
        }
    }
}

fn start_engine(machine: StateMachine, server: String) -> Engine {
    let itself: Arc<OnceLock<Engine>> = Arc::default();
    let executions = Arc::clone(&itself);
    let run_task = move |call: TaskCall| {
        let (executions, server) = (Arc::clone(&executions), server.clone());
        async move {
            if call.resource.ends_with(":sfn:startExecution") {
                return tasks::start_execution(executions.get().unwrap(), &call.arguments);
            }
            let body = json!({"resource": &*call.resource, "arguments": &*call.arguments});
            let answer = post(&server, &body.to_string()).await.unwrap();
            match answer["error"].as_str() {
                None => Ok(answer["result"].clone()),
                Some(error) => Err(TaskFailure::new(error, answer["cause"].as_str().unwrap())),
            }
        }
    };
    let clock = Clock::virtual_at("2026-11-30T00:00:00Z".parse().unwrap());
    let engine = Engine::new(clock, run_task);
    itself.set(engine.clone()).unwrap();
    let role = "arn:aws:iam::123456789012:role/load";
    engine.register(MACHINE, role, machine).unwrap();
    engine
}

/// Sends a task to `host:port`, which closes the connection behind its answer.
async fn post(server: &str, body: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(server).await?;
    let length = body.len();
    let head = format!("POST / HTTP/1.0\r\nHost: {server}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(serde_json::from_str(body)?)
}
