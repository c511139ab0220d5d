//! Refresh tokens: kept beside the token, used first, and no loss where they are refused.

use definition::RunStatus;
use serde_json::json;
use tokens::{AuthError, Error, UnavailableError};

use crate::log::Log;
use crate::world::{Server, TOKEN, USER_HUB, key_fields};
use crate::{bearer, look};

async fn server() -> Server {
    let server = Server::start().await;
    server.world().refreshes = true;
    server.put_tenant(&key_fields());
    server
}

#[tokio::test]
async fn a_refresh_token_is_stored_and_used_before_the_key_by_whoever_comes() {
    let server = server().await;
    let (ours, theirs) = (server.process(), server.process());
    assert_eq!(bearer(&ours).await, "t-1");
    assert_eq!(
        server.stored().unwrap()["refresh_token"],
        "CANARY-refresh=/+1"
    );
    server.world().valid.clear();
    assert_eq!(look(&theirs).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().asked, ["password", "refresh_token"]);
    let stored = server.stored().unwrap();
    assert_eq!(
        (&stored["access_token"], &stored["refresh_token"]),
        (&json!("t-2"), &json!("CANARY-refresh=/+2"))
    );
}

#[tokio::test]
async fn a_refused_refresh_token_costs_a_grant_and_is_not_tried_again() {
    let server = server().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().refreshes = false;
    for _ in 0..2 {
        server.world().valid.clear();
        server.world().refreshable.clear();
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    }
    assert_eq!(
        server.world().asked,
        ["password", "refresh_token", "password", "password"]
    );
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_a_refresh_that_was_refused() {
    for (status, body) in [
        (200, json!({"no": "token"})),
        (403, json!({})),
        (404, json!({})),
        (400, json!({"error": "CANARY"})),
    ] {
        let server = server().await;
        let tokens = server.process();
        bearer(&tokens).await;
        server.world().valid.clear();
        server.world().fail("grant", 1, status, &body);
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
        assert_eq!(server.world().granted, 2, "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_leaves_the_old_one() {
    let server = server().await;
    let tokens = server.process();
    bearer(&tokens).await;
    for _ in 0..2 {
        server.world().valid.clear();
        server.world().refreshes = false;
        let first = "CANARY-refresh=/+1".to_owned();
        server.world().refreshable.insert(first);
        assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    }
    assert_eq!(
        server.world().asked,
        ["password", "refresh_token", "refresh_token"]
    );
}

#[tokio::test]
async fn tokens_that_are_refreshed_in_vain_end_in_a_grant() {
    let server = server().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().valid.clear();
    let refusal = json!({"error": "invalid_token"});
    server.world().fail("api", 2, 401, &refusal);
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(
        server.world().asked,
        ["password", "refresh_token", "password"]
    );
    server.world().fail("api", 9, 401, &refusal);
    let error = look(&tokens).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Token { .. })),
        "{error:?}"
    );
    let left = server.world().faults["api"].len();
    assert_eq!(left, 5, "three tokens, and one more request after a pause");
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_asked_once_and_the_refresh_token_kept() {
    let server = server().await;
    let tokens = server.process();
    bearer(&tokens).await;
    server.world().valid.clear();
    server.world().fail("grant", 1, 503, &json!({}));
    let error = look(&tokens).await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable(UnavailableError::Grant(_))),
        "{error:?}"
    );
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().asked, ["password", "refresh_token"]);
}

#[tokio::test]
async fn what_version_1_stored_is_used_and_replaced_by_version_2() {
    let server = server().await;
    assert_eq!(bearer(&server.process()).await, "t-1");
    let mut stored = server.stored().unwrap();
    stored["v"] = json!(1);
    stored.as_object_mut().unwrap().remove("refresh_token");
    server.secrets().put(TOKEN, Some(&stored.to_string()));
    let tokens = server.process();
    assert_eq!(bearer(&tokens).await, "t-1");
    server.world().valid.clear();
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().asked, ["password", "password"]);
    assert_eq!(server.stored().unwrap()["v"], 2);
}

#[tokio::test]
async fn a_refresh_token_of_user_hub_is_not_kept_because_nobody_says_how_to_use_it() {
    let server = server().await;
    let mut alone = key_fields();
    alone["token_url"] = server.url(USER_HUB).into();
    alone["client_id"] = json!(null);
    alone["client_secret"] = json!(null);
    server.put_tenant(&alone);
    let tokens = server.process();
    bearer(&tokens).await;
    assert_eq!(server.stored().unwrap().get("refresh_token"), None);
    server.world().valid.clear();
    assert_eq!(look(&tokens).await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().asked, ["user-hub", "user-hub"]);
}

#[tokio::test]
async fn no_log_of_a_refresh_holds_a_secret() {
    let log = Log::default();
    let _guard = log.listen();
    let server = server().await;
    let tokens = server.process();
    bearer(&tokens).await;
    // Refreshed, then refused, by an endpoint that repeats what it was sent.
    for revoked in [false, true] {
        server.world().valid.clear();
        if revoked {
            server.world().refreshable.clear();
        }
        look(&tokens).await.unwrap();
    }
    assert!(!format!("{tokens:?}").contains("CANARY"));
    let shown = log.text();
    assert!(shown.contains("the refresh token is refused"), "{shown}");
    assert!(!shown.contains("CANARY"), "{shown}");
}
