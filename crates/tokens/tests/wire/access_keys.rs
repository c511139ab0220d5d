//! Tokens for a user: an access key with a client, and alone.

use definition::RunStatus;
use tokens::{AuthError, Error, Problem, Tokens};

use crate::log::Log;
use crate::world::{CLIENT, KEY_FIELDS, Server};
use crate::{bearer, look};

fn both() -> String {
    format!(r#"{{"client_id":"c-1","client_secret":"s-1",{KEY_FIELDS}}}"#)
}

fn alone() -> String {
    format!("{{{KEY_FIELDS}}}")
}

/// A server that knows the key, a process, and what it should ask for.
async fn cases() -> [(Server, Tokens, &'static str); 2] {
    let (issuer, user_hub) = (Server::start().await, Server::start().await);
    issuer.world().put(CLIENT, &both());
    user_hub.world().put(CLIENT, &alone());
    let (with_client, without) = (issuer.process(), user_hub.process_of_user_hub());
    [
        (issuer, with_client, "password"),
        (user_hub, without, "user-hub"),
    ]
}

#[tokio::test]
async fn a_key_signs_in_as_its_fields_say() {
    for (server, tokens, kind) in cases().await {
        assert_eq!(look(&server, &tokens).await.unwrap(), RunStatus::Completed);
        assert_eq!(server.world().asked, [kind]);
        assert_eq!(server.world().stored().unwrap()["access_token"], "t-1");
    }
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_fields_and_never_shown() {
    for (server, tokens, kind) in cases().await {
        let log = Log::default();
        let _guard = log.listen();
        server.world().key = "another".into();
        let error = tokens.bearer().await.unwrap_err();
        assert!(
            matches!(error, Error::Auth(AuthError::Client { .. })),
            "{error:?}"
        );
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let failure = delivery::Failure::from(error);
        assert!(
            failure.message.contains("an access_key_secret"),
            "{failure}"
        );
        let told = format!("{failure:?} {source:?} {}", log.text());
        assert!(!told.contains("CANARY"), "{told}");
        assert!(!told.contains("4WX"), "{told}");
        // The client secret is read again and holds the same, so that the key is tried once.
        assert_eq!(server.world().asked, [kind]);
    }
}

#[tokio::test]
async fn a_rotated_key_is_read_again() {
    for (server, tokens, kind) in cases().await {
        bearer(&tokens).await;
        let rotated = |text: String| text.replace("CANARY-key", "CANARY-new");
        let secret = if kind == "password" { both() } else { alone() };
        server.world().put(CLIENT, &rotated(secret));
        let key = rotated(server.world().key.clone());
        server.world().key = key;
        server.world().valid.clear();
        assert_eq!(look(&server, &tokens).await.unwrap(), RunStatus::Completed);
        assert_eq!(server.world().asked, [kind, kind, kind]);
    }
}

#[tokio::test]
async fn a_token_of_a_client_is_not_used_for_a_user() {
    let server = Server::start().await;
    assert_eq!(bearer(&server.process()).await, "t-1");
    server.world().put(CLIENT, &both());
    assert_eq!(bearer(&server.process()).await, "t-2");
    assert_eq!(server.world().asked, ["client_credentials", "password"]);
}

#[tokio::test]
async fn half_a_key_is_named_by_the_half_that_is_missing() {
    let server = Server::start().await;
    let half = r#"{"client_id":"c-1","client_secret":"s-1","access_key_id":"k"}"#;
    server.world().put(CLIENT, half);
    match server.process().bearer().await.unwrap_err() {
        Error::Config(error) => {
            assert_eq!(error.problem, Problem::Missing("access_key_secret"));
            assert_eq!(
                error.to_string(),
                "secret cxone/client: its field access_key_secret is missing"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(server.world().asked.is_empty());
}
