//! `cxr backfill`: what it says and refuses before anything starts, and what it says of those that run.

use serde_json::{Value, json};

use crate::documents::check_document;
use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::NAME;
use crate::{AUTH, NOW, cxr, done};

/// Nine days of which three are there, one failed, one would conflict again, and one runs. Now it is the tenth at noon.
async fn scene() -> Server {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    for date in ["2026-06-01", "2026-06-02", "2026-06-09"] {
        report.deliver(day(date)).await;
    }
    let event = |date: &str| {
        let definition = definition("acme", NAME);
        json!({"time": format!("{date}T05:30:00Z"), "detail": {"definition": definition}})
    };
    for (name, date, error, cause) in [
        ("bad", "2026-06-05", "Cxone.Auth", AUTH),
        ("conflict", "2026-06-06", "Cxone.Conflict", "1 key twice"),
    ] {
        let at = format!("{date}T05:30:00Z");
        server
            .run(name, &at, &event(date), vec![Err((error, cause))])
            .await;
    }
    server.wait_until(NOW).await;
    server.begin("busy", &event("2026-06-07"));
    server
}

const FILL: [&str; 3] = ["backfill", "daily", "2026-06-01..2026-06-10"];

const PLAN: &str = "\
10 windows: 3 committed, 1 running, 1 not final yet, 1 in need of a replay; 4 to do, 2 at once, the newest first: 2026-06-08 to 2026-06-03
about 20 min, as a window takes 10 min lately
begins none between 05:00 and 07:00 UTC, because of the daily runs
stops after 5 failures
not final yet: 2026-06-10; ask for it later
would fail again with Cxone.Conflict: 2026-06-05; cxr show says what to do
";

#[tokio::test]
async fn it_says_what_it_would_do_and_starts_nothing_unless_it_may() {
    let server = scene().await;
    let dry = [&FILL[..], &["--dry-run"]].concat();
    let out = done(&server, &dry).await;
    assert_eq!(out, PLAN, "{out}");
    let (result, out) = cxr(&server, &FILL).await;
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO031", 2), "{error}");
    assert_eq!(out, PLAN, "what was asked is said");
    let oldest = [&dry[..], &["--oldest-first", "--not-between", "never"]].concat();
    let out = done(&server, &oldest).await;
    let order = "the oldest first: 2026-06-03 to 2026-06-08\nabout 20 min, as a window takes 10 min lately\nstops";
    assert!(out.contains(order), "{out}");
    assert_eq!(server.backfills(), [""; 0]);
}

#[tokio::test]
async fn one_that_runs_is_listed_shown_and_cancelled_and_no_second_one_is_started() {
    let server = scene().await;
    let yes = [&FILL[..], &["-y"]].concat();
    let out = done(&server, &yes).await;
    let id = server.backfills()[0].clone();
    let told = format!(
        "backfill {id} runs in AWS; this terminal may close\n    cxr backfill watch {id}\n"
    );
    assert_eq!(out, format!("{PLAN}{told}"));
    server.wait_for_executions(5).await;

    let out = done(&server, &yes).await;
    assert!(
        out.starts_with("10 windows: 3 committed, 3 running, 2 in another backfill, "),
        "{out}"
    );
    assert!(out.ends_with(&format!("nothing to do\nnot final yet: 2026-06-10; ask for it later\nwould fail again with Cxone.Conflict: 2026-06-05; cxr show says what to do\nbackfill {id} of this report runs; cxr backfill watch {id}\n")), "{out}");
    let more = ["backfill", "daily", "2026-05-20..2026-06-09", "-y"];
    let error = cxr(&server, &more).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO056", 3), "{error}");
    assert_eq!(server.backfills().len(), 1);

    let out = done(&server, &["backfill", "list"]).await;
    let line = format!("{id}  acme / {NAME}        4  2026-06-10 12:00  running\n");
    assert!(out.ends_with(&line), "{out}");
    check_document(&server, "backfill-show", &["backfill", "show", &id]).await;
    let out = done(&server, &["backfill", "show", &id]).await;
    assert!(
        out.contains(
            "\n0/4 committed, 2 running, 1 failed, 1 to go\nrunning    2026-06-07, 2026-06-08\n"
        ),
        "{out}"
    );
    let out = done(&server, &["backfill", "cancel", &id]).await;
    assert!(
        out.starts_with("cancelled; what runs ends by itself\n"),
        "{out}"
    );
    let cancel = ["backfill", "cancel", &id];
    check_document(&server, "backfill-cancel", &cancel).await;
    let (result, out) = cxr(&server, &["backfill", "watch", &id, "--format", "json"]).await;
    assert_eq!(result.unwrap(), 5, "{out}");
    let progress: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&progress["status"], &progress["left"]),
        (&json!("cancelled"), &json!(1)),
        "{out}"
    );
    assert_eq!(
        server.execution("busy").stopped,
        None,
        "what runs is left alone"
    );
}

