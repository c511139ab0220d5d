//! What operators typed wrongly when they tried it, and what each should say. What is wrong with how AWS is reached is in
//! `tests/setup.rs`, and a state machine that does not exist in `machines.rs`.

use crate::scene::{Report, day, definition};
use crate::states::{MACHINE, Server};
use crate::status::{NAME, scene};
use crate::{REPORT, cxr};

/// Nothing is printed, and the error has no dump of a struct in it.
async fn check(server: &Server, args: &[&str], code: &str, exit_code: u8, told: &str) {
    let before = server.executions().len();
    let (ended, out) = cxr(server, args).await;
    let Err(error) = ended else {
        panic!("{args:?}: {out}");
    };
    let said = error.to_string();
    assert_eq!(
        (error.code(), error.exit_code()),
        (code, exit_code),
        "{args:?}: {said}"
    );
    assert!(said.contains(told), "{args:?}\n{told}\n{said}");
    assert_eq!(out, "", "{args:?}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for dump in ["Some(", "None", "{ ", "Error {"] {
        assert!(!said.contains(dump), "{dump}: {said}");
    }
    assert_eq!(
        server.executions().len(),
        before,
        "{args:?} started something"
    );
}

/// Now it is the tenth of June at noon.
#[tokio::test]
async fn a_window_that_can_t_be_meant_says_why_and_how_to_write_it() {
    let server = scene().await;
    for (window, code, told) in [
        ("27.11.2025", "CXO003", "days are written as 2025-11-27"),
        ("11/27/2025", "CXO003", "days are written as YEAR-MONTH-DAY"),
        ("2025-11-31", "CXO003", "November has 30 days"),
        ("2025-13-01", "CXO003", "there is no month 13"),
        (
            "2025-11-20T00:00:00+01:00/2025-11-21T00:00:00+01:00",
            "CXO003",
            "times are in UTC: write 2025-11-19T23:00:00Z",
        ),
        (
            "2026-06-03..2026-06-01",
            "CXO003",
            "the range ends before it begins",
        ),
        (
            "gestern",
            "CXO003",
            "not a day, a range of days or two times in UTC",
        ),
        (
            "",
            "CXO003",
            "not a day, a range of days or two times in UTC",
        ),
    ] {
        for args in [
            &["run", REPORT, "--window", window][..],
            &["replay", REPORT, "--reason", "x", "--window", window],
            &["plan", REPORT, "--window", window],
            &["show", "daily", window],
            &["retry", "daily", window],
            &["watch", "daily", window],
            &["replay", "daily", window, "--reason", "x"],
            &["cancel", "daily", window, "--reason", "x"],
            &["rows", "daily", window],
            &["verify", "daily", window],
            &["logs", "daily", window],
            &["backfill", "daily", window],
        ] {
            check(&server, args, code, 2, told).await;
        }
    }
    for (window, code, told) in [
        // One execution is of one window; the commands that take a report take the range.
        (
            "2026-06-01..2026-06-02",
            "CXO016",
            "none of the report's own windows; nearest to it are",
        ),
        (
            "2026-06-01T06:00Z/2026-06-02T06:00Z",
            "CXO016",
            "nearest to it are",
        ),
        (
            "2026-06-17",
            "CXO030",
            "is final only at 2026-06-18T05:00:00Z; no execution waits for more than seven days, so ask for it later",
        ),
        (
            "2026-06-16",
            "CXO030",
            "is final only at 2026-06-17T05:00:00Z; add --wait",
        ),
    ] {
        check(&server, &["run", REPORT, "--window", window], code, 2, told).await;
    }
    for window in ["yesterday", "2026-06-08"] {
        let (ended, out) = cxr(&server, &["run", REPORT, "--window", window]).await;
        assert_eq!(ended.unwrap(), 0, "{window}: {out}");
    }
    for window in ["yesterday", "2026-06-05..2026-06-08"] {
        let (ended, out) = cxr(&server, &["show", "daily", window]).await;
        assert_eq!(ended.unwrap(), 0, "{window}: {out}");
    }
}

#[tokio::test]
async fn whatever_else_was_typed_wrongly_says_what_to_type() {
    let server = scene().await;
    for (args, code, exit_code, told) in [
        (&["show", "2026-06-01"][..], "CXO027", 2, "cxr show REPORT"),
        (&["show", ""], "CXO027", 2, "is no execution"),
        (&["show", MACHINE], "CXO027", 2, "this is the state machine"),
        (
            &["show", "nope"],
            "CXO007",
            3,
            "does not exist; cxr list shows the executions",
        ),
        (
            &["show", "nope", "yesterday"],
            "CXO024",
            2,
            "there are: acme/daily-agent-performance",
        ),
        (
            &["redrive", "--all-failed", "--error", "Oath"],
            "CXO032",
            2,
            "no error is called \"Oath\"; there are",
        ),
        (
            &["list", "--error", "Oath"],
            "CXO032",
            2,
            "no error is called",
        ),
        (
            &["retry", "--all", "--error", "Oath"],
            "CXO032",
            2,
            "no error is called",
        ),
        (
            &["list", "--since", "soon"],
            "CXO004",
            2,
            "--since \"soon\" is not a time; write 2026-06-01T05:30:00Z",
        ),
        (
            &["list", "--since", "2027-01-01"],
            "CXO004",
            2,
            "write 2026-06-01T05:30:00Z",
        ),
        (
            &["status", "--since", "6 fortnights"],
            "CXO004",
            2,
            "a span such as 12h or 7d",
        ),
    ] {
        check(&server, args, code, exit_code, told).await;
    }
    for args in [
        &["list", "--error", "Auth"][..],
        &["list", "--report", "daily", "--limit", "1"],
        &["list", "--since", "-1d", "--json"],
        &["redrive", "--all-failed", "--dry-run"],
    ] {
        let (ended, out) = cxr(&server, args).await;
        assert_eq!(ended.unwrap(), 0, "{args:?}: {out}");
        assert_ne!(out, "");
    }
}

#[tokio::test]
async fn an_option_that_can_t_be_meant_says_what_to_write() {
    let server = scene().await;
    let why = "--reason=x";
    for (args, code, exit_code, told) in [
        (
            &["replay", REPORT, "--window", "2026-06-01", "--reason", ""][..],
            "CXO035",
            2,
            "the reason is empty",
        ),
        (
            &[
                "replay",
                REPORT,
                "--window",
                "2026-06-01",
                why,
                "--requested-by",
                "",
            ],
            "CXO035",
            2,
            "--requested-by is empty",
        ),
        (
            &["cancel", "daily", "2026-06-03", "--reason", " "],
            "CXO035",
            2,
            "the reason is empty",
        ),
        (
            &["rows", "daily", "2026-06-08", "--format", "csv", "--json"],
            "CXO140",
            2,
            "--json and --format csv ask for two formats",
        ),
        (
            &[
                "rows",
                "daily",
                "2026-06-08",
                "--format",
                "ndjson",
                "--json",
            ],
            "CXO140",
            2,
            "ask for two formats",
        ),
        (
            &["status", "--format", "csv"],
            "CXO042",
            2,
            "--format csv is for cxr rows",
        ),
    ] {
        check(&server, args, code, exit_code, told).await;
    }
}

/// The same command before and after its execution ended.
#[tokio::test]
async fn a_run_that_was_asked_for_before_says_what_became_of_it() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.deliver(day("2026-06-08")).await;
    let run = ["run", REPORT, "--window", "2026-06-01"];
    assert_eq!(cxr(&server, &run).await.0.unwrap(), 0);
    let (again, out) = cxr(&server, &run).await;
    assert_eq!(again.unwrap(), 0);
    assert!(out.starts_with("is running already: "), "{out}");
    server.stop_all();
    check(
        &server,
        &run,
        "CXO009",
        3,
        "it failed: cxr retry daily-agent-performance-aggregation 2026-06-01",
    )
    .await;
}
