//! Every way to sign in, and discovery.

use cxone_sim::{Kind, Options};
use serde_json::{Value, json};

use crate::client::{Answer, Session, escape, small};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\nAccept: application/json\r\n";
const CLIENT: &str = "client_id=sim-client&client_secret=sim-secret";
const KEY: (&str, &str) = ("SIMKEY/1==", "sim+key/secret==");

impl Session {
    async fn grant(&self, form: &str) -> Answer {
        self.send("POST", "/auth/token", FORM, form.as_bytes())
            .await
    }

    async fn password(&self) -> Answer {
        let (id, secret) = (escape(KEY.0), escape(KEY.1));
        self.grant(&format!(
            "grant_type=password&username={id}&password={secret}&{CLIENT}"
        ))
        .await
    }

    async fn access_key(&self, id: &str, secret: &str) -> Answer {
        let body = json!({ "accessKeyId": id, "accessKeySecret": secret }).to_string();
        let path = "/authentication/v1/token/access-key";
        self.send("POST", path, JSON, body.as_bytes()).await
    }

    async fn refresh(&self, token: &Value) -> Answer {
        let token = escape(token.as_str().unwrap());
        self.grant(&format!(
            "grant_type=refresh_token&refresh_token={token}&{CLIENT}"
        ))
        .await
    }

    async fn discover(&self, tenant: &str) -> Answer {
        let path = format!("/.well-known/cxone-configuration?tenantId={tenant}");
        self.send("GET", &path, "Accept: application/json\r\n", b"")
            .await
    }

    /// The status of a call of the published APIs with this token.
    async fn reports(&self, token: &Value) -> u16 {
        let headers = format!(
            "Authorization: bearer {}\r\nAccept: application/json\r\n",
            token.as_str().unwrap()
        );
        self.send("GET", "/inContactAPI/services/v34.0/reports", &headers, b"")
            .await
            .status
    }
}

#[tokio::test]
async fn an_access_key_signs_in_at_the_issuer() {
    let session = Session::open(small()).await;
    let answer = session.password().await.json();
    assert_eq!(answer["expires_in"], 3_600);
    assert_eq!(answer["id_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(session.reports(&answer["access_token"]).await, 200);
    let refreshed = session.refresh(&answer["refresh_token"]).await.json();
    assert_eq!(session.reports(&refreshed["access_token"]).await, 200);
    let again = session.refresh(&answer["refresh_token"]).await;
    assert_eq!(
        (again.status, again.json()["error"].clone()),
        (400, json!("invalid_grant")),
        "a refresh token is good for one use"
    );
}

#[tokio::test]
async fn an_access_key_signs_in_at_user_hub() {
    let session = Session::open(small()).await;
    let answer = session.access_key(KEY.0, KEY.1).await.json();
    assert_eq!(answer["refresh_token_expires_in"], 86_400);
    assert_eq!(session.reports(&answer["access_token"]).await, 200);
    let body = json!({ "token": answer["refresh_token"] }).to_string();
    let path = "/authentication/v1/token/refresh";
    let refreshed = session.send("POST", path, JSON, body.as_bytes()).await;
    assert_eq!(
        session.reports(&refreshed.json()["access_token"]).await,
        200
    );
    let again = session.send("POST", path, JSON, body.as_bytes()).await;
    assert_eq!(again.status, 401);
}

#[tokio::test]
async fn a_refused_grant_says_so_in_the_issuers_words() {
    let key = format!("username={}&password={}", escape(KEY.0), escape(KEY.1));
    let raw = format!("username={}&password={}", KEY.0, KEY.1);
    for (form, status, error) in [
        (format!("grant_type=password&{key}"), 401, "invalid_client"),
        (
            format!("grant_type=password&{CLIENT}"),
            400,
            "invalid_request",
        ),
        (
            format!("grant_type=password&{raw}&{CLIENT}"),
            400,
            "invalid_grant",
        ),
        (
            format!("grant_type=password&username=x&password=y&{CLIENT}"),
            400,
            "invalid_grant",
        ),
        (
            format!("grant_type=refresh_token&refresh_token=x&{CLIENT}"),
            400,
            "invalid_grant",
        ),
        (
            format!("grant_type=refresh_token&{CLIENT}"),
            400,
            "invalid_request",
        ),
        (
            format!("grant_type=implicit&{CLIENT}"),
            400,
            "unsupported_grant_type",
        ),
    ] {
        let answer = Session::open(small()).await.grant(&form).await;
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["error"]),
            (status, &json!(error)),
            "{form}"
        );
        assert!(body["error_description"].is_string());
    }
    let refused = Session::open(small())
        .await
        .access_key(KEY.0, "wrong")
        .await;
    assert_eq!(refused.status, 401);
    assert!(refused.json()["errorMessage"].is_string());
}

