//! Faults of rate, availability, transport and authentication.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Answer, END, REPORTS, START, Session, dechunk, definition, request, small};

/// The answer to a look at a completed run under one fault.
async fn look(fault: &str) -> Answer {
    Session::later(&[fault]).await.look().await
}

#[tokio::test]
async fn throttled_says_when_to_come_back_in_every_form() {
    for (form, expected) in [
        ("seconds", Some("30")),
        ("imf", Some("Thu, 15 Jan 2026 06:00:30 GMT")),
        ("rfc850", Some("Thursday, 15-Jan-26 06:00:30 GMT")),
        ("asctime", Some("Thu Jan 15 06:00:30 2026")),
        ("past", Some("Thu, 15 Jan 2026 05:00:00 GMT")),
        ("negative", Some("-5")),
        ("fraction", Some("1.5")),
        ("word", Some("soon")),
        ("huge", Some("100000000000000000000")),
        ("empty", Some("")),
        ("none", None),
    ] {
        let answer = look(&format!("throttled:retry-after={form},seconds=30")).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, expected),
            "{form}"
        );
        assert_eq!(answer.header("date"), Some("Thu, 15 Jan 2026 06:00:00 GMT"));
    }
}

#[tokio::test]
async fn a_fault_fires_as_often_and_where_it_is_asked_to() {
    let session = Session::later(&["throttled:at=2,times=2"]).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(session.look().await.status);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    session.arm(&["throttled:times=forever,page=1"]);
    let first = session.look().await;
    for _ in 0..3 {
        assert_eq!(session.page(&first.next().unwrap()).await.status, 429);
    }
    session.arm(&["throttled:on=start-run,run=3"]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(session.start_over(START, END).await.status);
    }
    assert_eq!(statuses, [202, 429, 202], "runs 2 and 3, and 3 again");
    let journal = session.tenant.journal();
    assert!(
        journal
            .iter()
            .any(|entry| entry.faults == ["throttled:run=3,on=start-run"])
    );
}

#[tokio::test]
async fn unavailable_has_any_status_and_body() {
    for status in [500, 501, 502, 503, 504] {
        let answer = look(&format!("unavailable:status={status}")).await;
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (status, json!("unavailable"))
        );
    }
    let html = look("unavailable:body=html").await;
    assert!(html.header("content-type") == Some("text/html") && html.body().len() > 8_000);
    assert_eq!(look("unavailable:body=none").await.body(), b"");
    let session = Session::later(&["unavailable:on=token"]).await;
    assert_eq!(session.token_answer().await.status, 503);
    assert_eq!(session.token_answer().await.status, 200);
}

