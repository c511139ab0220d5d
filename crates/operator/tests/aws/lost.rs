//! A part that was committed and is gone: nobody but a consumer would notice.

use serde_json::json;

use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::NAME;
use crate::{cxr, cxr_with};

const LOST: &str = "2026-06-08";

/// Three days with rows, and the keys of the parts of one of them.
async fn deliver(server: &Server) -> (Report<'_>, Vec<String>) {
    let report = Report::new(server, &definition("acme", NAME));
    let mut parts = Vec::new();
    for date in ["2026-06-07", LOST, "2026-06-09"] {
        report.open(day(date), 1, json!({})).await;
        let rows = [r#"{"agentId":"a","queueId":"q"}"#.to_owned()];
        let stored = report.commit_rows(day(date), 1, &rows, json!({})).await;
        if date == LOST {
            parts = stored;
        }
    }
    (report, parts)
}

#[tokio::test]
async fn a_part_that_is_gone_is_told_until_the_window_is_replayed() {
    let server = Server::start().await;
    let (report, parts) = deliver(&server).await;
    let check = ["status", "--check"];
    assert_eq!(cxr(&server, &check).await.0.unwrap(), 0);
    report.remove(&parts[0]).await;
    let (result, out) = cxr(&server, &check).await;
    assert_eq!(result.unwrap(), 5, "{out}");
    let said = [
        "2/3",
        "1 lost",
        "2026-06-08   lost: a part of its rows is gone from the bucket",
        "\n    cxr replay daily-agent-performance 2026-06-08 --reason TEXT --watch\n",
        "\n    cxr verify daily-agent-performance 2026-06-08\n",
    ];
    for said in said {
        assert!(out.contains(said), "{said} is not in: {out}");
    }
    // Who may not list the rows, as operators could not before, is told the rest.
    server.refuse_below("/data/", "AccessDenied");
    assert_eq!(cxr(&server, &check).await.0.unwrap(), 0);
    server.refuse_below("nothing", "AccessDenied");
    report.open(day(LOST), 2, json!({"wish": "again"})).await;
    let rows = [r#"{"agentId":"b","queueId":"q"}"#.to_owned()];
    report.commit_rows(day(LOST), 2, &rows, json!({})).await;
    let (result, out) = cxr(&server, &check).await;
    assert_eq!(result.unwrap(), 0, "{out}");
}

/// What expires by itself is not lost: an unnamed state machine's stack keeps rows for 14 days at least.
#[tokio::test]
async fn a_part_that_may_have_expired_is_not_called_lost() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    for date in ["2026-05-20", "2026-05-21"] {
        let window = day(date);
        report.open(window, 1, json!({})).await;
        let rows = [r#"{"agentId":"a","queueId":"q"}"#.to_owned()];
        let parts = report.commit_rows(window, 1, &rows, json!({})).await;
        report.remove(&parts[0]).await;
    }
    let (_, out) = cxr(&server, &["status"]).await;
    assert!(!out.contains("lost"), "{out}");
}

/// So that looking at many reports again and again asks for little. What is committed since is looked at at once.
#[tokio::test]
async fn parts_that_were_all_there_are_believed_for_ten_minutes() {
    let server = Server::start().await;
    let (report, parts) = deliver(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let count = async || {
        let before = server.count_calls();
        let (result, out) = cxr_with(&server, Some(folder.path()), &["status"]).await;
        assert_eq!(result.unwrap(), 0, "{out}");
        (server.count_calls() - before, out.contains("lost"))
    };
    count().await;
    let (warm, _) = count().await;
    report.remove(&parts[0]).await;
    assert_eq!(count().await, (warm, false));
    report.deliver(day("2026-06-06")).await;
    assert!(count().await.1);
    assert!(
        count().await.1,
        "what was lost is looked for again each time"
    );
}
