//! Faults of pages, rows, records and links.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::client::{Answer, Session, definition, small};

/// A page of a run under a fault.
async fn page(fault: &str, page: usize) -> Answer {
    Session::with(&[fault]).await.nth(page).await
}

/// The first row of the first page under a fault.
async fn row(fault: &str) -> String {
    page(fault, 0).await.rows()[0].clone()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn total_changes_or_is_wrong() {
    for (fault, totals) in [
        ("total-changes:by=2", [25, 27, 27]),
        ("total-wrong", [26, 26, 26]),
    ] {
        let session = Session::with(&[fault]).await;
        for (at, total) in totals.into_iter().enumerate() {
            assert_eq!(session.nth(at).await.json()["total"], total, "{fault}");
        }
    }
    let options = cxone_sim::Options {
        total: false,
        ..small()
    };
    let session = Session::started(options, &definition(), &["token-empty:as=missing"]).await;
    let last = session.nth(2).await.json();
    assert_eq!(
        last.as_object().unwrap().len(),
        3,
        "neither token nor total: {last}"
    );
}

#[tokio::test]
async fn tokens_lead_round_in_circles() {
    let session = Session::with(&["token-repeats"]).await;
    let token = session.look().await.next().unwrap();
    assert_eq!(session.page(&token).await.next().unwrap(), token);
    let session = Session::with(&["token-cycles"]).await;
    let token = session.look().await.next().unwrap();
    assert_eq!(
        session.nth(2).await.next().unwrap(),
        token,
        "page 2 leads to page 1"
    );
}

#[tokio::test]
async fn a_page_token_expires() {
    for (fault, status) in [
        ("page-token-expired:page=2", 410),
        ("page-token-expired:page=2,status=400", 400),
    ] {
        let mut session = Session::with(&[fault]).await;
        assert_eq!(session.nth(1).await.status, 200);
        for _ in 0..2 {
            let answer = session.nth(2).await;
            assert_eq!(
                (answer.status, answer.json()["error"].clone()),
                (status, json!("page_token_expired"))
            );
        }
        session.start().await;
        assert_eq!(session.nth(2).await.status, 200, "another run is fine");
    }
}

#[tokio::test]
async fn tokens_take_every_form_and_still_lead_on() {
    assert_eq!(page("token-empty", 2).await.json()["nextPageToken"], "");
    assert_eq!(
        page("token-empty:as=missing", 2)
            .await
            .json()
            .get("nextPageToken"),
        None
    );
    let weird = page("token-weird", 0).await.next().unwrap();
    assert!(
        ["&", "=", "+", "/", "?", "#", "%2F", "ü", " ", "\""]
            .iter()
            .all(|part| weird.contains(part))
    );
    let huge = page("token-huge", 0).await.next().unwrap();
    assert!((102_400..103_000).contains(&huge.len()), "{}", huge.len());
    for fault in ["token-weird", "token-huge", "token-huge:bytes=300000"] {
        let session = Session::with(&[fault]).await;
        let rows = [
            session.nth(0).await.rows(),
            session.nth(1).await.rows(),
            session.nth(2).await.rows(),
        ]
        .concat();
        assert_eq!(rows, session.truth(), "{fault}");
    }
}

/// All rows that a run under a fault hands out.
async fn all(session: &Session, pages: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for at in 0..pages {
        rows.extend(session.nth(at).await.rows());
    }
    rows
}

#[tokio::test]
async fn an_empty_page_loses_nothing() {
    let session = Session::with(&["empty-page"]).await;
    let empty = session.nth(1).await;
    assert_eq!((empty.rows().len(), empty.next().is_some()), (0, true));
    assert_eq!(all(&session, 4).await, session.truth());
}

#[tokio::test]
async fn rows_come_twice_or_shifted() {
    let session = Session::with(&["duplicates:rows=3"]).await;
    let rows = all(&session, 3).await;
    assert_eq!((rows.len(), &rows[10..13]), (28, &session.truth()[7..10]));
    assert_eq!(rows.iter().collect::<HashSet<_>>().len(), 25);
    let session = Session::with(&["shifted:rows=3"]).await;
    let rows = all(&session, 3).await;
    assert_eq!(
        (rows.len(), &rows[10..13], &rows[13]),
        (25, &session.truth()[7..10], &session.truth()[13])
    );
    assert_eq!(
        rows.iter().collect::<HashSet<_>>().len(),
        22,
        "three are repeated and three are lost"
    );
}

#[tokio::test]
async fn a_key_comes_again_with_other_metrics() {
    let session = Session::with(&["conflict"]).await;
    let rows = all(&session, 3).await;
    let parse = |row: &String| serde_json::from_str::<Value>(row).unwrap();
    let (before, again) = (parse(&rows[9]), parse(&rows[10]));
    assert_eq!(
        (&before["agentId"], &before["queueId"]),
        (&again["agentId"], &again["queueId"])
    );
    assert_ne!(before, again);
    assert_eq!(rows.len(), 26);
}

#[tokio::test]
async fn a_page_read_again_is_another() {
    let session = Session::with(&["order-changes"]).await;
    let (first, mut second) = (session.nth(0).await.rows(), session.nth(0).await.rows());
    assert_ne!(first, second);
    second.reverse();
    assert_eq!(first, second);
    let session = Session::with(&["rows-change"]).await;
    assert_ne!(session.nth(0).await.rows(), session.nth(0).await.rows());
}

#[tokio::test]
async fn the_schema_drifts() {
    for (how, check) in [
        ("new", r#","sentiment":"calm"}"#),
        ("missing", "\"callsHandled\":"),
        ("renamed", ",\"renamed\":"),
        ("retyped", r#","avgHandleTime":"205.50"}"#),
        ("emptied", r#","avgHandleTime":""}"#),
    ] {
        let session = Session::with(&[&format!("schema-drift:as={how}")]).await;
        assert_eq!(session.nth(0).await.rows(), session.truth()[..10], "{how}");
        for at in 1..3 {
            let rows = session.nth(at).await.rows();
            assert!(
                rows.iter()
                    .all(|row| row.contains(check) && serde_json::from_str::<Value>(row).is_ok()),
                "{how}: {}",
                rows[0]
            );
            assert_eq!(
                how == "missing" || how == "renamed",
                !rows[0].contains("avgHandleTime")
            );
        }
    }
}

#[tokio::test]
async fn rows_are_large_or_deep_or_nested() {
    assert!(
        row("nested")
            .await
            .ends_with(r#","breakdown":{"p50":1.50,"p95":[2,{"x":"]}"}],"":{}}}"#)
    );
    assert_eq!(row("huge-row:bytes=1000000").await.len(), 1_000_000);
    let deep = text(&page("depth-bomb:depth=500", 0).await.body());
    assert!(deep.contains(&format!(
        ",\"deep\":{}{}}}",
        "[".repeat(500),
        "]".repeat(500)
    )));
}

#[tokio::test]
async fn text_is_not_text() {
    let body = page("invalid-utf8", 0).await.body();
    assert!(std::str::from_utf8(&body).is_err());
    let body = text(&page("lone-surrogate", 0).await.body());
    assert!(body.contains(r#"[{"agentId":"\ud800agent-"#), "{body}");
    let body = page("bom", 0).await.body();
    assert!(body.starts_with(b"\xef\xbb\xbf{\"runId\""));
    assert!(serde_json::from_slice::<Value>(&body[3..]).is_ok());
}

#[tokio::test]
async fn numbers_are_odd_or_none() {
    let rows = page("odd-numbers", 0).await.rows();
    for (row, number) in rows.iter().zip([
        "9007199254740993",
        "18446744073709551617",
        "1e400",
        "-0",
        "1E-7",
        "0.10",
    ]) {
        assert!(
            row.ends_with(&format!("\"avgHandleTime\":{number}}}")),
            "{row}"
        );
    }
    for number in ["NaN", "Infinity", "-Infinity", "+1", "01", ".5"] {
        let body = page(&format!("nan:as={number}"), 0).await.body();
        assert!(text(&body).contains(&format!("\"avgHandleTime\":{number}}},")));
        assert!(serde_json::from_slice::<Value>(&body).is_err());
    }
}

#[tokio::test]
async fn columns_are_there_twice_or_not_at_all() {
    assert!(
        row("duplicate-keys")
            .await
            .ends_with(r#","agentId":"again"}"#)
    );
    assert!(
        row("duplicate-keys:column=other")
            .await
            .ends_with(r#","avgHandleTime":1}"#)
    );
    let rows = page("absent", 0).await.rows();
    assert!(
        rows[0].ends_with("\"avgHandleTime\":null}")
            && rows[1].ends_with("\"avgHandleTime\":\"\"}")
            && !rows[2].contains("avgHandleTime")
    );
}

#[tokio::test]
async fn fields_come_in_any_order_and_over_many_lines() {
    let session = Session::with(&["fields-first"]).await;
    let answer = session.look().await;
    let body = text(&answer.body());
    assert!(body.starts_with(r#"{"meta":{"data":[{"agentId":"decoy"}],"nextPageToken":"decoy","rows":[[],{}]},"nextPageToken":"#), "{body}");
    assert!(body.ends_with(r#"],"links":[{"rel":"self"}],"quota":null}"#));
    assert_eq!(answer.rows(), session.truth()[..10]);
    assert!(answer.next().is_some());
    let session = Session::with(&["pretty"]).await;
    let answer = session.look().await;
    assert!(text(&answer.body()).starts_with("{\n  \"runId\":"));
    let rows = answer.rows();
    assert!(rows[0].contains("\r\n\t  \"queueId\": "), "{}", rows[0]);
    let parse = |row: &String| serde_json::from_str::<Value>(row).unwrap();
    assert_eq!(
        rows.iter().map(parse).collect::<Vec<_>>(),
        session.truth()[..10].iter().map(parse).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn data_is_not_an_array_of_objects() {
    for (how, data) in [
        ("null", json!(null)),
        ("object", json!({})),
        ("string", json!("rows")),
    ] {
        let body = page(&format!("data-shape:as={how}"), 0).await.json();
        assert_eq!(
            (body.get("data"), body["total"].clone()),
            (Some(&data), json!(25)),
            "{how}"
        );
    }
    assert_eq!(
        page("data-shape:as=rows", 0).await.rows()[..4],
        ["1", "\"row\"", "[]", "null"]
    );
}

/// The download of a run under a fault.
async fn file(fault: &str) -> String {
    text(&Session::csv(&[fault]).await.download().await.body())
}

#[tokio::test]
async fn records_are_broken_in_every_way() {
    let header = "agentId,agentName,queueId,queueName,handleTime,talkTime,wrapUpTime,callsHandled,avgHandleTime";
    let whole = Session::csv(&[]).await.download().await.body();
    assert!(whole.ends_with(b"\r\n"));
    let lf = file("csv-lf").await;
    assert_eq!(lf, text(&whole).replace("\r\n", "\n"));
    for (fault, fields) in [("csv-ragged", 10), ("csv-ragged:as=less", 8)] {
        let body = file(fault).await;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(body.as_bytes());
        assert_eq!(
            reader
                .records()
                .map(|record| record.unwrap().len())
                .collect::<Vec<_>>()[..2],
            [fields, 9],
            "{fault}"
        );
    }
    assert_eq!(
        file("csv-repeated-header")
            .await
            .matches(&format!("\r\n{header}\r\n"))
            .count(),
        1
    );
    assert!(
        file("csv-repeated-header:as=other")
            .await
            .contains(&format!("\r\nx{header}\r\n"))
    );
    assert!(
        file("csv-bom")
            .await
            .starts_with(&format!("\u{feff}{header}\r\n"))
    );
    assert!(file("csv-unclosed").await.contains(",\"never closed,"));
    let newline = file("csv-newline").await;
    let record = csv::Reader::from_reader(newline.as_bytes())
        .records()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        (record.len(), &record[3]),
        (9, format!("one\r\ntwo\n{header}\r\n\"three\"").as_str())
    );
}

#[tokio::test]
async fn a_link_leads_astray() {
    for (to, expected) in [
        ("other-host", "https://files.evil.example/download/"),
        ("ip", "https://203.0.113.7/"),
        ("metadata", "http://169.254.169.254/"),
        ("mapped", "https://[::ffff:169.254.169.254]/"),
        ("ipv6", "https://[fd00:ec2::254]/"),
        ("decimal", "https://2852039166/"),
        ("octal", "https://0251.0376.0251.0376/"),
        ("hex", "https://0xa9fea9fe/"),
        ("full-width", "https://169。254。169。254/"),
        ("http", "http://files.niceincontact.com/"),
        ("port", "https://files.niceincontact.com:8443/"),
        ("userinfo", "https://files.niceincontact.com@evil.example/"),
        (
            "backslash",
            "https://files.niceincontact.com\\@evil.example/",
        ),
        ("fragment", "https://evil.example#files.niceincontact.com/"),
        ("suffix", "https://evilniceincontact.com/"),
        ("file", "file:///etc/passwd"),
        ("relative", "/download/1.csv?sig="),
        ("empty", ""),
        ("decoy", "http://127.0.0.1:"),
    ] {
        let session = Session::csv(&[&format!("download-url:to={to}")]).await;
        let url = session.look().await.json()["downloadUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            url.starts_with(expected) && !url.starts_with(&session.tenant.base_url()),
            "{to}: {url}"
        );
    }
    let null = Session::csv(&["download-url:to=null"])
        .await
        .look()
        .await
        .json();
    assert_eq!(null.get("downloadUrl"), Some(&Value::Null));
}

#[tokio::test]
async fn a_link_expires() {
    let session = Session::csv(&["download-expired"]).await;
    let expired = session.download().await;
    assert_eq!(
        (expired.status, expired.header("content-type")),
        (403, Some("application/xml"))
    );
    assert_eq!(session.download().await.status, 200);
}

#[tokio::test]
async fn faults_of_rows_reach_the_file_too() {
    let session = Session::csv(&["duplicates:rows=2", "conflict"]).await;
    let body = session.download().await.body();
    assert_eq!(
        csv::Reader::from_reader(body.as_slice()).records().count(),
        28
    );
}

#[tokio::test]
async fn a_file_is_written_as_people_and_old_servers_write_it() {
    let whole = file("csv-bom").await.replace('\u{feff}', "");
    let lines: Vec<&str> = whole.split("\r\n").collect();
    let swallowing = file("csv-stray-quote").await;
    assert!(swallowing.contains(",\"needs call back,"), "{swallowing}");
    assert!(swallowing.contains(",5\" pipe,"), "{swallowing}");
    let behind = file("csv-stray-quote:as=behind").await;
    assert!(behind.contains(",\"urgent\" call,"), "{behind}");
    let within = file("csv-stray-quote:as=within").await;
    assert!(within.contains(",5\" pipe,"), "{within}");
    assert!(!within.contains("call back") && !within.contains("urgent"));
    let semicolons = file("csv-foreign:as=semicolons").await;
    assert!(semicolons.starts_with(&lines[0].replace(',', ";")));
    let title = file("csv-foreign:as=title").await;
    assert_eq!(title, format!("Agents by day\r\n\r\n{whole}"));
    let bare = file("csv-foreign:as=no-header").await;
    assert_eq!(format!("{}\r\n{bare}", lines[0]), whole);
    for (fault, kind, is_packed) in [
        ("file-type", "application/vnd.ms-excel", false),
        ("file-type:as=Text/Plain", "Text/Plain", false),
        ("file-gzip", "text/csv; charset=utf-8", true),
    ] {
        let answer = Session::csv(&[fault]).await.download().await;
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.body().starts_with(b"\x1f\x8b"), is_packed, "{fault}");
        assert_eq!(answer.header("content-encoding"), None, "{fault}");
    }
    let session = Session::csv(&["link-host:host=files.example"]).await;
    let link = session.look().await.json()["downloadUrl"].to_string();
    assert!(
        link.starts_with("\"https://files.example/download/1.csv"),
        "{link}"
    );
}

#[tokio::test]
async fn answers_that_nobody_has_seen_have_other_shapes() {
    let loose = page("loose-forms", 0).await.json();
    assert_eq!(loose["total"], json!("25"));
    for (form, list) in [("bare", ""), ("renamed", "/items")] {
        let session = Session::with(&[]).await;
        session.arm(&[&format!("schedules-form:as={form}")]);
        let answer = session.call("GET", "/schedules", b"").await.json();
        let list = answer.pointer(list).and_then(Value::as_array);
        assert_eq!(list.map(Vec::len), Some(1), "{form}: {answer}");
    }
}