#[tokio::test]
async fn a_success_without_results() {
    let html = look("html-200").await;
    assert_eq!(
        (html.status, html.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(html.body().starts_with(b"<!DOCTYPE html>"));
    let empty = look("empty").await;
    assert_eq!(
        (
            empty.status,
            empty.wire.len(),
            empty.header("content-length")
        ),
        (204, 0, None)
    );
    let empty = look("empty:status=200").await;
    assert_eq!(
        (empty.status, empty.header("content-length")),
        (200, Some("0"))
    );
}

#[tokio::test]
async fn the_connection_ends_without_an_answer() {
    let session = Session::later(&["refused:on=start-run"]).await;
    let answer = session.start_over(START, END).await;
    assert!(answer.raw.is_empty() && !answer.reset);
    assert_eq!(session.tenant.runs().len(), 1, "nothing was processed");
    assert_eq!(session.tenant.journal().last().unwrap().status, 0);
    let answer = look("refused:how=reset").await;
    assert!(answer.raw.is_empty() && answer.reset);
    let begin = Instant::now();
    let answer = look("stalled:ms=100").await;
    assert!(answer.raw.is_empty() && begin.elapsed() >= Duration::from_millis(100));
    assert!(!look("non-http").await.raw.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_redirect_points_to_another_host_which_counts() {
    for status in [301, 302, 307, 308] {
        let session = Session::later(&[&format!("redirect:status={status}")]).await;
        let answer = session.look().await;
        assert_eq!(answer.status, status);
        let location = answer.header("location").unwrap().to_owned();
        assert!(!location.starts_with(&session.tenant.base_url()));
        assert_eq!(session.tenant.decoy_hits(), 0);
        let host = location
            .strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        TcpStream::connect(host)
            .await
            .unwrap()
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        while session.tenant.decoy_hits() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_bomb_swells() {
    let answer = look("bomb:mib=8").await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.wire.len() < 100 << 10, "{}", answer.wire.len());
    assert!(answer.body().len() > 8 << 20);
    assert_eq!(answer.json()["data"], json!([]));
}

#[tokio::test]
async fn the_body_is_cut() {
    let reset = look("reset-mid-body:bytes=100").await;
    assert!(
        reset.reset && reset.wire.len() == 100,
        "{}",
        reset.wire.len()
    );
    let short = look("short-body:missing=10").await;
    let promised: usize = short.header("content-length").unwrap().parse().unwrap();
    assert!(!short.reset && short.wire.len() + 10 == promised);
    let unterminated = look("unterminated").await;
    assert!(dechunk(&unterminated.wire).is_none() && unterminated.wire.ends_with(b"}\r\n"));
    let cut = look("close-delimited:bytes=50").await;
    assert_eq!(
        (
            cut.header("content-length"),
            cut.header("transfer-encoding"),
            cut.wire.len()
        ),
        (None, None, 50)
    );
}

/// What gzip makes of the answer to a look under a fault: how much came out, and whether it ended well.
async fn unzip(fault: &str) -> (Vec<u8>, bool) {
    let answer = look(fault).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(
        answer.header("content-length").unwrap(),
        answer.wire.len().to_string()
    );
    let mut plain = Vec::new();
    let ended = flate2::read::MultiGzDecoder::new(answer.wire.as_slice()).read_to_end(&mut plain);
    (plain, ended.is_ok())
}

#[tokio::test]
async fn gzip_is_broken_in_every_way() {
    let whole = Session::with(&[]).await.look().await.body();
    assert_eq!(unzip("gzip-truncated").await, (whole.clone(), false));
    assert!(!unzip("gzip-truncated:missing=100").await.1);
    assert_eq!(unzip("gzip-bad-crc").await, (whole.clone(), false));
    assert_eq!(unzip("gzip-garbage").await, (whole.clone(), false));
    assert_eq!(unzip("gzip-members:members=4").await, (whole.clone(), true));
    assert_eq!(unzip("gzip-plain").await, (Vec::new(), false));
    assert_eq!(look("gzip-plain").await.wire, whole);
    let members = look("gzip-members").await.wire;
    let mut first = Vec::new();
    flate2::read::GzDecoder::new(members.as_slice())
        .read_to_end(&mut first)
        .unwrap();
    assert!(
        first.len() < whole.len() && whole.starts_with(&first),
        "the first member is not all"
    );
}

#[tokio::test]
async fn a_drip_and_a_hang_end_by_themselves() {
    let begin = Instant::now();
    let drip = look("drip:bytes=2,every-ms=10,limit-ms=100").await;
    assert_eq!(drip.wire.len(), 20);
    assert!(begin.elapsed() >= Duration::from_millis(100));
    let begin = Instant::now();
    let hang = look("hang:ms=100").await;
    assert!(
        hang.status == 200 && hang.wire.is_empty() && begin.elapsed() >= Duration::from_millis(100)
    );
}

#[tokio::test]
async fn headers_are_too_many_or_contradict() {
    let huge = look("huge-headers:kib=200").await;
    assert!(huge.raw.len() - huge.wire.len() > 200 << 10);
    let answer = look("conflicting-length").await;
    let lengths: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "Content-Length")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(lengths.len(), 2);
    assert_ne!(lengths[0], lengths[1]);
}

#[tokio::test]
async fn a_kept_connection_ends_under_a_post_that_was_processed() {
    let session = Session::later(&["stale-keep-alive"]).await;
    assert_eq!(
        session.start_over(START, END).await.status,
        202,
        "a fresh connection is spared"
    );
    let mut stream = TcpStream::connect(session.tenant.address()).await.unwrap();
    let look = request(
        "GET",
        &format!("{REPORTS}/results/{}", session.run),
        &session.headers(),
        b"",
    );
    let start = request(
        "POST",
        &format!("{REPORTS}/schedules/{}/runs", session.schedule),
        &session.headers(),
        b"{}",
    );
    stream.write_all(&[look, start].concat()).await.unwrap();
    let mut raw = String::new();
    stream.read_to_string(&mut raw).await.unwrap();
    assert_eq!(raw.matches("HTTP/1.1 200").count(), 1);
    assert_eq!(raw.matches("HTTP/1.1").count(), 1);
    assert_eq!(session.tenant.runs().len(), 3, "the run was started");
}

#[tokio::test]
async fn the_date_header_is_off() {
    assert_eq!(
        look("clock-skew").await.header("date"),
        Some("Thu, 15 Jan 2026 07:00:00 GMT")
    );
    assert_eq!(
        look("clock-skew:direction=behind,seconds=60")
            .await
            .header("date"),
        Some("Thu, 15 Jan 2026 05:59:00 GMT")
    );
}

#[tokio::test]
async fn tokens_expire_after_so_many_calls() {
    let mut session = Session::later(&["token-expires:after=2"]).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(session.look().await.status);
    }
    assert_eq!(statuses, [200, 200, 401, 401]);
    session.login().await;
    for _ in 0..4 {
        assert_eq!(session.look().await.status, 200, "once is enough");
    }
    session.arm(&["token-expires:after=1,times=forever"]);
    for _ in 0..3 {
        assert_eq!(session.look().await.status, 200);
        assert_eq!(session.look().await.status, 401);
        session.login().await;
    }
}

#[tokio::test]
async fn access_is_refused_for_ever() {
    for (fault, status) in [("unauthorized", 401), ("forbidden", 403)] {
        let session = Session::later(&[fault]).await;
        for _ in 0..3 {
            assert_eq!(session.look().await.status, status);
        }
    }
    for status in [400, 401] {
        let session = Session::later(&[&format!("invalid-client:status={status}")]).await;
        let answer = session.token_answer().await;
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (status, json!("invalid_client"))
        );
    }
}

#[tokio::test]
async fn the_token_answer_takes_every_form() {
    let cases = [
        ("expires-in:as=zero", "expires_in", "0"),
        ("expires-in:as=negative", "expires_in", "-1"),
        ("expires-in:as=null", "expires_in", "null"),
        ("expires-in:as=missing", "expires_in", ""),
        ("expires-in:as=string", "expires_in", "\"3600\""),
        ("expires-in:as=float", "expires_in", "3600.0"),
        ("expires-in:as=huge", "expires_in", "1000000000000"),
        ("expires-in:as=word", "expires_in", "\"soon\""),
        ("token-type:as=mac", "token_type", "\"mac\""),
        ("token-type:as=lower", "token_type", "\"bearer\""),
        ("token-type:as=missing", "token_type", ""),
        (
            "token-text:as=crlf",
            "access_token",
            "\"sim\\r\\nX-Injected: 1\"",
        ),
        ("token-text:as=nul", "access_token", "\"sim\\u0000token\""),
        ("token-text:as=empty", "access_token", "\"\""),
        ("token-text:as=missing", "access_token", ""),
        ("token-text:as=number", "access_token", "17"),
    ];
    for (fault, field, expected) in cases {
        let answer = Session::later(&[fault]).await.token_answer().await.json();
        assert_eq!(
            answer
                .get(field)
                .map(ToString::to_string)
                .unwrap_or_default(),
            expected,
            "{fault}"
        );
    }
    let answer = Session::later(&["token-text:as=huge"])
        .await
        .token_answer()
        .await
        .json();
    assert_eq!(answer["access_token"].as_str().unwrap().len(), 16 << 10);
}

#[tokio::test]
async fn a_connection_does_not_live_for_ever() {
    let options = cxone_sim::Options {
        connection_limit: Duration::from_millis(200),
        ..small()
    };
    let session = Session::started(options, &definition(), &[]).await;
    session.arm(&["drip:every-ms=50,limit-ms=600000"]);
    let begin = Instant::now();
    assert!(session.look().await.wire.len() < 10);
    assert!(begin.elapsed() < Duration::from_secs(5));
}
