//! Data extraction: a bare id, five states, a link that lives half a minute, and a pace to keep.

use std::time::Duration;

use cxone_sim::{Api, Options};
use serde_json::{Value, json};

use crate::client::{Answer, Session, escape, small};

const JOBS: &str = "/data-extraction/v1/jobs";

fn asked() -> Value {
    json!({
        "entityName": "recording-interaction-metadata",
        "version": "7",
        "startDate": "2026-01-14",
        "endDate": "2026-01-15",
    })
}

impl Session {
    /// A call after the time that the tenant wants to be left alone.
    async fn spaced(&self, method: &str, target: &str, body: &Value) -> Answer {
        self.pass(30);
        self.ask(method, target, body).await
    }

    async fn extract(&self) -> String {
        let answer = self.spaced("POST", JOBS, &asked()).await;
        assert_eq!(answer.status, 202);
        answer.json().as_str().expect("a bare id").to_owned()
    }

    async fn extraction(&self, id: &str) -> Answer {
        self.spaced("GET", &format!("{JOBS}/{id}"), &Value::Null)
            .await
    }

    async fn extraction_link(&self, id: &str) -> String {
        let job = self.extraction(id).await.json();
        let link = job["jobStatus"]["result"]["url"].as_str().expect("a link");
        self.own(link).to_owned()
    }
}

#[tokio::test]
async fn a_job_has_the_rows_of_its_window_behind_a_link() {
    let session = Session::small_acd(&[]).await;
    let id = session.extract().await;
    let link = session.extraction_link(&id).await;
    let file = session.send("GET", &link, "", b"").await;
    assert_eq!(String::from_utf8(file.body()).unwrap(), session.csv_truth());
    let run = session.tenant.runs().pop().unwrap();
    assert_eq!((run.api, run.rows, run.id), (Api::DataExtraction, 25, id));
    let list = session.spaced("GET", JOBS, &Value::Null).await.json();
    assert_eq!(list["jobs"][0]["status"], "SUCCEEDED");
    assert_eq!(session.tenant.spacing_violations(), 0);
}

#[tokio::test]
async fn what_a_start_refuses() {
    for (field, value, status) in [
        ("entityName", json!("other"), 400),
        ("entityName", Value::Null, 400),
        ("version", json!("6"), 400),
        ("version", json!(7), 400),
        ("endDate", json!("2026-01-14"), 400),
        ("endDate", json!("tomorrow"), 400),
        ("startDate", json!("2026-01-01"), 202),
        ("startDate", json!("2025-12-31T23:59:59Z"), 400),
        ("endDate", json!("2026-01-14T01:00:00+01:00"), 400),
        ("endDate", json!("2026-01-14T02:00:00+01:00"), 202),
    ] {
        let session = Session::small_acd(&[]).await;
        let mut body = asked();
        body[field] = value.clone();
        let answer = session.spaced("POST", JOBS, &body).await;
        assert_eq!(answer.status, status, "{field} {value}");
        if status != 202 {
            assert!(answer.json()["traceId"].is_string());
        }
    }
    let session = Session::small_acd(&[]).await;
    assert_eq!(session.extraction("other").await.status, 404);
    let cancel = session
        .ask("DELETE", &format!("{JOBS}/x"), &Value::Null)
        .await;
    assert_eq!(cancel.status, 405);
}

#[tokio::test]
async fn two_calls_are_half_a_minute_apart() {
    let mut session = Session::small_acd(&[]).await;
    let start = async |session: &Session| session.ask("POST", JOBS, &asked()).await.status;
    let mut seen = Vec::new();
    for pass in [0, 29, 1, 29, 1] {
        session.pass(pass);
        seen.push(start(&session).await);
    }
    assert_eq!(
        seen,
        [202, 403, 202, 403, 202],
        "what is refused does not count"
    );
    assert_eq!(
        session.tenant.spacing_violations(),
        4,
        "but it is a violation"
    );
    let calls = session.tenant.extraction_calls();
    let gaps: Vec<i64> = calls
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs())
        .collect();
    assert_eq!(gaps, [29, 1, 29, 1]);
    session.pass(30);
    let good = std::mem::take(&mut session.token);
    assert_eq!(start(&session).await, 401);
    session.token = good;
    assert_eq!(
        start(&session).await,
        202,
        "nor does a call without a token"
    );
    let shown = session
        .send("GET", "/_sim/extraction", "", b"")
        .await
        .json();
    assert_eq!(
        (
            &shown["violations"],
            shown["calls"].as_array().unwrap().len()
        ),
        (&json!(4), 6)
    );
    let patient = Options {
        extraction_spacing: Duration::ZERO,
        ..small()
    };
    let session = Session::acd(patient, &[]).await;
    assert_eq!([start(&session).await, start(&session).await], [202, 202]);
}

