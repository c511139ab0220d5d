//! Faults of schedules, runs and their states.

use serde_json::{Value, json};

use crate::client::{END, START, Session, definition, small};

/// What so many looks at a run under a fault show: the status, or the state where there is one.
async fn looks(fault: &str, expected: &[&str]) {
    let session = Session::with(&[fault]).await;
    let mut seen = Vec::new();
    for _ in expected {
        let answer = session.look().await;
        let body = answer.json();
        let rows = body["data"]
            .as_array()
            .map_or(String::new(), |rows| format!(" {}", rows.len()));
        seen.push(
            body.get("state")
                .map_or(answer.status.to_string(), |state| {
                    state.to_string().trim_matches('"').to_owned() + &rows
                }),
        );
    }
    assert_eq!(seen, expected, "{fault}");
}

#[tokio::test]
async fn a_look_shows_what_the_fault_says() {
    looks("poll-early-404:looks=2", &["404", "404", "completed 10"]).await;
    looks("run-vanishes:after=1", &["completed 10", "404", "404"]).await;
    looks("run-vanishes:after=0,status=410", &["410", "410"]).await;
    looks("state-unknown:looks=1", &["archiving", "completed 10"]).await;
    looks(
        "state-unknown:looks=0,state=PAUSED",
        &["PAUSED", "PAUSED", "PAUSED"],
    )
    .await;
    looks("state-case:case=upper", &["COMPLETED 10"]).await;
    looks("state-case:case=title", &["Completed 10"]).await;
    looks("state-null:looks=1", &["null", "completed 10"]).await;
    looks("state-null:as=number", &["3", "3", "completed 10"]).await;
    looks("state-null:as=missing,looks=1", &["200", "completed 10"]).await;
    looks(
        "state-back",
        &["completed 10", "processing", "completed 10"],
    )
    .await;
    looks("completed-empty", &["completed 0"]).await;
    looks("completed-bare", &["completed"]).await;
    looks("run-fails", &["failed"]).await;
}

#[tokio::test]
async fn a_run_takes_long_or_never_ends() {
    for (fault, passed, state) in [
        ("slow-run:seconds=100", 99, "processing"),
        ("slow-run:seconds=100", 100, "completed"),
        ("processing-forever", 3_599, "processing"),
        ("queued-forever", 3_599, "queued"),
        ("slow-if-wide:minutes=720", 3_599, "processing"),
        ("slow-if-wide:minutes=1440", 0, "completed"),
        ("slow-if-column:name=queueName", 3_599, "processing"),
        ("slow-if-column:name=avgHandleTime", 3_599, "processing"),
        ("slow-if-column:name=skillId", 0, "completed"),
        ("processing-forever:run=2", 0, "completed"),
        ("processing-forever:at=2", 0, "completed"),
    ] {
        let session = Session::with(&[fault]).await;
        session.pass(passed);
        assert_eq!(
            session.look().await.json()["state"],
            state,
            "{fault} after {passed}"
        );
    }
    let mut session = Session::with(&["processing-forever"]).await;
    session.start().await;
    assert_eq!(
        session.look().await.json()["state"],
        "completed",
        "once means one run"
    );
}

#[tokio::test]
async fn a_failed_run_says_why_at_any_length() {
    let session = Session::with(&["run-fails:message=table lock,bytes=5000,control=yes"]).await;
    let message = session.look().await.json()["errorMessage"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.starts_with("table lock\r\n\u{1b}[31m") && message.len() >= 5_000);
}

#[tokio::test]
async fn both_forms_of_delivery_agree_or_not() {
    for (agree, count) in [("yes", 25), ("no", 24)] {
        let session = Session::with(&[&format!("completed-both:agree={agree}")]).await;
        assert_eq!(session.look().await.rows().len(), 10);
        let body = session.download().await.body();
        assert_eq!(
            csv::Reader::from_reader(body.as_slice()).records().count(),
            count
        );
    }
}

#[tokio::test]
async fn a_restated_run_has_the_same_keys_and_other_metrics() {
    let mut session = Session::with(&["restated:run=2"]).await;
    let before = session.look().await.rows();
    session.start().await;
    let after = session.look().await.rows();
    let key = |row: &String| serde_json::from_str::<Value>(row).unwrap()["agentId"].clone();
    assert_eq!(
        before.iter().map(key).collect::<Vec<_>>(),
        after.iter().map(key).collect::<Vec<_>>()
    );
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
}

