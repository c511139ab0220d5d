//! The calls that have no rows, on the wire.

use std::fmt::Write as _;
use std::time::Duration;

use crate::server::{Answer, SECRET, Server, TOKEN, answer, definition, json, token, window};
use cxone::{CancelOutcome, ClientAuth, ClientConfig, ClientCredentials, Error, TokenGrant};
use definition::RunStatus;
use definition::{Dialect, ScheduleId};

fn credentials() -> ClientCredentials {
    ClientCredentials {
        client_id: "client:1".to_owned(),
        client_secret: SECRET.to_owned().into(),
        auth: ClientAuth::Basic,
    }
}

/// D09: as it is, form-encoded first, or in the form. Each base64 is of what stands beside it.
#[tokio::test]
async fn signing_in_sends_the_secret_in_the_one_place_that_is_asked_for() {
    for (auth, header, body) in [
        // client:1:canary-client-secret
        (
            ClientAuth::Basic,
            Some("Basic Y2xpZW50OjE6Y2FuYXJ5LWNsaWVudC1zZWNyZXQ=\r\n"),
            "\r\n\r\ngrant_type=client_credentials",
        ),
        // client%3A1:canary-client-secret
        (
            ClientAuth::BasicEncoded,
            Some("Basic Y2xpZW50JTNBMTpjYW5hcnktY2xpZW50LXNlY3JldA==\r\n"),
            "\r\n\r\ngrant_type=client_credentials",
        ),
        (
            ClientAuth::Post,
            None,
            "\r\n\r\ngrant_type=client_credentials&client_id=client%3A1&client_secret=canary-client-secret",
        ),
    ] {
        let server = Server::start(vec![json(
            "200 OK",
            r#"{"access_token":"abc","token_type":"bearer","expires_in":"3600"}"#,
        )])
        .await;
        let client = ClientCredentials {
            auth,
            ..credentials()
        };
        let grant = server.client.sign_in(&client).await.unwrap();
        assert_eq!(grant.token.expose(), "abc");
        assert_eq!(
            (grant.lifetime, grant.cacheable),
            (Duration::from_hours(1), true)
        );
        let request = &server.requests()[0];
        assert!(
            request.starts_with("POST /auth/token HTTP/1.1\r\n"),
            "{request}"
        );
        assert_eq!(request.contains("authorization: "), header.is_some());
        assert!(header.is_none_or(|header| request.contains(header)));
        assert!(request.ends_with(body), "{request}");
    }
}

#[tokio::test]
async fn a_refused_client_is_unauthorized_and_a_strange_token_breaks_the_contract() {
    for (status, body, expected) in [
        (
            "401 Unauthorized",
            r#"{"error":"invalid_client"}"#,
            "sign in: unauthorized: invalid_client",
        ),
        (
            "400 Bad Request",
            r#"{"error":"invalid_client","error_description":"no"}"#,
            "sign in: unauthorized: invalid_client",
        ),
        (
            "200 OK",
            r#"{"access_token":"a","token_type":"mac"}"#,
            "sign in: the answer breaks the contract: the token is not a bearer token",
        ),
        (
            "200 OK",
            r#"{"access_token":"a\r\nb"}"#,
            "sign in: the answer breaks the contract: the access token does not fit into a header",
        ),
        (
            "200 OK",
            "{}",
            "sign in: the answer breaks the contract: the answer is not a token",
        ),
        (
            "200 OK",
            "",
            "sign in: the answer breaks the contract: the answer is empty",
        ),
        (
            "503 Service Unavailable",
            "",
            "sign in: unavailable: status 503",
        ),
    ] {
        let server = Server::start(vec![json(status, body)]).await;
        assert_eq!(
            server
                .client
                .sign_in(&credentials())
                .await
                .unwrap_err()
                .to_string(),
            expected
        );
    }
}

#[tokio::test]
async fn an_answer_with_a_token_is_taken_from_both_calls_or_from_neither() {
    const TYPED: &str = "Content-Type: application/json\r\n";
    const PAGE: &str = "Content-Type: text/html\r\n";
    const GRANT: &str = r#"{"access_token":"a"}"#;
    for (status, headers, body, is_taken) in [
        ("200 OK", TYPED, GRANT, true),
        ("200 OK", "", GRANT, true),
        ("200 OK", PAGE, GRANT, false),
        ("206 Partial Content", TYPED, GRANT, false),
        ("200 OK", TYPED, "", false),
        ("403 Forbidden", TYPED, GRANT, false),
    ] {
        let server = Server::start(vec![
            answer(status, headers, body),
            answer(status, headers, body),
        ])
        .await;
        let signed_in = server.client.sign_in(&credentials()).await;
        let asked = server.client.ask_for_token(&credentials()).await.unwrap();
        let of_answer = TokenGrant::of_answer(&asked);
        let found = (signed_in.is_ok(), of_answer.is_ok());
        assert_eq!(found, (is_taken, is_taken), "{status} {headers} {body}");
    }
}

