//! Data extraction, on the wire.

use cxone::Error;
use definition::RunStatus;
use definition::{Definition, Dialect};
use serde_json::json;

use crate::server::{Answer, Server, answer, json as said, published, token, window};

const CSV: &str = "\u{feff}Contact ID,Start Date\r\n1,2026-11-21\r\n";
const ROWS: &str = "{\"Contact ID\":\"1\",\"Start Date\":\"2026-11-21\"}\n";

fn definition() -> Definition {
    published(
        "data-extraction",
        json!({ "entityName": "recording-interaction-metadata", "entityVersion": "7" }),
    )
}

fn status(status: &str, result: &str) -> Answer {
    let body = format!(r#"{{"jobStatus":{{"id":"run-1","status":"{status}","result":{result}}}}}"#);
    // Its length is not known before the server has filled in where it is.
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n";
    Answer::Bytes(format!("{head}{body}").into_bytes())
}

fn succeeded() -> Answer {
    status(
        "SUCCEEDED",
        r#"{"url":"{url}/bucket/x.csv?X-Amz-Signature=canary"}"#,
    )
}

fn file() -> Answer {
    answer("200 OK", "Content-Type: binary/octet-stream\r\n", CSV)
}

/// D06: a file may say in words that there is no data, and nothing else. What follows them is no row of any column.
#[tokio::test]
async fn a_file_of_words_that_mean_no_data_is_empty() {
    let mut value = serde_json::to_value(definition()).unwrap();
    value["pipeline"]["emptyMessages"] = json!(["no data available"]);
    let named = Definition::from_value(&value).unwrap().definition;
    for (definition, body, expected) in [
        (&named, "No data available\r\n", None),
        (&named, "\"No data available, 2026\"", None),
        (
            &named,
            "No data available\r\n1\r\n",
            Some("record 2 follows words that mean no data"),
        ),
        (&named, "Nothing\r\n", Some("the header has no column")),
        (
            &definition(),
            "No data available\r\n",
            Some("the header has no column"),
        ),
        (&named, "Contact ID,No data available\r\n", None),
    ] {
        let file = answer("200 OK", "Content-Type: text/csv\r\n", body);
        let server = Server::start(vec![succeeded(), file]).await;
        match (server.rows(definition, None).await, expected) {
            (Ok((rows, end)), None) => assert_eq!((rows.as_str(), end.rows), ("", 0)),
            (Err(error), Some(told)) => assert!(error.to_string().contains(told), "{error}"),
            (got, _) => panic!("{body}: {got:?}"),
        }
    }
}

#[tokio::test]
async fn an_extraction_is_started_by_days_and_its_id_is_a_bare_text() {
    let server = Server::start(vec![said("202 Accepted", "\"run-1\"")]).await;
    let run = server.start_run(&definition(), None).await.unwrap();
    assert_eq!(run.as_str(), "run-1");
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /canary-base/data-extraction/v1/jobs HTTP/1.1\r\n"),
        "{request}"
    );
    let body: serde_json::Value =
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        body,
        json!({
            "entityName": "recording-interaction-metadata", "version": "7",
            "startDate": "2026-11-21", "endDate": "2026-11-22"
        })
    );
    let half = "20261121T000000Z-20261121T120000Z".parse().unwrap();
    let server = Server::start(vec![said("202 Accepted", "\"run-1\"")]).await;
    server
        .client
        .start_run(&token(), &definition(), None, &half)
        .await
        .unwrap();
    let request = server.requests().remove(0);
    assert!(
        request.contains(r#""endDate":"2026-11-21T12:00:00Z""#),
        "{request}"
    );
}

