//! What `cxr` reads of the bucket, and what it keeps of it.

use std::path::Path;

use serde_json::json;

use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::{NAME, dates, scene};
use crate::{cxr, cxr_with, done};

/// Twenty reports: everything that was read before stays, so that hardly anything is asked.
#[tokio::test]
async fn the_status_of_twenty_reports_takes_few_calls() {
    let server = Server::start().await;
    for number in 0..20 {
        let report = Report::new(&server, &definition("acme", &format!("Report {number}")));
        for date in dates("2026-06-01", 9) {
            // Of two reports a day is missing, and of one a day was begun and not finished.
            match (number, date.as_str()) {
                (3 | 4, "2026-06-05") => {}
                (5, "2026-06-06") => report.open(day(&date), 1, json!({})).await,
                _ => report.deliver(day(&date)).await,
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let before = server.count_calls();
    let first = status_with(&server, folder.path()).await;
    let cold = server.count_calls() - before;
    assert_eq!(status_with(&server, folder.path()).await, first);
    let warm = server.count_calls() - before - cold;
    // Each commit once, and of each report its newest definition and the names of its parts.
    assert!(cold <= 20 * 9 + 2 * 20 + warm, "{cold} calls");
    assert!(warm <= 60, "{warm} calls");
}

/// Commits never change, so that they are read once. Whatever is wrong with what is kept, the answer is the same.
#[tokio::test]
async fn what_was_read_is_kept_and_never_believed_blindly() {
    let server = scene().await;
    let folder = tempfile::tempdir().unwrap();
    let first = status_with(&server, folder.path()).await;
    let cold = server.count_calls();
    assert_eq!(status_with(&server, folder.path()).await, first);
    let warm = server.count_calls() - cold;
    // Tags, tenants, reports; of each report its log and its windows; of each open window its claims; of the executions four
    // lists and two that failed.
    assert!(warm <= 1 + 2 + 2 * 2 + 3 + 4 + 2, "{warm} calls of {cold}");
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    }
    assert_eq!(status_with(&server, folder.path()).await, first, "torn");
    // A bucket of the same name that was made anew.
    let other = Server::start().await;
    let report = Report::new(&other, &definition("acme", NAME));
    report.deliver(day("2026-06-09")).await;
    let out = status_with(&other, folder.path()).await;
    assert!(out.contains("1/1"), "{out}");
    assert!(!out.contains("missing"), "{out}");
}

/// Also without a folder for what is kept.
#[tokio::test]
async fn one_command_reads_no_object_twice_and_describes_no_execution_twice() {
    let server = scene().await;
    for args in [
        &["status"][..],
        &["calendar"],
        &["show", "daily", "2026-06-05"],
        &["show", "daily", "2026-05-20..2026-06-08"],
        &["show", "daily", "failed"],
    ] {
        let (read, described) = (
            server.objects_read().len(),
            server.count("DescribeExecution"),
        );
        done(&server, args).await;
        let mut read = server.objects_read().split_off(read);
        read.sort_unstable();
        let twice: Vec<_> = read.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(twice.is_empty(), "{args:?}: {twice:?}");
        // There are five that run or failed.
        let described = server.count("DescribeExecution") - described;
        assert!(described <= 5, "{args:?}: {described}");
    }
}

/// Else every window behind it would be called missing.
#[tokio::test]
async fn a_commit_that_is_no_commit_is_an_error() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    for date in dates("2026-06-07", 3) {
        report.deliver(day(&date)).await;
    }
    report.overwrite_commit(2, "no JSON").await;
    let error = cxr(&server, &["status"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO023", 3));
    assert!(
        error.to_string().contains("00002.json can't be read"),
        "{error}"
    );
}

async fn status_with(server: &Server, cache: &Path) -> String {
    let (result, out) = cxr_with(server, Some(cache), &["status"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    out
}
