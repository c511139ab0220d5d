//! Data download, on the wire.

use std::time::Duration;

use cxone::Error;
use definition::RunStatus;
use definition::{Definition, Dialect, PageToken};
use serde_json::json;

use crate::server::{Answer, Server, answer, base64, gzip, json as said, packed, published, token};

const CSV: &str = "Contact ID,Hold Time\r\n1,20\r\n";
const ROWS: &str = "{\"Contact ID\":\"1\",\"Hold Time\":\"20\"}\n";
const DIALECT: Dialect = Dialect::DataDownload { api_version: 34 };

fn definition() -> Definition {
    published(
        "data-download",
        json!({ "reportId": "540", "apiVersion": 34, "utcOffset": "-07:00" }),
    )
}

fn inline(error_message: &str, file: &str, uri: &str) -> String {
    format!(
        r#"{{"errorMessage":{error_message},"fileName":"Reports\\x.csv","file":"{file}","fileType":"CSV","URI":"{uri}"}}"#
    )
}

/// A URI at the server itself.
fn uri(server: &Server) -> PageToken {
    // The server says where it is in the request that it was sent.
    let host = server.requests()[0]
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned();
    PageToken::new(format!(
        "http://{host}/inContactAPI/services/V35.0/files?fileName=x"
    ))
    .unwrap()
}

#[tokio::test]
async fn a_run_is_an_id_of_our_own_without_a_call() {
    let server = Server::start(vec![]).await;
    let start = || async { server.start_run(&definition(), None).await };
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    assert_ne!(one, other);
    assert!(one.as_str().starts_with("download-"), "{one}");
    let look = server
        .client
        .poll_run(&token(), DIALECT, &one)
        .await
        .unwrap();
    assert_eq!(look, RunStatus::Completed);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_report_is_asked_for_by_the_users_clock_under_a_name_of_its_own() {
    let good = |file: &[u8]| said("200 OK", inline("\"\"", &base64(file), ""));
    let packed = gzip(CSV.as_bytes());
    let server = Server::start(vec![good(CSV.as_bytes()), good(&packed)]).await;
    for _ in 0..2 {
        let (rows, end) = server.rows(&definition(), None).await.unwrap();
        assert_eq!((rows.as_str(), end.rows, end.next), (ROWS, 1, None));
    }
    let lines = server.lines();
    assert_ne!(lines[0], lines[1], "the name has to be new");
    let (path, query) = lines[0].split_once('?').unwrap();
    assert_eq!(
        path,
        "POST /canary-base/inContactAPI/services/v34.0/report-jobs/datadownload/540"
    );
    let (name, rest) = query.split_once('&').unwrap();
    assert!(name.starts_with("fileName=540-"), "{name}");
    assert_eq!(
        rest,
        "startDate=2026-11-20T17%3A00%3A00&endDate=2026-11-21T17%3A00%3A00&saveAsFile=false&includeHeaders=true"
    );
    let request = server.requests().remove(0).to_ascii_lowercase();
    assert!(request.contains("content-length: 0\r\n"), "{request}");
    assert!(
        request.contains("accept: application/json\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_success_with_an_error_message_is_a_failure() {
    for body in [
        inline("\"no canary-access-token\\nfor you\"", "", ""),
        inline("\"no\"", "", "https://evil.example/"),
        r#"{"errorMessage":"no","file":null}"#.to_owned(),
        // Whatever explains why there is no file may be how CXone says that there is nothing.
        r#"{"message":"no"}"#.to_owned(),
        r#"{"errorMessage":"","file":null,"URI":"","resultDescription":"no"}"#.to_owned(),
        r#"{"error":{"code":"E1","message":"no data"}}"#.to_owned(),
        format!(r#"{{"file":"{}","errorMessage":"no"}}"#, base64(CSV)),
        inline("\"no\"", &base64(CSV), ""),
        format!(
            r#"{{"file":"{}","errorMessage":"no"}}"#,
            base64(gzip(CSV.as_bytes()))
        ),
    ] {
        let server = Server::start(vec![said("200 OK", &body)]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::RunFailed { .. }), "{body}: {error}");
        assert!(
            text.starts_with("download report: the run failed: no"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn no_content_is_an_empty_report_and_no_file_at_all_is_none() {
    let server = Server::start(vec![answer("204 No Content", "", "")]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!(
        (rows.as_str(), end.rows, end.next, end.total),
        ("", 0, None, None)
    );
    for body in [
        inline("null", "", ""),
        "{}".to_owned(),
        r#"{"file":null}"#.to_owned(),
    ] {
        let server = Server::start(vec![said("200 OK", &body)]).await;
        let error = server.refusal(&definition()).await;
        assert!(
            error.ends_with("the answer has neither a file nor a URI"),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn a_uri_is_a_page_of_its_own_that_may_be_late() {
    let body = inline(
        "\"\"",
        "",
        "{url}/inContactAPI/services/V35.0/files?fileName=x",
    );
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n";
    let linked = Answer::Bytes(format!("{head}{body}").into_bytes());
    let raw = answer("200 OK", "Content-Type: text/csv\r\n", CSV);
    let server = Server::start(vec![linked, said("404 Not Found", ""), packed(CSV), raw]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!((rows.as_str(), end.rows), ("", 0));
    let next = end.next.unwrap();
    assert_eq!(next.as_str(), uri(&server).as_str());
    let late = server.rows(&definition(), Some(&next)).await.unwrap_err();
    let Error::Throttled { retry_after, .. } = late else {
        panic!("{late}")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(15)));
    for _ in 0..2 {
        let (rows, end) = server.rows(&definition(), Some(&next)).await.unwrap();
        assert_eq!((rows.as_str(), end.next), (ROWS, None));
    }
    assert_eq!(
        server.lines()[2],
        "GET /inContactAPI/services/V35.0/files?fileName=x"
    );
}

#[tokio::test]
async fn a_uri_to_anywhere_else_is_not_followed_wherever_it_comes_from() {
    for link in ["https://evil.example/x", "http://169.254.169.254/", "x"] {
        let server = Server::start(vec![said("200 OK", inline("\"\"", "", link))]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        let is_refused =
            |error: &Error| matches!(error, Error::Contract { .. } | Error::Config { .. });
        assert!(is_refused(&error), "{error}");
        let at = PageToken::new(link).unwrap();
        let error = server.rows(&definition(), Some(&at)).await.unwrap_err();
        assert!(is_refused(&error), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_tried_again_with_another() {
    let server = Server::start(vec![said("409 Conflict", r#"{"message":"exists"}"#)]).await;
    let error = server.rows(&definition(), None).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn refusals_are_explained_in_each_shape() {
    for (body, explained) in [
        (r#"{"message":"at most 30 days"}"#, ": at most 30 days"),
        (r#"{"errorCode":"E1","errorMessage":"no"}"#, ": E1: no"),
        (
            r#"{"resultCode":"E1","resultDescription":"no"}"#,
            ": E1: no",
        ),
        (r#"{"title":"Bad","detail":"no"}"#, ": Bad: no"),
        (r#"{"error":{"code":"E1","message":"no"}}"#, ": E1: no"),
        (r#"{"error":"E1","error_description":"no"}"#, ": E1: no"),
        ("<html>", ""),
    ] {
        let server = Server::start(vec![said("400 Bad Request", body)]).await;
        let error = server.refusal(&definition()).await;
        assert_eq!(
            error,
            format!("download report: rejected (status 400){explained}")
        );
    }
}
