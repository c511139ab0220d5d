//! A handler for the tests of the host: does what the event says.

use std::time::Duration;

use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
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
        Some("put") => Ok(put(event.payload["key"].as_str().unwrap_or("key")).await),
        _ => Ok(event.payload),
    }
}

/// Puts an object, with the access key by which the gateway knows this process.
async fn put(key: &str) -> Value {
    let var = |name| {
        std::env::var_os(name)
            .unwrap_or_default()
            .into_string()
            .unwrap_or_default()
    };
    let (id, secret) = (var("AWS_ACCESS_KEY_ID"), var("AWS_SECRET_ACCESS_KEY"));
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(Region::new(var("AWS_REGION")))
        .credentials_provider(Credentials::new(id, secret, None, None, "environment"))
        .endpoint_url(var("AWS_ENDPOINT_URL"))
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let put = client.put_object().bucket("landing").key(key);
    match put.body(ByteStream::from_static(b"rows")).send().await {
        Ok(_) => json!("stored"),
        Err(error) => json!(format!("{error:?}")),
    }
}