#[tokio::test]
async fn one_user_of_a_tenant_at_a_time() {
    let options = Options {
        processing: Duration::from_mins(5),
        ..small()
    };
    let mut session = Session::acd(options, &[]).await;
    let id = session.extract().await;
    let mine = session.token.clone();
    let form = format!(
        "grant_type=password&username={}&password={}&client_id=sim-client&client_secret=sim-secret",
        escape("SIMKEY/1=="),
        escape("sim+key/secret==")
    );
    let header = "Content-Type: application/x-www-form-urlencoded\r\n";
    let other = session
        .send("POST", "/auth/token", header, form.as_bytes())
        .await;
    session.token = other.json()["access_token"].as_str().unwrap().to_owned();
    let status = async |session: &Session| session.spaced("POST", JOBS, &asked()).await.status;
    assert_eq!(status(&session).await, 403);
    session.token = mine;
    assert_eq!(
        session.extraction(&id).await.json()["jobStatus"]["status"],
        "RUNNING"
    );
    session.pass(300);
    session.token = other.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status(&session).await, 202, "when the job is done");
}

#[tokio::test]
async fn the_link_lives_half_a_minute_and_takes_no_bearer() {
    let session = Session::small_acd(&[]).await;
    let id = session.extract().await;
    let link = session.extraction_link(&id).await;
    let with_bearer = session.get(&link).await;
    assert_eq!(
        (with_bearer.status, with_bearer.header("content-type")),
        (400, Some("application/xml"))
    );
    let forged = link.replace("X-Amz-Date=", "X-Amz-Date=1");
    assert_eq!(session.send("GET", &forged, "", b"").await.status, 403);
    for (pass, status) in [(29, 200), (1, 403)] {
        session.pass(pass);
        assert_eq!(session.send("GET", &link, "", b"").await.status, status);
    }
    let fresh = session.extraction_link(&id).await;
    assert_eq!(session.send("GET", &fresh, "", b"").await.status, 200);
    assert_eq!(
        session.send("GET", "/extracts/9.csv", "", b"").await.status,
        404
    );
    let download = session.tenant.journal().pop().unwrap();
    assert!(!download.authorized);
}

#[tokio::test]
async fn the_file_lives_a_day() {
    let mut session = Session::small_acd(&[]).await;
    let id = session.extract().await;
    session.pass(86_400 - 60);
    session.login().await;
    let status = async |session: &Session| {
        session.extraction(&id).await.json()["jobStatus"]["status"].clone()
    };
    assert_eq!(status(&session).await, "SUCCEEDED");
    assert_eq!(status(&session).await, "EXPIRED");
}

