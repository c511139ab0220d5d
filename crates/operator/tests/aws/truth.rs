//! Thirty-three days with everything that can go wrong, told exactly, and looked at without a trace.

use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{Server, arn};
use crate::status::{NAME, dates};
use crate::{cxr, done};

const FIRST: &str = "2026-05-08";
/// Nothing fired on these.
const MISSING: [&str; 3] = ["2026-05-12", "2026-05-13", "2026-06-05"];
const REPLAYED: &str = "2026-05-15";
const LOST: &str = "2026-06-02";
const RUNNING: &str = "2026-06-08";
const TYPO: &str = "2026-06-09";

/// Stores what is known of the days from this one on, up to the one with the typo.
async fn fill(server: &Server, first: &str) {
    let report = Report::new(server, &definition("acme", NAME));
    let dates = dates(FIRST, 33).into_iter();
    for date in dates.skip_while(|date| date != first) {
        let (window, rows) = (day(&date), [r#"{"agentId":"a","queueId":"q"}"#.to_owned()]);
        match date.as_str() {
            TYPO => {}
            missing if MISSING.contains(&missing) => {}
            RUNNING => {
                let change = json!({"execution": arn("busy")});
                report.open(window, 1, change).await;
            }
            REPLAYED => {
                report
                    .open(window, 1, json!({"execution": arn("conflict")}))
                    .await;
                report.open(window, 2, json!({"wish": "again"})).await;
                report.commit_rows(window, 2, &rows, json!({})).await;
            }
            other => {
                report.open(window, 1, json!({})).await;
                let parts = report.commit_rows(window, 1, &rows, json!({})).await;
                if other == LOST {
                    report.remove(&parts[0]).await;
                }
            }
        }
    }
}

/// The executions that belong to it, where they are not forgotten.
async fn play(server: &Server) {
    let event = |date: &str| {
        let time = day(date).end() + jiff::SignedDuration::from_mins(330);
        json!({"time": time, "detail": {"definition": definition("acme", NAME)}})
    };
    let conflict = ("Cxone.Conflict", "two rows have the same key");
    let at = "2026-05-16T05:30:00Z";
    server
        .run("conflict", at, &event(REPLAYED), vec![Err(conflict)])
        .await;
    server.wait_until("2026-06-09T05:30:00Z").await;
    server.begin("busy", &event(RUNNING));
    let mut typo = event(TYPO);
    typo["detail"]["definition"]["report"]["metrics"][0] = json!("handelTime");
    let refused = ("Cxone.Config", "\"handelTime\" is not a metric");
    server.answer("typo", vec![Err(refused)]);
    server.begin("typo", &typo);
}

/// How many windows have which trouble, and which.
fn tell(status: &str) -> Vec<(String, Vec<String>)> {
    let status: Value = serde_json::from_str(status).unwrap();
    let troubles = status["reports"][0]["troubles"].as_array().unwrap().iter();
    troubles
        .map(|it| {
            let windows = it["windows"].as_array().unwrap().iter();
            let windows = windows.map(|it| it.as_str().unwrap().to_owned());
            (it["kind"].as_str().unwrap().to_owned(), windows.collect())
        })
        .collect()
}

fn told(expected: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |(kind, windows): &(&str, &[&str])| {
        let windows = windows.iter().map(|it| (*it).to_owned());
        ((*kind).to_owned(), windows.collect())
    };
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn thirty_three_days_are_told_exactly_and_without_their_executions_but_for_the_causes() {
    let server = Server::start().await;
    fill(&server, FIRST).await;
    play(&server).await;
    let missing: &[&str] = &["2026-05-12..2026-05-13", "2026-06-05"];
    let status = done(&server, &["status", "--since", FIRST, "--json"]).await;
    let expected = [
        ("missing", missing),
        ("failed", &[TYPO]),
        ("late", &[RUNNING]),
        ("lost", &[LOST]),
    ];
    assert_eq!(tell(&status), told(&expected), "{status}");
    assert!(status.contains("handelTime"), "{status}");
    // As after a restart: what is stored is the same.
    let forgetful = Server::start().await;
    fill(&forgetful, FIRST).await;
    let status = done(&forgetful, &["status", "--since", FIRST, "--json"]).await;
    let missing: &[&str] = &["2026-05-12..2026-05-13", "2026-06-05", TYPO];
    let expected = [
        ("missing", missing),
        ("unfinished", &[RUNNING]),
        ("lost", &[LOST]),
    ];
    assert_eq!(tell(&status), told(&expected), "{status}");
}

/// Killed at any call, or cut off from AWS from any call on. The three weeks have a day of each kind but a replayed one.
#[tokio::test]
async fn whenever_it_is_killed_nothing_was_written() {
    let server = Server::start().await;
    fill(&server, "2026-05-20").await;
    play(&server).await;
    let calls = server.count_calls();
    // Its executions have come as far as they do by then.
    done(&server, &["status"]).await;
    let before = server.snapshot();
    let count = server.count_calls() - calls;
    assert!(count > 30, "{count} calls");
    for number in 1..=count {
        let killed = server.cut_from_call(number);
        tokio::select! {
            biased;
            () = killed.notified() => {}
            ended = cxr(&server, &["status"]) => panic!("call {number} did not come: {ended:?}"),
        }
        let _called = server.cut_from_call(number);
        let (ended, out) = cxr(&server, &["status"]).await;
        assert!(
            ended.is_err() && out.is_empty(),
            "cut off at call {number}: {ended:?}: {out}"
        );
    }
    assert!(server.snapshot() == before, "something was written");
    let reads = ["Get", "List", "Describe", "Head"];
    let others = server.operations_since(calls);
    let is_read = |it: &String| reads.iter().any(|read| it.starts_with(read));
    assert!(others.iter().all(is_read), "{others:?}");
}
