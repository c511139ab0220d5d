//! What consumers hold: `cxr rows` and `cxr verify`.

use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::NAME;
use crate::{cxr, done};

/// Rows of agents, whose values are hard to keep apart in other forms.
fn agents(count: u32, talk: u32) -> Vec<String> {
    let row = |agent: u32| {
        let name = match agent % 3 {
            0 => json!("Zoë \"Z\", 2\nlines"),
            1 => Value::Null,
            _ => json!(""),
        };
        format!(
            r#"{{"agentId":"A-{agent}","agentName":{name},"queueId":"Q","talkTime":{talk},"handleTime":1.50}}"#
        )
    };
    (0..count).map(row).collect()
}

fn lines(rows: &[String]) -> String {
    rows.join("\n") + "\n"
}

fn stored_as(format: &str, compression: &str) -> Value {
    let mut definition = definition("acme", NAME);
    definition["pipeline"]["format"] = json!(format);
    definition["pipeline"]["compression"] = json!(compression);
    definition
}

/// A day that was restated, one that was taken back, one of two parts, and one that nobody asked for.
async fn days(server: &Server, definition: &Value) {
    let report = Report::new(server, definition);
    let newest = [("2026-06-01", 2, 3), ("2026-06-03", 1, 150)];
    report.open(day("2026-06-01"), 1, json!({})).await;
    let old = agents(5, 1);
    report
        .commit_rows(day("2026-06-01"), 1, &old, json!({}))
        .await;
    for (date, generation, count) in newest {
        let rows = agents(count, 7);
        report.open(day(date), generation, json!({})).await;
        report
            .commit_rows(day(date), generation, &rows, json!({}))
            .await;
    }
    let rows = agents(4, 2);
    report
        .commit_rows(day("2026-06-02"), 1, &rows, json!({}))
        .await;
    let withdrawn = json!({"withdrawn": true, "parts": []});
    report.commit(day("2026-06-02"), 2, 0, withdrawn).await;
}

#[tokio::test]
async fn rows_are_printed_once_whatever_they_are_stored_as() {
    for format in ["ndjson", "csv"] {
        for compression in ["gzip", "zstd", "none"] {
            let server = Server::start().await;
            days(&server, &stored_as(format, compression)).await;
            let rows = async |more: &[&str]| {
                let args = ["rows", "daily", "2026-06-01..2026-06-03"];
                done(&server, &[&args[..], more].concat()).await
            };
            let case = format!("{format} {compression}");
            let columns = ["--columns", "agentId,talkTime,agentName"];
            let csv = rows(&[&["--format", "csv"], &columns[..]].concat()).await;
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let found: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            assert_eq!(found.len(), 153, "{case}");
            assert_eq!(found[0], vec!["A-0", "7", "Zoë \"Z\", 2\nlines"], "{case}");
            assert!(csv.contains("\nA-1,7,\nA-2,7,\"\"\n"), "{case}: {csv}");
            let ndjson = rows(&["--format", "ndjson"]).await;
            if format == "ndjson" {
                assert_eq!(
                    ndjson,
                    lines(&agents(3, 7)) + &lines(&agents(150, 7)),
                    "{case}"
                );
                assert_eq!(rows(&[]).await, ndjson, "{case}: as stored");
            } else {
                let first: Value = serde_json::from_str(ndjson.lines().next().unwrap()).unwrap();
                assert_eq!(first["talkTime"], "7", "{case}: a text");
                assert_eq!(first["callsHandled"], Value::Null, "{case}");
                assert!(rows(&[]).await.starts_with("agentId,"), "{case}: as stored");
            }
            let one = rows(&[
                "--key",
                "agentId=A-2",
                "--key",
                "agentName=",
                "--limit",
                "1",
            ])
            .await;
            let header = usize::from(format == "csv");
            assert_eq!(one.lines().count(), 1 + header, "{case}: {one}");
            assert!(one.contains("A-2"), "{case}: {one}");
            assert_eq!(
                done(&server, &["verify", "--deep"]).await.lines().count(),
                2
            );
        }
    }
}

