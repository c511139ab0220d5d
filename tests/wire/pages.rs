//! Group 4: pages, rows and files (A60 to A78).

use std::collections::BTreeMap;

use cxone::Error;
use delivery::documents::CycleDetector;
use serde_json::value::RawValue;

use crate::cases::Call::{File, Pages};
use crate::cases::Outcome::{Contract, Good, NotFound, Rejected};
use crate::cases::check;
use crate::harness::{self, ClientUnderTest, Read, limits};
use crate::raw::{Raw, answer};

#[rustfmt::skip]
#[tokio::test]
async fn page_tokens_are_opaque_and_end_where_they_end() {
    check(&[
        ("A61", "page-token-expired", Pages, NotFound(410)),
        ("A61", "page-token-expired:page=2,status=400", Pages, Rejected(400, "the page token has expired")),
        ("A62", "token-empty:as=empty", Pages, Good),
        ("A62", "token-empty:as=missing", Pages, Good),
        ("A63", "token-weird", Pages, Good),
        ("A63", "token-huge:bytes=8000", Pages, Good),
        ("A63", "token-huge:bytes=17000", Pages, Contract("not a valid page token")),
        ("A63", "token-huge", Pages, Contract("not a valid page token")),
        ("A63", "token-huge:bytes=2000000", Pages, Contract("a field is larger than 256 KiB")),
        ("A64", "empty-page", Pages, Good),
        ("A64", "empty-page:page=0", Pages, Good),
        ("A64", "empty-page:page=3", Pages, Good),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn rows_are_taken_as_they_are_or_refused() {
    check(&[
        ("A70", "huge-row", Pages, Contract("row 1 is larger than 16777216 bytes")),
        ("A70", "huge-row:page=1", Pages, Contract("row 1 is larger than 16777216 bytes")),
        ("A71", "depth-bomb", Pages, Contract("row 1: nested more than 127 deep")),
        ("A71", "depth-bomb:depth=128", Pages, Contract("row 1: nested more than 127 deep")),
        ("A72", "invalid-utf8", Pages, Contract("not UTF-8")),
        ("A72", "invalid-utf8:page=2", Pages, Contract("not UTF-8")),
        ("A72", "lone-surrogate", Pages, Contract("row 1: a lone surrogate")),
        ("A72", "bom", Pages, Good),
        ("A72", "bom:page=1", Pages, Good),
        ("A74", "nan:as=NaN", Pages, Contract("row 1: a value was expected")),
        ("A74", "nan:as=Infinity", Pages, Contract("row 1: a value was expected")),
        ("A74", "nan:as=-Infinity", Pages, Contract("row 1: a digit was expected")),
        ("A74", "nan:as=+1", Pages, Contract("row 1: a value was expected")),
        ("A74", "nan:as=01", Pages, Contract("row 1: a comma or a closing brace")),
        ("A74", "nan:as=.5,page=1", Pages, Contract("row 1: a value was expected")),
        ("A76", "fields-first", Pages, Good),
        ("A76", "fields-first & fields-first:page=1 & fields-first:page=2", Pages, Good),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn a_file_is_taken_whole_or_refused() {
    check(&[
        ("A72", "csv-bom", File, Good),
        ("A77", "", File, Good),
        ("A77", "csv-lf", File, Good),
        ("A77", "csv-lf & csv-bom", File, Good),
        ("A77", "csv-ragged:as=more", File, Contract("record 2 has 7 fields, the header has 6")),
        ("A77", "csv-ragged:as=less", File, Contract("record 2 has 5 fields, the header has 6")),
        ("A77", "csv-ragged:as=less,page=2", File, Contract("record 42 has 5 fields")),
        ("A77", "csv-repeated-header", File, Good),
        ("A77", "csv-unclosed", File, Contract("")),
        ("A77", "csv-unclosed:page=2", File, Contract("")),
        ("D03", "csv-stray-quote", File, Contract("record 3 has something behind a closing quote in column 3")),
        ("D03", "csv-stray-quote:as=behind,page=1", File, Contract("record 23 has something behind a closing quote in column 3")),
        ("D17", "file-type", File, Good),
        ("D17", "file-type:as=Text/Plain;charset=utf-8", File, Good),
        ("D17", "file-type:as=application/force-download", File, Good),
        ("D17", "file-type:as=text/html", File, Contract("the answer is of the type text/html")),
        ("D17", "file-gzip", File, Good),
        ("D17", "file-gzip & file-type:as=application/octet-stream", File, Good),
        ("D17", "file-gzip & file-type:as=application/gzip; charset=binary & csv-bom", File, Good),
        ("D17", "file-type:as=application/gzip", File, Good),
        ("D19", "csv-foreign:as=semicolons", File, Contract("so its columns are separated by semicolons; have the report written with commas")),
        ("D19", "csv-foreign:as=title", File, Contract("the file may begin with a title")),
        ("D19", "csv-foreign:as=no-header", File, Contract("are not shown, because they may be those of a row")),
    ])
    .await;
}

async fn all(spec: &str, format: &str) -> (ClientUnderTest, Read) {
    let under_test = ClientUnderTest::new(spec, format).await;
    let run = under_test.start().await.unwrap();
    let read = under_test.read(&run).await.unwrap();
    (under_test, read)
}

/// A60: the client goes where it is told, and the pipeline's own watch over the tokens ends it.
#[tokio::test]
async fn a_circle_of_page_tokens_is_found() {
    for (spec, within) in [
        ("token-repeats", 4),
        ("token-cycles", 8),
        ("token-cycles:back=2", 12),
    ] {
        let (_, read) = all(spec, "json").await;
        let mut lap = CycleDetector::default();
        let tokens = read.ends.iter().map(|end| end.next.as_ref().unwrap());
        let found = tokens.take(within).position(|token| lap.observe(token));
        assert!(found.is_some(), "{spec}: not within {within} pages");
    }
    let (_, read) = all("", "json").await;
    let mut lap = CycleDetector::default();
    assert!(
        !read
            .ends
            .iter()
            .filter_map(|end| end.next.as_ref())
            .any(|token| lap.observe(token))
    );
}

/// A65, A66: what comes twice is handed on as it came; the key decides about it later.
#[tokio::test]
async fn rows_that_come_twice_are_handed_on_and_counted() {
    for (spec, repeated, missing) in [
        ("duplicates:rows=3", 3, 0),
        ("shifted:rows=3", 3, 3),
        ("conflict:rows=2", 0, 0),
    ] {
        let (under_test, read) = all(spec, "json").await;
        let truth = under_test.truth();
        let again = read
            .rows
            .iter()
            .enumerate()
            .filter(|(at, row)| read.rows[..*at].contains(row));
        assert_eq!(again.count(), repeated, "{spec}");
        let absent = truth.iter().filter(|row| !read.rows.contains(row)).count();
        assert_eq!(absent, missing, "{spec}");
        let counted: u64 = read.ends.iter().map(|end| end.rows).sum();
        assert_eq!(counted, read.rows.len() as u64, "{spec}");
        assert_eq!(read.ends[0].total, Some(60), "{spec}");
    }
    // A conflict: the key of a row of the page before, with other metrics.
    let (under_test, read) = all("conflict:rows=2", "json").await;
    let odd: Vec<_> = read
        .rows
        .iter()
        .filter(|row| !under_test.truth().contains(row))
        .collect();
    assert_eq!(odd.len(), 2);
    let key = |row: &[u8]| row.split(|byte| *byte == b',').next().unwrap().to_vec();
    assert_eq!(key(odd[0]), key(&read.rows[18]));
}

/// A67: a page that is read again tells by its digest whether it is the same.
#[tokio::test]
async fn a_page_that_changed_has_another_digest() {
    for (spec, same) in [("", true), ("order-changes", false), ("rows-change", false)] {
        let under_test = ClientUnderTest::new(spec, "json").await;
        let run = under_test.start().await.unwrap();
        let (first, second) = (
            under_test.page(&run, None).await.unwrap(),
            under_test.page(&run, None).await.unwrap(),
        );
        assert_eq!(first.1.digest == second.1.digest, same, "{spec}");
        assert_eq!(first.0 == second.0, same, "{spec}");
        assert_eq!(first.1.next, second.1.next, "{spec}");
    }
    let revised = all("restated", "json").await;
    let first = all("", "json").await;
    assert_ne!(revised.1.rows, first.1.rows);
    assert_ne!(revised.1.ends[0].digest, first.1.ends[0].digest);
}

/// D07: a run that comes too early lacks rows and is complete all the same, as far as a client can see.
#[tokio::test]
async fn rows_that_come_late_are_missing_without_a_sign() {
    let settled = all("late-rows:rows=5", "json").await.1;
    let early = all("late-rows:hours=100000,rows=5", "json").await.1;
    assert_eq!((early.rows.len(), settled.rows.len()), (55, 60));
    assert_ne!(early.rows, settled.rows[..55]);
    assert_eq!(settled.rows, all("", "json").await.1.rows);
}

/// A field of a row, as it was sent.
fn fields(row: &[u8]) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_slice(row).unwrap()
}

fn value(row: &[u8], name: &str) -> Option<String> {
    fields(row).get(name).map(|value| value.get().to_owned())
}

/// A68, A69: what a row has beside or instead of its columns stays in it.
#[tokio::test]
async fn columns_come_and_go_without_a_byte_of_the_others_changing() {
    let truth = all("", "json").await.1.rows;
    let last = truth[20].iter().rposition(|byte| *byte == b',').unwrap();
    let (head, average) = (
        &truth[20][..last],
        value(&truth[20], "avgHandleTime").unwrap(),
    );
    for (spec, tail) in [
        (
            "schema-drift:as=new",
            format!(",\"avgHandleTime\":{average},\"sentiment\":\"calm\"}}"),
        ),
        ("schema-drift:as=missing", "}".to_owned()),
        (
            "schema-drift:as=renamed",
            format!(",\"renamed\":{average}}}"),
        ),
        (
            "schema-drift:as=retyped",
            ",\"avgHandleTime\":\"205.50\"}".to_owned(),
        ),
        (
            "nested:page=1",
            format!(
                ",\"avgHandleTime\":{average},\"breakdown\":{{\"p50\":1.50,\"p95\":[2,{{\"x\":\"]}}\"}}],\"\":{{}}}}}}"
            ),
        ),
    ] {
        let rows = all(spec, "json").await.1.rows;
        assert_eq!(rows[..20], truth[..20], "{spec}");
        let expected = [head, tail.as_bytes()].concat();
        assert_eq!(
            String::from_utf8_lossy(&rows[20]),
            String::from_utf8_lossy(&expected),
            "{spec}"
        );
        assert_eq!(rows.len(), 60, "{spec}");
    }
}

/// A73, A78: a number is its digits, and null, missing and empty are three things.
#[tokio::test]
async fn values_are_verbatim() {
    let odd = [
        "9007199254740993",
        "18446744073709551617",
        "1e400",
        "-0",
        "1E-7",
        "0.10",
        "-1.50e+02",
        "123456789.123456789123456789",
    ];
    let rows = all("odd-numbers", "json").await.1.rows;
    for (at, row) in rows[..20].iter().enumerate() {
        assert!(row.ends_with(format!(":{}}}", odd[at % odd.len()]).as_bytes()));
    }
    let rows = all("absent", "json").await.1.rows;
    for (at, expected) in [Some("null"), Some("\"\""), None].into_iter().enumerate() {
        assert_eq!(value(&rows[at], "avgHandleTime").as_deref(), expected);
    }
    // In a file an empty field is null where a number belongs, and an empty text where a text does.
    let (under_test, read) = all("", "csv").await;
    for (row, truth) in read.rows.iter().zip(under_test.truth()) {
        for name in ["handleTime", "callsHandled", "avgHandleTime"] {
            assert_eq!(value(row, name), value(&truth, name));
        }
    }
}

/// A70: just below the limit.
#[tokio::test]
async fn a_row_may_be_large() {
    let rows = all("huge-row:bytes=16777216", "json").await.1.rows;
    assert!(
        rows[0].len() > 16_700_000 && rows[0].len() <= 16_777_216,
        "{}",
        rows[0].len()
    );
    assert_eq!(rows.len(), 60);
}

/// A75: which of two values is meant is not for the client to say.
#[tokio::test]
async fn a_column_that_is_there_twice_stays_so() {
    let truth = all("", "json").await.1.rows;
    for (column, field) in [
        ("key", "\"agentId\":\"again\""),
        ("other", "\"avgHandleTime\":1"),
    ] {
        let rows = all(&format!("duplicate-keys:column={column}"), "json")
            .await
            .1
            .rows;
        let before = &truth[0][..truth[0].len() - 1];
        assert_eq!(rows[0], [before, b",", field.as_bytes(), b"}"].concat());
        assert_eq!(rows[1..], truth[1..]);
    }
}

/// A76: without the white space between its tokens a row is what it was.
#[tokio::test]
async fn a_row_over_many_lines_becomes_one_line() {
    let (under_test, read) = all("pretty & pretty:page=2", "json").await;
    for (row, truth) in read.rows.iter().zip(under_test.truth()) {
        assert!(!row.contains(&b'\n') && !row.contains(&b'\r'));
        let compact = |row: &[u8]| {
            let fields = fields(row);
            fields
                .into_iter()
                .map(|(name, value)| (name, value.get().to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(compact(row), compact(&truth));
    }
    assert_eq!(read.rows.len(), 60);
}

/// A77: only the header itself is dropped where it comes again.
#[tokio::test]
async fn another_header_in_the_middle_is_a_row_that_the_total_tells_of() {
    let (_, read) = all("csv-repeated-header:as=other", "csv").await;
    assert_eq!((read.rows.len(), read.ends[0].total), (61, Some(60)));
    assert_eq!(
        value(&read.rows[20], "agentId").as_deref(),
        Some("\"xagentId\"")
    );
    let (under_test, read) = all("csv-newline", "csv").await;
    let header = "agentId,agentName,queueName,handleTime,callsHandled,avgHandleTime";
    let text = format!("one\r\ntwo\n{header}\r\n\"three\"");
    assert_eq!(
        fields(&read.rows[0])["queueName"].get(),
        serde_json::to_string(&text).unwrap()
    );
    assert_eq!(
        value(&read.rows[0], "handleTime"),
        value(&under_test.truth()[0], "handleTime")
    );
    assert_eq!(read.rows.len(), 60);
}

/// D03: a quote within an unquoted text hides no end of a record, so that it is a character.
#[tokio::test]
async fn a_quote_within_a_text_is_kept() {
    let (under_test, read) = all("csv-stray-quote:as=within", "csv").await;
    let truth = under_test.truth();
    assert_eq!(read.rows.len(), truth.len());
    assert_eq!(
        value(&read.rows[3], "queueName").as_deref(),
        Some("\"5\\\" pipe\"")
    );
    for column in ["agentId", "handleTime"] {
        assert_eq!(value(&read.rows[3], column), value(&truth[3], column));
    }
}

/// A77: a quote that is never closed takes the rest of the file into its field, wherever it stands.
#[tokio::test]
async fn a_quote_that_is_never_closed_is_no_last_field() {
    let header = "agentId,agentName,queueName,handleTime,callsHandled,avgHandleTime\r\n";
    for (records, whole) in [
        ("a-1,b,c,1,2,3\r\na-2,b,c,1,2,4\r\n", true),
        ("a-1,b,c,1,2,\"3\"\r\na-2,b,c,1,2,\"4\"", true),
        ("a-1,b,c,1,2,\"\"\"\"", true),
        ("a-1,b,c,1,2,\"3\r\na-2,b,c,1,2,4\r\n", false),
        ("a-1,b,c,1,2,3\r\na-2,b,c,1,2,\"4", false),
        ("a-1,b,c,1,2,3\r\na-2,b,c,1,2,\"", false),
        ("a-1,b,c,1,2,3\r\na-2,b,c,1,2,\"\"\"", false),
        ("a-1,b,c,1,2,3\r\n\"", false),
    ] {
        let file = format!("{header}{records}");
        let raw = Raw::start(move |request| {
            let host = request
                .lines()
                .find_map(|line| line.strip_prefix("host: "))
                .unwrap();
            let named = format!(r#"{{"state":"completed","downloadUrl":"http://{host}/f.csv"}}"#);
            match request.split(' ').nth(1) {
                Some("/f.csv") => answer(200, "text/csv", &file),
                _ => answer(200, "application/json", &named),
            }
        })
        .await;
        let client = harness::client(&raw.url(), limits());
        let token = cxone::AccessToken::new("canary-token").unwrap();
        let (run, csv) = ("run-1".parse().unwrap(), harness::definition("csv"));
        let page = client
            .open_page(
                &token,
                harness::page_of(&csv, &run, &harness::window(), None),
            )
            .await
            .unwrap();
        match harness::read(page).await {
            Ok((rows, _)) => assert!(whole, "{records:?}: {} rows", rows.len()),
            Err(Error::Contract { what, .. }) => assert!(!whole, "{records:?}: {what}"),
            Err(other) => panic!("{records:?}: {other}"),
        }
    }
}
