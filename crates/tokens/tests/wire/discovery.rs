//! A tenant whose issuer says where its API is.

use definition::RunStatus;
use delivery::{Failure, FailureName};
use serde_json::{Value, json};
use tokens::{Error, Tokens};

use crate::world::{Server, TOKEN};
use crate::{bearer, look};

/// A process of a tenant whose issuer is this server.
fn discovered(server: &Server, tenant: &str, hosts: &Value) -> Tokens {
    server.put_tenant(&json!({
        "base_url": null, "token_url": null, "issuer": server.url(""), "tenant_id": tenant,
        "api_hosts": hosts[0], "allowed_hosts": hosts[1],
    }));
    server.process()
}

#[tokio::test]
async fn the_issuer_is_asked_once_a_process() {
    let server = Server::start().await;
    let tokens = discovered(&server, "t-1", &json!([]));
    assert!(
        server.world().asked.is_empty(),
        "nothing is asked before it is needed"
    );
    let looks = (0..8).map(|_| {
        let tokens = tokens.clone();
        tokio::spawn(async move { look(&tokens).await.unwrap() })
    });
    for seen in looks.collect::<Vec<_>>() {
        assert_eq!(seen.await.unwrap(), RunStatus::Completed);
    }
    assert_eq!(bearer(&tokens).await, "t-1");
    assert_eq!(server.world().asked, ["discover", "client_credentials"]);
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_is_said_is_kept() {
    let server = Server::start().await;
    let tokens = discovered(&server, "t-1", &json!([]));
    server.world().fail("discover", 1, 503, &json!({}));
    let error = tokens.bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Call(cxone::Error::Unavailable { .. })),
        "{error:?}"
    );
    server.world().fail("discover", 1, 429, &json!({}));
    let failure = Failure::from(tokens.bearer().await.unwrap_err());
    assert_eq!(failure.name, FailureName::Throttled);
    assert_eq!(bearer(&tokens).await, "t-1");
    server.world().fail("discover", 9, 404, &json!({}));
    assert_eq!(bearer(&tokens).await, "t-1");
}

#[tokio::test]
async fn a_tenant_that_is_not_found_is_named() {
    let server = Server::start().await;
    for (tenant, fault) in [
        ("t-2", None),
        ("t-1", Some(400)),
        ("t-1", Some(401)),
        ("t-1", Some(403)),
        ("t-1", Some(410)),
    ] {
        if let Some(status) = fault {
            server
                .world()
                .fail("discover", 1, status, &json!({"error": "no"}));
        }
        let tokens = discovered(&server, tenant, &json!([]));
        let failure = Failure::from(tokens.bearer().await.unwrap_err());
        assert_eq!(failure.name, FailureName::Config, "{failure}");
        assert!(!failure.message.contains(tenant), "{failure}");
        assert!(
            failure.message.contains("secret cxone/acme") && failure.message.contains("tenant_id"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn an_api_elsewhere_than_allowed_is_not_called() {
    let server = Server::start().await;
    let check = async |endpoint: &str, allowed: bool| {
        server.world().endpoint = endpoint.to_owned();
        let hosts = json!([["nice.example", "niceincontact.com"], ["files.example"]]);
        match discovered(&server, "t-1", &hosts).bearer().await {
            Ok(_) => assert!(allowed, "{endpoint}"),
            Err(error) => {
                assert!(!allowed, "{endpoint}: {error}");
                let Error::Call(cxone::Error::Config { what, .. }) = error else {
                    panic!("{endpoint}: {error:?}");
                };
                let said = what;
                assert!(
                    said.contains("tenant_id") && said.contains("secret cxone/acme"),
                    "{said}"
                );
                for value in ["t-1", "evil", "http"] {
                    assert!(!said.contains(value), "{said}");
                }
            }
        }
    };
    check("https://api-na1.niceincontact.com", true).await;
    check("https://nice.example/", true).await;
    // Files may be there, and no token goes there.
    check("https://files.example", false).await;
    check("https://nice.example:8443", false).await;
    check("http://api-na1.niceincontact.com", false).await;
    check("https://niceincontact.com.evil.example", false).await;
    check("https://evil-niceincontact.com", false).await;
    check("https://u:p@api.niceincontact.com", false).await;
    check("http://127.0.0.1:1/evil", false).await;
    check("https://169.254.169.254/", false).await;
    check("api-na1.niceincontact.com", false).await;
    check("", false).await;
}

#[tokio::test]
async fn an_answer_that_names_no_api_breaks_the_contract() {
    let server = Server::start().await;
    for body in [
        json!({}),
        json!({"api_endpoint": null}),
        json!([]),
        json!("https://nice.example"),
    ] {
        server.world().fail("discover", 1, 200, &body);
        let tokens = discovered(&server, "t-1", &json!([]));
        let error = tokens.bearer().await.unwrap_err();
        assert!(
            matches!(error, Error::Call(cxone::Error::Contract { .. })),
            "{body}: {error:?}"
        );
    }
}

/// A token belongs to the address that granted it, even if the client is called the same at the new one.
#[tokio::test]
async fn a_token_of_another_address_is_forgotten() {
    for (change, token) in [
        ("token_url", "t-2"),
        ("base_url", "t-2"),
        ("client_auth", "t-1"),
    ] {
        let server = Server::start().await;
        let tokens = server.process();
        assert_eq!(bearer(&tokens).await, "t-1");
        let value = match change {
            "token_url" => server.url("/auth/token?at=another"),
            "base_url" => server.url("").replace("127.0.0.1", "localhost"),
            _ => "basic_encoded".to_owned(),
        };
        server.put_tenant(&json!({change: value}));
        server.secrets().put(TOKEN, Some("{}"));
        server.world().fail("api", 1, 503, &json!({}));
        look(&tokens).await.unwrap_err();
        assert_eq!(bearer(&tokens).await, token, "{change}");
    }
}