#[tokio::test]
async fn a_range_of_rows_says_what_is_not_in_it() {
    let server = Server::start().await;
    days(&server, &definition("acme", NAME)).await;
    for (windows, extra, code, exit, told) in [
        (
            "2026-06-03..2026-06-05",
            &[][..],
            "CXO040",
            5,
            "2026-06-04, 2026-06-05; cxr show daily-agent-performance 2026-06-04",
        ),
        (
            "2026-06-01",
            &["--columns", "agent"],
            "CXO039",
            2,
            "agentId, agentName",
        ),
        ("missing", &[], "CXO003", 2, "nothing was delivered"),
    ] {
        let args = [&["rows", "daily", windows], extra].concat();
        let (result, out) = cxr(&server, &args).await;
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), (code, exit), "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(
            out.lines().count(),
            if exit == 5 { 150 } else { 0 },
            "{windows}"
        );
    }
    assert_eq!(
        done(&server, &["rows", "daily", "2026-06-02"]).await,
        "",
        "taken back"
    );
    let error = cxr(&server, &["status", "--format", "csv"])
        .await
        .0
        .unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO042", 2));
    let two = Server::start().await;
    let report = Report::new(&two, &definition("acme", NAME));
    let both = "20260601T000000Z-20260603T000000Z".parse().unwrap();
    report.open(both, 1, json!({})).await;
    report.commit_rows(both, 1, &agents(2, 1), json!({})).await;
    assert_eq!(
        done(&two, &["rows", "daily", "2026-06-01..2026-06-02"]).await,
        lines(&agents(2, 1))
    );
    let error = cxr(&two, &["rows", "daily", "2026-06-01"])
        .await
        .0
        .unwrap_err();
    assert_eq!(error.code(), "CXO041");
    let told = error.to_string();
    let (_, whole) = told.rsplit_once(' ').unwrap();
    assert_eq!(whole, "2026-06-01/2026-06-03");
    assert_eq!(
        done(&two, &["rows", "daily", whole]).await,
        lines(&agents(2, 1))
    );
}

/// Nothing is printed of a range with a part that is not there; one that was changed is found behind its last row.
#[tokio::test]
async fn a_part_that_is_not_what_was_committed_is_named() {
    for deed in ["removed", "longer", "changed"] {
        let server = Server::start().await;
        let report = Report::new(&server, &stored_as("ndjson", "none"));
        report.open(day("2026-06-01"), 1, json!({})).await;
        let rows = agents(150, 7);
        let parts = report
            .commit_rows(day("2026-06-01"), 1, &rows, json!({}))
            .await;
        let mut body = report.read(&parts[1]).await;
        match deed {
            "removed" => report.remove(&parts[1]).await,
            "longer" => {
                report
                    .overwrite(&parts[1], [&body[..], b"{}\n"].concat())
                    .await;
            }
            _ => {
                body[3] = b'x';
                report.overwrite(&parts[1], body).await;
            }
        }
        let (result, out) = cxr(&server, &["rows", "daily", "2026-06-01"]).await;
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO038", 3), "{error}");
        assert!(error.to_string().contains(&parts[1]), "{error}");
        let printed = if deed == "changed" { 150 } else { 0 };
        assert_eq!(out.lines().count(), printed, "{deed}");
        let (result, out) = cxr(&server, &["verify", "daily"]).await;
        let is_found = deed != "changed";
        assert_eq!(
            result.unwrap(),
            if is_found { 5 } else { 0 },
            "{deed}: {out}"
        );
        assert_eq!(out.contains(&parts[1]), is_found, "{deed}: {out}");
        for how in [&["--deep"][..], &["--sample", "1%"]] {
            let (result, out) = cxr(&server, &[&["verify"], how].concat()).await;
            assert_eq!(result.unwrap(), 5, "{deed}: {out}");
            assert!(!out.contains(&parts[0]), "{deed}: {out}");
        }
    }
}

