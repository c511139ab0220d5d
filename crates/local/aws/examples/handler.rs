//! A handler for the tests of the host: does what the event says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var_os("REFUSE_TO_START").is_some() {
        return Err("it refuses to start".into());
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let fails = std::env::var_os("FAIL").is_some();
    match event.payload["do"].as_str() {
        _ if fails => Err(Diagnostic {
            error_type: "Cxone.Unavailable".to_owned(),
            error_message: "the tenant does not answer".to_owned(),
        }),
        Some("fail") => Err(Diagnostic {
            error_type: "Cxone.Contract".to_owned(),
            error_message: "the answer is no report".to_owned(),
        }),
        Some("exit") => std::process::exit(3),
        Some("sleep") => {
            let _ =
                tokio::time::timeout(Duration::from_mins(10), std::future::pending::<()>()).await;
            Ok(Value::Null)
        }
        Some("big") => Ok(Value::String("x".repeat(7 << 20))),
        Some("environment") => {
            let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
            let mut names: Vec<String> = names.collect();
            names.sort();
            Ok(
                json!({ "names": names, "pid": std::process::id(), "deadline": event.context.deadline }),
            )
        }
        Some("put") => Ok(put(event.payload["key"].as_str().unwrap_or("key"))),
        _ => Ok(event.payload),
    }
}

/// Puts an object, with the access key by which the gateway knows this process.
fn put(key: &str) -> Value {
    let var = |name| {
        std::env::var_os(name)
            .unwrap_or_default()
            .into_string()
            .unwrap_or_default()
    };
    let url = var("AWS_ENDPOINT_URL");
    let host = url.trim_start_matches("http://");
    let access_key = var("AWS_ACCESS_KEY_ID");
    let request = format!(
        "PUT /landing/{key} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 4\r\nauthorization: AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/s3/aws4_request\r\n\r\nrows"
    );
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(host) {
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_string(&mut answer);
    }
    json!(answer.lines().next())
}