#[tokio::test]
async fn rows_come_late_and_are_corrected() {
    let mut session = Session::with(&["late-rows:hours=12,rows=3"]).await;
    let early = session.look().await.rows();
    session.pass(6 * 3_600);
    session.login().await;
    session.start().await;
    let settled = session.look().await.rows();
    let rows: Vec<u64> = session.tenant.runs().iter().map(|run| run.rows).collect();
    assert_eq!(rows, [22, 25]);
    assert_ne!(early[0], settled[0], "the same key with other metrics");
}

#[tokio::test]
async fn a_hostile_run_id() {
    let session = Session::with(&["run-id"]).await;
    assert_eq!(session.run, "../../run");
}

#[tokio::test]
async fn a_start_is_answered_by_silence_and_still_a_start() {
    for (fault, reset) in [
        ("start-run-ambiguous", false),
        ("start-run-ambiguous:how=reset", true),
    ] {
        let session = Session::later(&[fault]).await;
        let answer = session.start_over(START, END).await;
        assert!(answer.raw.is_empty() && answer.reset == reset);
        assert_eq!(session.tenant.runs().len(), 2);
        let entry = session.tenant.journal().pop().unwrap();
        assert_eq!(
            (entry.status, entry.run),
            (0, Some(session.tenant.runs()[1].id.clone()))
        );
    }
}

#[tokio::test]
async fn cancellation_goes_wrong_in_every_way() {
    for (fault, status, state) in [
        ("cancel-refused:status=404", 404, "processing"),
        ("cancel-refused:status=409", 409, "processing"),
        ("cancel-refused", 405, "processing"),
        ("cancel-refused:status=503", 503, "processing"),
        ("cancel-ignored", 204, "processing"),
        ("cancel-fails-run", 204, "failed"),
        ("cancel-completes", 409, "completed"),
        ("cancel-completes:answer=204", 204, "completed"),
    ] {
        let options = cxone_sim::Options {
            processing: std::time::Duration::from_mins(1),
            ..small()
        };
        let session = Session::started(options, &definition(), &[fault]).await;
        let answer = session
            .call("DELETE", &format!("/results/{}", session.run), b"")
            .await;
        assert_eq!(
            (answer.status, session.look().await.json()["state"].clone()),
            (status, json!(state)),
            "{fault}"
        );
    }
}

/// The names that the list of schedules shows under a fault.
async fn names(fault: &str) -> Vec<String> {
    let session = Session::later(&[fault]).await;
    let found = session
        .call(
            "GET",
            "/schedules?name=Daily%20Agent%20Performance%20Aggregation",
            b"",
        )
        .await
        .json();
    found["schedules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schedule| schedule["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_list_of_schedules_misleads() {
    let name = "Daily Agent Performance Aggregation";
    assert_eq!(
        names("duplicate-schedules:count=2").await,
        [name, name, name]
    );
    assert_eq!(
        names("similar-schedules:count=2").await,
        [name, &name.to_uppercase(), &format!("{name} (copy 1)")]
    );
    assert!(names("schedules-hidden").await.is_empty());
    let session = Session::later(&["schedules-paged:size=1"]).await;
    session.post("/schedules", &definition()).await;
    let first = session
        .call("GET", "/schedules?name=daily", b"")
        .await
        .json();
    assert_eq!(
        (
            first["schedules"].as_array().unwrap().len(),
            &first["nextPageToken"]
        ),
        (1, &json!("1"))
    );
    let second = session
        .call("GET", "/schedules?name=daily&pageToken=1", b"")
        .await
        .json();
    assert_eq!(
        (
            second["schedules"].as_array().unwrap().len(),
            &second["nextPageToken"]
        ),
        (1, &Value::Null)
    );
}

#[tokio::test]
async fn a_definition_is_refused() {
    let session = Session::later(&["definition-refused"]).await;
    let answer = session.post("/schedules", &definition()).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.json()["error_description"]
            .as_str()
            .unwrap()
            .contains("talkTime")
    );
}
