//! The real AWS SDK and the real CXone client against a server that misbehaves.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod access_keys;
mod discovery;
mod log;
mod refresh;
mod world;

use std::time::Duration;

use definition::RunStatus;
use definition::{Dialect, RunId};
use serde_json::json;
use tokens::{AuthError, Error, Session, Tokens, UnavailableError};
use world::{Server, TENANT, TOKEN};

/// One request of the API, by whatever token it takes.
async fn look(tokens: &Tokens) -> Result<RunStatus, Error> {
    let run = &RunId::new("run-1").unwrap();
    tokens
        .call(|client, token| async move { client.poll_run(&token, Dialect::Analytics, run).await })
        .await
}

async fn bearer(tokens: &Tokens) -> String {
    tokens.bearer().await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_token_is_granted_once_and_then_shared_through_the_secret() {
    let server = Server::start().await;
    let first = server.process();
    assert_eq!(bearer(&first).await, "t-1");
    assert_eq!(bearer(&first).await, "t-1");
    assert_eq!(bearer(&server.process()).await, "t-1");
    let stored = server.stored().unwrap();
    assert_eq!(stored["access_token"], "t-1");
    assert_eq!(stored["v"], 2);
}

#[tokio::test]
async fn many_tasks_of_one_process_ask_for_one_grant() {
    let server = Server::start().await;
    let tokens = server.process();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { bearer(&tokens).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "t-1");
    }
    assert_eq!(server.world().granted, 1);
}

#[tokio::test]
async fn a_future_of_a_call_can_be_sent_to_another_thread() {
    let server = Server::start().await;
    let tokens = server.process();
    let task = tokio::spawn(async move { look(&tokens).await });
    assert_eq!(task.await.unwrap().unwrap(), RunStatus::Completed);
}

#[tokio::test]
async fn a_short_lived_token_stays_in_memory() {
    let server = Server::start().await;
    server.world().expires_in = json!(60);
    let tokens = server.process();
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(server.stored().unwrap(), json!({}));
}

#[tokio::test]
async fn a_secret_that_was_written_just_now_is_not_written_again() {
    let server = Server::start().await;
    server.secrets().set_clock_behind(Duration::ZERO);
    assert_eq!(bearer(&server.process()).await, "t-1");
    server.world().valid.clear();
    assert_eq!(look(&server.process()).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2);
    assert_eq!(server.stored().unwrap()["access_token"], "t-1");
}

#[tokio::test]
async fn a_lost_race_for_the_secret_leaves_both_with_a_token() {
    let server = Server::start().await;
    server.write_before("{\"v\":2}");
    let tokens = server.process();
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.stored().unwrap(), json!({"v": 2}));
}

#[tokio::test]
async fn a_401_is_answered_with_a_fresh_token_and_the_same_call() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().valid.clear();
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2);
}

#[tokio::test]
async fn after_a_401_the_token_that_another_process_stored_is_used() {
    let server = Server::start().await;
    let (ours, theirs) = (server.process(), server.process());
    bearer(&ours).await;
    server.world().valid.clear();
    assert_eq!(look(&theirs).await.unwrap(), RunStatus::Completed);
    assert_eq!(look(&ours).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2);
}

#[tokio::test]
async fn a_second_401_to_a_fresh_token_ends_it() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    let refusal = json!({"error": "invalid_token"});
    server.world().fail("api", 9, 401, &refusal);
    let error = look(&tokens).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Token { .. })),
        "{error:?}"
    );
    assert_eq!(server.world().granted, 2);
    assert_eq!(
        server.world().faults["api"].len(),
        6,
        "one more request than tokens, after a pause"
    );
}

#[tokio::test]
async fn a_403_names_the_secret_whose_client_lacks_the_permission() {
    let server = Server::start().await;
    server
        .world()
        .fail("api", 1, 403, &json!({"error": "insufficient_scope"}));
    let error = look(&server.process()).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Permission { .. })),
        "{error:?}"
    );
    let told = error.to_string();
    assert!(
        told.contains("forbidden: insufficient_scope; grant"),
        "{told}"
    );
    assert!(told.contains("of secret cxone/"), "{told}");
    assert_eq!(server.world().granted, 1);
}

/// D08: a clock that differs lets a token be refused that is good in a moment.
#[tokio::test]
async fn a_token_that_is_too_young_is_used_again_after_a_pause() {
    let server = Server::start().await;
    server.world().ripe_after = Duration::from_secs(3);
    assert_eq!(look(&server.process()).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2, "the second one ripens");
}

