//! The Lambda host against a real bootstrap.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use local_aws::lambda::{Function, InvokeError, LambdaHost};
use local_aws::{Action, Gateway, Services};
use serde_json::{Value, json};

fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/handler")
}

async fn host(change: impl FnOnce(&mut Function)) -> LambdaHost {
    let host = LambdaHost::start().await.unwrap();
    let mut function = Function::new("handler", example());
    change(&mut function);
    host.register(function);
    host
}

async fn invoke(host: &LambdaHost, event: Value) -> Result<Value, InvokeError> {
    let answer = host
        .invoke("handler", Bytes::from(event.to_string()))
        .await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

async fn check(change: impl FnOnce(&mut Function), event: Value, name: &str, cause: &str) {
    let error = invoke(&host(change).await, event).await.unwrap_err();
    assert_eq!(error.name(), name);
    assert!(error.cause().contains(cause), "{}", error.cause());
}

#[tokio::test]
async fn an_event_comes_back_and_the_process_stays_warm() {
    let host = host(|_| ()).await;
    for number in 0..3 {
        let event = json!({ "number": number });
        assert_eq!(invoke(&host, event.clone()).await.unwrap(), event);
    }
    assert_eq!(host.started("handler"), 1);
    let usage = host.usage("handler").unwrap();
    assert!(usage.peak_memory > 1 << 20, "{usage:?}");
    assert!(usage.busy > Duration::ZERO, "{usage:?}");
}

#[tokio::test]
async fn a_handlers_error_keeps_its_name() {
    check(
        |_| (),
        json!({"do": "fail"}),
        "Cxone.Contract",
        "the answer is no report",
    )
    .await;
}

#[tokio::test]
async fn an_exit_is_lambdas_exit_error() {
    check(
        |_| (),
        json!({"do": "exit"}),
        "Runtime.ExitError",
        "exit status 3",
    )
    .await;
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let short = |function: &mut Function| function.timeout = Duration::from_millis(200);
    check(
        short,
        json!({"do": "sleep"}),
        "Sandbox.Timedout",
        "Task timed out after 0.20 seconds",
    )
    .await;
}

#[tokio::test]
async fn a_function_that_does_not_start_says_so() {
    let refusing = |function: &mut Function| {
        function
            .environment
            .insert("REFUSE_TO_START".into(), "1".into());
    };
    check(refusing, json!({}), "Runtime.ExitError", "exit status 1").await;
    let absent = |function: &mut Function| function.executable = "/nowhere/bootstrap".into();
    check(
        absent,
        json!({}),
        "Lambda.ServiceException",
        "/nowhere/bootstrap",
    )
    .await;
}

#[tokio::test]
async fn payloads_have_lambdas_limit() {
    check(
        |_| (),
        json!({"do": "big"}),
        "Function.ResponseSizeTooLarge",
        "6291456",
    )
    .await;
    let event = json!("x".repeat(7 << 20));
    check(|_| (), event, "Lambda.RequestTooLargeException", "6291456").await;
}

#[tokio::test]
async fn as_many_processes_run_as_the_function_may_have() {
    let host = host(|function| function.max_instances = 1).await;
    let (sleeping, second) = tokio::join!(invoke(&host, json!({"do": "sleep"})), async {
        let second = invoke(&host, json!({})).await;
        host.kill("handler");
        second
    });
    assert_eq!(
        second.unwrap_err().name(),
        "Lambda.TooManyRequestsException"
    );
    let sleeping = sleeping.unwrap_err();
    assert_eq!(sleeping.name(), "Runtime.ExitError");
    assert!(sleeping.cause().contains("signal: killed"));
    assert_eq!(invoke(&host, json!(1)).await.unwrap(), json!(1));
    assert_eq!(host.started("handler"), 2);
}

#[tokio::test]
async fn a_process_inherits_nothing_of_ours() {
    let host = host(|function| {
        function
            .environment
            .insert("LANDING_BUCKET".into(), "landing".into());
    })
    .await;
    let answer = invoke(&host, json!({"do": "environment"})).await.unwrap();
    let names: Vec<&str> = answer["names"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(names.contains(&"LANDING_BUCKET"));
    let foreign = |name: &&&str| !name.starts_with("AWS_") && **name != "LANDING_BUCKET";
    let foreign: Vec<_> = names.iter().filter(foreign).collect();
    assert_eq!(foreign, [&"TZ", &"_X_AMZN_TRACE_ID"]);
}

#[tokio::test]
async fn a_bootstrap_ends_when_its_runtime_api_is_gone() {
    let host = host(|_| ()).await;
    let answer = invoke(&host, json!({"do": "environment"})).await.unwrap();
    let process = format!("/proc/{}/stat", answer["pid"]);
    drop(host);
    // A zombie has ended too; the runtime reaps it when it gets to it.
    while std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z ")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_process_can_be_killed_before_and_after_its_call() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(|_| ()).await;
    let services = Services::open(folder.path(), host.clone()).unwrap();
    services.s3.store().create_bucket("landing").unwrap();
    let gateway = Gateway::start(([127, 0, 0, 1], 0).into(), services.clone())
        .await
        .unwrap();
    let url = gateway.url();
    host.configure("handler", |function| {
        function.environment.insert("AWS_ENDPOINT_URL".into(), url);
    });
    for (action, landed) in [(Action::KillBefore, 0), (Action::KillAfter, 1)] {
        gateway.set_hook(move |call| {
            assert_eq!(call.caller.as_ref().unwrap().function, "handler");
            action.clone()
        });
        let error = invoke(&host, json!({"do": "put"})).await.unwrap_err();
        assert_eq!(error.name(), "Runtime.ExitError");
        assert_eq!(services.s3.store().keys("landing", "").len(), landed);
    }
    gateway.clear_hook();
    let answer = invoke(&host, json!({"do": "put", "key": "b"}))
        .await
        .unwrap();
    assert_eq!(answer, json!("stored"));
    let operations: Vec<_> = gateway
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .collect();
    assert_eq!(operations, ["PutObject"; 3]);
}
