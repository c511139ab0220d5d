//! Report jobs, on the wire.

use cxone::{CancelOutcome, Error, Limits};
use definition::RunStatus;
use definition::{Definition, Dialect};
use serde_json::{Value, json};

use crate::server::{
    Answer, Server, TOKEN, answer, base64, gzip, json as said, packed, published, token,
};

const DIALECT: Dialect = Dialect::ReportJobs { api_version: 34 };
const CSV: &str = "Contact ID,Agent Name\r\n1,Zoë\r\n2,\r\n";
const ROWS: &str =
    "{\"Contact ID\":\"1\",\"Agent Name\":\"Zoë\"}\n{\"Contact ID\":\"2\",\"Agent Name\":\"\"}\n";

fn definition() -> Definition {
    with(&json!({}))
}

fn with(more: &Value) -> Definition {
    let mut report = json!({ "reportId": "4711", "apiVersion": 34, "range": "template" });
    let more = more.as_object().unwrap().clone();
    report.as_object_mut().unwrap().extend(more);
    published("report-jobs", report)
}

/// A finished job with the link to its file.
fn finished() -> Answer {
    let link = "{url}/canary-base/inContactAPI/services/v34.0/files?fileName=x.csv";
    said(
        "200 OK",
        format!(
            r#"{{"jobId":"run-1","state":"Finished","resultFileURL":"{link}","fileName":"x.csv"}}"#
        ),
    )
}

/// The page of a finished job with such a file.
async fn page(file: Answer) -> crate::server::Got {
    let server = serve(vec![finished(), file]).await;
    server.rows(&definition(), None).await
}

/// The link is filled in at the server, so that the body is longer than its length says: without one, it ends where it ends.
async fn serve(answers: Vec<Answer>) -> Server {
    Server::start(answers.into_iter().map(unframed).collect()).await
}

fn unframed(answer: Answer) -> Answer {
    let Answer::Bytes(bytes) = &answer else {
        return answer;
    };
    let Some(text) = String::from_utf8(bytes.clone())
        .ok()
        .filter(|text| text.contains("{url}"))
    else {
        return answer;
    };
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with("Content-Length"))
        .collect();
    Answer::Bytes(format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes())
}

