//! What a well-behaved tenant does and refuses.

use std::time::Duration;

use cxone_sim::{Kind, Options, Rate};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{END, REPORTS, START, Session, definition, request, small};

#[tokio::test]
async fn the_pages_hold_exactly_the_rows_of_the_oracle() {
    let session = Session::with(&[]).await;
    let mut rows = Vec::new();
    for page in 0..3 {
        let answer = session.nth(page).await;
        assert_eq!(
            (answer.status, answer.json()["total"].clone()),
            (200, json!(25))
        );
        assert_eq!(answer.next().is_some(), page < 2);
        rows.extend(answer.rows());
    }
    assert_eq!(rows, session.truth());
}

#[tokio::test]
async fn the_download_says_the_same_in_rfc_4180() {
    let session = Session::csv(&[]).await;
    let answer = session.download().await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let body = answer.body();
    assert!(body.starts_with(b"agentId,agentName,queueId,queueName,handleTime,talkTime,wrapUpTime,callsHandled,avgHandleTime\r\n"));
    let mut reader = csv::ReaderBuilder::new().from_reader(body.as_slice());
    let names: Vec<String> = reader
        .records()
        .map(|record| record.unwrap()[1].to_owned())
        .collect();
    let truth: Vec<String> = session
        .truth()
        .iter()
        .map(|row| {
            serde_json::from_str::<Value>(row).unwrap()["agentName"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names, truth);
    let unsigned = session.send("GET", "/download/1.csv", "", b"").await;
    assert_eq!(unsigned.status, 403);
}

#[tokio::test]
async fn gzip_is_for_those_who_accept_it() {
    let session = Session::with(&[]).await;
    let target = format!("{REPORTS}/results/{}", session.run);
    let answer = session
        .send(
            "GET",
            &target,
            &format!("{}Accept-Encoding: br, gzip\r\n", session.headers()),
            b"",
        )
        .await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.rows(), session.look().await.rows());
    assert_eq!(session.look().await.header("content-encoding"), None);
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_two_at_once() {
    let session = Session::with(&[]).await;
    let mut stream = tokio::net::TcpStream::connect(session.tenant.address())
        .await
        .unwrap();
    let target = format!("{REPORTS}/results/run-unknown");
    let one = request("GET", &target, &session.headers(), b"");
    stream
        .write_all(
            &[
                one.as_slice(),
                &one,
                &request("GET", &target, "Connection: close\r\n", b""),
            ]
            .concat(),
        )
        .await
        .unwrap();
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    let statuses: Vec<&str> = raw
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses, ["404", "404", "401"]);
}

#[tokio::test]
async fn a_run_goes_through_its_states_by_the_clock() {
    let options = Options {
        queued: Duration::from_secs(30),
        processing: Duration::from_mins(1),
        ..small()
    };
    let session = Session::started(options, &definition(), &[]).await;
    for (passed, state) in [
        (0, "queued"),
        (29, "queued"),
        (1, "processing"),
        (59, "processing"),
        (1, "completed"),
    ] {
        session.pass(passed);
        assert_eq!(session.look().await.json()["state"], state);
        assert_eq!(session.tenant.runs()[0].state, state);
    }
}

#[tokio::test]
async fn a_cancelled_run_is_gone_and_an_ended_one_stays() {
    let options = Options {
        processing: Duration::from_mins(1),
        ..small()
    };
    let mut session = Session::started(options, &definition(), &[]).await;
    let path = format!("/results/{}", session.run);
    assert_eq!(session.call("DELETE", &path, b"").await.status, 204);
    assert_eq!(session.look().await.status, 404);
    assert_eq!(session.call("DELETE", &path, b"").await.status, 404);
    session.start().await;
    session.pass(60);
    assert_eq!(
        session
            .call("DELETE", &format!("/results/{}", session.run), b"")
            .await
            .status,
        409
    );
    assert_eq!(session.look().await.json()["state"], "completed");
}

#[tokio::test]
async fn half_a_day_has_half_the_rows_and_they_are_its_own() {
    let session = Session::with(&[]).await;
    let noon = "2026-01-14T12:00:00Z";
    for (start, end) in [(START, noon), (noon, END)] {
        assert_eq!(session.start_over(start, end).await.status, 202);
    }
    let runs = session.tenant.runs();
    assert_eq!(
        runs.iter().map(|run| run.rows).collect::<Vec<_>>(),
        [25, 12, 12]
    );
    let first = |at: usize| session.tenant.truth(&runs[at].id).unwrap().next().unwrap();
    assert_eq!(first(0), first(1));
    assert_ne!(first(0), first(2));
}

#[tokio::test]
async fn schedules_are_found_by_a_part_of_their_name_and_doubles_are_taken() {
    let session = Session::with(&[]).await;
    assert_eq!(session.post("/schedules", &definition()).await.status, 201);
    let found = session
        .call("GET", "/schedules?name=daily%20AGENT", b"")
        .await
        .json();
    assert_eq!(found["schedules"].as_array().unwrap().len(), 2);
    assert_eq!(found["schedules"][0]["report"], definition()["report"]);
    assert_eq!(found["nextPageToken"], Value::Null);
    let mut changed = definition();
    changed["report"]["metrics"] = json!(["talkTime"]);
    let path = format!("/schedules/{}", session.schedule);
    assert_eq!(
        session
            .call("PUT", &path, changed.to_string().as_bytes())
            .await
            .status,
        200
    );
    let found = session
        .call("GET", "/schedules?name=Daily", b"")
        .await
        .json();
    assert_eq!(
        found["schedules"][0]["report"]["metrics"],
        json!(["talkTime"])
    );
    assert_eq!(
        session
            .call("PUT", "/schedules/sch-none", b"{}")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn what_the_guide_says_is_refused() {
    let session = Session::with(&[]).await;
    let cases: [(&str, Value, &str); 17] = [
        (
            "/report/type",
            json!("ic"),
            "\"talkTime\" is not valid for report type \"ic\"",
        ),
        (
            "/report/type",
            json!("chat"),
            "\"chat\" is none of agent, queue",
        ),
        (
            "/report/metrics/1",
            json!("messageCount"),
            "\"messageCount\" is not valid",
        ),
        ("/report/metrics/1", json!("handleTime"), "listed twice"),
        ("/report/metrics", json!([]), "at least one metric"),
        (
            "/report/dimensions/1",
            json!("shoeSize"),
            "\"shoeSize\" is not a dimension",
        ),
        (
            "/report/grouping/0",
            json!("skillId"),
            "not among the dimensions",
        ),
        (
            "/report/filters/0/operator",
            json!("like"),
            "\"like\" is not an operator",
        ),
        (
            "/report/dateRange/value",
            json!("yesterdayish"),
            "\"yesterdayish\"",
        ),
        (
            "/report/dateRange",
            json!({"type": "absolute", "start": END, "end": START}),
            "not before the end",
        ),
        (
            "/report/dateRange",
            json!({"type": "absolute", "start": START, "end": START}),
            "not before the end",
        ),
        (
            "/report/dateRange",
            json!({"type": "absolute", "start": "2026-01-14", "end": END}),
            "is not like",
        ),
        (
            "/report/dateRange",
            json!({"type": "relative", "start": START, "end": END}),
            "relative has a value",
        ),
        (
            "/schedule/timezone",
            json!("America/Gotham"),
            "does not exist",
        ),
        ("/schedule/time", json!("25:00"), "is not HH:MM"),
        ("/delivery/format", json!("xml"), "is not json or csv"),
        ("/name", json!(" "), "between 1 and 256"),
    ];
    for (pointer, value, why) in cases {
        let mut body = definition();
        body["delivery"]["format"] = json!("json");
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = session.post("/schedules", &body).await;
        let text = answer.json()["error_description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(answer.status, 400, "{pointer}");
        assert!(text.contains(why), "{pointer}: {text}");
    }
    let mut ours = definition();
    ours["pipeline"] = json!({ "tenant": "acme" });
    assert_eq!(session.post("/schedules", &ours).await.status, 400);
    assert_eq!(session.tenant.schedule_count(), 1);
}

#[tokio::test]
async fn an_ic_report_takes_what_the_guide_says_it_uses() {
    let session = Session::with(&[]).await;
    let mut body = definition();
    body["report"]["type"] = json!("ic");
    body["report"]["metrics"] = json!(["messageCount", "avgResponseTime"]);
    assert_eq!(session.post("/schedules", &body).await.status, 201);
}

#[tokio::test]
async fn a_relative_range_is_taken_in_the_schedules_zone() {
    let mut body = definition();
    body["schedule"]["timezone"] = json!("America/New_York");
    let session = Session::started(small(), &body, &[]).await;
    assert_eq!(
        session
            .call(
                "POST",
                &format!("/schedules/{}/runs", session.schedule),
                b""
            )
            .await
            .status,
        202
    );
    let window = session.tenant.runs()[1].window;
    assert_eq!(
        (window.start.to_string(), window.end.to_string()),
        ("2026-01-14T05:00:00Z".into(), "2026-01-15T05:00:00Z".into())
    );
}

#[tokio::test]
async fn tokens_scopes_and_headers_are_looked_at() {
    let mut session = Session::with(&[]).await;
    let results = format!("{REPORTS}/results/{}", session.run);
    let bearer = format!("Authorization: Bearer {}\r\n", session.token);
    for (method, target, headers, status) in [
        ("GET", results.as_str(), "", 401),
        ("GET", &results, "Authorization: Bearer nobody\r\n", 401),
        ("GET", &results, "Authorization: Basic abc\r\n", 401),
        ("GET", &results, &bearer, 200),
        (
            "GET",
            &results,
            &format!("{bearer}Accept: text/html\r\n"),
            406,
        ),
        ("GET", &format!("{results}?pageToken=rubbish"), &bearer, 400),
        (
            "GET",
            "/api/v2/analytics/reports/results/run-none",
            &bearer,
            404,
        ),
        (
            "POST",
            "/api/v2/analytics/reports/schedules/sch-none/runs",
            &bearer,
            404,
        ),
        ("PATCH", &results, &bearer, 405),
        ("GET", "/auth/token", "", 405),
        ("GET", "/elsewhere", &bearer, 404),
    ] {
        assert_eq!(
            session.send(method, target, headers, b"").await.status,
            status,
            "{method} {target} {headers}"
        );
    }
    let text = session
        .send("POST", &format!("{REPORTS}/schedules"), &bearer, b"{}")
        .await;
    assert_eq!(text.status, 415);
    session.pass(3_600);
    assert_eq!(session.look().await.json()["error"], "invalid_token");
    session.login().await;
    assert_eq!(session.look().await.status, 200);
}

#[tokio::test]
async fn a_token_without_the_scope_may_not_write() {
    let options = Options {
        scopes: vec!["analytics:reports:read".into()],
        ..small()
    };
    let mut session = Session::open(options).await;
    session.login().await;
    assert_eq!(session.post("/schedules", &definition()).await.status, 403);
    assert_eq!(session.call("GET", "/schedules", b"").await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_knows_one_client() {
    let session = Session::open(small()).await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (body, status, error) in [
        (
            "grant_type=client_credentials&client_id=sim-client&client_secret=sim-secret",
            200,
            Value::Null,
        ),
        (
            "grant_type=client_credentials&client_id=sim-client&client_secret=other",
            401,
            json!("invalid_client"),
        ),
        (
            "grant_type=client_credentials",
            401,
            json!("invalid_client"),
        ),
        ("grant_type=implicit", 400, json!("unsupported_grant_type")),
    ] {
        let answer = session
            .send("POST", "/auth/token", form, body.as_bytes())
            .await;
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (status, error),
            "{body}"
        );
    }
    let answer = session.token_answer().await.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(3_600))
    );
}

#[tokio::test]
async fn a_page_token_belongs_to_its_run() {
    let mut session = Session::with(&[]).await;
    let token = session.look().await.next().unwrap();
    session.start().await;
    assert_eq!(session.page(&token).await.status, 400);
}

#[tokio::test]
async fn the_rate_is_limited_by_the_tenants_clock() {
    let options = Options {
        rate: Some(Rate {
            per_minute: 6,
            burst: 3,
        }),
        ..small()
    };
    let session = Session::started(options, &definition(), &[]).await;
    assert_eq!(session.look().await.status, 200);
    let refused = session.look().await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("10"))
    );
    session.pass(10);
    assert_eq!(session.look().await.status, 200);
}

#[tokio::test]
async fn the_journal_says_what_was_asked() {
    let session = Session::with(&[]).await;
    session.nth(1).await;
    let journal = session.tenant.journal();
    let seen: Vec<_> = journal
        .iter()
        .map(|entry| (entry.kind, entry.status, entry.page, entry.run.is_some()))
        .collect();
    let expected = [
        (Kind::Token, 200, None, false),
        (Kind::CreateSchedule, 201, None, false),
        (Kind::StartRun, 202, None, true),
        (Kind::Look, 200, Some(0), true),
        (Kind::Page, 200, Some(1), true),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn other_languages_can_ask_for_the_truth_and_set_faults() {
    let session = Session::with(&[]).await;
    let rows = session
        .send(
            "GET",
            &format!("/_sim/rows?runId={}&from=5&to=7", session.run),
            "",
            b"",
        )
        .await;
    assert_eq!(
        rows.body(),
        format!("{}\n", session.truth()[5..7].join("\n")).into_bytes()
    );
    let asked = "/_sim/rows?name=Daily+Agent+Performance+Aggregation&dimensions=agentId,agentName,queueId,queueName\
        &metrics=handleTime,talkTime,wrapUpTime,callsHandled,avgHandleTime&grouping=agentId,queueId\
        &start=2026-01-14T00:00:00Z&end=2026-01-15T00:00:00Z&from=5&to=7";
    assert_eq!(
        session.send("GET", asked, "", b"").await.body(),
        rows.body()
    );
    let set = session
        .send(
            "POST",
            "/_sim/faults",
            "",
            b"throttled:on=look\nforbidden\n",
        )
        .await;
    assert_eq!(
        set.json()[0],
        json!({ "fault": "throttled:on=look", "seen": 0, "fired": 0 })
    );
    let wrong = session.send("POST", "/_sim/faults", "", b"throtled").await;
    assert_eq!(
        (wrong.status, wrong.json()["error"].clone()),
        (400, json!("invalid_fault"))
    );
    assert_eq!(session.look().await.status, 429);
    assert_eq!(
        session.send("GET", "/_sim/faults", "", b"").await.json()[0]["fired"],
        1
    );
    assert_eq!(
        session.send("GET", "/_sim/runs", "", b"").await.json()[0]["state"],
        "completed"
    );
    assert_eq!(
        session
            .send("GET", "/_sim/journal", "", b"")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        4
    );
}

#[tokio::test]
async fn two_hundred_thousand_rows_come_in_pieces() {
    let options = Options {
        rows: 200_000,
        page_size: 200_000,
        ..Options::default()
    };
    let session = Session::started(options, &definition(), &[]).await;
    let answer = session.look().await;
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert!(answer.rows() == session.truth(), "not the oracle's rows");
}