/// Each bad part has its reason and what to type.
#[tokio::test]
async fn what_is_wrong_with_what_is_stored_is_told_for_programs_too() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    let dates = [
        "2026-06-01",
        "2026-06-02",
        "2026-06-03",
        "2026-06-04",
        "2026-06-05",
        "2026-06-06",
    ];
    let mut parts = Vec::new();
    for date in dates {
        report.open(day(date), 1, json!({})).await;
        let mut rows = agents(20, 7);
        let change = match date {
            "2026-06-05" => json!({"content": "0".repeat(64)}),
            _ => json!({}),
        };
        if date == "2026-06-06" {
            rows.push(rows[3].clone());
        }
        parts.extend(report.commit_rows(day(date), 1, &rows, change).await);
    }
    report.remove(&parts[0]).await;
    let body = report.read(&parts[1]).await;
    report.overwrite(&parts[1], body[..50].to_vec()).await;
    let mut body = report.read(&parts[2]).await;
    body[60] ^= 1;
    report.overwrite(&parts[2], body).await;
    let (result, out) = cxr(&server, &["verify", "--deep", "--format", "json"]).await;
    assert_eq!(result.unwrap(), 5, "{out}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&found["versions"], &found["parts"], &found["versionsRead"]),
        (&json!(6), &json!(6), &json!(4))
    );
    let bad = found["bad"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> = bad
        .iter()
        .map(|bad| {
            (
                bad["window"].as_str().unwrap(),
                bad["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("2026-06-01", "gone"),
            ("2026-06-02", "size"),
            ("2026-06-03", "digest"),
            ("2026-06-05", "keys"),
            ("2026-06-06", "keys"),
        ]
    );
    assert_eq!(
        bad[0]["command"],
        "cxr replay daily-agent-performance 2026-06-01 --reason 'what is stored is damaged'"
    );
    assert_eq!(bad[4]["problem"], "1 row has the key of another row");
    let (_, out) = cxr(&server, &["verify", "daily", "2026-06-01"]).await;
    let key = &parts[0];
    assert_eq!(
        out,
        format!(
            "1 version, 1 part, 223 bytes: 1 part wrong\n\
             sizes were compared; nothing was read (--deep)\n\
             \n\
             daily-agent-performance  2026-06-01  version 1: it is gone: somebody deleted it, or a lifecycle rule that is not the stack's; what CXone has today replaces it\n\
             \x20   {key}\n\
             \x20   cxr replay daily-agent-performance 2026-06-01 --reason 'what is stored is damaged'\n"
        )
    );
    assert_eq!(
        cxr(&Server::start().await, &["verify"]).await.0.unwrap(),
        5,
        "an empty bucket"
    );
}

/// Whoever may read the log may not read rows with that.
#[tokio::test]
async fn a_denial_of_rows_names_the_policy() {
    let server = Server::start().await;
    days(&server, &definition("acme", NAME)).await;
    server.refuse_below("/data/", "AccessDenied");
    for args in [&["rows", "daily", "2026-06-01"][..], &["verify"]] {
        let (result, out) = cxr(&server, args).await;
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO037", 3), "{error}");
        assert!(error.to_string().contains("ConsumerPolicy"), "{error}");
        assert_eq!(out, "");
    }
}

/// Whoever reads that a part is gone is told by whom, as far as that is known.
#[tokio::test]
async fn a_part_that_expired_is_told_with_the_rule_that_deleted_it() {
    for (retention, date, kind, told) in [
        (
            Some("14"),
            "2026-05-20",
            "expired",
            "it expired by the bucket's lifecycle rule \"rows\", 14 days after it was stored",
        ),
        (
            Some("14"),
            "2026-06-01",
            "gone",
            "somebody deleted it, or a lifecycle rule that is not the stack's",
        ),
        (
            Some("0"),
            "2026-05-20",
            "gone",
            "somebody deleted it, or a lifecycle rule that is not the stack's",
        ),
        (
            None,
            "2026-05-20",
            "gone",
            "it expired, if the bucket has the lifecycle rule \"rows\"",
        ),
    ] {
        let server = Server::start_keeping(retention).await;
        let report = Report::new(&server, &definition("acme", NAME));
        report.open(day(date), 1, json!({})).await;
        let parts = report
            .commit_rows(day(date), 1, &agents(2, 1), json!({}))
            .await;
        report.remove(&parts[0]).await;
        let (code, out) = cxr(&server, &["verify", "--json"]).await;
        assert_eq!(code.unwrap(), 5);
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(found["bad"][0]["kind"], kind, "{out}");
        let problem = found["bad"][0]["problem"].as_str().unwrap();
        assert!(problem.contains(told), "{retention:?} {date}: {problem}");
    }
}

/// With `ConsumerPolicy` alone S3 denies what is absent, because the right to list is bound to folders.
#[tokio::test]
async fn keys_that_are_gone_are_told_and_do_not_end_the_check() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    let mut parts = Vec::new();
    for date in ["2026-06-01", "2026-06-02"] {
        report.open(day(date), 1, json!({})).await;
        parts.extend(
            report
                .commit_rows(day(date), 1, &agents(2, 1), json!({}))
                .await,
        );
    }
    let keys = parts[0].replace(".ndjson.gz", ".keys");
    report.remove(&keys).await;
    server.deny_object(&keys);
    let (code, out) = cxr(&server, &["verify", "--deep"]).await;
    assert_eq!(code.unwrap(), 5, "{out}");
    assert!(out.contains("2 versions read"), "{out}");
    let told = format!("{keys}, which has the keys of its rows, is gone");
    assert!(out.contains(&told), "{out}");
}
