//! A tenant whose issuer says where its API is.

use definition::RunStatus;
use definition::{Dialect, RunId};
use delivery::{Failure, FailureName};
use serde_json::json;
use tokens::{Error, UnavailableError};

use crate::bearer;
use crate::world::Server;

#[tokio::test]
async fn the_issuer_is_asked_once_a_process() {
    let server = Server::start().await;
    let site = server.discovered("t-1", &[]);
    let tokens = server.process_at(site.clone());
    assert!(
        server.world().asked.is_empty(),
        "nothing is asked before it is needed"
    );
    let sites = (0..8).map(|_| {
        let site = site.clone();
        tokio::spawn(async move { site.connect().await.is_ok() })
    });
    for found in sites.collect::<Vec<_>>() {
        assert!(found.await.unwrap());
    }
    assert_eq!(bearer(&tokens).await, "t-1");
    let client = site.connect().await.unwrap();
    let run = RunId::new("run-1").unwrap();
    let (client, run) = (&client, &run);
    let look =
        tokens.call(|token| async move { client.poll_run(&token, Dialect::Analytics, run).await });
    assert_eq!(look.await.unwrap(), RunStatus::Completed);
    assert_eq!(server.world().asked, ["discover", "client_credentials"]);
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_is_said_is_kept() {
    let server = Server::start().await;
    let tokens = server.process_at(server.discovered("t-1", &[]));
    server.world().fail("discover", 1, 503, &json!({}));
    let error = tokens.bearer().await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable(UnavailableError::Grant(_))),
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
        let tokens = server.process_at(server.discovered(tenant, &[]));
        let failure = Failure::from(tokens.bearer().await.unwrap_err());
        assert_eq!(failure.name, FailureName::Config, "{failure}");
        assert!(failure.message.contains(tenant), "{failure}");
        assert!(
            failure.message.contains("correct the tenant id"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn an_api_elsewhere_than_allowed_is_not_called() {
    let server = Server::start().await;
    let check = async |endpoint: &str, allowed: bool| {
        server.world().endpoint = endpoint.to_owned();
        let site = server.discovered("t-1", &["nice.example", "niceincontact.com"]);
        match site.connect().await {
            Ok(_) => assert!(allowed, "{endpoint}"),
            Err(error) => {
                assert!(!allowed, "{endpoint}: {error}");
                assert!(matches!(error, cxone::Error::Config { .. }), "{error:?}");
                let said = error.to_string();
                assert!(
                    said.contains("tenant t-1") && said.contains("allowed hosts"),
                    "{said}"
                );
                assert!(!said.contains("evil") && !said.contains("http"), "{said}");
            }
        }
    };
    check("https://api-na1.niceincontact.com", true).await;
    check("https://nice.example/", true).await;
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
        let error = server.discovered("t-1", &[]).connect().await.unwrap_err();
        assert!(
            matches!(error, cxone::Error::Contract { .. }),
            "{body}: {error:?}"
        );
    }
}
