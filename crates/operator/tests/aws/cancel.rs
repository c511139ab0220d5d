//! `cxr cancel`: what works on a window is stopped, and CXone's run with it.

use asl::Status;
use serde_json::{Value, json};

use crate::retry::event_of;
use crate::scene::{Report, day, definition};
use crate::states::Answer;
use crate::status::{NAME, scene};
use crate::{AUTH, cxr, done};

/// What Trigger answers about a run that is to be cancelled.
fn to_cancel() -> Value {
    let work = json!({
        "tenant": "acme", "report": NAME, "window": day("2026-06-03"), "generation": 1,
        "segment": "0", "run": 1, "runId": "run-70", "triggeredAt": "2026-06-04T05:32:00Z",
        "deadlineAt": "2026-06-04T06:17:00Z",
    });
    json!({"v": 1, "generation": 1, "next": "cancel", "work": work})
}

/// What Cancel answers.
fn looked(saw: &str, state: &str, cancelled: bool) -> Value {
    let ended =
        json!({"segment": "0", "run": 1, "reason": "timed_out", "detail": "its last state"});
    let ended = (saw == "ended").then_some(ended);
    json!({
        "v": 1, "saw": saw, "state": state, "waitSeconds": 0, "ended": ended, "cancelled": cancelled,
    })
}

fn nothing(note: Option<&str>) -> Value {
    json!({"v": 1, "generation": 1, "next": "nothing", "note": note})
}

const CANCEL: [&str; 7] = [
    "cancel",
    "daily",
    "2026-06-03",
    "--reason",
    "wrong day typed",
    "--requested-by",
    "ana",
];

#[tokio::test]
async fn an_execution_is_stopped_with_who_and_why_and_cxones_run_with_it() {
    let server = scene().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.run(day("2026-06-03"), "busy", None).await;
    let answers = [
        to_cancel(),
        looked("ended", "processing", true),
        nothing(None),
    ];
    server.answer("cancel-", answers.map(Ok));
    let out = done(&server, &CANCEL).await;
    assert_eq!(
        out,
        "stopped busy\n\
         CXone's run run-70 cancelled (was processing)\n\
         the window stays open; to take it up again: cxr retry daily-agent-performance 2026-06-03\n"
    );
    let stopped = server.execution("busy");
    assert_eq!(stopped.status, Status::Aborted);
    assert_eq!(
        stopped.cause.as_deref(),
        Some("cancelled by ana: wrong day typed")
    );
    let (name, event) = event_of(&server, "cancel-");
    let audit = event.detail.cancel.unwrap();
    assert_eq!(
        (&*audit.reason, &*audit.requested_by),
        ("wrong day typed", "ana")
    );
    assert_eq!(event.detail.window, Some(day("2026-06-03")));
    let shown = done(&server, &["show", &name]).await;
    for said in [
        "cancel     wrong day typed",
        "run-70, started",
        "processing, cancelled",
    ] {
        assert!(shown.contains(said), "{said} is not in {shown}");
    }
    // What Trigger stores then. The execution that cancelled it is no work on the window, and not stopped.
    report.run(day("2026-06-03"), "busy", Some("failed")).await;
    let again = done(&server, &CANCEL).await;
    let nothing = "nothing to do: no execution works on daily-agent-performance 2026-06-03, and no run of it is known to be under way at CXone\n";
    assert_eq!(again, nothing);
    let out = done(&server, &["status", "daily"]).await;
    assert!(
        out.contains("cxr.Cancelled: cancelled by ana: wrong day typed"),
        "{out}"
    );
    // A redrive would poll the run that is over.
    let out = done(&server, &["retry", "daily", "2026-06-03"]).await;
    assert!(out.starts_with("started: retry-daily-"), "{out}");
}

/// Whatever becomes of CXone's run, the execution is stopped before.
#[tokio::test]
async fn what_became_of_cxones_run_is_said() {
    let no_cancel =
        "this API can't cancel a run: run-70 may go on at CXone, and nothing asks for it";
    let cases: [(Vec<Answer>, u8, &str); 5] = [
        (
            vec![Ok(to_cancel()), Ok(looked("completed", "completed", false))],
            0,
            "CXone's run run-70 had completed: nothing asks for its rows until cxr retry does",
        ),
        (
            vec![Ok(to_cancel()), Ok(looked("ended", "queued", false))],
            0,
            "CXone did not cancel its run run-70 (queued): it goes on there, and nothing asks for it until cxr retry does",
        ),
        (vec![Ok(nothing(Some(no_cancel)))], 0, no_cancel),
        (
            vec![Ok(to_cancel()), Err(("Cxone.Auth", AUTH))],
            5,
            "CXone's run run-70, started 2026-06-04 05:32, may go on there: Cxone.Auth: the token endpoint refuses the client in secret cxone/client; see cxr show cancel-",
        ),
        (
            vec![],
            5,
            "CXone's run run-70, started 2026-06-04 05:32, may go on there: what cancels it has not answered within a minute; see cxr show cancel-",
        ),
    ];
    for (answers, code, said) in cases {
        let server = scene().await;
        let report = Report::new(&server, &definition("acme", NAME));
        report.run(day("2026-06-03"), "busy", None).await;
        server.answer("cancel-", answers);
        let (result, out) = cxr(&server, &CANCEL).await;
        assert_eq!(result.unwrap(), code, "{out}");
        assert!(out.starts_with(&format!("stopped busy\n{said}")), "{out}");
        assert_eq!(server.execution("busy").status, Status::Aborted);
    }
}