#[tokio::test]
async fn tokens_end_and_refresh_tokens_live_longer() {
    let session = Session::open(small()).await;
    let answer = session.password().await.json();
    session.pass(3_600);
    assert_eq!(session.reports(&answer["access_token"]).await, 401);
    assert_eq!(session.refresh(&answer["refresh_token"]).await.status, 200);
    let answer = session.password().await.json();
    session.pass(86_400);
    assert_eq!(session.refresh(&answer["refresh_token"]).await.status, 400);
    let none = Options {
        refresh_lifetime: std::time::Duration::ZERO,
        ..small()
    };
    let answer = Session::open(none).await.password().await.json();
    assert!(answer.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_refused_refresh_token_spares_the_other_grants() {
    for fault in ["refresh-refused", "refresh-refused:status=401"] {
        let session = Session::open(small()).await;
        session.arm(&[fault]);
        let answer = session.password().await.json();
        let refused = session.refresh(&answer["refresh_token"]).await;
        assert!([400, 401].contains(&refused.status), "{fault}");
        assert_eq!(session.password().await.status, 200);
        assert_eq!(session.access_key(KEY.0, KEY.1).await.status, 200);
    }
}

#[tokio::test]
async fn discovery_says_where_the_api_is() {
    let session = Session::open(small()).await;
    let found = session.discover("sim-tenant").await.json();
    assert_eq!(found["api_endpoint"], session.tenant.base_url());
    for field in ["area", "cluster", "domain"] {
        assert!(found[field].is_string(), "{field}");
    }
    let unknown = session.discover("other").await;
    assert_eq!(
        (unknown.status, &unknown.json()["status"]),
        (404, &json!(404))
    );
    let kinds: Vec<Kind> = session
        .tenant
        .journal()
        .iter()
        .map(|call| call.kind)
        .collect();
    assert_eq!(kinds, [Kind::Discovery, Kind::Discovery]);
}

#[tokio::test]
async fn discovery_is_wrong_on_request() {
    for (fault, status, begins) in [
        ("discovery-404", 404, ""),
        ("discovery-foreign", 200, "http://127.0.0.1:"),
        (
            "discovery-foreign:to=other-host",
            200,
            "https://api.evil.example",
        ),
        ("discovery-foreign:to=http", 200, "http://api-na1"),
        (
            "discovery-foreign:to=userinfo",
            200,
            "https://api-na1.niceincontact.com@",
        ),
        ("discovery-foreign:to=ip", 200, "https://203."),
        ("discovery-foreign:to=suffix", 200, "https://evilnice"),
        ("discovery-foreign:to=missing", 200, ""),
    ] {
        let session = Session::open(small()).await;
        session.arm(&[fault]);
        let answer = session.discover("sim-tenant").await;
        let found = answer.json();
        let endpoint = found["api_endpoint"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{fault}");
        assert!(endpoint.starts_with(begins), "{fault}: {endpoint}");
        assert_eq!(endpoint.is_empty(), begins.is_empty(), "{fault}");
        assert_ne!(endpoint, session.tenant.base_url(), "{fault}");
    }
}

#[tokio::test]
async fn a_token_is_refused_until_it_is_old_enough() {
    let session = Session::open(small()).await;
    let token = session.password().await.json()["access_token"].clone();
    session.arm(&["token-young:seconds=3600"]);
    assert_eq!(session.reports(&token).await, 401);
    session.arm(&[]);
    assert_eq!(session.reports(&token).await, 200);
}

#[tokio::test]
async fn a_client_is_taken_in_one_form_alone() {
    let session = Session::open(small()).await;
    let form = format!("grant_type=client_credentials&{CLIENT}");
    for (fault, in_header, in_form) in [
        ("client-auth:as=raw", 200, 401),
        ("client-auth:as=encoded", 200, 401),
        ("client-auth:as=form", 401, 200),
    ] {
        session.arm(&[fault]);
        assert_eq!(session.token_answer().await.status, in_header, "{fault}");
        assert_eq!(session.grant(&form).await.status, in_form, "{fault}");
    }
}
