//! The local Secrets Manager against the real SDK.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Credentials, Region};
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use local_aws::lambda::LambdaHost;
use local_aws::{Action, Gateway, Secrets, Services};

async fn setup() -> (Client, Gateway, Services, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let host = LambdaHost::start().await.unwrap();
    let services = Services::open(folder.path(), host).unwrap();
    let gateway = Gateway::start(([127, 0, 0, 1], 0).into(), services.clone())
        .await
        .unwrap();
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(gateway.url())
        .build();
    (Client::from_conf(config), gateway, services, folder)
}

#[tokio::test]
async fn a_token_makes_a_compare_and_set() {
    let (client, _gateway, services, _folder) = setup().await;
    client.create_secret().name("token").send().await.unwrap();
    let empty = client
        .get_secret_value()
        .secret_id("token")
        .send()
        .await
        .unwrap_err();
    assert!(empty.into_service_error().is_resource_not_found_exception());
    let put = |value: &str| {
        let put = client.put_secret_value().secret_id(Secrets::arn("token"));
        put.client_request_token("0".repeat(32))
            .secret_string(value)
            .send()
    };
    put("one").await.unwrap();
    put("one").await.unwrap();
    let conflict = put("two").await.unwrap_err();
    assert!(conflict.into_service_error().is_resource_exists_exception());
    assert_eq!(services.secrets.versions("token"), 1);
    assert_eq!(services.secrets.current("token").as_deref(), Some("one"));
}

#[tokio::test]
async fn the_version_before_is_the_previous_one() {
    let (client, _gateway, services, _folder) = setup().await;
    services.secrets.put("client", Some("old"));
    client
        .put_secret_value()
        .secret_id("client")
        .secret_string("new")
        .send()
        .await
        .unwrap();
    let get = client.get_secret_value().secret_id("client");
    assert_eq!(
        get.clone().send().await.unwrap().secret_string(),
        Some("new")
    );
    let previous = get.version_stage("AWSPREVIOUS").send().await.unwrap();
    assert_eq!(previous.secret_string(), Some("old"));
    let described = client
        .describe_secret()
        .secret_id("client")
        .send()
        .await
        .unwrap();
    assert_eq!(described.version_ids_to_stages().unwrap().len(), 2);
}

#[tokio::test]
async fn a_version_can_be_old_and_a_secret_can_go() {
    let (client, _gateway, services, _folder) = setup().await;
    // A name may end like an ARN does, and is another secret all the same.
    for name in ["acme", "acme-local1"] {
        services.secrets.put(name, Some(name));
    }
    let read = |name: &str| client.get_secret_value().secret_id(name).send();
    let found = read("acme-local1").await.unwrap();
    assert_eq!(found.secret_string(), Some("acme-local1"));
    let now = found.created_date().unwrap().secs();
    services.secrets.set_clock_behind(Duration::from_hours(1));
    services.secrets.put("acme", Some("old"));
    let old = read("acme").await.unwrap().created_date().unwrap().secs();
    assert!((3_540..=3_600).contains(&(now - old)), "{}", now - old);
    services.secrets.remove("acme");
    let gone = read("acme").await.unwrap_err().into_service_error();
    assert!(gone.is_resource_not_found_exception());
}

#[tokio::test]
async fn a_secret_gets_another_value_and_another_key() {
    let (client, _gateway, services, _folder) = setup().await;
    let create = client.create_secret().name("acme").kms_key_id("one");
    create.secret_string("a").send().await.unwrap();
    let update = || client.update_secret().secret_id("acme");
    let answer = update().secret_string("b").send().await.unwrap();
    assert!(answer.version_id().is_some());
    assert_eq!(services.secrets.current("acme").as_deref(), Some("b"));
    assert_eq!(services.secrets.kms_key("acme").as_deref(), Some("one"));
    let answer = update().kms_key_id("two").send().await.unwrap();
    assert_eq!(answer.version_id(), None);
    assert_eq!(services.secrets.versions("acme"), 2);
    let described = client.describe_secret().secret_id("acme").send();
    assert_eq!(described.await.unwrap().kms_key_id(), Some("two"));
    let absent = client.update_secret().secret_id("globex").send().await;
    let absent = absent.unwrap_err().into_service_error();
    assert!(absent.is_resource_not_found_exception());
}

#[tokio::test]
async fn secrets_are_listed_by_the_beginnings_of_their_names_and_in_pages() {
    let (client, _gateway, services, _folder) = setup().await;
    for name in ["cxone/b", "cxone/a", "cxone/a/token", "CXONE/c", "other"] {
        services.secrets.put(name, None);
    }
    let by_name = Filter::builder()
        .key(FilterNameStringType::Name)
        .values("cxone/");
    let list = client.list_secrets().filters(by_name.build());
    let mut pages = list.max_results(2).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let listed = page.unwrap().secret_list.unwrap();
        assert!(listed[0].last_changed_date().is_some());
        names.extend(listed.into_iter().filter_map(|secret| secret.name));
    }
    assert_eq!(names, ["cxone/a", "cxone/a/token", "cxone/b"]);
}

#[tokio::test]
async fn a_hook_can_answer_instead() {
    let (client, gateway, services, _folder) = setup().await;
    services.secrets.put("client", Some("value"));
    gateway.set_hook(|call| {
        assert_eq!(
            (call.operation.as_str(), call.resource.as_str()),
            ("GetSecretValue", "client")
        );
        Action::Refuse {
            status: 400,
            code: "AccessDeniedException".to_owned(),
            message: "no".to_owned(),
        }
    });
    let error = client
        .get_secret_value()
        .secret_id("client")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
}
