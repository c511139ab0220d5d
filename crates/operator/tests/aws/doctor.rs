//! `cxr doctor`: what of the deployment can be reached.

use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::NAME;
use crate::{cxr, done};

/// A report with rows, and a tenant with both secrets.
async fn deployment() -> Server {
    let server = Server::start_keeping(Some("0")).await;
    server.put_schedule("reports-daily", "ENABLED");
    server.put_schedule("reports-daily-expect", "ENABLED");
    let report = Report::new(&server, &definition("acme", NAME));
    report.open(day("2026-06-01"), 1, json!({})).await;
    let row = r#"{"agentId":"A","queueId":"Q","agentName":"ROW-CANARY"}"#.to_owned();
    report
        .commit_rows(day("2026-06-01"), 1, &[row], json!({}))
        .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.json");
    let secret = json!({
        "base_url": "https://api-na1.niceincontact.com", "token_url": "https://cxone.niceincontact.com/auth/token",
        "client_id": "ID-CANARY", "client_secret": "SECRET-CANARY",
    });
    std::fs::write(&file, secret.to_string()).unwrap();
    done(&server, &["tenant", "set", "acme", file.to_str().unwrap()]).await;
    server
}

/// The lines of a doctor: what was looked at, and how it is.
async fn examine(server: &Server, exit: u8) -> Vec<(String, String)> {
    let before = server.secret_calls().len();
    let (result, out) = cxr(server, &["doctor", "--format", "json"]).await;
    assert_eq!(result.unwrap(), exit, "{out}");
    assert!(!out.contains("-CANARY"), "{out}");
    let text = cxr(server, &["doctor"]).await.1;
    assert!(!text.contains("-CANARY"), "{text}");
    let mut asked = server.secret_calls().split_off(before);
    asked.dedup();
    assert!(
        asked.iter().all(|call| call == "DescribeSecret"),
        "{asked:?}"
    );
    let found: Value = serde_json::from_str(&out).unwrap();
    let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
    let checks = found["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (text(check, "name"), text(check, "verdict")))
        .collect()
}

fn verdicts(found: &[(String, String)], name: &str) -> Vec<String> {
    let of_name = found.iter().filter(|(it, _)| it == name);
    of_name.map(|(_, verdict)| verdict.clone()).collect()
}

#[tokio::test]
async fn what_is_well_is_ok_and_what_was_not_asked_is_not() {
    let server = deployment().await;
    let found = examine(&server, 0).await;
    for (name, expected) in [
        ("region", "ok"),
        ("identity", "ok"),
        ("state machine", "ok"),
        ("bucket", "ok"),
        ("rows", "ok"),
        ("schedules", "ok"),
        ("versions", "notTried"),
    ] {
        assert_eq!(verdicts(&found, name), [expected], "{name}");
    }
    assert_eq!(verdicts(&found, "secret"), ["ok", "ok"]);
    let text = done(&server, &["doctor"]).await;
    assert!(text.contains("cxone/acme has a value, changed"), "{text}");
    assert!(
        text.contains("2 schedules in group reports, all enabled"),
        "{text}"
    );
    let identity = "\nidentity       ok         access key local\n";
    assert!(text.contains(identity), "{text}");
}

#[tokio::test]
async fn each_right_that_is_missing_is_told_with_what_to_do() {
    for (operation, name, expected, told) in [
        ("ListExecutions", "state machine", "fail", "CXO011"),
        ("ListTagsForResource", "bucket", "fail", "CXO011"),
        ("ListObjectsV2", "bucket", "fail", "CXO023"),
        ("/data/", "rows", "warn", "ConsumerPolicy"),
        ("ListSchedules", "schedules", "fail", "CXO011"),
        ("DescribeSecret", "secret", "warn", "MaintainerPolicy"),
    ] {
        let server = deployment().await;
        if operation == "/data/" {
            server.refuse_below(operation, "AccessDenied");
        } else {
            server.refuse_operation(operation, "AccessDenied");
        }
        let exit = if expected == "fail" { 5 } else { 0 };
        let found = examine(&server, exit).await;
        assert_eq!(verdicts(&found, name)[0], expected, "{operation}");
        let text = cxr(&server, &["doctor"]).await.1;
        assert!(text.contains(told), "{operation}: {text}");
        // What AWS says of a secret may quote it.
        let is_quoted = text.contains("CANARY");
        assert!(!is_quoted || operation != "DescribeSecret", "{text}");
    }
}

#[tokio::test]
async fn a_tenant_without_secrets_and_a_bucket_without_reports_are_told() {
    let server = Server::start().await;
    let found = examine(&server, 0).await;
    assert_eq!(verdicts(&found, "bucket"), ["warn"]);
    assert_eq!(verdicts(&found, "schedules"), ["warn"], "there is none");
    assert_eq!(verdicts(&found, "secret"), ["notTried"]);
    server.put_schedule("reports-daily", "DISABLED");
    let report = Report::new(&server, &definition("acme", NAME));
    report.deliver(day("2026-06-01")).await;
    let found = examine(&server, 5).await;
    assert_eq!(verdicts(&found, "secret"), ["fail", "fail"]);
    assert_eq!(verdicts(&found, "rows"), ["fail"], "the part is not there");
    let text = cxr(&server, &["doctor"]).await.1;
    assert!(text.contains("cxr tenant set acme FILE"), "{text}");
    assert!(
        text.contains("WARN       disabled: reports-daily\n"),
        "{text}"
    );
}

/// The version before this one had no backfills, and rows that expired were not told.
#[tokio::test]
async fn a_deployment_that_is_older_than_cxr_is_told_by_its_tags() {
    let server = Server::start_without_backfills().await;
    let found = examine(&server, 0).await;
    assert_eq!(verdicts(&found, "versions"), ["warn"]);
    let text = done(&server, &["doctor"]).await;
    let older = format!(
        "the deployment is older than cxr {}: it has no tag",
        env!("CARGO_PKG_VERSION")
    );
    for told in [
        older.as_str(),
        "cxone-reports:backfill",
        "cxone-reports:data-retention-days",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("cxone-reports:logs"), "{text}");
}