#[tokio::test]
async fn what_no_execution_could_deliver_is_refused() {
    let api = |name: &str| {
        let path = format!("../local/definitions/{name}.json");
        serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap()
    };
    for (name, windows, expected) in [
        (
            "report-jobs",
            "2026-06-01..2026-06-03",
            Err("template of this report"),
        ),
        (
            "data-download",
            "2024-06-09..2024-06-12",
            Err("730 days; begin at 2024-06-11"),
        ),
        (
            "data-download",
            "2024-06-11..2024-06-12",
            Ok("2 windows; 2 to do, 2 at once"),
        ),
        (
            "data-extraction",
            "2026-06-01..2026-06-02",
            Ok("2 windows; 2 to do, 1 at once"),
        ),
        (
            "contacts",
            "2026-06-01..2026-06-02",
            Ok("2 windows; 2 to do, 2 at once"),
        ),
        (
            "contacts",
            "2026-06-02..2026-06-01",
            Err("ends before it begins"),
        ),
        (
            "contacts",
            "2010-01-01..2026-06-01",
            Err("more than one backfill takes"),
        ),
    ] {
        let server = Server::start().await;
        let definition = api(name);
        let file = format!("../local/definitions/{name}.json");
        let report = definition["name"].as_str().unwrap();
        let args = ["backfill", report, windows, "--definition", &file, "-y"];
        match (cxr(&server, &args).await, expected) {
            ((Ok(0), out), Ok(told)) => assert!(out.starts_with(told), "{name}: {out}"),
            ((Err(error), _), Err(told)) => {
                assert_eq!(error.exit_code(), 2, "{error}");
                assert!(error.to_string().contains(told), "{name}: {error}");
                assert_eq!(server.backfills(), [""; 0]);
            }
            (ended, _) => panic!("{name} {windows}: {ended:?}"),
        }
    }
}

#[tokio::test]
async fn a_backfill_that_is_not_there_and_a_stack_without_any_are_told() {
    let server = scene().await;
    for id in ["bf-20200101-000000", "busy", ""] {
        let error = cxr(&server, &["backfill", "show", id]).await.0.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO057", 3), "{error}");
    }
    assert_eq!(
        done(&server, &["backfill", "list"]).await,
        "no backfill in the last 90 days\n"
    );
    let other = [
        "backfill",
        "daily",
        "2026-06-03",
        "-y",
        "--definition",
        "../local/definitions/contacts.json",
    ];
    let error = cxr(&server, &other).await.0.unwrap_err();
    assert_eq!(
        error.code(),
        "CXO054",
        "the definition of another report: {error}"
    );
    for (wrong, code) in [
        ("07:00", "CXO054"),
        ("05:00-05:00", "CXO054"),
        ("5-7", "CXO054"),
    ] {
        let args = [&FILL[..], &["--not-between", wrong]].concat();
        let error = cxr(&server, &args).await.0.unwrap_err();
        assert_eq!(error.code(), code, "{wrong}: {error}");
    }
    let old = Server::start_without_backfills().await;
    let error = cxr(&old, &["backfill", "list"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO053", 3), "{error}");
}
