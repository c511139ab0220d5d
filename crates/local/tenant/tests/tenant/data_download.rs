//! Data download: the file at once, in the answer or behind a link.

use cxone_sim::{Api, Kind, Options};
use serde_json::{Value, json};

use crate::acd::{ACD, decode};
use crate::client::{Answer, Session, small};

fn asked(name: &str) -> Value {
    json!({
        "fileName": name,
        "startDate": "2026-01-14T00:00:00",
        "endDate": "2026-01-15T00:00:00",
        "saveAsFile": false,
        "includeHeaders": true,
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = asked("one");
    body[field] = value;
    body
}

impl Session {
    async fn download_report(&self, body: &Value) -> Answer {
        self.ask("POST", &format!("{ACD}/report-jobs/datadownload/540"), body)
            .await
    }

    /// The path of the link in an answer.
    fn uri(&self, answer: &Value) -> String {
        self.own(answer["URI"].as_str().expect("a link")).to_owned()
    }
}

#[tokio::test]
async fn the_file_is_in_the_answer() {
    let session = Session::small_acd(&[]).await;
    let answer = session.download_report(&asked("one.csv")).await.json();
    assert_eq!(
        (&answer["errorMessage"], &answer["URI"]),
        (&json!(""), &json!(""))
    );
    assert_eq!(answer["fileName"], "Reports\\one.csv");
    assert_eq!(decode(&answer["file"]), session.csv_truth());
    let run = session.tenant.runs().pop().unwrap();
    assert_eq!((run.api, run.schedule.as_str()), (Api::DataDownload, "540"));
    let call = session.tenant.journal().pop().unwrap();
    assert_eq!((call.kind, call.run), (Kind::Page, Some(run.id)));
    let asked = json!({
        "fileName": "two", "startDate": "2026-01-14", "endDate": "2026-01-15", "includeHeaders": false,
    });
    let bare = decode(&session.download_report(&asked).await.json()["file"]);
    assert_eq!(session.csv_truth().split_once("\r\n").unwrap().1, bare);
}

#[tokio::test]
async fn parameters_may_be_in_the_query_or_in_a_form() {
    let text = "fileName=x&startDate=2026-01-14&endDate=2026-01-15&saveAsFile=false";
    let session = Session::small_acd(&[]).await;
    let target = format!("{ACD}/report-jobs/datadownload/540");
    let query = session
        .ask("POST", &format!("{target}?{text}"), &Value::Null)
        .await;
    assert_eq!(query.status, 200);
    let headers = format!(
        "Authorization: bearer {}\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        session.token
    );
    let form = text.replace("=x", "=y");
    let form = session
        .send("POST", &target, &headers, form.as_bytes())
        .await;
    assert_eq!(form.status, 200);
}

#[tokio::test]
async fn the_file_is_behind_a_link() {
    for (bearer_needed, with, without) in [(false, 200, 200), (true, 200, 401)] {
        let options = Options {
            link_needs_bearer: bearer_needed,
            ..small()
        };
        let session = Session::acd(options, &[]).await;
        let answer = session
            .download_report(&self::with("saveAsFile", json!("true")))
            .await
            .json();
        assert_eq!(answer["file"], "");
        let link = session.uri(&answer);
        assert!(link.starts_with("/inContactAPI/services/v35.0/files?fileName=Reports%5Cone.csv"));
        let file = session.get(&link).await;
        assert_eq!(file.status, with);
        assert_eq!(decode(&file.json()["files"]["file"]), session.csv_truth());
        let bare = session.send("GET", &link, "", b"").await;
        assert_eq!(bare.status, without);
        let download = session.tenant.journal().pop().unwrap();
        assert_eq!(
            (download.api, download.authorized),
            (Some(Api::DataDownload), false)
        );
    }
}

#[tokio::test]
async fn what_a_call_refuses() {
    for (body, status) in [
        (asked("one"), 200),
        (with("fileName", json!("")), 400),
        (with("startDate", Value::Null), 400),
        (with("startDate", json!("2026-01-16")), 400),
        (with("startDate", json!("2025-12-16")), 200),
        (with("startDate", json!("2025-12-15T23:59:59")), 400),
        (
            json!({ "fileName": "old", "startDate": "2024-01-15", "endDate": "2024-01-16" }),
            400,
        ),
        (
            json!({ "fileName": "old", "startDate": "2024-01-17", "endDate": "2024-01-18" }),
            200,
        ),
        (with("saveAsFile", json!("perhaps")), 400),
        (json!([]), 400),
    ] {
        let session = Session::small_acd(&[]).await;
        let answer = session.download_report(&body).await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(
            answer.json()["message"].is_string(),
            status != 200,
            "{body}"
        );
    }
    let session = Session::small_acd(&[]).await;
    let target = format!("{ACD}/report-jobs/datadownload/1");
    assert_eq!(session.ask("POST", &target, &asked("x")).await.status, 404);
    assert_eq!(session.download_report(&asked("one")).await.status, 200);
    assert_eq!(
        session.download_report(&asked("one")).await.status,
        409,
        "a name is good for one call"
    );
    let get = session
        .get(&format!("{ACD}/report-jobs/datadownload/540"))
        .await;
    assert_eq!(get.status, 405);
}

#[tokio::test]
async fn dates_are_what_the_users_clock_shows() {
    let options = Options {
        user_offset: -7 * 60,
        ..small()
    };
    for start in ["2026-01-14T00:00:00", "2026-01-14T00:00:00Z", "2026-01-14"] {
        let session = Session::acd(options.clone(), &[]).await;
        assert_eq!(
            session
                .download_report(&with("startDate", json!(start)))
                .await
                .status,
            200
        );
        let window = session.tenant.runs()[0].window;
        assert_eq!(
            window.start,
            "2026-01-14T07:00:00Z".parse().unwrap(),
            "{start}"
        );
    }
}

#[tokio::test]
async fn no_data_is_204() {
    let options = Options { rows: 0, ..small() };
    let session = Session::acd(options, &[]).await;
    let answer = session.download_report(&asked("one")).await;
    assert_eq!((answer.status, answer.wire.len()), (204, 0));
    let session = Session::small_acd(&["completed-empty"]).await;
    assert_eq!(session.download_report(&asked("one")).await.status, 204);
}

#[tokio::test]
async fn an_answer_is_spoilt_on_request() {
    for (fault, status, message, file, link) in [
        ("error-message", 200, true, false, false),
        (
            "error-message:text=Timeout expired,file=yes",
            200,
            true,
            true,
            false,
        ),
        ("answer-by", 200, false, false, true),
        ("answer-by:as=both", 200, false, true, true),
        ("answer-by:as=neither", 200, false, false, false),
        ("file-shape:as=null", 200, false, false, false),
        ("file-shape:as=missing", 200, false, false, false),
        ("file-shape:as=file-first", 200, false, true, false),
        ("file-shape:as=empty", 200, false, false, false),
        ("file-name-taken", 409, false, false, false),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let answer = session.download_report(&asked("one")).await;
        let body = answer.json();
        let has = |field: &str| body[field].as_str().is_some_and(|text| !text.is_empty());
        let seen = (answer.status, has("errorMessage"), has("file"), has("URI"));
        assert_eq!(seen, (status, message, file, link), "{fault}");
        if fault.ends_with("file-first") {
            assert!(answer.body().starts_with(b"{\"file\":"));
        }
        let again = session.download_report(&asked("two")).await.json();
        assert_eq!(again["errorMessage"], "", "{fault}");
    }
    let session = Session::small_acd(&["base64:as=characters", "total-row", "csv-bom"]).await;
    let file = session.download_report(&asked("one")).await.json()["file"].clone();
    assert!(
        file.as_str().unwrap().starts_with("*!77u/"),
        "the mark comes first"
    );
}

#[tokio::test]
async fn a_link_is_late_or_leads_elsewhere() {
    let session = Session::small_acd(&["uri-late"]).await;
    let answer = session
        .download_report(&with("saveAsFile", json!(true)))
        .await
        .json();
    let link = session.uri(&answer);
    for (pass, status) in [(0, 404), (59, 404), (1, 200)] {
        session.pass(pass);
        assert_eq!(
            session.send("GET", &link, "", b"").await.status,
            status,
            "{pass}"
        );
    }
    let session = Session::small_acd(&["uri-raw"]).await;
    let answer = session
        .download_report(&with("saveAsFile", json!(true)))
        .await
        .json();
    let file = session.send("GET", &session.uri(&answer), "", b"").await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(String::from_utf8(file.body()).unwrap(), session.csv_truth());
    for to in ["other-host", "userinfo", "decoy"] {
        let fault = format!("download-url:to={to}");
        let session = Session::small_acd(&[&fault]).await;
        let answer = session
            .download_report(&with("saveAsFile", json!(true)))
            .await
            .json();
        let link = answer["URI"].as_str().unwrap().to_owned();
        assert!(
            !link.starts_with(&session.tenant.base_url()),
            "{to}: {link}"
        );
    }
}
