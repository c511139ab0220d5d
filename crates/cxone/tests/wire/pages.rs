//! Pages of rows, on the wire.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use crate::server::{Answer, Server, TOKEN, answer, definition, gzip, json};
use cxone::{Error, Limits, PageEnd, RowChunk};
use definition::{Definition, PageToken};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Reads a page to its end: its rows as lines, and what it said beside them.
async fn read(server: &Server, format: &str) -> Result<(String, PageEnd), Error> {
    read_at(server, format, None).await
}

async fn read_at(
    server: &Server,
    format: &str,
    at: Option<&PageToken>,
) -> Result<(String, PageEnd), Error> {
    let mut page = server.open_page(&definition(format), at).await?;
    let (mut chunk, mut rows) = (RowChunk::new(), Vec::new());
    while page.read_rows(&mut chunk).await? {
        let each: Vec<u8> = chunk.iter().flat_map(|row| [row, b"\n"].concat()).collect();
        assert_eq!(each, chunk.bytes());
        assert_eq!(chunk.iter().count(), chunk.len());
        rows.extend_from_slice(chunk.bytes());
    }
    assert!(chunk.is_empty());
    Ok((String::from_utf8(rows).unwrap(), page.finish().await?))
}

async fn rows_of(body: impl AsRef<[u8]>) -> Result<String, String> {
    let server = Server::start(vec![json("200 OK", body)]).await;
    read(&server, "json")
        .await
        .map(|(rows, _)| rows)
        .map_err(|error| error.to_string())
}

const GZIP: &str = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
const PAGE: &str = r#"{"runId":"run-1","state":"completed","data":[{"a":1},{"a":2}],"nextPageToken":"p2","total":4}"#;

/// D06: words that mean an empty result mean it of a whole run, never of what is behind its first page.
#[tokio::test]
async fn a_later_page_is_not_empty_because_of_its_words() {
    let mut value = serde_json::to_value(definition("json")).unwrap();
    value["pipeline"]["emptyMessages"] = serde_json::json!(["no data available"]);
    let definition = Definition::from_value(&value).unwrap().definition;
    let body = r#"{"state":"failed","errorMessage":"No data available"}"#;
    for at in [None, Some(PageToken::new("p2").unwrap())] {
        let server = Server::start(vec![json("200 OK", body)]).await;
        match server.rows(&definition, at.as_ref()).await {
            Ok((rows, end)) => assert_eq!((rows.as_str(), end.rows, at), ("", 0, None)),
            Err(error) => assert!(matches!(error, Error::RunFailed { .. }) && at.is_some()),
        }
    }
}

#[tokio::test]
async fn rows_come_exactly_as_they_were_sent() {
    let row = r#"{ "b":-0,"a" : 1e400, "a":12345678901234567890123.50, "s":"Zo\u00eb \"Zed\" O'Brien 🦀 \ud83e\udd80\/", "n":{"x":[1,[]],"y":{}},"t":true,"f":false,"z":null}"#;
    let rows = rows_of(format!(
        "\u{feff} {{ \"data\" : [{row} ,{{}}\t] , \"state\":\"completed\"}} \n"
    ))
    .await
    .unwrap();
    assert_eq!(rows, format!("{row}\n{{}}\n"));
}

#[tokio::test]
async fn raw_line_breaks_between_tokens_go_so_that_a_row_is_a_line() {
    let rows = rows_of(
        "{\"data\":[{\r\n  \"a\": 1,\n  \"b\": \"x\\ny\"\n}\n,\n{}\n],\n\"state\":\"completed\"}",
    )
    .await
    .unwrap();
    assert_eq!(rows, "{  \"a\": 1,  \"b\": \"x\\ny\"}\n{}\n");
}