#[tokio::test]
async fn statuses_are_grouped_by_what_the_caller_can_do() {
    let date = "Date: Sun, 22 Nov 2026 06:00:00 GMT\r\n";
    for (status, headers, expected) in [
        (
            "429 Too Many Requests",
            "Retry-After: 17\r\n",
            "look at run: throttled, retry after 17 s",
        ),
        (
            "429 Too Many Requests",
            "Retry-After: Sun, 22 Nov 2026 06:01:00 GMT\r\n",
            "look at run: throttled, retry after 60 s",
        ),
        (
            "429 Too Many Requests",
            "Retry-After: soon\r\n",
            "look at run: throttled",
        ),
        ("429 Too Many Requests", "", "look at run: throttled"),
        (
            "503 Service Unavailable",
            "Retry-After: 3\r\n",
            "look at run: throttled, retry after 3 s",
        ),
        ("500 Oh", "", "look at run: unavailable: status 500"),
        ("502 Oh", "", "look at run: unavailable: status 502"),
        ("503 Oh", "", "look at run: unavailable: status 503"),
        ("504 Oh", "", "look at run: unavailable: status 504"),
        ("501 Oh", "", "look at run: rejected (status 501)"),
        ("401 Oh", "", "look at run: unauthorized"),
        ("403 Oh", "", "look at run: forbidden"),
        ("404 Oh", "", "look at run: not found (status 404)"),
        ("410 Oh", "", "look at run: not found (status 410)"),
        ("400 Oh", "", "look at run: rejected (status 400)"),
        (
            "204 No Content",
            "",
            "look at run: the answer breaks the contract: status 204 instead of an answer",
        ),
        (
            "302 Found",
            "Location: http://127.0.0.1:1/\r\n",
            "look at run: the answer breaks the contract: a redirect (status 302), which is not followed",
        ),
        (
            "307 Oh",
            "Location: /x\r\n",
            "look at run: the answer breaks the contract: a redirect (status 307), which is not followed",
        ),
        (
            "200 OK",
            "Content-Type: text/html\r\n",
            "look at run: the answer breaks the contract: the answer is of the type text/html",
        ),
        (
            "200 OK",
            "Content-Type: application/json\r\n",
            "look at run: the answer breaks the contract: the answer is empty",
        ),
    ] {
        let server = Server::start(vec![answer(status, &format!("{date}{headers}"), "")]).await;
        let error = server.poll_run(Dialect::Analytics).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{status} {headers}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_look_says_what_the_run_says() {
    let pending = |state: &str, known| RunStatus::Pending {
        state: state.to_owned(),
        known,
    };
    for (body, expected) in [
        (
            r#"{"runId":"run-1","state":"queued"}"#,
            pending("queued", true),
        ),
        (r#"{"state":"Processing"}"#, pending("Processing", true)),
        (
            r#"{"state":"finishing\u001b[1m"}"#,
            pending("finishing [1m", false),
        ),
        (r#"{"state":null}"#, pending("", false)),
        ("{}", pending("", false)),
        (r#"{"state":" completed"}"#, pending("completed", false)),
        (r#"{"state":"COMPLETED","data":[]}"#, RunStatus::Completed),
        (
            r#"{"data":[{"a":1}],"state":"completed"}"#,
            RunStatus::Completed,
        ),
        (
            r#"{"errorMessage":"query\nlimit canary-access-token","state":"failed"}"#,
            RunStatus::Failed {
                message: "query limit [redacted]".to_owned(),
            },
        ),
        (
            r#"{"state":"failed","errorMessage":null}"#,
            RunStatus::Failed {
                message: String::new(),
            },
        ),
    ] {
        let server = Server::start(vec![json("200 OK", body)]).await;
        assert_eq!(
            server.poll_run(Dialect::Analytics).await.unwrap(),
            expected,
            "{body}"
        );
        let request = server.requests().remove(0);
        assert!(
            request.starts_with(
                "GET /canary-base/api/v2/analytics/reports/results/run-1 HTTP/1.1\r\n"
            ),
            "{request}"
        );
        assert!(
            request.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
            "{request}"
        );
        assert!(
            request.contains("accept: application/json\r\n"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_look_does_not_read_the_rows_behind_the_state() {
    let body = r#"{"state":"completed","data":[{"a":1},"#;
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n";
    let server = Server::start(vec![Answer::Hang(format!("{head}{body}").into_bytes())]).await;
    assert_eq!(
        server.poll_run(Dialect::Analytics).await.unwrap(),
        RunStatus::Completed
    );
}

#[tokio::test]
async fn a_look_at_another_run_breaks_the_contract() {
    let server = Server::start(vec![json(
        "200 OK",
        r#"{"runId":"run-2","state":"completed","data":[]}"#,
    )])
    .await;
    assert!(matches!(
        server.poll_run(Dialect::Analytics).await,
        Err(Error::Contract { .. })
    ));
}

#[tokio::test]
async fn a_run_is_started_over_the_window_that_was_asked_for() {
    let server = Server::start(vec![json(
        "202 Accepted",
        r#"{"runId":"run-9","state":"queued"}"#,
    )])
    .await;
    let schedule = ScheduleId::new("sch-1").unwrap();
    assert_eq!(
        server
            .start_run(&definition("json"), Some(&schedule))
            .await
            .unwrap()
            .as_str(),
        "run-9"
    );
    let request = &server.requests()[0];
    assert!(
        request.starts_with(
            "POST /canary-base/api/v2/analytics/reports/schedules/sch-1/runs HTTP/1.1\r\n"
        ),
        "{request}"
    );
    let body = r#"{"dateRange":{"type":"absolute","start":"2026-11-21T00:00:00Z","end":"2026-11-22T00:00:00Z"}}"#;
    assert!(request.ends_with(body), "{request}");
}

#[tokio::test]
async fn a_started_run_whose_id_is_lost_is_ambiguous() {
    let schedule = ScheduleId::new("sch-1").unwrap();
    let cut = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"runId\":";
    for lost in [
        Answer::Close,
        Answer::Bytes(cut.into()),
        json("500 Oh", ""),
        json("502 Oh", ""),
        json("504 Oh", ""),
    ] {
        let server = Server::start(vec![lost]).await;
        let error = server
            .start_run(&definition("json"), Some(&schedule))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Ambiguous { .. }), "{error}");
        assert_eq!(server.requests().len(), 1, "nothing is sent a second time");
    }
    for bad in [
        r#"{"runId":"../x"}"#,
        r#"{"runId":""}"#,
        r#"{"runId":"a%2Fb"}"#,
        r#"{"runId":7.5}"#,
        r#"{"runId":["r-1"]}"#,
        r#"{"run":{"id":"r-1"},"schedule":{"id":"s-1"}}"#,
        "{}",
    ] {
        let server = Server::start(vec![json("202 Accepted", bad)]).await;
        let error = server
            .start_run(&definition("json"), Some(&schedule))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{bad}: {error}");
    }
    // The guide shows no answer, so that an id is taken in any shape.
    for (good, id) in [
        (r#"{"runId":18446744073709551617}"#, "18446744073709551617"),
        (r#"{"id":"r-1","state":"queued"}"#, "r-1"),
        (r#"{"run":{"runId":7}}"#, "7"),
        ("\"r-1\"", "r-1"),
    ] {
        let server = Server::start(vec![json("202 Accepted", good)]).await;
        let started = server.start_run(&definition("json"), Some(&schedule)).await;
        assert_eq!(started.unwrap().as_str(), id, "{good}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unavailable_even_for_a_run() {
    let server = Server::start(vec![]).await;
    tokio::task::yield_now().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url: url::Url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let config = ClientConfig {
        base_url: url.clone(),
        token_url: url,
        api_hosts: Vec::new(),
        allowed_hosts: Vec::new(),
        source: "the test".to_owned(),
    };
    let client = cxone::Client::new(config).unwrap();
    let error = client
        .start_run(
            &token(),
            &definition("json"),
            Some(&ScheduleId::new("sch-1").unwrap()),
            &window(),
        )
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "start run: unavailable: no connection");
    drop(server);
}

#[tokio::test]
async fn cancelling_says_what_came_of_it() {
    for (status, expected) in [
        ("204 No Content", CancelOutcome::Accepted),
        ("202 Accepted", CancelOutcome::Accepted),
        ("404 Not Found", CancelOutcome::Unknown),
        ("410 Gone", CancelOutcome::Unknown),
        ("409 Conflict", CancelOutcome::AlreadyEnded),
        ("405 Method Not Allowed", CancelOutcome::Unsupported),
    ] {
        let server = Server::start(vec![json(status, "")]).await;
        assert_eq!(
            server.cancel_run(Dialect::Analytics).await.unwrap(),
            expected,
            "{status}"
        );
        assert!(server.requests()[0].starts_with("DELETE "));
    }
    let server = Server::start(vec![json("500 Oh", "")]).await;
    assert!(
        server
            .cancel_run(Dialect::Analytics)
            .await
            .unwrap_err()
            .is_transient()
    );
}

fn listed(id: &str, change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
    let mut schedule: serde_json::Value =
        serde_json::from_slice(&definition("json").registered_body()).unwrap();
    schedule["scheduleId"] = id.into();
    change(&mut schedule);
    schedule
}

fn listing(schedules: &[serde_json::Value], next: Option<&str>) -> Answer {
    json(
        "200 OK",
        serde_json::json!({ "schedules": schedules, "nextPageToken": next }).to_string(),
    )
}

async fn register(answers: Vec<Answer>) -> (Result<String, String>, Vec<String>) {
    let server = Server::start(answers).await;
    let registered = server
        .client
        .register_schedule(&token(), &definition("json"))
        .await;
    let lines = server
        .requests()
        .iter()
        .map(|r| r.split(" HTTP").next().unwrap_or_default().to_owned())
        .collect();
    (
        registered
            .map(|registered| match registered {
                Some(id) => id.to_string(),
                None => "none".to_owned(),
            })
            .map_err(|error| error.to_string()),
        lines,
    )
}

const LIST: &str =
    "GET /canary-base/api/v2/analytics/reports/schedules?name=Daily+Agent+Performance+Aggregation";

#[tokio::test]
async fn a_schedule_is_created_only_where_there_is_none_of_exactly_this_name() {
    let other = listed("sch-0", |s| {
        s["name"] = "daily agent performance aggregation".into();
    });
    let created = json("201 Created", r#"{"scheduleId":"sch-1"}"#);
    let (id, requests) = register(vec![
        listing(&[other], Some("p=2&x")),
        listing(&[], None),
        created,
    ])
    .await;
    assert_eq!(id.unwrap(), "sch-1");
    let create = "POST /canary-base/api/v2/analytics/reports/schedules";
    assert_eq!(
        requests,
        [LIST, &format!("{LIST}&pageToken=p%3D2%26x"), create]
    );
}

#[tokio::test]
async fn a_schedule_is_updated_only_if_it_differs() {
    let (id, requests) = register(vec![listing(
        &[listed("sch-1", |s| s["createdAt"] = "x".into())],
        None,
    )])
    .await;
    assert_eq!((id.unwrap().as_str(), requests.len()), ("sch-1", 1));
    let stale = listed("sch-1", |s| {
        s["report"]["metrics"] = serde_json::json!(["handleTime"]);
    });
    let (id, requests) = register(vec![
        listing(&[stale], None),
        json("200 OK", r#"{"scheduleId":"sch-1"}"#),
    ])
    .await;
    assert_eq!(id.unwrap(), "sch-1");
    assert_eq!(
        requests[1],
        "PUT /canary-base/api/v2/analytics/reports/schedules/sch-1"
    );
}

#[tokio::test]
async fn two_schedules_of_one_name_are_for_a_person_to_sort_out() {
    let twins = [
        listed("sch-1", |_| ()),
        listed("sch-2", |s| {
            s["report"]["metrics"] = serde_json::json!(["handleTime"]);
        }),
    ];
    let (error, _) = register(vec![
        listing(&twins[..1], Some("2")),
        listing(&twins[1..], None),
    ])
    .await;
    let expected = "find schedule: the answer breaks the contract: two schedules have this name: sch-1 and sch-2; \
                    delete or rename one";
    assert_eq!(error.unwrap_err(), expected);
    let (error, _) = register(vec![listing(&[], Some("2")), listing(&[], Some("2"))]).await;
    assert!(error.unwrap_err().contains("circle"));
}

#[tokio::test]
async fn of_two_schedules_that_both_say_what_is_wanted_the_lower_id_is_taken() {
    for ids in [["sch-1", "sch-2"], ["sch-2", "sch-1"]] {
        let twins = ids.map(|id| listed(id, |_| ()));
        let (id, requests) = register(vec![listing(&twins, None)]).await;
        assert_eq!((id.unwrap().as_str(), requests.len()), ("sch-1", 1));
    }
}

#[tokio::test]
async fn a_rejected_definition_comes_with_the_apis_own_words() {
    let body = r#"{"error":"invalid_request","error_description":"metric x is not valid for agent\u0007"}"#;
    let (error, _) = register(vec![listing(&[], None), json("400 Bad Request", body)]).await;
    assert_eq!(
        error.unwrap_err(),
        "create schedule: rejected (status 400): invalid_request: metric x is not valid for agent"
    );
}

fn config(base: &str, token: &str) -> ClientConfig {
    ClientConfig {
        base_url: base.parse().unwrap(),
        token_url: token.parse().unwrap(),
        api_hosts: Vec::new(),
        allowed_hosts: Vec::new(),
        source: "the test".to_owned(),
    }
}

#[test]
fn only_https_and_this_machine_are_configured() {
    let good = "https://api.example.com";
    for (base, token) in [
        ("http://api.example.com", good),
        (good, "http://api.example.com"),
        ("https://user:pw@api.example.com", good),
        ("https://api.example.com?x=1", good),
        ("http://127.0.0.1.example.com", good),
        ("mailto:x@example.com", good),
    ] {
        let error = cxone::Client::new(config(base, token)).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{base} {token}");
        assert!(!error.to_string().contains("example"), "{error}");
    }
    for base in [
        good,
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
    ] {
        assert!(cxone::Client::new(config(base, base)).is_ok(), "{base}");
    }
}

/// What an API may send in its worst hour, the call's own secrets among it.
fn worst_answers(secrets: &str) -> Vec<Answer> {
    let echo = format!(r#"{{"error":"{secrets}","error_description":"{secrets} were bad"}}"#);
    let statuses = [
        "400", "401", "403", "404", "409", "429", "500", "501", "503", "302",
    ];
    let mut answers: Vec<Answer> = statuses
        .iter()
        .map(|status| json(&format!("{status} X"), &echo))
        .collect();
    answers.extend([
        answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            "<html>canary-body</html>",
        ),
        json(
            "200 OK",
            r#"{"state":"completed","data":[{"canary-body":nope}]}"#,
        ),
        json(
            "200 OK",
            r#"{"state":"completed","downloadUrl":"https://elsewhere.example/?canary-body"}"#,
        ),
        json("200 OK", r#"{"state":["canary-body"]}"#),
        Answer::Close,
        Answer::Bytes(b"canary-body".to_vec()),
    ]);
    answers
}

fn tells_nothing(error: &Error) {
    let mut text = format!("{error} {error:?}");
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        write!(text, " {source} {source:?}").unwrap();
        next = source.source();
    }
    assert!(
        !text.contains("canary") && !text.contains("127.0.0.1"),
        "{text}"
    );
}

/// The operating system's word is the source of an error, and all of it: the client's own errors hold the URL.
#[tokio::test]
async fn a_connection_that_is_refused_says_so_in_the_source_and_nothing_else() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = cxone::Client::new(config(&base, &base)).unwrap();
    let error = client.sign_in(&credentials()).await.unwrap_err();
    assert_eq!(error.to_string(), "sign in: unavailable: no connection");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "connection refused");
    assert!(source.source().is_none());
    tells_nothing(&error);
}

/// Whatever goes wrong, neither the token, the secret, the page token, the URL nor the body is in the error.
#[tokio::test]
async fn no_error_tells_a_secret() {
    let at = definition::PageToken::new("canary-page-token").unwrap();
    for bad in worst_answers(&format!("{TOKEN} canary-page-token")) {
        let server = Server::start(vec![bad]).await;
        let page = server.open_page(&definition("json"), Some(&at)).await;
        tells_nothing(&match page {
            Err(error) => error,
            Ok(mut page) => page
                .read_rows(&mut cxone::RowChunk::new())
                .await
                .unwrap_err(),
        });
    }
    for bad in worst_answers(SECRET) {
        let server = Server::start(vec![bad.clone()]).await;
        tells_nothing(&server.client.sign_in(&credentials()).await.unwrap_err());
    }
    for bad in worst_answers(TOKEN) {
        let server = Server::start(vec![bad]).await;
        tells_nothing(
            &server
                .client
                .register_schedule(&token(), &definition("json"))
                .await
                .unwrap_err(),
        );
    }
}