#[tokio::test]
async fn a_look_shows_what_the_fault_says() {
    for (fault, expected) in [
        (
            "state-unknown:state=ARCHIVED,looks=1",
            &["ARCHIVED", "SUCCEEDED+"][..],
        ),
        ("state-case:case=lower", &["succeeded+"]),
        ("state-case:case=title", &["Succeeded+"]),
        ("state-null:looks=1", &["null", "SUCCEEDED+"]),
        ("state-back", &["SUCCEEDED+", "RUNNING", "SUCCEEDED+"]),
        ("run-fails", &["FAILED-"]),
        ("run-fails:word=CANCELLED", &["CANCELLED-"]),
        ("run-vanishes", &["SUCCEEDED+", "404"]),
        ("poll-early-404:looks=1", &["404", "SUCCEEDED+"]),
        ("completed-bare", &["SUCCEEDED"]),
        ("processing-forever", &["RUNNING", "RUNNING"]),
        ("job-expired", &["EXPIRED", "EXPIRED"]),
        ("job-expired:after=1", &["SUCCEEDED+", "EXPIRED"]),
        ("extraction-throttled", &["SUCCEEDED+"]),
    ] {
        let session = Session::small_acd(&[fault]).await;
        if fault.starts_with("extraction") {
            assert_eq!(session.spaced("POST", JOBS, &asked()).await.status, 403);
        }
        let id = session.extract().await;
        let mut seen = Vec::new();
        for _ in expected {
            let answer = session.extraction(&id).await;
            let job = answer.json()["jobStatus"].clone();
            let sign = match (&job["result"]["url"], &job["result"]["errorMessage"]) {
                (Value::String(_), _) => "+",
                (_, Value::String(_)) => "-",
                _ => "",
            };
            let status = job
                .get("status")
                .map_or(answer.status.to_string(), |status| {
                    status.to_string().trim_matches('"').to_owned()
                });
            seen.push(status + sign);
        }
        assert_eq!(seen, expected, "{fault}");
    }
}

#[tokio::test]
async fn a_permission_is_missing_in_the_same_words_as_a_throttle() {
    let session = Session::small_acd(&["extraction-forbidden"]).await;
    let refused = session.spaced("POST", JOBS, &asked()).await;
    let again = session.spaced("POST", JOBS, &asked()).await;
    session.arm(&[]);
    session.extract().await;
    let early = session.ask("POST", JOBS, &asked()).await;
    assert_eq!(
        [refused.status, again.status, early.status],
        [403, 403, 403]
    );
    assert_eq!(refused.json(), early.json());
}

#[tokio::test]
async fn the_id_comes_in_other_forms() {
    for (fault, begins) in [
        ("bare-id", "?"),
        ("bare-id:as=garbage", "\"<html>"),
        ("bare-id:as=object", "{\"jobId\":"),
        ("bare-id:as=number", "17"),
        ("bare-id:as=empty", "\"\""),
        ("bare-id:as=spaces", "\" "),
        ("bare-id:as=null", "null"),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let answer = session.spaced("POST", JOBS, &asked()).await;
        let id = session.tenant.runs()[0].id.clone();
        let begins = if begins == "?" { id.as_str() } else { begins };
        assert_eq!(answer.status, 202);
        assert!(answer.body().starts_with(begins.as_bytes()), "{fault}");
    }
    let session = Session::small_acd(&["run-id:id=a b"]).await;
    assert_eq!(session.extract().await, "a b");
}

#[tokio::test]
async fn a_link_is_too_old_or_always_the_same() {
    let session = Session::small_acd(&["link-expired"]).await;
    let id = session.extract().await;
    for status in [403, 200] {
        let link = session.extraction_link(&id).await;
        assert_eq!(session.send("GET", &link, "", b"").await.status, status);
    }
    let session = Session::small_acd(&["link-once"]).await;
    let id = session.extract().await;
    let first = session.extraction_link(&id).await;
    assert_eq!(session.send("GET", &first, "", b"").await.status, 200);
    assert_eq!(session.extraction_link(&id).await, first);
    assert_eq!(session.send("GET", &first, "", b"").await.status, 403);
    for (fault, begins) in [
        ("download-url:to=metadata", "http://169."),
        ("download-url:to=decoy", "http://127."),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let id = session.extract().await;
        let job = session.extraction(&id).await.json();
        let link = job["jobStatus"]["result"]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(link.starts_with(begins) && !link.starts_with(&session.tenant.base_url()));
    }
}

#[tokio::test]
async fn data_comes_late() {
    let session = Session::small_acd(&["late-data:minutes=360"]).await;
    session.extract().await;
    let mut late = asked();
    late["startDate"] = json!("2026-01-15");
    late["endDate"] = json!("2026-01-15T06:00:00Z");
    session.spaced("POST", JOBS, &late).await;
    let rows: Vec<u64> = session.tenant.runs().iter().map(|run| run.rows).collect();
    assert_eq!(rows, [25, 0], "six hours ago ends at midnight");
}