#[tokio::test]
async fn the_fields_around_the_rows_come_in_any_order() {
    let fields = [
        r#""state":"completed""#,
        r#""data":[{"a":1}]"#,
        r#""nextPageToken":"a&b=c+d/é""#,
        r#""total":7"#,
        r#""x":{"data":[1]}"#,
    ];
    for turn in 0..fields.len() {
        let mut turned = fields;
        turned.rotate_left(turn);
        let server = Server::start(vec![
            json("200 OK", format!("{{{}}}", turned.join(","))),
            json("200 OK", PAGE),
        ])
        .await;
        let (rows, end) = read(&server, "json").await.unwrap();
        assert_eq!(rows, "{\"a\":1}\n");
        assert_eq!(
            (end.rows, end.total, end.unknown_fields.join(" ")),
            (1, Some(7), "x".to_owned())
        );
        read_at(&server, "json", end.next.as_ref()).await.unwrap();
        let second = server.requests().remove(1);
        assert!(
            second.contains("/results/run-1?pageToken=a%26b%3Dc%2Bd%2F%C3%A9 HTTP"),
            "{second}"
        );
    }
}

#[tokio::test]
async fn the_last_page_has_no_token_be_it_null_empty_or_missing() {
    for next in [r#","nextPageToken":null"#, r#","nextPageToken":"""#, ""] {
        let server = Server::start(vec![json(
            "200 OK",
            format!(r#"{{"state":"completed","data":[]{next}}}"#),
        )])
        .await;
        let (rows, end) = read(&server, "json").await.unwrap();
        assert_eq!((rows.as_str(), end.next, end.rows), ("", None, 0));
    }
}

#[tokio::test]
async fn the_digest_tells_whether_a_page_changed_and_not_how_it_came() {
    let digest = async |answer| {
        let server = Server::start(vec![answer]).await;
        read(&server, "json").await.unwrap().1.digest
    };
    let plain = digest(json("200 OK", PAGE)).await;
    assert_eq!(
        digest(answer("200 OK", GZIP, gzip(PAGE.as_bytes()))).await,
        plain
    );
    assert_eq!(
        digest(json("200 OK", PAGE.replace("\"p2\"", "null"))).await,
        plain
    );
    assert_ne!(
        digest(json("200 OK", PAGE.replace("\"a\":2", "\"a\":3"))).await,
        plain
    );
    assert_ne!(
        digest(json(
            "200 OK",
            PAGE.replace(r#"{"a":1},{"a":2}"#, r#"{"a":2},{"a":1}"#)
        ))
        .await,
        plain
    );
    assert_eq!(plain.to_string().len(), 32);
}

#[tokio::test]
async fn what_is_not_json_is_never_taken_for_rows() {
    for bad in [
        "",
        "[]",
        "null",
        "{",
        "{}x",
        "\u{feff}",
        "{\"state\":\"completed\",\"data\":[{}]}{}",
        r#"{"state":"completed","data":[{}]"#,
        r#"{"state":"completed","data":[{}"#,
        r#"{"state":"completed","data":[{"a":1,}]}"#,
        r#"{"state":"completed","data":[{}{}]}"#,
        r#"{"state":"completed","data":[{},]}"#,
        r#"{"state":"completed","data":[,{}]}"#,
        r#"{"state":"completed","data":[1]}"#,
        r#"{"state":"completed","data":[null]}"#,
        r#"{"state":"completed","data":[[]]}"#,
        r#"{"state":"completed","data":{}}"#,
        r#"{"state":"completed","data":"x"}"#,
        r#"{"state":"completed","data":[{"a":NaN}]}"#,
        r#"{"state":"completed","data":[{"a":-Infinity}]}"#,
        r#"{"state":"completed","data":[{"a":01}]}"#,
        r#"{"state":"completed","data":[{"a":1.}]}"#,
        r#"{"state":"completed","data":[{"a":.5}]}"#,
        r#"{"state":"completed","data":[{"a":+1}]}"#,
        r#"{"state":"completed","data":[{"a":1e}]}"#,
        r#"{"state":"completed","data":[{"a":tru}]}"#,
        r#"{"state":"completed","data":[{a:1}]}"#,
        r#"{"state":"completed","data":[{'a':1}]}"#,
        r#"{"state":"completed","data":[{"a" 1}]}"#,
        r#"{"state":"completed","data":[{"a":"\x"}]}"#,
        r#"{"state":"completed","data":[{"a":"\ud800"}]}"#,
        r#"{"state":"completed","data":[{"a":"\udc00\ud800"}]}"#,
        r#"{"state":"completed","data":[{"a":"\ud800\u0041"}]}"#,
        r#"{"state":"completed","data":[{"a":"\u00g0"}]}"#,
        "{\"state\":\"completed\",\"data\":[{\"a\":\"b\nc\"}]}",
        "{\"state\":\"completed\",\"data\":[{\"a\":\"\0\"}]}",
        "{\"state\":\"completed\",\u{a0}\"data\":[]}",
        r#"{"state":"completed","data":[],"data":[]}"#,
        r#"{"state":"completed","state":"completed","data":[]}"#,
        r#"{"state":"completed","x":1,"x":1,"data":[]}"#,
        r#"{"state":"completed","data":[],"d\u0061ta":[]}"#,
        r#"{"state":"completed","data":[],"nextPageToken":7}"#,
        r#"{"state":"completed","data":[],"total":"seven"}"#,
        r#"{"state":"completed","data":[],"runId":18446744073709551617}"#,
        r#"{"state":"completed","data":[],"total":-1}"#,
        r#"{"state":"completed","data":[],"runId":"run-2"}"#,
        r#"{"state":"completed"}"#,
        r#"{"state":"completed","data":null}"#,
    ] {
        let error = rows_of(bad).await.unwrap_err();
        assert!(error.contains("breaks the contract"), "{bad}: {error}");
    }
    for not_utf8 in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82"] {
        let body = [
            b"{\"state\":\"completed\",\"data\":[{\"a\":\"",
            not_utf8,
            b"\"}]}",
        ]
        .concat();
        assert!(rows_of(body).await.unwrap_err().contains("not UTF-8"));
    }
    for (name, depth, fits) in [("deep", 126, true), ("too deep", 127, false)] {
        let body = format!(
            "{{\"state\":\"completed\",\"data\":[{{\"a\":{}{}}}]}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert_eq!(rows_of(body).await.is_ok(), fits, "{name}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_named() {
    let limits = Limits {
        row_bytes: 1000,
        page_bytes: 500_000,
        ..Limits::default()
    };
    let row = |n: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(n));
    for (body, expected) in [
        (
            format!(
                r#"{{"state":"completed","data":[{},{}]}}"#,
                row(10),
                row(1001)
            ),
            "row 2 is larger than 1000 bytes",
        ),
        (
            format!(
                r#"{{"state":"completed","data":[{},{}"#,
                row(10),
                row(400_000)
            ),
            "row 2 is larger than 1000 bytes",
        ),
        (
            format!(
                r#"{{"state":"completed","data":[{}]}}"#,
                vec![row(900); 600].join(",")
            ),
            "larger than 500000 bytes",
        ),
        (
            format!(
                r#"{{"x":"{}","state":"completed","data":[]}}"#,
                "x".repeat(400_000)
            ),
            "a field is larger than 256 KiB",
        ),
        (
            format!(
                r#"{{"nextPageToken":"{}","state":"completed","data":[]}}"#,
                "x".repeat(17_000)
            ),
            "page token",
        ),
    ] {
        let server = Server::with_limits(vec![json("200 OK", body)], limits).await;
        let error = read(&server, "json").await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_page_of_a_run_that_is_not_completed_is_looked_at_again() {
    for body in [
        r#"{"state":"processing"}"#,
        r#"{"state":"failed","data":[{}]}"#,
        r#"{"data":[{}]}"#,
        r#"{"state":null,"data":[]}"#,
    ] {
        let server = Server::start(vec![json("200 OK", body)]).await;
        assert!(
            matches!(read(&server, "json").await, Err(Error::NotCompleted { .. })),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_page_that_was_not_read_to_its_end_has_no_end() {
    let server = Server::start(vec![json("200 OK", PAGE)]).await;
    let mut page = server.open_page(&definition("json"), None).await.unwrap();
    assert!(page.read_rows(&mut RowChunk::new()).await.unwrap());
    assert!(matches!(page.finish().await, Err(Error::Contract { .. })));
}

#[tokio::test]
async fn all_members_of_a_gzip_are_read() {
    let (one, two) = PAGE.as_bytes().split_at(40);
    let server = Server::start(vec![answer(
        "200 OK",
        GZIP,
        [gzip(one), gzip(two)].concat(),
    )])
    .await;
    assert_eq!(read(&server, "json").await.unwrap().1.rows, 2);
    assert!(server.requests()[0].contains("accept-encoding: gzip\r\n"));
}

#[tokio::test]
async fn a_gzip_that_is_not_whole_is_an_error() {
    let whole = gzip(PAGE.as_bytes());
    let mut bad_sum = whole.clone();
    let sum = bad_sum.len() - 8;
    bad_sum[sum] ^= 1;
    for (name, body) in [
        ("no trailer", whole[..whole.len() - 8].to_vec()),
        ("half a trailer", whole[..whole.len() - 3].to_vec()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("bad checksum", bad_sum),
        ("garbage behind", [whole.as_slice(), b"garbage"].concat()),
        ("plain", PAGE.as_bytes().to_vec()),
        ("empty", Vec::new()),
    ] {
        let server = Server::start(vec![answer("200 OK", GZIP, body)]).await;
        assert!(read(&server, "json").await.is_err(), "{name}");
    }
    let server = Server::start(vec![answer("200 OK", "Content-Encoding: br\r\n", PAGE)]).await;
    assert!(matches!(
        read(&server, "json").await,
        Err(Error::Contract { .. })
    ));
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(br#"{"state":"completed","data":[{"a":1}"#)
        .unwrap();
    for _ in 0..256 {
        encoder.write_all(&vec![b' '; 256 * 1024]).unwrap();
    }
    let server = Server::start(vec![answer("200 OK", GZIP, encoder.finish().unwrap())]).await;
    let error = read(&server, "json").await.unwrap_err().to_string();
    assert!(error.contains("more than 200 times its size"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_off_makes_the_page_unavailable() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    for (name, bytes) in [
        ("before the head", String::new()),
        ("in the head", "HTTP/1.1 200 OK\r\nContent-Ty".to_owned()),
        (
            "short of its length",
            format!("{head}Content-Length: 500\r\n\r\n{PAGE}"),
        ),
        (
            "without the last chunk",
            format!(
                "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{PAGE}\r\n",
                PAGE.len()
            ),
        ),
        ("without a length", format!("{head}\r\n{}", &PAGE[..60])),
        ("not HTTP", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        (
            "two lengths",
            format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{PAGE}"),
        ),
    ] {
        let server = Server::start(vec![Answer::Bytes(bytes.into_bytes())]).await;
        let error = read(&server, "json").await.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable { .. }),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_drips_is_given_up() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"state\"";
    let limits = Limits {
        read: Duration::from_millis(150),
        page: Duration::from_millis(600),
        ..Limits::default()
    };
    let server = Server::with_limits(vec![Answer::Hang(head.into())], limits).await;
    let error = read(&server, "json").await.unwrap_err().to_string();
    assert_eq!(error, "get page: unavailable: the answer took too long");
    // Each byte is in time, and the whole never would be.
    let drip = Answer::Drip(
        head.replace("{\"state\"", &" ".repeat(5000)).into(),
        Duration::from_millis(5),
    );
    let server = Server::with_limits(vec![drip], limits).await;
    assert!(matches!(
        read(&server, "json").await,
        Err(Error::Unavailable { .. })
    ));
}

#[tokio::test]
async fn large_pages_come_in_chunks_of_whole_rows() {
    let mut body = r#"{"state":"completed","data":["#.to_owned();
    for i in 0..20_000 {
        let _ = write!(
            body,
            r#"{}{{"agentId":"a-{i}","agentName":"Zoë \"Zed\"","handleTime":{i},"avg":{i}.50}}"#,
            if i > 0 { "," } else { "" }
        );
    }
    body.push_str("]}");
    let server = Server::start(vec![json("200 OK", &body)]).await;
    let mut page = server.open_page(&definition("json"), None).await.unwrap();
    let (mut chunk, mut sizes, mut rows) = (RowChunk::new(), Vec::new(), 0);
    while page.read_rows(&mut chunk).await.unwrap() {
        sizes.push(chunk.bytes().len());
        for row in chunk.iter() {
            assert!(
                row.starts_with(format!("{{\"agentId\":\"a-{rows}\",").as_bytes())
                    && row.ends_with(b".50}")
            );
            rows += 1;
        }
    }
    assert_eq!((rows, page.finish().await.unwrap().rows), (20_000, 20_000));
    assert!(
        sizes.len() > 4 && sizes.iter().all(|size| *size < 257 * 1024),
        "{sizes:?}"
    );
}

const CSV: &str = "agentId,agentName,handleTime,avgHandleTime\r\n";
const CSV_TYPE: &str = "Content-Type: text/csv; charset=utf-8\r\n";
const FILE: &str =
    r#"{"runId":"run-1","state":"completed","downloadUrl":"{url}/files/1.csv?sig=x"}"#;

fn announced() -> Answer {
    // The server fills its own address in, so that the length is not known here.
    Answer::Bytes(
        format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{FILE}"
        )
        .into_bytes(),
    )
}

async fn csv(body: impl AsRef<[u8]>) -> Result<String, String> {
    let server = Server::start(vec![announced(), answer("200 OK", CSV_TYPE, body)]).await;
    read(&server, "csv")
        .await
        .map(|(rows, end)| {
            assert_eq!(end.next, None);
            rows
        })
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_file_becomes_rows_without_touching_a_number() {
    let file = format!(
        "\u{feff}{CSV}a-1,\"Zoë \"\"Zed\"\", EU\",12345678901234567890,205.50\r\n{CSV}a-2,\"two\r\nlines\",,n/a\na-3,,01,-0"
    );
    let expected = concat!(
        r#"{"agentId":"a-1","agentName":"Zoë \"Zed\", EU","handleTime":12345678901234567890,"avgHandleTime":205.50}"#,
        "\n",
        r#"{"agentId":"a-2","agentName":"two\r\nlines","handleTime":null,"avgHandleTime":"n/a"}"#,
        "\n",
        r#"{"agentId":"a-3","agentName":"","handleTime":"01","avgHandleTime":-0}"#,
        "\n",
    );
    assert_eq!(csv(file).await.unwrap(), expected);
    for empty in [
        CSV,
        CSV.trim_end(),
        &CSV.replace("\r\n", "\r"),
        &format!("{CSV}\r\n\n"),
    ] {
        assert_eq!(csv(empty).await.unwrap(), "");
    }
    for last in ["a,b,1,2", "a,b,1,\"2\"", "a,b,1,2\r"] {
        let row = r#"{"agentId":"a","agentName":"b","handleTime":1,"avgHandleTime":2}"#;
        assert_eq!(
            csv(format!("{CSV}{last}")).await.unwrap(),
            format!("{row}\n")
        );
    }
}

#[tokio::test]
async fn a_file_is_fetched_without_the_token() {
    let server = Server::start(vec![announced(), answer("200 OK", CSV_TYPE, CSV)]).await;
    read(&server, "json").await.unwrap();
    let request = server.requests().remove(1);
    assert!(
        request.starts_with("GET /files/1.csv?sig=x HTTP/1.1"),
        "{request}"
    );
    assert!(
        !request.contains(TOKEN) && !request.to_lowercase().contains("authorization"),
        "{request}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_what_the_definition_says_is_refused() {
    for (body, expected) in [
        (
            format!("{CSV}a,b,1,2\na,b,1\n"),
            "record 3 has 3 fields, the header has 4",
        ),
        (
            format!("{CSV}a,b,1,2,3\n"),
            "record 2 has 5 fields, the header has 4",
        ),
        (
            "agentId,agentName,handleTime\na,b,1\n".to_owned(),
            "the header has no column \"avgHandleTime\"",
        ),
        (
            "agentId,agentId,agentName,handleTime,avgHandleTime\n".to_owned(),
            "column 2 of the header has no name of its own",
        ),
        (String::new(), "the file is empty"),
        (
            format!("{CSV}a,b,1,2\na,\"b,3,4\n"),
            "in the middle of a quoted field",
        ),
        (
            format!("{CSV}a,b,1,2\n\""),
            "in the middle of a quoted field",
        ),
    ] {
        let error = csv(body).await.unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    for (rows, record) in [
        ("", "record 2"),
        ("a,b,1,2\na,b,1,2\n", "record 4"),
        (CSV, "one of the records 2 to 3"),
    ] {
        let latin1 = [CSV.as_bytes(), rows.as_bytes(), b"a,Zo\xeb,1,2\n"].concat();
        let expected = format!(
            ": {record} is not UTF-8; only UTF-8 is taken, so change the report's encoding"
        );
        let said = csv(latin1).await.unwrap_err();
        assert!(said.ends_with(&expected), "{said}");
    }
}

#[tokio::test]
async fn a_file_without_an_end_of_its_own_is_refused() {
    let open_end = format!("HTTP/1.1 200 OK\r\n{CSV_TYPE}\r\n{CSV}a,b,1,2\n");
    let short = format!("HTTP/1.1 200 OK\r\n{CSV_TYPE}Content-Length: 500\r\n\r\n{CSV}a,b,1,2\n");
    for (bytes, expected) in [
        (open_end, "does not say where the file ends"),
        (short, "broke off"),
    ] {
        let server = Server::start(vec![announced(), Answer::Bytes(bytes.into_bytes())]).await;
        let error = read(&server, "csv").await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for (status, headers) in [
        ("200 OK", "Content-Type: text/html\r\n"),
        ("206 Partial Content", CSV_TYPE),
        ("302 Found", ""),
    ] {
        let server = Server::start(vec![announced(), answer(status, headers, CSV)]).await;
        assert!(
            matches!(read(&server, "csv").await, Err(Error::Contract { .. })),
            "{status}"
        );
    }
}

#[tokio::test]
async fn where_an_answer_has_rows_and_a_file_the_definition_decides() {
    let both = |data: &str| {
        let body =
            format!(r#"{{"state":"completed","data":[{data}],"downloadUrl":"{{url}}/f.csv"}}"#);
        Answer::Bytes(format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{body}").into_bytes())
    };
    let file = || answer("200 OK", CSV_TYPE, format!("{CSV}a,b,1,2\n"));
    let server = Server::start(vec![both(r#"{"inline":1}"#)]).await;
    assert_eq!(read(&server, "json").await.unwrap().0, "{\"inline\":1}\n");
    let server = Server::start(vec![both(r#"{"inline":1}"#), file()]).await;
    assert!(
        read(&server, "csv")
            .await
            .unwrap()
            .0
            .starts_with("{\"agentId\":\"a\"")
    );
    let server = Server::start(vec![both("{},{}"), file()]).await;
    let error = read(&server, "csv").await.unwrap_err().to_string();
    assert!(
        error.contains("the answer has 2 rows, and the file that it names has 1"),
        "{error}"
    );
    // An empty list beside a file is no result.
    let server = Server::start(vec![both(""), file()]).await;
    assert_eq!(read(&server, "json").await.unwrap().1.rows, 1);
    // Rows where a file was configured and none is named are taken.
    let server = Server::start(vec![json("200 OK", PAGE), json("200 OK", PAGE)]).await;
    assert_eq!(read(&server, "csv").await.unwrap().1.rows, 2);
}

#[tokio::test]
async fn a_file_elsewhere_is_never_fetched() {
    for url in [
        "http://169.254.169.254/latest",
        "https://evil.example/x.csv",
        "file:///etc/passwd",
        "{url}.evil.example/x",
    ] {
        let body = format!(r#"{{"state":"completed","downloadUrl":"{url}"}}"#);
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}");
        let server = Server::start(vec![
            Answer::Bytes(bytes.into_bytes()),
            answer("200 OK", CSV_TYPE, CSV),
        ])
        .await;
        let error = read(&server, "csv").await.unwrap_err();
        let is_refused = matches!(error, Error::Contract { .. } | Error::Config { .. });
        assert!(is_refused, "{url}: {error}");
        assert_eq!(server.requests().len(), 1);
    }
}