#[tokio::test]
async fn an_end_date_that_counts_is_the_last_day_and_a_time_stays_as_it_is() {
    let inclusive = published(
        "data-extraction",
        json!({ "entityName": "x", "entityVersion": "7", "endDate": "inclusive" }),
    );
    for (window, end) in [
        (window(), "2026-11-21"),
        (
            "20261121T000000Z-20261121T120000Z".parse().unwrap(),
            "2026-11-21T12:00:00Z",
        ),
    ] {
        let server = Server::start(vec![said("202 Accepted", "\"run-1\"")]).await;
        server
            .client
            .start_run(&token(), &inclusive, None, &window)
            .await
            .unwrap();
        let request = server.requests().remove(0);
        assert!(
            request.contains(&format!(r#""endDate":"{end}""#)),
            "{request}"
        );
    }
}

#[tokio::test]
async fn an_id_is_taken_as_it_comes_and_never_into_a_path_where_it_could_climb() {
    for (body, id) in [
        ("\"a-1\"", Some("a-1")),
        ("a-1", Some("a-1")),
        ("17", Some("17")),
        (r#""  a-1\n""#, Some("a-1")),
        (r#"{"jobId":"a-1"}"#, Some("a-1")),
        ("\"\"", None),
        ("null", None),
        ("{}", None),
        ("[]", None),
        (r#""<html>\u0000../../jobs?x=1""#, None),
        ("\"../x\"", None),
    ] {
        let server = Server::start(vec![said("202 Accepted", body)]).await;
        let run = server.start_run(&definition(), None).await;
        match (run, id) {
            (Ok(run), Some(id)) => assert_eq!(run.as_str(), id),
            (Err(Error::Contract { .. }), None) => {}
            (other, _) => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn five_states_are_told_apart() {
    for (word, result, expected) in [
        (
            "RUNNING",
            "null",
            Ok(RunStatus::Pending {
                state: "RUNNING".to_owned(),
                known: true,
            }),
        ),
        (
            "Queued",
            "null",
            Ok(RunStatus::Pending {
                state: "Queued".to_owned(),
                known: false,
            }),
        ),
        ("SUCCEEDED", "null", Ok(RunStatus::Completed)),
        ("succeeded", "{}", Ok(RunStatus::Completed)),
        (
            "FAILED",
            r#"{"errorMessage":"too\nmuch canary-access-token"}"#,
            Ok(RunStatus::Failed {
                message: "too much [redacted]".to_owned(),
            }),
        ),
        (
            "CANCELLED",
            "null",
            Ok(RunStatus::Failed {
                message: "cancelled at CXone".to_owned(),
            }),
        ),
        (
            "EXPIRED",
            "null",
            Err("look at data extraction: not found (status 410)"),
        ),
    ] {
        let server = Server::start(vec![status(word, result)]).await;
        let look = server.poll_run(Dialect::DataExtraction).await;
        assert_eq!(
            look.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned),
            "{word}"
        );
        assert_eq!(
            server.lines(),
            ["GET /canary-base/data-extraction/v1/jobs/run-1"]
        );
    }
}

#[tokio::test]
async fn a_page_looks_and_downloads_at_once_without_the_bearer_token() {
    let server = Server::start(vec![succeeded(), file()]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!((rows.as_str(), end.rows, end.next), (ROWS, 1, None));
    let requests = server.requests();
    assert!(
        requests[0].contains("authorization: Bearer"),
        "{}",
        requests[0]
    );
    assert!(
        !requests[1].to_ascii_lowercase().contains("authorization"),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].starts_with("GET /bucket/x.csv?X-Amz-Signature=canary "),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn what_is_no_page_yet_and_what_never_will_be_are_told_apart() {
    for (word, result, expected) in [
        (
            "RUNNING",
            "null",
            "the run is not completed but \"RUNNING\"",
        ),
        ("SUCCEEDED", r#"{"url":""}"#, "SUCCEEDED without a link"),
        (
            "FAILED",
            r#"{"errorMessage":"too much"}"#,
            "the run failed: too much",
        ),
        ("EXPIRED", "null", "not found (status 410)"),
    ] {
        let server = Server::start(vec![status(word, result)]).await;
        let error = server.refusal(&definition()).await;
        assert_eq!(error, format!("look at data extraction: {expected}"));
    }
}

#[tokio::test]
async fn a_link_that_is_refused_is_named_as_that() {
    for (refusal, told) in [
        (
            "400 Bad Request",
            "download results: host 127.0.0.1 refuses the link of the file (status 400): it has expired, or the host wants the access token and belongs in the test in api_hosts",
        ),
        (
            "401 No",
            "download results: host 127.0.0.1 answers 401 to the link of the file, so it wants the access token; if it is CXone's, list it in the test in api_hosts instead of allowed_hosts",
        ),
        (
            "403 Forbidden",
            "download results: host 127.0.0.1 refuses the link of the file (status 403): it has expired, or the host wants the access token and belongs in the test in api_hosts",
        ),
        (
            "404 Not Found",
            "look at data extraction: SUCCEEDED, and no file at its link (status 404)",
        ),
    ] {
        let xml = answer(refusal, "Content-Type: application/xml\r\n", "<Error/>");
        let server = Server::start(vec![succeeded(), xml]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        assert_eq!(error.to_string(), told);
    }
    let server = Server::start(vec![succeeded(), answer("503 Slow Down", "", "")]).await;
    let error = server.rows(&definition(), None).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

/// D17: what a server calls a file, and how it has packed it, is its own affair.
#[tokio::test]
async fn a_file_is_what_its_first_bytes_say() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, CSV.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    for kind in [
        "application/vnd.ms-excel",
        "Text/Plain; charset=utf-8",
        "application/force-download",
        "application/x-csv",
        "text/comma-separated-values",
        "application/gzip; charset=binary",
        "application/octet-stream",
        "application/save-as",
    ] {
        for body in [CSV.as_bytes().to_vec(), packed.clone()] {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Encoding: UTF-8\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let file = Answer::Bytes([head.as_bytes(), &body].concat());
            let server = Server::start(vec![succeeded(), file]).await;
            let read = server.rows(&definition(), None).await;
            assert_eq!(read.unwrap().1.rows, 1, "{kind}");
        }
    }
    for (kind, body, what) in [
        (
            "text/html; charset=utf-8",
            "<html>",
            "of the type text/html",
        ),
        (
            "text/csv",
            "\r\n <!DOCTYPE html><html>",
            "the file is HTML or XML",
        ),
        (
            "",
            "<Error><Code>AccessDenied</Code></Error>",
            "the file is HTML or XML",
        ),
        ("application/pdf", "%PDF", "of the type application/pdf"),
        (
            "application/vnd.ms-excel",
            "PK\u{3}\u{4}",
            "an Excel workbook",
        ),
    ] {
        let file = answer("200 OK", &format!("Content-Type: {kind}\r\n"), body);
        let server = Server::start(vec![succeeded(), file]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{error}");
        assert!(error.to_string().contains(what), "{kind}: {error}");
    }
    for (bytes, what) in [
        (&b"\xff\xfeC\0"[..], "the file is UTF-16"),
        (&b"\xfe\xff\0C"[..], "the file is UTF-16"),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        let file = Answer::Bytes([head.as_bytes(), bytes].concat());
        let server = Server::start(vec![succeeded(), file]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn a_403_may_be_a_throttle() {
    let forbidden = || {
        said(
            "403 Forbidden",
            r#"{"code":"403","message":"Forbidden","traceId":"x"}"#,
        )
    };
    let server = Server::start(vec![forbidden(), forbidden(), forbidden()]).await;
    let started = server.start_run(&definition(), None).await;
    let looked = server.poll_run(Dialect::DataExtraction).await;
    let read = server.rows(&definition(), None).await;
    for error in [started.unwrap_err(), looked.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(error, Error::MaybeForbidden { .. }), "{error}");
        assert!(
            error
                .to_string()
                .ends_with(": forbidden, or asked too often"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_without_rows_is_an_empty_page() {
    let empty = answer(
        "200 OK",
        "Content-Type: text/csv\r\n",
        "Contact ID,Start Date\r\n",
    );
    let server = Server::start(vec![succeeded(), empty]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!((rows.as_str(), end.rows), ("", 0));
    let unframed = Answer::Bytes(
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n{CSV}").into_bytes(),
    );
    let server = Server::start(vec![succeeded(), unframed]).await;
    let error = server.refusal(&definition()).await;
    assert!(
        error.ends_with("the answer does not say where the file ends"),
        "{error}"
    );
}
