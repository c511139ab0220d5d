//! Whoever stays until windows are committed stays while AWS does not answer, and leaves with a word when it refuses.

use serde_json::json;

use crate::cxr;
use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::{NAME, scene};

/// Each call is tried eight times by the SDK, and each of S3's five times by us.
const ALL_TRIES: u32 = 8 * 5;

#[tokio::test]
async fn trouble_that_passes_ends_no_watch() {
    let server = scene().await;
    server.refuse_times(&[("GetExecutionHistory", 8)], "ThrottlingException");
    let watch = cxr(&server, &["watch", "daily", "2026-06-03"]);
    // Once it was looked at, it ends, and nothing can be read for a while of what became of it.
    let stop = async {
        while server.count("GetExecutionHistory") < 9 {
            tokio::task::yield_now().await;
        }
        server.stop_all();
        let times = [("ListExecutions", 8), ("ListObjectsV2", ALL_TRIES)];
        server.refuse_times(&times, "ThrottlingException");
    };
    let ((code, out), ()) = tokio::join!(watch, stop);
    assert_eq!(code.unwrap(), 5, "{out}");
    let silent = "AWS does not answer; the work goes on, and is looked at again\n";
    assert!(out.matches(silent).count() >= 2, "{out}");
    let ended = "daily-agent-performance 2026-06-03  not delivered: failed: ";
    assert!(out.contains(ended), "{out}");
}

#[tokio::test]
async fn a_watch_that_may_not_look_any_more_says_that_the_work_goes_on() {
    let server = scene().await;
    server.refuse_operation("GetExecutionHistory", "AccessDeniedException");
    let (ended, out) = cxr(&server, &["watch", "daily", "2026-06-03"]).await;
    let error = ended.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO011", 3));
    assert_eq!(
        out,
        "the work goes on; to follow it again: cxr watch daily-agent-performance 2026-06-03\n"
    );
}

/// Of three windows, two at once: while the third waits, Step Functions refuses to start anything.
#[tokio::test]
async fn a_window_that_waits_for_its_turn_is_begun_once_aws_answers() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.deliver(day("2026-06-06")).await;
    server.wait_until(crate::NOW).await;
    let retry = ["retry", "daily", "--yes", "--at-once", "2"];
    let retry = cxr(&server, &retry);
    let stop = async {
        server.wait_for_executions(2).await;
        server.refuse_times(&[("StartExecution", 8)], "ThrottlingException");
        server.stop_all();
    };
    let ((code, out), ()) = tokio::join!(retry, stop);
    assert_eq!(server.executions().len(), 3, "{out}");
    assert!(!out.contains("not started"), "{out}");
    assert_eq!(code.unwrap(), 0, "{out}");
}

/// A file of a template covers the days that its range means when its run starts.
#[tokio::test]
async fn a_window_that_its_template_has_left_is_not_asked_for_in_vain() {
    let server = Server::start().await;
    let path = "../local/definitions/report-jobs.json";
    let mut written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    written["pipeline"]["tenant"] = json!("acme");
    let report = Report::new(&server, &written);
    let named = report.definition.name.to_string();
    report.deliver(day("2026-06-06")).await;
    report.open(day("2026-06-07"), 1, json!({})).await;
    server.wait_until(crate::NOW).await;
    let (code, out) = cxr(&server, &["retry", &named, "--yes"]).await;
    assert_eq!(code.unwrap(), 5, "{out}");
    let lost = "nothing: the range of its template means other days by now, so that CXone can't be asked for it any more";
    for date in ["2026-06-07", "2026-06-08"] {
        let line = out.lines().find(|line| line.contains(date)).unwrap();
        assert!(line.ends_with(lost), "{out}");
    }
    // The last one can still be had.
    let line = out.lines().find(|line| line.contains("2026-06-09"));
    assert!(line.unwrap().contains("run, with"), "{out}");
    assert_eq!(server.executions().len(), 1);
    let withdraw = out.lines().filter(|line| line.contains("cxr withdraw"));
    assert_eq!(withdraw.count(), 1, "what was begun can be given up: {out}");
    let (_, status) = cxr(&server, &["status"]).await;
    assert!(status.contains("means other days by now"), "{status}");

    // A run that was started in time has the file.
    report.run(day("2026-06-08"), "gone", None).await;
    report.open(day("2026-06-08"), 1, json!({})).await;
    let (_, out) = cxr(&server, &["retry", &named, "2026-06-08"]).await;
    assert!(out.starts_with("started: retry-"), "{out}");
}

/// Nothing is expected of the time before the first window, and an execution may work on a day of it all the same.
#[tokio::test]
async fn a_window_before_the_first_one_that_is_worked_on_is_not_started_again() {
    let server = scene().await;
    let event = json!({
        "time": "2026-05-02T05:30:00Z",
        "detail": {"definition": definition("acme", NAME), "window": day("2026-05-01")},
    });
    server.begin("early", &event);
    let executions = server.executions().len();
    let (code, out) = cxr(&server, &["retry", "daily", "2026-05-01"]).await;
    assert_eq!(code.unwrap(), 0, "{out}");
    assert!(out.ends_with("nothing to do\n"), "{out}");
    assert_eq!(server.executions().len(), executions);
    let (_, out) = cxr(&server, &["show", "daily", "2026-05-01"]).await;
    assert!(out.contains("state      running"), "{out}");
}
