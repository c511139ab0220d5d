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

use definition::RunStatus;
use definition::{Dialect, RunId};
use serde_json::json;
use tokens::{AuthError, Error, Problem, Tokens, UnavailableError};
use world::{CLIENT, Server, TOKEN};

/// One request of the API, by whatever token it takes.
async fn look(server: &Server, tokens: &Tokens) -> Result<RunStatus, Error> {
    let client = server.cxone();
    let run = RunId::new("run-1").unwrap();
    let (client, run) = (&client, &run);
    tokens
        .call(|token| async move { client.poll_run(&token, Dialect::Analytics, run).await })
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
    let stored = server.world().stored().unwrap();
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
    let task = tokio::spawn(async move { look(&server, &tokens).await });
    assert_eq!(task.await.unwrap().unwrap(), RunStatus::Completed);
}

#[tokio::test]
async fn a_short_lived_token_stays_in_memory() {
    let server = Server::start().await;
    server.world().expires_in = json!(60);
    let tokens = server.process();
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(server.world().stored().unwrap(), json!({}));
}

#[tokio::test]
async fn a_secret_that_was_written_just_now_is_not_written_again() {
    let server = Server::start().await;
    assert_eq!(bearer(&server.process()).await, "t-1");
    server.world().created = jiff::Timestamp::now().as_second();
    server.world().valid.clear();
    assert_eq!(
        look(&server, &server.process()).await.unwrap(),
        RunStatus::Completed
    );
    assert_eq!(server.world().granted, 2);
    assert_eq!(server.world().stored().unwrap()["access_token"], "t-1");
}

#[tokio::test]
async fn a_lost_race_for_the_secret_leaves_both_with_a_token() {
    let server = Server::start().await;
    server.world().rival = Some("{\"v\":2}".into());
    let tokens = server.process();
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(look(&server, &tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().stored().unwrap(), json!({"v": 2}));
}

#[tokio::test]
async fn a_401_is_answered_with_a_fresh_token_and_the_same_call() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().valid.clear();
    assert_eq!(look(&server, &tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2);
}

#[tokio::test]
async fn after_a_401_the_token_that_another_process_stored_is_used() {
    let server = Server::start().await;
    let (ours, theirs) = (server.process(), server.process());
    bearer(&ours).await;
    server.world().valid.clear();
    assert_eq!(look(&server, &theirs).await.unwrap(), RunStatus::Completed);
    assert_eq!(look(&server, &ours).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().granted, 2);
}

#[tokio::test]
async fn a_second_401_to_a_fresh_token_ends_it() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    let refusal = json!({"error": "invalid_token"});
    server.world().fail("api", 9, 401, &refusal);
    let error = look(&server, &tokens).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Token { .. })),
        "{error:?}"
    );
    assert_eq!(server.world().granted, 2);
    assert_eq!(
        server.world().faults["api"].len(),
        7,
        "two requests were made"
    );
}

#[tokio::test]
async fn a_403_is_the_calls_own_failure() {
    let server = Server::start().await;
    server
        .world()
        .fail("api", 1, 403, &json!({"error": "insufficient_scope"}));
    let error = look(&server, &server.process()).await.unwrap_err();
    assert!(
        matches!(error, Error::Call(cxone::Error::Forbidden { .. })),
        "{error:?}"
    );
    assert_eq!(server.world().granted, 1);
}

#[tokio::test]
async fn a_rotated_client_is_read_again() {
    let server = Server::start().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().client = "c-1:s-2".into();
    server
        .world()
        .put(CLIENT, r#"{"client_id":"c-1","client_secret":"s-2"}"#);
    server.world().valid.clear();
    assert_eq!(look(&server, &tokens).await.unwrap(), RunStatus::Completed);
}

#[tokio::test]
async fn a_refused_client_is_named_by_its_secret_and_never_shown() {
    let server = Server::start().await;
    server.world().client = "c-1:s-9".into();
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Client { .. })),
        "{error:?}"
    );
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(CLIENT) && !shown.contains("s-1"), "{shown}");
}

#[tokio::test]
async fn a_stored_token_of_another_client_is_not_used() {
    let server = Server::start().await;
    bearer(&server.process()).await;
    server.world().client = "c-2:s-2".into();
    server
        .world()
        .put(CLIENT, r#"{"client_id":"c-2","client_secret":"s-2"}"#);
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
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    server.world().fail("get", 2, 400, &throttled);
    assert_eq!(bearer(&server.process()).await, "t-1");
}

#[tokio::test]
async fn secrets_manager_that_throttles_for_ever_is_unavailable() {
    let server = Server::start().await;
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    server.world().fail("get", 99, 400, &throttled);
    let error = server.process().bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable(UnavailableError::Secrets(_))),
        "{error:?}"
    );
    assert_eq!(server.world().faults["get"].len(), 96, "three tries");
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_used_all_the_same() {
    let server = Server::start().await;
    for (status, kind) in [
        (500, "InternalServiceError"),
        (400, "LimitExceededException"),
        (400, "AccessDeniedException"),
    ] {
        server
            .world()
            .fail("put", 3, status, &json!({"__type": kind}));
        assert_eq!(
            look(&server, &server.process()).await.unwrap(),
            RunStatus::Completed
        );
        server.world().faults.clear();
    }
    assert_eq!(server.world().stored().unwrap(), json!({}));
}

#[tokio::test]
async fn a_missing_token_secret_is_a_miss() {
    let server = Server::start().await;
    server.world().secrets.remove(TOKEN);
    assert_eq!(
        look(&server, &server.process()).await.unwrap(),
        RunStatus::Completed
    );
}

#[tokio::test]
async fn a_client_secret_that_cannot_be_used_says_what_is_wrong() {
    let server = Server::start().await;
    let problem = async || match server.process().bearer().await.unwrap_err() {
        Error::Config(error) => {
            assert_eq!(error.secret, CLIENT);
            error.problem
        }
        other => panic!("{other:?}"),
    };
    server.world().put(CLIENT, r#"{"client_id":"c-1"}"#);
    assert_eq!(problem().await, Problem::Missing("client_secret"));
    server.world().put(CLIENT, "c-1:s-1");
    assert_eq!(problem().await, Problem::NotAnObject);
    server.world().secrets.remove(CLIENT);
    assert_eq!(problem().await, Problem::Absent);
    server
        .world()
        .fail("get", 1, 400, &json!({"__type": "AccessDeniedException"}));
    assert_eq!(
        problem().await,
        Problem::Refused("AccessDeniedException".into())
    );
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
