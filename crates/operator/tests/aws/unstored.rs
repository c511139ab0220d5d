//! Reports of which nothing is stored: their first executions failed before, so that only Step Functions knows of them.

use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{Answer, BUCKET, Server};
use crate::status::NAME;
use crate::{NOW, cxr, done};

const SLUG: &str = "daily-agent-performance";

/// What the Scheduler sends for the ninth of June.
fn event(definition: &Value) -> Value {
    json!({"time": "2026-06-10T05:30:00Z", "detail": {"definition": definition}})
}

/// The first execution of a report fails so.
async fn fail(
    server: &Server,
    name: &str,
    definition: &Value,
    error: (&'static str, &'static str),
) {
    // What is none of ours is tried three times.
    let failed: Vec<Answer> = vec![Err(error); 3];
    let at = "2026-06-10T05:30:00Z";
    server.run(name, at, &event(definition), failed).await;
}

fn typo() -> Value {
    let mut definition = definition("acme", NAME);
    definition["report"]["metrics"][0] = json!("handelTime");
    definition
}

const REFUSED: (&str, &str) = ("Cxone.Config", "\"handelTime\" is not a metric");

#[tokio::test]
async fn a_first_window_whose_definition_is_refused_is_told_with_the_line_that_helps() {
    let server = Server::start().await;
    fail(&server, "first", &typo(), REFUSED).await;
    server.wait_until(NOW).await;
    let (result, status) = cxr(&server, &["status", "--check"]).await;
    assert_eq!(result.unwrap(), 5, "{status}");
    let line = "cxr replay FILE --window 2026-06-09 --reason TEXT\n";
    for said in [
        "acme: 0 of 1 report is complete",
        "daily-agent-performance  2026-06-09   failed 2026-06-10 05:30: Cxone.Config: \"handelTime\" is not a metric",
        line,
    ] {
        assert!(status.contains(said), "{said} is not in: {status}");
    }
    assert!(!status.contains("cxr retry"), "{status}");
    let shown = done(&server, &["show", "first"]).await;
    assert!(
        shown.contains(line) && !shown.contains("cxr retry a"),
        "{shown}"
    );
    // Whoever types a retry all the same is told the same.
    for args in [&["retry", "--all"][..], &["retry", SLUG]] {
        let (result, out) = cxr(&server, args).await;
        assert_eq!(result.unwrap(), 5, "{out}");
        assert!(out.contains(line), "{out}");
    }
    let error = cxr(&server, &["retry", SLUG, "2026-06-09"])
        .await
        .0
        .unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO058", 1), "{error}");
    assert!(
        error.to_string().contains("cxr replay FILE --window DAY"),
        "{error}"
    );
    // What is typed with the corrected file starts an execution, and from then on there is nothing to say.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), definition("acme", NAME).to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    server.answer("replay-", [Ok(crate::delivered())]);
    let replay = ["replay", path, "--window", "2026-06-09", "--reason", "typo"];
    let out = done(&server, &replay).await;
    assert!(out.contains("replay-daily-agent-performance-"), "{out}");
    Report::new(&server, &definition("acme", NAME))
        .deliver(day("2026-06-09"))
        .await;
    let (result, status) = cxr(&server, &["status", "--check"]).await;
    assert_eq!(result.unwrap(), 0, "{status}");
}

/// Whatever is known of the definition is in the execution's own input.
#[tokio::test]
async fn a_first_window_that_failed_otherwise_is_retried_without_a_file() {
    let server = Server::start().await;
    let right = definition("acme", NAME);
    let cause = "the role may not invoke the function";
    fail(&server, "first", &right, ("States.Permissions", cause)).await;
    server.wait_until(NOW).await;
    let (_, status) = cxr(&server, &["status"]).await;
    let line = format!("cxr retry {SLUG} 2026-06-09 --watch");
    assert!(status.contains(&line), "{status}");
    assert!(
        status.contains("daily 05:30"),
        "its definition is known: {status}"
    );
    let shown = done(&server, &["show", "first"]).await;
    assert!(
        shown.contains("cxr retry acme/daily-agent-performance 2026-06-09"),
        "{shown}"
    );
    let out = done(
        &server,
        &["retry", "acme/daily-agent-performance", "2026-06-09"],
    )
    .await;
    assert!(out.starts_with("redriven: first\n"), "{out}");
}

#[tokio::test]
async fn where_nothing_was_ever_asked_for_the_list_of_failures_is_named() {
    let server = Server::start().await;
    let out = done(&server, &["status"]).await;
    assert!(
        out.contains("holds no report; cxr list --failed shows"),
        "{out}"
    );
    let error = cxr(&server, &["retry", SLUG, "2026-06-09"])
        .await
        .0
        .unwrap_err();
    assert_eq!(error.code(), "CXO024");
    assert!(
        error
            .to_string()
            .contains("there are none yet; cxr list --failed"),
        "{error}"
    );
}

/// A report that is complete hides no other one, and one that is known tells of a day before its first too.
#[tokio::test]
async fn failures_are_told_beside_reports_that_are_complete() {
    let server = Server::start().await;
    let other = Report::new(&server, &definition("acme", "Weekly Agents"));
    for date in ["2026-06-08", "2026-06-09"] {
        other.deliver(day(date)).await;
    }
    let check = ["status", "--check"];
    assert_eq!(cxr(&server, &check).await.0.unwrap(), 0);
    fail(&server, "first", &typo(), REFUSED).await;
    let mut early = event(&definition("acme", "Weekly Agents"));
    early["detail"]["window"] = json!(day("2026-06-02"));
    let auth: Vec<Answer> = vec![Err(("Cxone.Auth", "refused"))];
    let at = "2026-06-10T05:40:00Z";
    server.run("early", at, &early, auth).await;
    server.wait_until(NOW).await;
    let (result, status) = cxr(&server, &check).await;
    assert_eq!(result.unwrap(), 5, "{status}");
    for said in [
        "acme: 0 of 2 reports",
        "daily-agent-performance  2026-06-09   failed",
        "weekly-agents  2026-06-02   failed",
    ] {
        assert!(status.contains(said), "{said} is not in: {status}");
    }
    // One report by its name, also where it is not stored.
    let (_, one) = cxr(&server, &["status", "daily"]).await;
    assert!(
        one.contains("2026-06-09") && !one.contains("2026-06-02"),
        "{one}"
    );
    // Somebody who looks at another prefix is not told of executions that store elsewhere.
    let elsewhere = ["status", "--bucket", BUCKET, "--prefix", "elsewhere"];
    let (_, out) = cxr(&server, &elsewhere).await;
    assert!(out.contains("holds no report"), "{out}");
    // Where the same bucket is named, they are.
    let same = ["status", "--bucket", BUCKET, "--prefix", "reports"];
    let (_, out) = cxr(&server, &same).await;
    assert!(out.contains("daily-agent-performance  2026-06-09"), "{out}");
}

/// What was given up is not told for ever.
#[tokio::test]
async fn what_nobody_stored_is_told_for_as_long_as_it_can_be_redriven() {
    let server = Server::start().await;
    let failed: Vec<Answer> = vec![Err(REFUSED)];
    let mut old = event(&typo());
    old["time"] = json!("2026-05-20T05:30:00Z");
    server
        .run("old", "2026-05-20T05:30:00Z", &old, failed)
        .await;
    server.wait_until(NOW).await;
    let (_, status) = cxr(&server, &["status"]).await;
    assert!(status.contains("holds no report"), "{status}");
}
