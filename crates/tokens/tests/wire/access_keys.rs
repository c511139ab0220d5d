//! Tokens for a user: an access key with a client, and alone.

use definition::RunStatus;
use definition::tenant;
use serde_json::{Value, json};
use tokens::{AuthError, Error, Problem};

use crate::log::Log;
use crate::world::{Server, USER_HUB, key_fields};
use crate::{bearer, look};

/// The changes of a tenant's secret that has an access key alone.
fn alone(server: &Server) -> Value {
    let mut fields = key_fields();
    fields["client_id"] = Value::Null;
    fields["client_secret"] = Value::Null;
    fields["token_url"] = server.url(USER_HUB).into();
    fields
}

/// A server that knows the key, its tenant's secret, and what a process of it should ask for.
async fn cases() -> [(Server, Value, &'static str); 2] {
    let (issuer, user_hub) = (Server::start().await, Server::start().await);
    let alone = alone(&user_hub);
    issuer.put_tenant(&key_fields());
    user_hub.put_tenant(&alone);
    [
        (issuer, key_fields(), "password"),
        (user_hub, alone, "user-hub"),
    ]
}

#[tokio::test]
async fn a_key_signs_in_as_its_fields_say() {
    for (server, _, kind) in cases().await {
        let tokens = server.process();
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
        assert_eq!(server.world().asked, [kind]);
        assert_eq!(server.stored().unwrap()["access_token"], "t-1");
    }
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_fields_and_never_shown() {
    for (server, _, kind) in cases().await {
        let tokens = server.process();
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
        // The secret was read a moment ago and is not read again, so that the key is tried once.
        assert_eq!(server.world().asked, [kind]);
    }
}

#[tokio::test]
async fn a_rotated_key_is_read_again() {
    for (server, fields, kind) in cases().await {
        let tokens = server.process();
        bearer(&tokens).await;
        let mut rotated = fields;
        rotated["access_key_secret"] = "CANARY-new".into();
        server.put_tenant(&rotated);
        server.world().key = "KEY+ID/4WX==:CANARY-new".to_owned();
        server.world().valid.clear();
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
        assert_eq!(server.world().asked, [kind, kind, kind]);
    }
}

#[tokio::test]
async fn a_token_of_a_client_is_not_used_for_a_user() {
    let server = Server::start().await;
    assert_eq!(bearer(&server.process()).await, "t-1");
    server.put_tenant(&key_fields());
    assert_eq!(bearer(&server.process()).await, "t-2");
    assert_eq!(server.world().asked, ["client_credentials", "password"]);
}

#[tokio::test]
async fn half_a_key_is_named_by_the_half_that_is_missing() {
    let server = Server::start().await;
    server.put_tenant(&json!({"access_key_id": "k"}));
    match server.process().bearer().await.unwrap_err() {
        Error::Config(error) => {
            assert_eq!(
                error.problem,
                Problem::Value(tenant::Problem::Missing("access_key_secret"))
            );
            assert_eq!(
                error.to_string(),
                "secret cxone/acme: its field access_key_secret is missing"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(server.world().asked.is_empty());
}