#[tokio::test]
async fn nothing_is_registered_and_nothing_can_be_cancelled() {
    let server = Server::start(vec![]).await;
    let registered = server
        .client
        .register_schedule(&token(), &definition())
        .await
        .unwrap();
    assert_eq!(registered, None);
    let cancelled = server.cancel_run(DIALECT).await.unwrap();
    assert_eq!(cancelled, CancelOutcome::Unsupported);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_job_is_started_without_dates_and_with_a_file_name_of_its_own() {
    let accepted = || said("202 Accepted", r#"{"jobId":4711000123}"#);
    let server = Server::start(vec![accepted(), accepted()]).await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let run = server.start_run(&definition(), None).await.unwrap();
        assert_eq!(run.as_str(), "4711000123");
        let request = server.requests().pop().unwrap();
        assert!(
            request.starts_with(
                "POST /canary-base/inContactAPI/services/v34.0/report-jobs/4711 HTTP/1.1\r\n"
            ),
            "{request}"
        );
        assert!(
            request.contains("accept: application/json\r\n"),
            "{request}"
        );
        let mut body: Value =
            serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        names.push(body["fileName"].take());
        assert_eq!(
            body,
            json!({
                "fileType": "CSV", "includeHeaders": true, "appendDate": false, "overwrite": false,
                "deleteAfter": 7, "fileName": null
            })
        );
    }
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn versions_10_to_13_are_told_the_dates() {
    let old = with(&json!({ "apiVersion": 13, "range": "dates" }));
    let server = Server::start(vec![said("202 Accepted", r#"{"jobId":"j-1"}"#)]).await;
    server.start_run(&old, None).await.unwrap();
    let request = server.requests().remove(0);
    assert!(
        request.contains("/services/v13.0/report-jobs/4711 "),
        "{request}"
    );
    for part in [
        r#""startDate":"2026-11-21T00:00:00Z""#,
        r#""endDate":"2026-11-22T00:00:00Z""#,
    ] {
        assert!(request.contains(part), "{request}");
    }
}

#[tokio::test]
async fn a_start_that_is_refused_says_what_can_be_done() {
    for (status, body, expected) in [
        (
            "409 Conflict",
            r#"{"error":"conflict","error_description":"exists"}"#,
            "start report job: unavailable: a file of that name was there already",
        ),
        ("429 Too Many Requests", "", "start report job: throttled"),
        (
            "404 Not Found",
            "",
            "start report job: not found (status 404)",
        ),
        (
            "500 Oh",
            "",
            "start report job: the outcome is unknown: status 500",
        ),
        (
            "400 Bad Request",
            r#"{"error":"invalid_request","error_description":"reportId canary-access-token"}"#,
            "start report job: rejected (status 400): invalid_request: reportId [redacted]",
        ),
        (
            "202 Accepted",
            r#"{"jobId":"../../x"}"#,
            "start report job: the answer breaks the contract: the answer has no valid jobId",
        ),
        (
            "204 No Content",
            "",
            "start report job: the answer breaks the contract: status 204 instead of an answer",
        ),
    ] {
        let server = Server::start(vec![said(status, body)]).await;
        let started = server.start_run(&definition(), None).await;
        assert_eq!(started.unwrap_err().to_string(), expected);
    }
    let header = answer(
        "400 Bad Request",
        "icStatusDescription: invalid reportId\r\n",
        "",
    );
    let server = Server::start(vec![header]).await;
    let started = server.start_run(&definition(), None).await;
    let error = started.unwrap_err().to_string();
    assert_eq!(
        error,
        "start report job: rejected (status 400): invalid reportId"
    );
}

#[tokio::test]
async fn a_job_is_done_by_its_link_or_its_word_flat_or_wrapped() {
    let pending = |state: &str, known| RunStatus::Pending {
        state: state.to_owned(),
        known,
    };
    for (body, expected) in [
        (
            r#"{"jobId":"run-1","state":"Running","resultFileURL":""}"#,
            pending("Running", true),
        ),
        (
            r#"{"jobResult":{"jobId":"run-1","state":"QUEUED"}}"#,
            pending("QUEUED", true),
        ),
        (
            r#"{"state":"Archiving\u001b[1m"}"#,
            pending("Archiving [1m", false),
        ),
        (r#"{"state":"Failed"}"#, pending("Failed", false)),
        (r#"{"state":3}"#, pending("3", false)),
        (r#"{"state":null,"resultFileURL":null}"#, pending("", false)),
        (r#"{"state":"finished"}"#, RunStatus::Completed),
        (
            r#"{"jobResult":{"state":"FINISHED"}}"#,
            RunStatus::Completed,
        ),
        (
            r#"{"state":"Delivered","resultFileURL":"https://x/y"}"#,
            RunStatus::Completed,
        ),
    ] {
        let server = Server::start(vec![said("200 OK", body)]).await;
        let look = server.poll_run(DIALECT).await.unwrap();
        assert_eq!(look, expected, "{body}");
        let line = server.lines().remove(0);
        assert_eq!(
            line,
            "GET /canary-base/inContactAPI/services/v34.0/report-jobs/run-1"
        );
    }
    let nothing_yet = Server::start(vec![answer("204 No Content", "", "")]).await;
    let look = nothing_yet.poll_run(DIALECT).await.unwrap();
    assert_eq!(look, pending("", false));
}

/// D06: how a job says that there is no data is not documented, so that its state and whatever stands beside it count.
#[tokio::test]
async fn a_job_that_ends_with_a_message_may_be_an_empty_result() {
    for (body, is_empty) in [
        (
            r#"{"state":"Failed","errorMessage":"No data available for dates"}"#,
            true,
        ),
        (
            r#"{"jobResult":{"state":"Error","statusMessage":"no DATA available"}}"#,
            true,
        ),
        (r#"{"state":"Cancelled - no data available"}"#, true),
        (r#"{"state":"Failed","errorMessage":"out of disk"}"#, false),
        (r#"{"state":"Failed"}"#, false),
        (
            r#"{"state":"Running","message":"no data available yet"}"#,
            false,
        ),
    ] {
        let server = Server::start(vec![said("200 OK", body)]).await;
        let texts = json!(["no data available"]);
        let mut definition = serde_json::to_value(definition()).unwrap();
        definition["pipeline"]["emptyMessages"] = texts;
        let definition = Definition::from_value(&definition).unwrap().definition;
        match server.rows(&definition, None).await {
            Ok((rows, end)) => assert_eq!((rows.as_str(), end.rows, is_empty), ("", 0, true)),
            Err(Error::NotCompleted { .. }) => assert!(!is_empty, "{body}"),
            Err(error) => panic!("{body}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_job_that_is_gone_or_another_one_is_no_answer() {
    for (status, body, expected) in [
        (
            "404 Not Found",
            "",
            "look at report job: not found (status 404)",
        ),
        (
            "409 Conflict",
            "",
            "look at report job: not found (status 409)",
        ),
        (
            "200 OK",
            r#"{"jobId":"run-2","state":"Finished"}"#,
            "look at report job: the answer breaks the contract: the answer is about another job",
        ),
        (
            "200 OK",
            "[]",
            "look at report job: the answer breaks the contract: the answer is not a job",
        ),
        (
            "200 OK",
            "{",
            "look at report job: the answer breaks the contract: the answer is not JSON",
        ),
    ] {
        let server = Server::start(vec![said(status, body)]).await;
        let error = server.poll_run(DIALECT).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_file_is_unpacked_and_its_values_stay_texts() {
    let server = serve(vec![finished(), packed(CSV)]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!(rows, ROWS);
    assert_eq!(
        (end.rows, end.summary_rows, end.next, end.total),
        (2, 0, None, None)
    );
    assert_eq!(
        server.lines()[1],
        "GET /canary-base/inContactAPI/services/v34.0/files?fileName=x.csv"
    );
    let file = server.requests().remove(1);
    assert!(
        file.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
        "our own host: {file}"
    );
    assert!(file.contains("accept: application/json\r\n"), "{file}");
    let numbers = page(packed("Contact ID,Time\n1,007\n2,1e3\n"))
        .await
        .unwrap()
        .0;
    assert!(
        numbers.contains("\"007\"") && numbers.contains("\"1e3\""),
        "{numbers}"
    );
}

#[tokio::test]
async fn marks_doubled_line_ends_and_totals_are_no_rows() {
    for (csv, summary_rows) in [
        (format!("\u{feff}{CSV}"), 0),
        (CSV.replace("\r\n", "\r\n\r\n"), 0),
        (CSV.replace("\r\n", "\r\r\n"), 0),
        (format!("{CSV}Total,2\r\n"), 1),
        (format!("{CSV}Grand Total:,\r\n\r\n"), 1),
        (format!("{CSV},TOTALS\r\n"), 1),
        (format!("{CSV}Total\r\n"), 1),
        (format!("{CSV}Total,1\r\nGrand Total,2"), 2),
    ] {
        let (rows, end) = page(packed(&csv)).await.unwrap();
        assert_eq!(
            (rows.as_str(), end.rows, end.summary_rows),
            (ROWS, 2, summary_rows),
            "{csv:?}"
        );
    }
    // Only at the end, and only where the first cell that says anything says so.
    let (rows, end) = page(packed("Contact ID,Agent Name\nTotal,1\n1,Total\n"))
        .await
        .unwrap();
    assert_eq!(
        (rows.lines().count(), end.rows, end.summary_rows),
        (2, 2, 0)
    );
    let ragged = page(packed("Contact ID,Agent Name\nTotal\n1,x\n"))
        .await
        .unwrap_err();
    assert!(
        ragged
            .to_string()
            .ends_with("record 2 has 1 field, the header has 2"),
        "{ragged}"
    );
}

#[tokio::test]
async fn a_definition_says_what_its_totals_are_called() {
    let own = with(&json!({ "totalLabels": ["Summe"] }));
    for (last, summary_rows) in [("summe,2", 1), ("Total,2", 0)] {
        let server = serve(vec![finished(), packed(format!("{CSV}{last}\r\n"))]).await;
        let (_, end) = server.rows(&own, None).await.unwrap();
        assert_eq!(
            (end.rows, end.summary_rows),
            (3 - summary_rows, summary_rows)
        );
    }
}

#[tokio::test]
async fn names_with_spaces_and_names_that_are_there_twice_survive() {
    let (rows, _) = page(packed("Contact ID,Name,Name,,Name\n1,a,b,c,d\n"))
        .await
        .unwrap();
    let expected = r#"{"Contact ID":"1","Name":"a","Name (2)":"b","Column 4":"c","Name (3)":"d"}"#;
    assert_eq!(rows.trim_end(), expected);
    let listed = with(&json!({ "columns": ["Contact ID", "Name (2)"] }));
    let server = serve(vec![finished(), packed("Name,Contact ID,Name\na,1,b\n")]).await;
    let (rows, _) = server.rows(&listed, None).await.unwrap();
    assert_eq!(
        rows,
        "{\"Name\":\"a\",\"Contact ID\":\"1\",\"Name (2)\":\"b\"}\n"
    );
    let server = serve(vec![finished(), packed("Name,Contact ID\na,1\n")]).await;
    let error = server.refusal(&listed).await;
    assert!(
        error.ends_with("the header has no column \"Name (2)\"; it reads \"Name\", \"Contact ID\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_comes_in_any_of_its_shapes() {
    let file = base64(CSV);
    let lines: Vec<String> = file
        .as_bytes()
        .chunks(76)
        .map(|l| String::from_utf8_lossy(l).into_owned())
        .collect();
    for body in [
        format!(r#"{{"files":{{"file":"{file}","fileName":"x"}}}}"#),
        format!(r#"{{"files":[{{"fileName":"x","file":"{file}"}}]}}"#),
        format!(
            "\u{feff}{{\"files\":{{\"file\":\"{}\"}}}}",
            lines.join("\\r\\n")
        ),
        format!(
            r#"{{"files":{{"file":"{}"}}}}"#,
            file.replace('/', "\\/").replace('+', "\\u002b")
        ),
    ] {
        assert_eq!(page(said("200 OK", &body)).await.unwrap().0, ROWS, "{body}");
    }
    let raw = answer("200 OK", "Content-Type: text/csv; charset=utf-8\r\n", CSV);
    assert_eq!(page(raw).await.unwrap().0, ROWS);
    let packed = format!(r#"{{"files":{{"file":"{file}"}}}}"#);
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/octet-stream; charset=binary\r\n",
    ] {
        let untyped = answer("200 OK", kind, &packed);
        assert_eq!(page(untyped).await.unwrap().0, ROWS, "{kind}");
        let raw = answer("200 OK", kind, CSV);
        assert_eq!(page(raw).await.unwrap().0, ROWS, "{kind}");
    }
    // What begins with a brace is JSON, whatever it is called.
    for kind in ["text/csv", "text/comma-separated-values; charset=utf-8"] {
        let kind = format!("Content-Type: {kind}\r\n");
        let called_csv = answer("200 OK", &kind, &packed);
        assert_eq!(page(called_csv).await.unwrap().0, ROWS, "{kind}");
    }
    let error = page(said("200 OK", CSV)).await.unwrap_err();
    assert!(error.to_string().ends_with("the answer is not JSON"));
}

/// D17: the file's own first two bytes decide, also where it stands as base64.
#[tokio::test]
async fn a_gzip_within_base64_is_unpacked_once() {
    let whole = gzip(CSV.as_bytes());
    let (one, two) = CSV.as_bytes().split_at(30);
    for file in [&whole, &[gzip(one), gzip(two)].concat()] {
        assert_eq!(page(packed(file)).await.unwrap().0, ROWS);
    }
    let spaces = " ".repeat(4 << 20);
    let bomb = gzip(format!("{CSV}3,{spaces}\r\n").as_bytes());
    for (file, what) in [
        (gzip(&whole), "packed with gzip twice"),
        (
            whole[..whole.len() - 6].to_vec(),
            "the compressed body was cut off",
        ),
        (
            [&whole[..], b"more"].concat(),
            "the compressed body is damaged",
        ),
        (bomb, "unpacks to more than 200 times its size"),
    ] {
        let refused = page(packed(file)).await.map(|(_, end)| end);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_whole_makes_no_page() {
    let file = base64(CSV);
    for (body, what) in [
        (
            format!(r#"{{"files":{{"file":"{}"}}}}"#, &file[..file.len() - 5]),
            "the base64 ends in the middle",
        ),
        (
            format!(r#"{{"files":{{"file":"{file}QQ==QUJD"}}}}"#),
            "base64",
        ),
        (
            format!(r#"{{"files":{{"file":"*!{file}"}}}}"#),
            "the file is not base64",
        ),
        (
            format!(r#"{{"files":{{"file":"{file}""#),
            "the answer is not JSON",
        ),
        (
            r#"{"files":{"fileName":"x","file":null}}"#.to_owned(),
            "the answer has no file in it",
        ),
        (
            r#"{"files":{"fileName":"x"}}"#.to_owned(),
            "the answer has no file in it",
        ),
        (
            r#"{"files":{"fileName":"x","file":""}}"#.to_owned(),
            "the file is empty: not even a header",
        ),
        (String::new(), "the answer is empty"),
    ] {
        let error = page(said("200 OK", &body)).await.unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{body}: {error}");
        assert!(error.to_string().contains(what), "{body}: {error}");
    }
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n";
    let cut = format!("{cut}{{\"files\":{{\"file\":\"{file}");
    let error = page(Answer::Bytes(cut.into_bytes())).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_result_that_is_gone_or_late_is_told_apart() {
    for status in ["404 Not Found", "409 Conflict", "410 Gone"] {
        let error = page(said(status, "")).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{status}: {error}");
    }
    let error = page(said("403 Forbidden", "")).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    let running = Server::start(vec![said("200 OK", r#"{"state":"Running"}"#)]).await;
    let error = running.rows(&definition(), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "look at report job: the run is not completed but \"Running\""
    );
    // Finished without a link: the file is asked for by its name, and may not be there yet.
    let late = || {
        said(
            "200 OK",
            r#"{"state":"Finished","resultFileURL":"","fileName":"a b.csv"}"#,
        )
    };
    let server = Server::start(vec![late(), packed(CSV)]).await;
    assert_eq!(server.rows(&definition(), None).await.unwrap().0, ROWS);
    assert_eq!(
        server.lines()[1],
        "GET /canary-base/inContactAPI/services/v34.0/files?fileName=a+b.csv"
    );
    let server = Server::start(vec![late(), said("404 Not Found", "")]).await;
    let error = server.rows(&definition(), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "look at report job: Finished without a link"
    );
}

#[tokio::test]
async fn a_link_to_anywhere_else_is_not_followed() {
    for link in [
        "https://evil.example/files?fileName=x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://127.0.0.1:1/files",
        "/files?fileName=x",
    ] {
        let job = format!(r#"{{"state":"Finished","resultFileURL":"{link}"}}"#);
        let server = Server::start(vec![said("200 OK", job)]).await;
        let error = server.rows(&definition(), None).await.unwrap_err();
        let is_refused = matches!(error, Error::Contract { .. } | Error::Config { .. });
        assert!(is_refused, "{link}: {error}");
        assert!(!error.to_string().contains(link), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_file_that_is_larger_than_allowed_is_not_taken() {
    let limits = Limits {
        download_bytes: 64 * 1024,
        ..Limits::default()
    };
    let csv = format!("Contact ID\n{}", "1\n".repeat(40_000));
    let link = unframed(finished());
    let server = Server::with_limits(vec![link, packed(csv)], limits).await;
    let error = server.refusal(&definition()).await;
    assert!(error.contains("larger than 65536 bytes"), "{error}");
}
