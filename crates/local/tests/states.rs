//! Step Functions against the real SDK, with real processes behind the tasks.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::os::unix::fs::symlink;
use std::path::Path;

use asl::Clock;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::{Credentials, Region};
use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus, HistoryEventType};
use local::handlers::NAMES;
use local::world::{NOTICE_TOPIC_ARN, STATE_MACHINE_ARN};
use local::{Handlers, Options, World};

/// Invokes a function with the input, waits an hour, tells somebody.
const MACHINE: &str = r#"{
  "Comment": "${PollOnceArn} ${FetchPageArn} ${CancelArn} ${FinalizeArn} ${PublishArn} ${AlertTopicArn}",
  "QueryLanguage": "JSONata",
  "StartAt": "Ask",
  "States": {
    "Ask": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "Arguments": {"FunctionName": "${TriggerArn}", "Payload": "{% $states.input %}"},
      "Output": "{% $states.result.Payload %}",
      "Next": "Wait"
    },
    "Wait": {"Type": "Wait", "Seconds": 3600, "Next": "Tell"},
    "Tell": {
      "Type": "Task",
      "Resource": "arn:${Partition}:states:::sns:publish",
      "Arguments": {"TopicArn": "${NoticeTopicArn}", "Subject": "done", "Message": "{% $string($states.input) %}"},
      "Output": {},
      "End": true
    }
  }
}"#;

struct Setup {
    world: World,
    client: Client,
    _folder: tempfile::TempDir,
}

async fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let example = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/states-handler");
    for name in NAMES {
        symlink(&example, folder.path().join(name)).unwrap();
    }
    let machine = folder.path().join("machine.json");
    std::fs::write(&machine, MACHINE).unwrap();
    let handlers = Handlers::in_folder(folder.path()).unwrap();
    let clock = Clock::virtual_at("2026-11-22T05:30:00Z".parse().unwrap());
    let mut options = Options::new(handlers, clock, cxone_sim::Options::default());
    options.machine = machine;
    let world = World::start(options).await.unwrap();
    let config = aws_sdk_sfn::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(world.gateway().url())
        .build();
    Setup {
        world,
        client: Client::from_conf(config),
        _folder: folder,
    }
}

#[tokio::test]
async fn an_execution_is_started_watched_and_listed() {
    let Setup {
        world,
        client,
        _folder,
    } = setup().await;
    let started = client
        .start_execution()
        .state_machine_arn(STATE_MACHINE_ARN);
    let started = started
        .name("day-1")
        .input(r#"{"day":1}"#)
        .send()
        .await
        .unwrap();
    world.finish(started.execution_arn()).await.unwrap();
    let described = client
        .describe_execution()
        .execution_arn(started.execution_arn());
    let described = described.send().await.unwrap();
    assert_eq!(described.status(), &ExecutionStatus::Succeeded);
    let took = described.stop_date().unwrap().secs() - described.start_date().secs();
    assert_eq!(took, 3600);
    let alerts = world.alerts();
    assert_eq!(
        (alerts[0].topic.as_str(), alerts[0].message.as_str()),
        (NOTICE_TOPIC_ARN, r#"{"day":1}"#)
    );
    let list = client
        .list_executions()
        .state_machine_arn(STATE_MACHINE_ARN);
    let list = list
        .status_filter(ExecutionStatus::Succeeded)
        .send()
        .await
        .unwrap();
    assert_eq!(list.executions()[0].name(), "day-1");
}

#[tokio::test]
async fn a_history_comes_in_pages_from_either_end() {
    let Setup {
        world,
        client,
        _folder,
    } = setup().await;
    let arn = world.fire(serde_json::json!({"day": 1})).unwrap();
    world.finish(&arn).await.unwrap();
    let history = client.get_execution_history().execution_arn(&*arn);
    let mut pages = history
        .clone()
        .max_results(4)
        .into_paginator()
        .items()
        .send();
    let mut ids = Vec::new();
    while let Some(event) = pages.next().await {
        ids.push(event.unwrap().id());
    }
    assert_eq!(ids, (1..=14).collect::<Vec<i64>>());
    let last = history
        .reverse_order(true)
        .max_results(1)
        .send()
        .await
        .unwrap();
    assert_eq!(
        last.events()[0].r#type(),
        &HistoryEventType::ExecutionSucceeded
    );
}

#[tokio::test]
async fn a_failed_execution_says_why_and_is_redriven() {
    let Setup {
        world,
        client,
        _folder,
    } = setup().await;
    world.lambda().configure("trigger", |function| {
        function.environment.insert("FAIL".into(), "1".into());
    });
    let arn = world.fire(serde_json::json!({})).unwrap();
    world.finish(&arn).await.unwrap();
    let describe = client.describe_execution().execution_arn(&*arn);
    let failed = describe.clone().send().await.unwrap();
    assert_eq!(failed.error(), Some("Cxone.Unavailable"));
    assert!(
        failed
            .cause()
            .unwrap()
            .contains("the tenant does not answer")
    );
    assert_eq!(
        failed.redrive_status(),
        Some(&ExecutionRedriveStatus::Redrivable)
    );
    world.lambda().configure("trigger", |function| {
        function.environment.remove("FAIL");
    });
    client
        .redrive_execution()
        .execution_arn(&*arn)
        .send()
        .await
        .unwrap();
    world.finish(&arn).await.unwrap();
    let redriven = describe.send().await.unwrap();
    assert_eq!(redriven.status(), &ExecutionStatus::Succeeded);
    assert_eq!(redriven.redrive_count(), Some(1));
    let again = client
        .redrive_execution()
        .execution_arn(&*arn)
        .send()
        .await
        .unwrap_err();
    assert_eq!(again.code(), Some("ExecutionNotRedrivable"));
}

#[tokio::test]
async fn the_definition_is_shown_with_its_arns() {
    let Setup {
        world: _world,
        client,
        _folder,
    } = setup().await;
    let machines = client.list_state_machines().send().await.unwrap();
    let arn = machines.state_machines()[0].state_machine_arn();
    let described = client
        .describe_state_machine()
        .state_machine_arn(arn)
        .send()
        .await
        .unwrap();
    assert!(
        described
            .definition()
            .contains("arn:aws:lambda:us-east-1:000000000000:function:trigger")
    );
    let other = client
        .describe_state_machine()
        .state_machine_arn(arn.replace("report", "x"));
    assert_eq!(
        other.send().await.unwrap_err().code(),
        Some("StateMachineDoesNotExist")
    );
}

#[tokio::test]
async fn a_missing_handler_is_named() {
    let error = Handlers::in_folder(Path::new("/nowhere")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("CXL103: there is no handler trigger at /nowhere/trigger")
    );
}