/// D09: in the header as it is or encoded, or in the form.
#[tokio::test]
async fn the_client_is_told_as_its_secret_says() {
    let raw = "app@vendor:s%/+CANARY==";
    let encoded = "app%40vendor:s%25%2F%2BCANARY%3D%3D";
    let odd = json!({"client_id": "app@vendor", "client_secret": "s%/+CANARY=="});
    for (client, fields, auth) in [
        (raw, &odd, json!(null)),
        (raw, &odd, json!("basic")),
        (encoded, &odd, json!("basic_encoded")),
        ("", &json!({}), json!("post")),
    ] {
        let server = Server::start().await;
        server.world().client = client.to_owned();
        for (told, is_good) in [
            (auth, true),
            (json!("basic"), client == raw),
            (json!("basic_encoded"), client == encoded),
            (json!("post"), client.is_empty()),
        ] {
            let mut fields = fields.clone();
            fields["client_auth"] = told;
            server.put_tenant(&fields);
            server.secrets().put(TOKEN, Some("{}"));
            match server.process().bearer().await {
                Ok(_) => assert!(is_good, "{client} {fields}"),
                Err(error) => {
                    assert!(!is_good, "{client} {fields}: {error}");
                    let said = format!("{error} {error:?}");
                    assert!(
                        said.contains("client_auth") && !said.contains("CANARY"),
                        "{said}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_rotated_client_is_read_again() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().client = "c-1:s-2".into();
    server.put_tenant(&json!({"client_secret": "s-2"}));
    server.world().valid.clear();
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
}

/// A warm process that was told a wrong address, and is told the right one.
#[tokio::test]
async fn after_a_failure_the_tenants_secret_is_read_again() {
    let server = Server::start().await;
    for (wrong, before) in [
        (
            json!({"base_url": server.url("").replace("127.0.0.1", "localhost:1/")}),
            1,
        ),
        (
            json!({"token_url": server.url("/nowhere"), "client_id": "c-2"}),
            1,
        ),
    ] {
        let tokens = server.process();
        server.put_tenant(&wrong);
        assert!(look(&tokens).await.is_err(), "{wrong}");
        server.put_tenant(&json!({}));
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
        let read = server.count_calls("GetSecretValue");
        for _ in 0..3 {
            assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
        }
        let more = server.count_calls("GetSecretValue") - read;
        assert!(more < before, "nothing is read while all is well");
    }
}

#[tokio::test]
async fn refused_credentials_are_named_by_their_secret_and_never_shown() {
    let server = Server::start().await;
    server.world().client = "c-1:s-9".into();
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Client { .. })),
        "{error:?}"
    );
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(TENANT) && !shown.contains("s-1"), "{shown}");
}

#[tokio::test]
async fn a_stored_token_of_another_client_is_not_used() {
    let server = Server::start().await;
    bearer(&server.process()).await;
    server.world().client = "c-2:s-2".into();
    server.put_tenant(&json!({"client_id": "c-2", "client_secret": "s-2"}));
    assert_eq!(bearer(&server.process()).await, "t-2");
}

#[tokio::test]
async fn a_stored_token_serves_while_the_token_endpoint_is_down() {
    let server = Server::start().await;
    bearer(&server.process()).await;
    server.world().fail("grant", 99, 503, &json!({}));
    assert_eq!(bearer(&server.process()).await, "t-1");
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_unavailable() {
    let server = Server::start().await;
    server.world().fail("grant", 99, 503, &json!({}));
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable(UnavailableError::Grant(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn secrets_manager_may_throttle_twice() {
    let server = Server::start().await;
    server.refuse_calls("GetSecretValue", 2, 400, "ThrottlingException");
    assert_eq!(bearer(&server.process()).await, "t-1");
}

#[tokio::test]
async fn secrets_manager_that_throttles_for_ever_is_unavailable() {
    let server = Server::start().await;
    server.refuse_calls("GetSecretValue", 99, 400, "ThrottlingException");
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable(UnavailableError::Secrets(_))),
        "{error:?}"
    );
    assert_eq!(server.count_calls("GetSecretValue"), 3, "three tries");
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_used_all_the_same() {
    let server = Server::start().await;
    for (status, kind) in [
        (500, "InternalServiceError"),
        (400, "LimitExceededException"),
        (400, "AccessDeniedException"),
    ] {
        server.refuse_calls("PutSecretValue", 3, status, kind);
        let process = server.process();
        assert_eq!(look(&process).await.unwrap(), RunStatus::Completed);
        assert_eq!(Session::new(process).take_unstored_tokens(), 1, "{kind}");
    }
    assert_eq!(server.stored().unwrap(), json!({}));
}

#[tokio::test]
async fn a_missing_token_secret_is_a_miss() {
    let server = Server::start().await;
    server.secrets().remove(TOKEN);
    let process = server.process();
    assert_eq!(look(&process).await.unwrap(), RunStatus::Completed);
    let session = Session::new(process);
    assert_eq!(session.take_unstored_tokens(), 1);
    assert_eq!(session.take_unstored_tokens(), 0, "it is told once");
}

#[tokio::test]
async fn a_tenants_secret_that_cannot_be_used_says_what_is_wrong() {
    let server = Server::start().await;
    let refuse = async |said: &str| match server.process().bearer().await.unwrap_err() {
        Error::Config(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with("secret cxone/acme: "), "{shown}");
            assert!(shown.contains(said), "{shown}");
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
        other => panic!("{other:?}"),
    };
    for (changes, said) in [
        (
            json!({"client_secret": null}),
            "field client_secret is missing",
        ),
        (json!({"base_ulr": "CANARY"}), "field base_ulr is not known"),
        // D10
        (
            json!({"client_secret": "CANARY\n"}),
            "field client_secret has white space",
        ),
        (
            json!({"base_url": "http://CANARY.example"}),
            "field base_url is not https",
        ),
        (
            json!({"allowed_hosts": "CANARY"}),
            "field allowed_hosts is not a list",
        ),
    ] {
        server.put_tenant(&changes);
        refuse(said).await;
    }
    server.secrets().put(TENANT, Some("c-1:CANARY"));
    refuse("not JSON").await;
    server.secrets().remove(TENANT);
    refuse("does not exist").await;
    server.refuse_calls("GetSecretValue", 1, 400, "AccessDeniedException");
    refuse("AccessDeniedException").await;
    assert!(server.world().asked.is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_the_calls_failure() {
    let server = Server::start().await;
    server.world().fail(
        "grant",
        1,
        200,
        &json!({"access_token": "x", "token_type": "MAC"}),
    );
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Call(cxone::Error::Contract { .. })),
        "{error:?}"
    );
}
